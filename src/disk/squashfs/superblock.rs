//! The superblock: sizes, and where the tables lie. `squashfs_fs.h`, `struct squashfs_super_block`.

use super::FORMAT;
use super::unpack::Packing;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes that are read.
pub const SIZE: usize = 96;
/// What stands in place of a table that there is none of.
const NONE: u64 = u64::MAX;

/// What the superblock says; places in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Superblock {
    pub packing: Packing,
    /// Bytes of a file that are packed together.
    pub block_size: u32,
    /// Where the root's inode is.
    pub root: u64,
    pub size: u64,
    pub ids: u64,
    pub id_count: u16,
    pub xattrs: Option<u64>,
    pub inodes: u64,
    pub directories: u64,
    pub fragments: u64,
    pub fragment_count: u32,
}

impl Superblock {
    pub fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "superblock", bytes);
        let (major, minor) = (view.le16(28)?, view.le16(30)?);
        if view.slice(0, 4)? != b"hsqs" || major != 4 {
            let what = "only version 4, from 2009 on, with the little end first, is read";
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let block_size = view.le32(12)?;
        if minor != 0 || !block_size.is_power_of_two() || !(4096..=1 << 20).contains(&block_size) {
            return Err(view.damaged(format_args!(
                "version 4.{minor}, blocks of {block_size} bytes"
            )));
        }
        let xattrs = view.le64(56)?;
        Ok(Self {
            packing: Packing::of(view.le16(20)?)?,
            block_size,
            root: view.le64(32)?,
            size: view.le64(40)?,
            ids: view.le64(48)?,
            id_count: view.le16(26)?,
            xattrs: (xattrs != NONE).then_some(xattrs),
            inodes: view.le64(64)?,
            directories: view.le64(72)?,
            fragments: view.le64(80)?,
            fragment_count: view.le32(16)?,
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
            bytes[..4].copy_from_slice(b"hsqs");
            bytes[28..32].copy_from_slice(&[4, 0, 0, 0]);
            let _ = Superblock::parse(&bytes);
        }
    }
}
