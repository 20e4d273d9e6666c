//! Sessions of TLS with a listener whose certificate is recorded, not trusted: nothing secret goes over them.

mod exchange;
mod gcm;
mod provider;

use super::wire::{self, Wire};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme,
    StreamOwned,
};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

/// What a listener shows at the start of a session.
pub(super) struct Hello {
    pub version: String,
    /// Its own certificate in DER.
    pub certificate: Vec<u8>,
}

/// Takes every certificate.
#[derive(Debug)]
struct Any;

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as Scheme;
        vec![
            Scheme::ECDSA_NISTP256_SHA256,
            Scheme::ECDSA_NISTP384_SHA384,
            Scheme::ECDSA_NISTP521_SHA512,
            Scheme::ED25519,
            Scheme::RSA_PSS_SHA256,
            Scheme::RSA_PSS_SHA384,
            Scheme::RSA_PSS_SHA512,
            Scheme::RSA_PKCS1_SHA256,
            Scheme::RSA_PKCS1_SHA384,
            Scheme::RSA_PKCS1_SHA512,
        ]
    }
}

fn client(address: SocketAddr, name: &str) -> Result<ClientConnection, Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider::provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Any))
        .with_no_client_auth();
    let named = ServerName::try_from(name.to_owned());
    let name = named.unwrap_or_else(|_| ServerName::IpAddress(address.ip().into()));
    ClientConnection::new(Arc::new(config), name)
}

/// Begins a session to see who is there. `None` where TLS is not spoken.
pub(super) fn hello(address: SocketAddr, name: &str) -> Option<Hello> {
    let mut stream = wire::connect(address).ok()?;
    let mut client = client(address, name).ok()?;
    while client.is_handshaking() {
        if let Err(error) = client.complete_io(&mut stream) {
            // An alert is TLS too: it wants a certificate of ours, or a version that is no longer spoken.
            let inner = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Error>());
            return match inner {
                Some(Error::AlertReceived(alert)) => Some(Hello {
                    version: format!("refused: {alert:?}"),
                    certificate: Vec::new(),
                }),
                _ => None,
            };
        }
    }
    let certificates = client.peer_certificates().unwrap_or_default();
    Some(Hello {
        version: match client.protocol_version()? {
            ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
            ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
            other => format!("{other:?}"),
        },
        certificate: certificates.first()?.to_vec(),
    })
}

impl Wire for StreamOwned<ClientConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

/// A session over a connection.
pub(super) fn session(stream: TcpStream, name: &str) -> io::Result<Box<dyn Wire>> {
    let client = client(stream.peer_addr()?, name).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(client, stream)))
}
