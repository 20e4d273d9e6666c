//! Records of the table of files, and the attributes in them. "NTFS Documentation", "File Record" and "Attributes".

use super::FORMAT;
use super::runs::{self, Run};
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes that end in a check of their own, in records and in blocks of directories, whatever the sector's size.
const STRIDE: usize = 512;
/// Kind of the mark behind the last attribute.
const END: u32 = 0xffff_ffff;

/// One record: all of a file, or a part of it.
#[derive(Debug, Clone)]
pub struct Record {
    pub is_directory: bool,
    /// The record whose file this is a part of; 0 where this is the file's first.
    pub base: u64,
    pub attributes: Vec<Attribute>,
}

/// An attribute, or a part of one that is spread over several records.
#[derive(Debug, Clone)]
pub struct Attribute {
    pub kind: u32,
    pub name: Vec<u16>,
    pub is_compressed: bool,
    pub is_encrypted: bool,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub enum Body {
    /// Inside the record.
    Resident(Vec<u8>),
    Mapped(Mapped),
}

/// Where the bytes of an attribute lie.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// Number of the first cluster of this part within the attribute.
    pub first: u64,
    pub runs: Vec<Run>,
    /// Clusters that are compressed together, as a power of two; 0 where nothing is.
    pub unit: u8,
    /// Bytes on the disk, of the content, and of what was ever written: right in the first part only.
    pub allocated: u64,
    pub size: u64,
    pub written: u64,
}

/// Puts back the two bytes at the end of each stride that a check has taken the place of.
pub fn repaired(bytes: &mut [u8], magic: [u8; 4]) -> Result<(), DiskError> {
    let view = Structure::new(FORMAT, "record", bytes);
    if view.slice(0, 4)? != magic {
        return Err(view.damaged(format_args!(
            "it does not begin with {}",
            String::from_utf8_lossy(&magic)
        )));
    }
    let (at, count) = (usize::from(view.le16(4)?), usize::from(view.le16(6)?));
    if count == 0 || (count - 1) * STRIDE != bytes.len() {
        return Err(view.damaged(format_args!("{count} checks")));
    }
    let checks = view.slice(at, count * 2)?.to_vec();
    let (mark, values) = checks.split_at(2);
    for (stride, value) in bytes.chunks_exact_mut(STRIDE).zip(values.chunks_exact(2)) {
        let end = stride.get_mut(STRIDE - 2..).unwrap_or_default();
        if end != mark {
            return Err(DiskError::damaged(FORMAT, "a record that was half written"));
        }
        end.copy_from_slice(value);
    }
    Ok(())
}

impl Record {
    /// From the bytes of a record as they are on the disk; `clusters` is the size of the file system.
    pub fn parse(bytes: &mut [u8], clusters: u64) -> Result<Self, DiskError> {
        repaired(bytes, *b"FILE")?;
        let view = Structure::new(FORMAT, "record", bytes);
        let flags = view.le16(22)?;
        if flags & 1 == 0 {
            return Err(view.damaged("it is not in use"));
        }
        let mut attributes = Vec::new();
        let mut at = usize::from(view.le16(20)?);
        while view.le32(at)? != END {
            let length = usize::try_from(view.le32(at + 4)?).unwrap_or(usize::MAX);
            if length < 16 {
                return Err(view.damaged(format_args!("an attribute of {length} bytes")));
            }
            let own = Structure::new(FORMAT, "attribute", view.slice(at, length)?);
            attributes.push(Attribute::parse(own, clusters)?);
            at += length;
        }
        Ok(Self {
            is_directory: flags & 2 != 0,
            base: number(view.le64(32)?),
            attributes,
        })
    }
}

/// The number in a reference: its upper 16 bits count how often the record was used again.
pub fn number(reference: u64) -> u64 {
    reference & 0xffff_ffff_ffff
}

/// UTF-16, the little end first.
pub fn units(bytes: &[u8]) -> Vec<u16> {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.iter().copied().map(u16::from_le_bytes).collect()
}

impl Attribute {
    fn parse(view: Structure<'_>, clusters: u64) -> Result<Self, DiskError> {
        let name_length = usize::from(view.u8(9)?) * 2;
        let name = view.slice(usize::from(view.le16(10)?), name_length)?;
        let flags = view.le16(12)?;
        let body = if view.u8(8)? == 0 {
            let length = usize::try_from(view.le32(16)?).unwrap_or(usize::MAX);
            let value = view.slice(usize::from(view.le16(20)?), length)?;
            Body::Resident(value.to_vec())
        } else {
            let pairs = usize::from(view.le16(32)?);
            // What has holes or is compressed says elsewhere how much of it there is.
            let thin = flags & 0x80ff != 0 && pairs >= 72;
            let pairs = view.bytes().get(pairs..).unwrap_or_default();
            Body::Mapped(Mapped {
                first: view.le64(16)?,
                runs: runs::parse(pairs, view.le64(16)?, clusters)?,
                unit: view.u8(34)?,
                allocated: view.le64(if thin { 64 } else { 40 })?,
                size: view.le64(48)?,
                written: view.le64(56)?,
            })
        };
        Ok(Self {
            kind: view.le32(0)?,
            name: units(name),
            is_compressed: flags & 0xff != 0,
            is_encrypted: flags & 0x4000 != 0,
            body,
        })
    }

    pub fn is(&self, kind: u32, name: &str) -> bool {
        self.kind == kind && self.name.iter().copied().eq(name.encode_utf16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_written_record_is_found() {
        let mut bytes = vec![0; 1024];
        bytes[..8].copy_from_slice(b"FILE\x30\0\x03\0");
        bytes[48..54].copy_from_slice(&[7, 0, 1, 2, 3, 4]);
        for end in [510, 1022] {
            bytes[end] = 7;
        }
        let mut whole = bytes.clone();
        repaired(&mut whole, *b"FILE").unwrap();
        assert_eq!(
            (&whole[510..512], &whole[1022..]),
            (&[1, 2][..], &[3, 4][..])
        );
        bytes[1022] = 6;
        assert!(repaired(&mut bytes, *b"FILE").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_record_survives(mut bytes in proptest::collection::vec(0u8.., 1024), start in 0x38_u16..0x60) {
            bytes[..8].copy_from_slice(b"FILE\x30\0\x03\0");
            bytes[20..22].copy_from_slice(&start.to_le_bytes());
            bytes[22] |= 1;
            for end in [510, 1022] {
                bytes[end] = bytes[48];
                bytes[end + 1] = bytes[49];
            }
            let _ = Record::parse(&mut bytes, 1 << 30);
        }

        #[test]
        fn any_attribute_survives(mut bytes in proptest::collection::vec(0u8.., 16..200), mapped: bool) {
            bytes[8] = u8::from(mapped);
            bytes[9] = 0;
            let _ = Attribute::parse(Structure::new(FORMAT, "attribute", &bytes), 1 << 30);
        }
    }
}
