//! Numbers out of on-disk structures: every read is checked, and says which structure was cut short.

use super::DiskError;

/// A structure read from a disk: its bytes, the format it belongs to, and its name for messages.
#[derive(Debug, Clone, Copy)]
pub struct Structure<'a> {
    format: &'static str,
    name: &'static str,
    bytes: &'a [u8],
}

impl<'a> Structure<'a> {
    /// `bytes` hold the structure `name` ("superblock") of `format` ("ext").
    pub fn new(format: &'static str, name: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            format,
            name,
            bytes,
        }
    }

    /// The whole of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// An error about this structure.
    pub fn damaged(&self, what: impl std::fmt::Display) -> DiskError {
        DiskError::damaged(self.format, format!("{}: {what}", self.name))
    }

    /// `len` bytes from `at`; damaged when they are not there.
    pub fn slice(&self, at: usize, len: usize) -> Result<&'a [u8], DiskError> {
        at.checked_add(len)
            .and_then(|end| self.bytes.get(at..end))
            .ok_or_else(|| {
                self.damaged(format_args!(
                    "{len} bytes at {at} lie beyond its {} bytes",
                    self.bytes.len()
                ))
            })
    }

    /// A fixed number of bytes from `at`.
    pub fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], DiskError> {
        let mut out = [0; N];
        out.copy_from_slice(self.slice(at, N)?);
        Ok(out)
    }

    /// One byte.
    pub fn u8(&self, at: usize) -> Result<u8, DiskError> {
        Ok(self.array::<1>(at)?[0])
    }

    /// Two bytes, little end first.
    pub fn le16(&self, at: usize) -> Result<u16, DiskError> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// Four bytes, little end first.
    pub fn le32(&self, at: usize) -> Result<u32, DiskError> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// Eight bytes, little end first.
    pub fn le64(&self, at: usize) -> Result<u64, DiskError> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// Two bytes, big end first.
    pub fn be16(&self, at: usize) -> Result<u16, DiskError> {
        self.array(at).map(u16::from_be_bytes)
    }

    /// Four bytes, big end first.
    pub fn be32(&self, at: usize) -> Result<u32, DiskError> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// Eight bytes, big end first.
    pub fn be64(&self, at: usize) -> Result<u64, DiskError> {
        self.array(at).map(u64::from_be_bytes)
    }
}

/// Whether a checksum, as it is computed here, is the one that is stored. A fuzzer cannot guess it, and what lies behind
/// the comparison is what it is there for: built with `--cfg fuzzing`, every checksum agrees, and none is computed.
pub fn agree<T: PartialEq + Copy>(compute: impl FnOnce() -> T, stored: T) -> bool {
    cfg!(fuzzing) || compute() == stored
}

/// A UUID as blkid prints it.
pub fn uuid_text(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let digits = [byte >> 4, byte & 0xf].map(|digit| char::from_digit(digit.into(), 16));
        text.extend(digits.into_iter().flatten());
    }
    text
}

/// A GUID, as Microsoft stores it, the first three fields little end first, as blkid prints it.
pub fn guid_text(mut bytes: [u8; 16]) -> String {
    for field in [0..4, 4..6, 6..8] {
        bytes.get_mut(field).unwrap_or_default().reverse();
    }
    uuid_text(bytes)
}

/// The bytes of such a GUID, for constants.
#[expect(
    clippy::indexing_slicing,
    reason = "for constants: an index out of range would not compile"
)]
pub const fn guid(text: &str) -> [u8; 16] {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let text = text.as_bytes();
    let mut bytes = [0; 16];
    let (mut at, mut digit) = (0, 0);
    while at < text.len() {
        let value = match text[at] {
            number @ b'0'..=b'9' => number - b'0',
            letter @ b'a'..=b'f' => letter - b'a' + 10,
            _ => {
                at += 1;
                continue;
            }
        };
        let place = ORDER[digit / 2];
        bytes[place] = bytes[place] << 4 | value;
        digit += 1;
        at += 1;
    }
    bytes
}

/// A label: up to the first NUL, trailing blanks removed, whatever is not UTF-8 replaced.
pub fn label_text(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_refuses_to_read_past_the_end() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        let view = Structure::new("ext", "superblock", &bytes);
        assert_eq!(view.le16(0).unwrap(), 0x0201);
        assert_eq!(view.be32(4).unwrap(), 0x0506_0708);
        assert_eq!(view.le64(0).unwrap(), 0x0807_0605_0403_0201);
        let error = view.be64(1).unwrap_err().to_string();
        assert_eq!(
            error,
            "damaged ext: superblock: 8 bytes at 1 lie beyond its 8 bytes"
        );
        assert!(view.slice(usize::MAX, 2).is_err());
    }

    #[test]
    fn uuids_and_labels_read_as_blkid_prints_them() {
        let bytes = std::array::from_fn(|at| u8::try_from(at * 16).unwrap_or_default());
        assert_eq!(uuid_text(bytes), "00102030-4050-6070-8090-a0b0c0d0e0f0");
        assert_eq!(guid_text(bytes), "30201000-5040-7060-8090-a0b0c0d0e0f0");
        assert_eq!(guid("30201000-5040-7060-8090-a0b0c0d0e0f0"), bytes);
        assert_eq!(label_text(b"root\0\0junk"), "root");
        assert_eq!(label_text(b"DATA   "), "DATA");
    }
}
