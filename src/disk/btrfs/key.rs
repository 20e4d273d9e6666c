//! Keys: every item of every tree is found by three numbers. "On-disk format", "Trees", `struct btrfs_disk_key`.

use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes of a key.
pub const SIZE: usize = 17;

/// Kinds of items that a reader of files meets.
pub mod kind {
    pub const INODE: u8 = 1;
    pub const INODE_REF: u8 = 12;
    pub const XATTR: u8 = 24;
    pub const DIR_ITEM: u8 = 84;
    pub const DIR_INDEX: u8 = 96;
    pub const EXTENT_DATA: u8 = 108;
    pub const EXTENT_SUM: u8 = 128;
    pub const ROOT: u8 = 132;
    pub const ROOT_REF: u8 = 156;
    pub const CHUNK: u8 = 228;
}

/// A key, ordered as trees order it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub object: u64,
    pub kind: u8,
    pub offset: u64,
}

impl Key {
    pub fn new(object: u64, kind: u8, offset: u64) -> Self {
        Self {
            object,
            kind,
            offset,
        }
    }

    /// The key that is stored `at` bytes into a structure.
    pub fn parse(view: Structure<'_>, at: usize) -> Result<Self, DiskError> {
        Ok(Self {
            object: view.le64(at)?,
            kind: view.u8(at.saturating_add(8))?,
            offset: view.le64(at.saturating_add(9))?,
        })
    }

    /// Whether this is an item of that kind of that object.
    pub fn is(&self, object: u64, kind: u8) -> bool {
        (self.object, self.kind) == (object, kind)
    }
}
