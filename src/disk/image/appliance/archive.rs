//! The tar archive of an appliance: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block", and GNU's long
//! names. Its members are read where they lie.

use super::super::{Beside, RawFile};
use super::FORMAT;
use crate::disk::bytes::Structure;
use crate::disk::{BlockDevice, DiskError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Headers and contents are padded to this.
const BLOCK: usize = 512;
/// Members at most; an appliance has a descriptor, its disks, a manifest and a certificate.
const MOST: usize = 4096;
/// The longest name, or other text about a member, in bytes.
const TEXT: u64 = 64 << 10;

/// A regular file in the archive.
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    start: u64,
    size: u64,
    /// Whether the content is stored without its holes: no disk can be read through that.
    sparse: bool,
}

/// An archive and its members.
pub(super) struct Archive {
    file: Arc<RawFile>,
    path: PathBuf,
    pub(super) members: Vec<Member>,
}

/// What a header for the next member says, beside its own.
#[derive(Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Archive {
    /// Lists the first members, `most` of them or all.
    pub(super) fn read(file: &Arc<RawFile>, path: &Path, most: usize) -> Result<Self, DiskError> {
        let mut members = Vec::new();
        let mut ahead = Ahead::default();
        let (mut at, mut headers) = (0, 0);
        while members.len() < most {
            let bytes = file.up_to(at, BLOCK)?;
            if bytes.len() < BLOCK || bytes.iter().all(|byte| *byte == 0) {
                break;
            }
            headers += 1;
            if headers > MOST {
                return Err(damaged(format!("more than {MOST} members")));
            }
            let view = Structure::new(FORMAT, "header of a member", &bytes);
            check(&view)?;
            let start = at + 512;
            let stored = ahead.size.take().map_or_else(|| number(&view, 124), Ok)?;
            let end = start.checked_add(stored).filter(|end| *end <= file.size());
            let end = end.ok_or_else(|| {
                damaged(format!(
                    "the archive has {} bytes, and a member reaches beyond them: it is truncated; copy it again",
                    file.size()
                ))
            })?;
            at = end.next_multiple_of(512);
            match view.u8(156)? {
                b'0' | b'7' | 0 => {
                    let told = std::mem::take(&mut ahead);
                    members.push(Member {
                        name: told.name.map_or_else(|| name(&view), Ok)?,
                        start,
                        size: stored,
                        sparse: told.sparse,
                    });
                }
                b'x' => pax(&text(file, start, stored)?, &mut ahead),
                b'L' => ahead.name = Some(until_nul(&text(file, start, stored)?).to_vec()),
                // Of all members together, and the target of a long link: nothing that is needed.
                b'g' | b'K' => {}
                b'S' => return Err(unsupported("a member is stored as a sparse file")),
                _ => ahead = Ahead::default(),
            }
        }
        Ok(Self {
            file: Arc::clone(file),
            path: path.to_path_buf(),
            members,
        })
    }
}

impl Beside for Archive {
    /// Whatever is in it; the last of its name, as unpacking would leave it.
    fn file(&self, named: &[u8]) -> io::Result<RawFile> {
        let named = plain(named);
        let mut members = self.members.iter().rev();
        let found = members.find(|member| plain(&member.name) == named);
        let member = found.ok_or_else(|| io::Error::other("the archive has no such member"))?;
        if member.sparse {
            let what = "it is stored as a sparse file; unpack the archive and give the descriptor";
            return Err(io::Error::other(what));
        }
        let part = self.file.part(member.start, member.size);
        part.map_err(io::Error::other)
    }

    fn path(&self, named: &[u8]) -> PathBuf {
        self.path.join(&*String::from_utf8_lossy(named))
    }

    fn names(&self) -> Vec<Vec<u8>> {
        let names = self.members.iter().map(|member| plain(&member.name));
        names.map(<[u8]>::to_vec).collect()
    }
}

/// A member's name as others write it.
fn plain(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"./").unwrap_or(name)
}

/// The checksum counts its own eight bytes as blanks.
fn check(view: &Structure<'_>) -> Result<(), DiskError> {
    let sum: u64 = view.bytes().iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = view
        .slice(148, 8)?
        .iter()
        .map(|byte| u64::from(*byte))
        .sum();
    if octal(view.slice(148, 8)?) == Some(sum - own + 8 * u64::from(b' ')) {
        return Ok(());
    }
    Err(view.damaged("its checksum is wrong"))
}

/// A length of twelve bytes: octal digits, or, GNU's way, a number with the highest bit set.
fn number(view: &Structure<'_>, at: usize) -> Result<u64, DiskError> {
    let field = view.slice(at, 12)?;
    let large = view.be64(at + 4)?;
    let value = match field.first() {
        Some(0x80) => Some(large).filter(|_| field.iter().skip(1).take(3).all(|byte| *byte == 0)),
        _ => octal(field),
    };
    let value = value.filter(|value| *value <= i64::MAX.unsigned_abs());
    value.ok_or_else(|| view.damaged("its length is no number, or beyond any file"))
}

/// Digits, with blanks before and a blank or NUL behind.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = until_nul(field).trim_ascii();
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

fn name(view: &Structure<'_>) -> Result<Vec<u8>, DiskError> {
    let name = until_nul(view.slice(0, 100)?);
    // GNU's own headers have something else where the prefix would be.
    let is_posix = view.slice(257, 6)? == b"ustar\0";
    let prefix = if is_posix {
        until_nul(view.slice(345, 155)?)
    } else {
        &[]
    };
    if prefix.is_empty() {
        return Ok(name.to_vec());
    }
    Ok([prefix, name].join(&b'/'))
}

fn text(file: &RawFile, at: u64, size: u64) -> Result<Vec<u8>, DiskError> {
    if size > TEXT {
        return Err(damaged(format!("{size} bytes of text about one member")));
    }
    file.up_to(at, usize::try_from(size).unwrap_or_default())
}

/// Records of `LENGTH KEY=VALUE\n`, the length in decimal and of the whole record.
fn pax(mut text: &[u8], ahead: &mut Ahead) {
    while let Some(blank) = text.iter().position(|byte| *byte == b' ') {
        let (digits, _) = text.split_at(blank);
        let length = decimal(digits).and_then(|length| usize::try_from(length).ok());
        // A record that ends before its own blank would be read for ever.
        let length = length.filter(|length| *length > blank);
        let Some((record, rest)) = length.and_then(|length| text.split_at_checked(length)) else {
            return;
        };
        let record = record.get(blank + 1..).unwrap_or_default();
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        if let Some(equals) = record.iter().position(|byte| *byte == b'=') {
            let (key, value) = record.split_at(equals);
            let value = value.get(1..).unwrap_or_default();
            match key {
                b"path" => ahead.name = Some(value.to_vec()),
                b"size" => ahead.size = decimal(value),
                key if key.starts_with(b"GNU.sparse") => ahead.sparse = true,
                _ => {}
            }
        }
        text = rest;
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok()
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn damaged(what: impl Into<String>) -> DiskError {
    DiskError::damaged(FORMAT, what)
}

fn unsupported(what: &str) -> DiskError {
    let advice = "unpack the archive and give the descriptor";
    DiskError::unsupported(FORMAT, format!("{what}; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_octal_or_large() {
        let field = |bytes: &[u8]| {
            let mut field = bytes.to_vec();
            field.resize(12, 0);
            number(&Structure::new(FORMAT, "header", &field), 0).ok()
        };
        assert_eq!(field(b"00000001750\0"), Some(1000));
        assert_eq!(field(b"   1750 "), Some(1000));
        assert_eq!(
            field(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]),
            Some((2 << 32) + 1)
        );
        assert_eq!(field(b"0000000175x\0"), None);
        // 2^63, and more than 64 bits.
        assert_eq!(field(&[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(field(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(field(&[0xff; 12]), None);
    }

    #[test]
    fn records_say_name_and_size() {
        let mut ahead = Ahead::default();
        pax(
            b"30 mtime=1700000000.123456789\n99 path=machine.vmdk\n",
            &mut ahead,
        );
        assert_eq!(
            ahead.name, None,
            "a record whose length is wrong ends the text"
        );
        pax(b"21 path=machine.vmdk\n15 size=123456\n", &mut ahead);
        assert_eq!(ahead.name.as_deref(), Some(&b"machine.vmdk"[..]));
        assert_eq!((ahead.size, ahead.sparse), (Some(123_456), false));
        pax(b"0 a=b\n", &mut ahead);
        pax(b"22 GNU.sparse.major=1\n", &mut ahead);
        assert!(ahead.sparse);
    }

    proptest! {
        #[test]
        fn any_records_end(text in "[0-9]{0,3} ?[a-z]{0,4}=?.{0,20}", bytes: Vec<u8>) {
            pax(text.as_bytes(), &mut Ahead::default());
            pax(&bytes, &mut Ahead::default());
        }
    }
}
