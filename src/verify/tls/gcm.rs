//! AES-128-GCM as records of TLS use it: RFC 8446 section 5.2, and RFC 5288 for TLS 1.2.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce as GcmNonce, Tag as GcmTag};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, NONCE_LEN, Nonce, OutboundOpaqueMessage, OutboundPlainMessage,
    PrefixedPayload, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
    make_tls12_aad, make_tls13_aad,
};
use rustls::{ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion};

const TAG: usize = 16;
/// Of the nonce, what a record of TLS 1.2 carries.
const EXPLICIT: usize = 8;

pub(super) struct Gcm;

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
