//! SHA-256 as Content-Security-Policy and UUIDs write it.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A source expression for a script or a style: `sha256-…` (CSP level 3, section 2.3.1).
pub(super) fn source(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

/// A UUID that content decides (RFC 9562, version 8: the bits are the digest's but for version and variant).
pub(super) fn uuid(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let mut hex = String::with_capacity(36);
    for (at, byte) in digest.iter().take(16).enumerate() {
        let byte = match at {
            6 => (byte & 0x0f) | 0x80,
            8 => (byte & 0x3f) | 0x80,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            hex.push('-');
        }
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = 0u32;
        for at in 0..3 {
            group = group << 8 | u32::from(chunk.get(at).copied().unwrap_or_default());
        }
        for at in 0..4 {
            let index = (group >> (18 - 6 * at)) & 0x3f;
            let symbol = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            text.push(if at > chunk.len() {
                '='
            } else {
                char::from(symbol)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in pairs {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_source_expression_as_browsers_compute_it() {
        // The example of CSP level 3, section 2.3.1: alert('Hello, world.');
        assert_eq!(
            source("alert('Hello, world.');"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let uuid = uuid(b"x");
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes().get(14), Some(&b'8'));
        assert!(uuid.as_bytes().get(19).is_some_and(|c| b"89ab".contains(c)));
    }
}
