//! The ciphers of TLS for rustls, of the RustCrypto crates: no C is built for them. One suite, which every server of TLS 1.3 has
//! (RFC 8446, section 9.1) and nearly every one of TLS 1.2 with elliptic curves.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce as GcmNonce, Tag as GcmTag};
use hmac::Mac as _;
use p256::elliptic_curve::sec1::ToSec1Point;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, NONCE_LEN, Nonce, OutboundOpaqueMessage, OutboundPlainMessage,
    PrefixedPayload, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
    make_tls12_aad, make_tls13_aad,
};
use rustls::crypto::hash::{self, HashAlgorithm};
use rustls::crypto::tls12::PrfUsingHmac;
use rustls::crypto::tls13::HkdfUsingHmac;
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, KeyExchangeAlgorithm, KeyProvider,
    SecureRandom, SharedSecret, SupportedKxGroup, WebPkiSupportedAlgorithms, hmac as tls_hmac,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{
    CipherSuite, CipherSuiteCommon, ConnectionTrafficSecrets, ContentType, Error, NamedGroup,
    PeerMisbehaved, ProtocolVersion, SignatureScheme, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const TAG: usize = 16;
/// Of the nonce, what a record of TLS 1.2 carries.
const EXPLICIT: usize = 8;

pub(super) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            SupportedCipherSuite::Tls13(&TLS13),
            SupportedCipherSuite::Tls12(&ECDSA),
            SupportedCipherSuite::Tls12(&RSA),
        ],
        kx_groups: vec![&X25519, &P256],
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: &[],
            mapping: &[],
        },
        secure_random: &System,
        key_provider: &System,
    }
}

const fn common(suite: CipherSuite) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite,
        hash_provider: &Sha,
        confidentiality_limit: 1 << 23,
    }
}

static TLS13: Tls13CipherSuite = Tls13CipherSuite {
    common: common(CipherSuite::TLS13_AES_128_GCM_SHA256),
    hkdf_provider: &HkdfUsingHmac(&Sha),
    aead_alg: &Gcm,
    quic: None,
};

static ECDSA: Tls12CipherSuite = Tls12CipherSuite {
    common: common(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    kx: KeyExchangeAlgorithm::ECDHE,
    sign: &[
        SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::ECDSA_NISTP384_SHA384,
        SignatureScheme::ECDSA_NISTP521_SHA512,
        SignatureScheme::ED25519,
    ],
    aead_alg: &Gcm,
    prf_provider: &PrfUsingHmac(&Sha),
};

static RSA: Tls12CipherSuite = Tls12CipherSuite {
    common: common(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    kx: KeyExchangeAlgorithm::ECDHE,
    sign: &[
        SignatureScheme::RSA_PSS_SHA256,
        SignatureScheme::RSA_PSS_SHA384,
        SignatureScheme::RSA_PSS_SHA512,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
    ],
    aead_alg: &Gcm,
    prf_provider: &PrfUsingHmac(&Sha),
};

/// The kernel's random numbers, and no keys of our own.
#[derive(Debug)]
struct System;

fn random(bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
    let flags = rustix::rand::GetRandomFlags::empty();
    // Up to 256 bytes come at once (getrandom(2)).
    for part in bytes.chunks_mut(256) {
        match rustix::rand::getrandom(&mut *part, flags) {
            Ok(read) if read == part.len() => {}
            _ => return Err(GetRandomFailed),
        }
    }
    Ok(())
}

impl SecureRandom for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        random(bytes)
    }
}

impl KeyProvider for System {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("no certificate of ours is shown".to_owned()))
    }
}

/// SHA-256, by itself and keyed.
struct Sha;

impl hash::Hash for Sha {
    fn start(&self) -> Box<dyn hash::Context> {
        Box::new(Hashed(Sha256::new()))
    }

    fn hash(&self, data: &[u8]) -> hash::Output {
        hash::Output::new(&Sha256::digest(data))
    }

    fn output_len(&self) -> usize {
        32
    }

    fn algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::SHA256
    }
}

struct Hashed(Sha256);

impl hash::Context for Hashed {
    fn fork_finish(&self) -> hash::Output {
        hash::Output::new(&self.0.clone().finalize())
    }

    fn fork(&self) -> Box<dyn hash::Context> {
        Box::new(Self(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> hash::Output {
        hash::Output::new(&self.0.finalize())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
}

impl tls_hmac::Hmac for Sha {
    fn with_key(&self, key: &[u8]) -> Box<dyn tls_hmac::Key> {
        Box::new(Keyed(key.to_vec()))
    }

    fn hash_output_len(&self) -> usize {
        32
    }
}

struct Keyed(Vec<u8>);

impl tls_hmac::Key for Keyed {
    fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> tls_hmac::Tag {
        // A key of any length will do.
        let Ok(mut mac) = <hmac::Hmac<Sha256> as KeyInit>::new_from_slice(&self.0) else {
            return tls_hmac::Tag::new(&[]);
        };
        mac.update(first);
        for part in middle {
            mac.update(part);
        }
        mac.update(last);
        tls_hmac::Tag::new(&mac.finalize().into_bytes())
    }

    fn tag_len(&self) -> usize {
        32
    }
}

struct Gcm;

/// One direction of a session; no cipher where the key is not as long as it has to be, and then nothing can be said.
struct Direction {
    cipher: Option<Aes128Gcm>,
    iv: Iv,
    /// The part of the nonce that is not in a record of TLS 1.2.
    salt: [u8; 4],
    explicit: bool,
}

impl Direction {
    fn new(key: &AeadKey, iv: Iv, salt: [u8; 4], explicit: bool) -> Box<Self> {
        let cipher = Aes128Gcm::new_from_slice(key.as_ref()).ok();
        Box::new(Self {
            cipher,
            iv,
            salt,
            explicit,
        })
    }

    fn seal(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], text: &mut [u8]) -> Result<GcmTag, Error> {
        let cipher = self.cipher.as_ref().ok_or(Error::EncryptError)?;
        cipher
            .encrypt_inout_detached(&GcmNonce::from(*nonce), aad, text.into())
            .map_err(|_| Error::EncryptError)
    }

    fn open(&self, nonce: [u8; NONCE_LEN], aad: &[u8], text: &mut [u8]) -> Result<(), Error> {
        let cipher = self.cipher.as_ref().ok_or(Error::DecryptError)?;
        let length = text.len().checked_sub(TAG).ok_or(Error::DecryptError)?;
        let (text, tag) = text.split_at_mut(length);
        let tag = <[u8; TAG]>::try_from(&*tag).map_err(|_| Error::DecryptError)?;
        cipher
            .decrypt_inout_detached(&GcmNonce::from(nonce), aad, text.into(), &GcmTag::from(tag))
            .map_err(|_| Error::DecryptError)
    }
}

impl MessageEncrypter for Direction {
    fn encrypt(
        &mut self,
        msg: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let total = self.encrypted_payload_len(msg.payload.len());
        let mut payload = PrefixedPayload::with_capacity(total);
        let nonce = Nonce::new(&self.iv, seq).0;
        let (tag, typ, version) = if self.explicit {
            payload.extend_from_slice(nonce.get(4..).unwrap_or_default());
            payload.extend_from_chunks(&msg.payload);
            let aad = make_tls12_aad(seq, msg.typ, msg.version, msg.payload.len());
            let text = payload.as_mut().get_mut(EXPLICIT..).unwrap_or_default();
            (self.seal(&nonce, &aad, text)?, msg.typ, msg.version)
        } else {
            payload.extend_from_chunks(&msg.payload);
            payload.extend_from_slice(&msg.typ.to_array());
            let tag = self.seal(&nonce, &make_tls13_aad(total), payload.as_mut())?;
            (tag, ContentType::ApplicationData, ProtocolVersion::TLSv1_2)
        };
        payload.extend_from_slice(&tag);
        Ok(OutboundOpaqueMessage::new(typ, version, payload))
    }

    fn encrypted_payload_len(&self, length: usize) -> usize {
        // The number of the record, or the kind of what is in it, which is hidden too.
        length + TAG + if self.explicit { EXPLICIT } else { 1 }
    }
}

impl MessageDecrypter for Direction {
    fn decrypt<'a>(
        &mut self,
        mut msg: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let length = msg.payload.len();
        if !self.explicit {
            let aad = make_tls13_aad(length);
            self.open(Nonce::new(&self.iv, seq).0, &aad, &mut msg.payload)?;
            msg.payload.truncate(length - TAG);
            return msg.into_tls13_unpadded_message();
        }
        let plain = length
            .checked_sub(EXPLICIT + TAG)
            .ok_or(Error::DecryptError)?;
        let (typ, version) = (msg.typ, msg.version);
        let mut nonce = [0; NONCE_LEN];
        let carried = msg.payload.iter().take(EXPLICIT);
        for (to, from) in nonce.iter_mut().zip(self.salt.iter().chain(carried)) {
            *to = *from;
        }
        let aad = make_tls12_aad(seq, typ, version, plain);
        let sealed = msg.payload.get_mut(EXPLICIT..).unwrap_or_default();
        self.open(nonce, &aad, sealed)?;
        Ok(msg.into_plain_message_range(EXPLICIT..EXPLICIT + plain))
    }
}

impl Tls13AeadAlgorithm for Gcm {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Direction::new(&key, iv, [0; 4], false)
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Direction::new(&key, iv, [0; 4], false)
    }

    fn key_len(&self) -> usize {
        16
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Ok(ConnectionTrafficSecrets::Aes128Gcm { key, iv })
    }
}

/// A nonce to start from: the salt, and what the keys were made with.
fn start(salt: &[u8], explicit: &[u8]) -> Iv {
    let mut iv = [0; NONCE_LEN];
    for (to, from) in iv.iter_mut().zip(salt.iter().chain(explicit)) {
        *to = *from;
    }
    Iv::new(iv)
}

impl Tls12AeadAlgorithm for Gcm {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Direction::new(&key, start(iv, extra), [0; 4], true)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        let salt = <[u8; 4]>::try_from(iv).unwrap_or_default();
        Direction::new(&key, start(iv, &[]), salt, true)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: 16,
            fixed_iv_len: 4,
            explicit_nonce_len: EXPLICIT,
        }
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        let iv = start(iv, explicit);
        Ok(ConnectionTrafficSecrets::Aes128Gcm { key, iv })
    }
}

#[derive(Debug)]
struct X25519;

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
struct P256;

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
