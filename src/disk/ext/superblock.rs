//! The superblock: sizes, feature flags, identity. Kernel documentation, "Super Block".

use super::FORMAT;
use crate::disk::DiskError;
use crate::disk::bytes::{Structure, label_text, uuid_text};

/// Byte offset on the device, whatever the block size.
pub const OFFSET: u64 = 1024;
/// Bytes of the structure.
pub const SIZE: usize = 1024;
const MAGIC: u16 = 0xef53;

/// Feature flags a reader must understand before it may read at all.
pub mod incompat {
    pub const COMPRESSION: u32 = 0x1;
    pub const RECOVER: u32 = 0x4;
    pub const JOURNAL_DEVICE: u32 = 0x8;
    pub const META_BG: u32 = 0x10;
    pub const IS_64BIT: u32 = 0x80;
    pub const EA_INODE: u32 = 0x400;
    pub const LARGE_DIR: u32 = 0x4000;
    pub const ENCRYPT: u32 = 0x1_0000;
    pub const CASEFOLD: u32 = 0x2_0000;
    /// Everything this reader knows, flags that only concern writers included.
    pub const KNOWN: u32 = 0x3_f7df;
    /// What an ext2 or ext3 driver accepts: file types in directories, recovery, meta block groups.
    pub const BEFORE_EXT4: u32 = 0x2 | RECOVER | META_BG;
}

/// Feature flags that only a writer must understand; some change how numbers are to be read.
pub mod ro_compat {
    pub const SPARSE_SUPER: u32 = 0x1;
    pub const HUGE_FILE: u32 = 0x8;
    pub const BIGALLOC: u32 = 0x200;
    /// What an ext2 or ext3 driver accepts.
    pub const BEFORE_EXT4: u32 = 0x7;
}

/// Feature flags anyone may ignore.
pub mod compat {
    pub const HAS_JOURNAL: u32 = 0x4;
    pub const SPARSE_SUPER2: u32 = 0x200;
}

/// What the rest of the reader needs of the superblock; every size in it has been checked.
#[derive(Debug, Clone)]
pub struct Superblock {
    /// Bytes: a power of two from 1,024 to 65,536.
    pub block_size: u32,
    /// Bytes of the least that is allocated: a block, or several under `BIGALLOC`.
    pub cluster_size: u64,
    pub blocks: u64,
    pub free_blocks: u64,
    pub first_data_block: u32,
    pub blocks_per_group: u32,
    pub inodes: u32,
    pub inodes_per_group: u32,
    /// Bytes: a power of two from 128 to the block size.
    pub inode_size: u16,
    /// Bytes of one group descriptor.
    pub descriptor_size: u16,
    pub first_meta_group: u32,
    pub compat: u32,
    pub incompat: u32,
    pub ro_compat: u32,
    /// The two groups that hold copies of the superblock, under `SPARSE_SUPER2`.
    pub backup_groups: [u32; 2],
    pub journal_inode: u32,
    pub uuid: String,
    pub label: String,
}

/// Whether these are the first bytes of a superblock: magic, block size and revision.
pub fn looks_right(bytes: &[u8]) -> bool {
    let view = Structure::new(FORMAT, "superblock", bytes);
    view.le16(0x38).is_ok_and(|magic| magic == MAGIC)
        && view.le32(0x18).is_ok_and(|shift| shift <= 6)
        && view.le32(0x4c).is_ok_and(|revision| revision <= 1)
}

impl Superblock {
    /// Reads and checks a superblock.
    pub fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "superblock", bytes);
        if !looks_right(bytes) {
            return Err(view.damaged("no magic, or an impossible block size or revision"));
        }
        let dynamic = view.le32(0x4c)? >= 1;
        let features = |at| if dynamic { view.le32(at) } else { Ok(0) };
        let incompat = features(0x60)?;
        let is_64bit = incompat & incompat::IS_64BIT != 0;
        let ro_compat = features(0x64)?;
        let cluster = match ro_compat & ro_compat::BIGALLOC {
            0 => view.le32(0x18)?,
            _ => view.le32(0x1c)?.min(30),
        };
        let wide = |low, high| -> Result<u64, DiskError> {
            let high = if is_64bit { view.le32(high)? } else { 0 };
            Ok(u64::from(view.le32(low)?) | u64::from(high) << 32)
        };
        let parsed = Self {
            block_size: 1024 << view.le32(0x18)?,
            cluster_size: 1024 << cluster,
            blocks: wide(0x4, 0x150)?,
            free_blocks: wide(0xc, 0x158)?,
            first_data_block: view.le32(0x14)?,
            blocks_per_group: view.le32(0x20)?,
            inodes: view.le32(0x0)?,
            inodes_per_group: view.le32(0x28)?,
            inode_size: if dynamic { view.le16(0x58)? } else { 128 },
            descriptor_size: if is_64bit { view.le16(0xfe)? } else { 32 },
            first_meta_group: view.le32(0x104)?,
            compat: features(0x5c)?,
            incompat,
            ro_compat,
            backup_groups: [view.le32(0x24c)?, view.le32(0x250)?],
            journal_inode: view.le32(0xe0)?,
            uuid: uuid_text(view.array(0x68)?),
            label: label_text(view.slice(0x78, 16)?),
        };
        parsed.check(view)?;
        Ok(parsed)
    }

    fn check(&self, view: Structure<'_>) -> Result<(), DiskError> {
        let unknown = self.incompat & !incompat::KNOWN;
        if unknown != 0 {
            let what = format!("features of an unknown meaning ({unknown:#x})");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        if self.incompat & incompat::JOURNAL_DEVICE != 0 {
            let what = "this is a journal that was kept apart from its file system";
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let inode_size = u32::from(self.inode_size);
        if !inode_size.is_power_of_two() || !(128..=self.block_size).contains(&inode_size) {
            return Err(view.damaged(format_args!("inodes of {inode_size} bytes")));
        }
        let descriptor = u32::from(self.descriptor_size);
        let least = if self.is_64bit() { 64 } else { 32 };
        if !descriptor.is_power_of_two() || !(least..=1024).contains(&descriptor) {
            return Err(view.damaged(format_args!("group descriptors of {descriptor} bytes")));
        }
        if self.blocks_per_group == 0 || self.inodes_per_group == 0 {
            return Err(view.damaged("groups without blocks or inodes"));
        }
        if self.blocks <= u64::from(self.first_data_block) || self.blocks >> 48 != 0 {
            return Err(view.damaged(format_args!("{} blocks", self.blocks)));
        }
        Ok(())
    }

    pub fn is_64bit(&self) -> bool {
        self.incompat & incompat::IS_64BIT != 0
    }

    /// The name blkid gives it: by what the older drivers would still accept.
    pub fn kind(&self) -> &'static str {
        let old = self.incompat & !incompat::BEFORE_EXT4 == 0
            && self.ro_compat & !ro_compat::BEFORE_EXT4 == 0;
        match (old, self.compat & compat::HAS_JOURNAL != 0) {
            (true, true) => "ext3",
            (true, false) => "ext2",
            (false, _) => "ext4",
        }
    }

    /// Bytes of the whole file system: at most 2^64, since blocks are below 2^48 and hold at most 2^16 bytes.
    pub fn size(&self) -> u64 {
        self.blocks.saturating_mul(u64::from(self.block_size))
    }

    /// Bytes in use, as last written.
    pub fn used(&self) -> u64 {
        let used = self.blocks.saturating_sub(self.free_blocks);
        used.saturating_mul(u64::from(self.block_size))
    }

    /// Whether a group begins with a copy of the superblock.
    pub fn has_copy(&self, group: u64) -> bool {
        if group == 0 {
            return true;
        }
        if self.compat & compat::SPARSE_SUPER2 != 0 {
            return self.backup_groups.iter().any(|at| u64::from(*at) == group);
        }
        if group == 1 || self.ro_compat & ro_compat::SPARSE_SUPER == 0 {
            return true;
        }
        [3, 5, 7].into_iter().any(|base| is_power_of(group, base))
    }
}

fn is_power_of(mut value: u64, base: u64) -> bool {
    while value > 1 && value.is_multiple_of(base) {
        value /= base;
    }
    value == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn copies_lie_in_groups_that_are_powers_of_3_5_and_7() {
        let powers = |base| {
            (0..60)
                .filter(|at| is_power_of(*at, base))
                .collect::<Vec<_>>()
        };
        assert_eq!(powers(3), [1, 3, 9, 27]);
        assert_eq!(powers(7), [1, 7, 49]);
    }

    proptest! {
        #[test]
        fn never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..1100)) {
            let _ = Superblock::parse(&bytes);
            // And past the magic, which chance would never meet.
            for (at, value) in [(0x38, 0x53), (0x39, 0xef), (0x18, 2), (0x19, 0), (0x1a, 0), (0x1b, 0)] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            let _ = Superblock::parse(&bytes);
        }
    }
}
