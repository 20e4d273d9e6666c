//! The superblock: sizes, and which features are in use. `erofs_fs.h`, `struct erofs_super_block`.

use super::FORMAT;
use crate::disk::DiskError;
use crate::disk::bytes::{Structure, label_text, uuid_text};

/// Where it is, and bytes that are read.
pub const AT: u64 = 1024;
pub const SIZE: usize = 128;
/// Features without which nothing can be read rightly: padding before compressed data, large compressed clusters,
/// chunks, devices, inline ends of compressed files, fragments, prefixes of attributes.
const PADDED: u32 = 1;
const KNOWN: u32 = 0x3f;
/// Several devices, or a second way of packing: the same bit, told apart by the number of devices.
const DEVICES: u32 = 8;
/// Way 0 is LZ4; only that is read.
const LZ4: u16 = 1;
/// With settings for the ways of packing.
const SETTINGS: u32 = 2;

/// What the superblock says.
#[derive(Debug, Clone)]
pub struct Superblock {
    pub block_bits: u32,
    pub root: u64,
    /// Seconds since 1970, and nanoseconds: of all small inodes.
    pub time: (i64, u32),
    /// Bytes.
    pub size: u64,
    /// Where inodes begin, and attributes that several share, in bytes.
    pub inodes: u64,
    pub xattrs: u64,
    pub uuid: String,
    pub label: String,
    /// Whether packed data stands at the end of its blocks, zeros before it.
    pub padded: bool,
    /// Devices besides this one.
    pub devices: u16,
}

impl Superblock {
    pub fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "superblock", bytes);
        let block_bits = u32::from(view.u8(12)?);
        if !(9..=16).contains(&block_bits) {
            return Err(view.damaged(format_args!("blocks of 2^{block_bits} bytes")));
        }
        let features = view.le32(80)?;
        let unknown = features & !KNOWN;
        if unknown != 0 {
            let what = format!("features with the bits {unknown:#x} are not read");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        // Without settings this field has another meaning.
        let ways = if features & SETTINGS != 0 {
            view.le16(84)?
        } else {
            LZ4
        };
        if ways & !LZ4 != 0 {
            let what = "content packed otherwise than by LZ4 is not read";
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let devices = view.le16(86)?;
        let block = |at| Ok::<_, DiskError>(u64::from(view.le32(at)?) << block_bits);
        Ok(Self {
            block_bits,
            root: u64::from(view.le16(14)?),
            time: (
                view.le64(24)?.cast_signed(),
                view.le32(32)?.min(999_999_999),
            ),
            size: block(36)?,
            inodes: block(40)?,
            xattrs: block(44)?,
            uuid: uuid_text(view.array(48)?),
            label: label_text(view.slice(64, 16)?),
            padded: features & PADDED != 0,
            devices: if features & DEVICES != 0 { devices } else { 0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_superblock_survives(mut bytes in proptest::collection::vec(0u8.., SIZE)) {
            let _ = Superblock::parse(&bytes);
            bytes[12] = 12;
            bytes[80..88].fill(0);
            assert!(Superblock::parse(&bytes).is_ok());
        }
    }
}
