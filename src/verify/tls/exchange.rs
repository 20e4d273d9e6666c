//! Key exchange of TLS: X25519 (RFC 7748), and P-256 for servers that are too old for it.

use super::provider::random;
use p256::elliptic_curve::sec1::ToSec1Point;
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};

#[derive(Debug)]
pub(super) struct X25519;

impl SupportedKxGroup for X25519 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        let own = x25519_dalek::StaticSecret::from(bytes);
        let public = x25519_dalek::PublicKey::from(&own);
        Ok(Box::new(OfX25519 { own, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

struct OfX25519 {
    own: x25519_dalek::StaticSecret,
    public: x25519_dalek::PublicKey,
}

fn invalid() -> Error {
    PeerMisbehaved::InvalidKeyShare.into()
}

impl ActiveKeyExchange for OfX25519 {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer = <[u8; 32]>::try_from(peer).map_err(|_| invalid())?;
        let shared = self.own.diffie_hellman(&peer.into());
        Ok(shared.as_bytes().as_slice().into())
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// The curve of servers that are too old for the other.
#[derive(Debug)]
pub(super) struct P256;

struct OfP256 {
    own: p256::SecretKey,
    public: Vec<u8>,
}

impl SupportedKxGroup for P256 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        // Nearly every number is a key.
        for _ in 0..16 {
            let mut bytes = [0; 32];
            random(&mut bytes)?;
            if let Ok(own) = p256::SecretKey::from_slice(&bytes) {
                let public = own.public_key().to_sec1_point(false).as_bytes().to_vec();
                return Ok(Box::new(OfP256 { own, public }));
            }
        }
        Err(Error::FailedToGetRandomBytes)
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp256r1
    }
}

impl ActiveKeyExchange for OfP256 {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer = p256::PublicKey::from_sec1_bytes(peer).map_err(|_| invalid())?;
        let shared = p256::ecdh::diffie_hellman(self.own.to_nonzero_scalar(), peer.as_affine());
        Ok(shared.raw_secret_bytes().as_slice().into())
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp256r1
    }
}
