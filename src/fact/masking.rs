//! Whether texts of the machine are said without their secrets. Everywhere but where secrets' files are written they are.

use crate::secret::{MASK, Redacted, redact, redact_line};
use std::borrow::Cow;

/// How facts say what they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Masking {
    /// Secrets are taken out.
    #[default]
    Masked,
    /// As the machine has it: for the files of secrets that a user asked for, and nothing else.
    Disclosed,
}

impl Masking {
    /// The value of a setting or variable named `key`.
    pub fn redact<'a>(self, key: Option<&str>, value: &'a str) -> Redacted<'a> {
        match self {
            Self::Masked => whole(redact(key, value)),
            Self::Disclosed => plain(value),
        }
    }

    /// Free text.
    pub fn redact_line(self, text: &str) -> Redacted<'_> {
        match self {
            Self::Masked => whole(redact_line(text)),
            Self::Disclosed => plain(text),
        }
    }
}

/// A key has lines, and its head is what it is known by: none of them stays.
fn whole(redacted: Redacted<'_>) -> Redacted<'_> {
    if redacted.kind.is_some() && redacted.text.contains('\n') {
        return Redacted {
            text: Cow::Borrowed(MASK),
            ..redacted
        };
    }
    redacted
}

fn plain(text: &str) -> Redacted<'_> {
    Redacted {
        text: Cow::Borrowed(text),
        kind: None,
    }
}

/// Characters that stand for the bytes that are no text: byte 0x80 is the one 0x80 behind this. No machine's text needs
/// them, and where it has one all the same, its own bytes are what is kept.
const FIRST: u32 = 0x10_FF00;

/// Bytes as text from which [`bytes`] makes the same bytes again.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.chars().any(|c| u32::from(c) >= FIRST)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    let stand_in = |byte: u8| char::from_u32(FIRST + u32::from(byte));
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if u32::from(c) < FIRST {
                out.push(c);
            } else {
                let mut own = [0; 4];
                out.extend(c.encode_utf8(&mut own).bytes().filter_map(stand_in));
            }
        }
        out.extend(chunk.invalid().iter().copied().filter_map(stand_in));
    }
    Cow::Owned(out)
}

/// What [`text`] was made from.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        let byte = u32::from(c).checked_sub(FIRST);
        match byte.and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => out.push(byte),
            None => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_masked_is_masked() {
        let said = "PGPASSWORD=hunter2x pg_dump";
        assert!(!Masking::Masked.redact_line(said).text.contains("hunter2x"));
        assert_eq!(Masking::Disclosed.redact_line(said).text, said);
        let key = Some("DB_PASSWORD");
        assert_eq!(Masking::Disclosed.redact(key, "hunter2x").text, "hunter2x");
        let key = "-----BEGIN PRIVATE KEY-----\nhunter2x\n";
        assert_eq!(Masking::Masked.redact(Some("A"), key).text, MASK);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_come_back(any in proptest::collection::vec(0u8.., 0..60), odd in "[\u{10FF00}-\u{10FFFF}a]{0,4}") {
            let all = [any, odd.into_bytes()].concat();
            assert_eq!(bytes(&text(&all)), all);
        }
    }
}
