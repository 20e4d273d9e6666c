//! Whether a file that an image names can be a piece of a disk at all.
//!
//! A raw disk may hold anything, so there is no proof that a file is one. There is proof that some are not: a shell's history
//! named as an extent would be read as a disk, and end up in what is written.

use super::RawFile;
use crate::disk::{BlockDevice, DiskError};

/// Bytes that are looked at, at both ends of a file.
const ENDS: usize = 64 << 10;

/// How files begin that are no disks, and what they are.
const OTHERS: &[(&[u8], &str)] = &[
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"PK\x03\x04", "an archive"),
    (b"7z\xbc\xaf\x27\x1c", "an archive"),
    (b"\x1f\x8b\x08", "a packed file"),
    (b"\xfd7zXZ\0", "a packed file"),
    (b"\x28\xb5\x2f\xfd", "a packed file"),
    (b"BZh", "a packed file"),
    (b"%PDF-", "a document"),
    (b"\x89PNG\r\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x03\xd9\xa2\x9a", "a store of passwords"),
];

/// What a file is instead of a piece of a disk; `None` where it may be one. A piece that is not the disk's first may begin
/// like any file.
pub(super) fn other(file: &RawFile, is_first: bool) -> Result<Option<&'static str>, DiskError> {
    let head = file.head(ENDS)?;
    let mut others = OTHERS.iter().filter(|_| is_first);
    if let Some((_, what)) = others.find(|(magic, _)| head.starts_with(magic)) {
        return Ok(Some(what));
    }
    let length = u64::try_from(ENDS).unwrap_or(u64::MAX);
    let tail = file.up_to(file.size().saturating_sub(length), ENDS)?;
    Ok((is_text(&head) && is_text(&tail)).then_some("a text"))
}

/// Only what a person or a shell writes. A disk's first sectors and its last have zeros.
fn is_text(bytes: &[u8]) -> bool {
    let plain = |byte: &u8| !matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31 | 127);
    !bytes.is_empty() && bytes.iter().all(plain) && std::str::from_utf8(whole(bytes)).is_ok()
}

/// Without a character that is cut off at either end.
fn whole(bytes: &[u8]) -> &[u8] {
    let begin = bytes
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0xc0 == 0x80);
    let bytes = bytes.get(begin.count()..).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => {
            bytes.get(..error.valid_up_to()).unwrap_or_default()
        }
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told() {
        assert!(is_text("mysql -p geheim\nls\té\n".as_bytes()));
        assert!(is_text("x\u{e9}".as_bytes().get(..2).unwrap_or_default()));
        assert!(!is_text(b"") && !is_text(b"MBR\0") && !is_text(&[0xff; 8]));
    }
}
