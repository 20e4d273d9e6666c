//! The superblock: geometry, features, identity. "XFS Algorithms & Data Structures", "Superblocks".

use super::FORMAT;
use crate::disk::DiskError;
use crate::disk::bytes::{Structure, label_text, uuid_text};

/// Bytes of the structure; it begins the device.
pub const SIZE: usize = 512;
const MAGIC: u32 = 0x5846_5342;

/// Bits of `versionnum`, whose lowest four are the version.
mod version {
    pub const MASK: u16 = 0xf;
    pub const DIRECTORY_2: u16 = 0x2000;
    pub const MORE: u16 = 0x8000;
}

/// `features2`: entries of directories carry the type of what they name.
const FEATURES2_FILE_TYPE: u32 = 0x200;

/// Incompatible features of version 5.
mod incompat {
    pub const FILE_TYPE: u32 = 0x1;
    pub const NEEDS_REPAIR: u32 = 0x10;
    /// File types, sparse inodes, two UUIDs, times past 2038, repair wanted, wide extent counts, exchanged mappings,
    /// parent pointers, a tree of metadata files, zones: none changes what is read below without saying so in the inode.
    pub const KNOWN: u32 = 0x3ff;
}

/// What the rest of the reader needs of the superblock; every size in it has been checked.
#[derive(Debug, Clone)]
pub struct Superblock {
    /// Bytes: a power of two from 512 to 65,536.
    pub block_size: u32,
    pub blocks: u64,
    pub free_blocks: u64,
    /// Blocks of an external realtime device, or of a section for it.
    pub realtime_blocks: u64,
    /// Where the log begins, as a file system block number; 0 when it lies on another device.
    pub log_start: u64,
    pub log_blocks: u32,
    pub root: u64,
    /// Blocks of one allocation group.
    pub group_blocks: u32,
    pub groups: u32,
    /// The same as a power of two, rounded up: how many bits of a number say the block within its group.
    pub group_bits: u8,
    /// Bytes: a power of two from 256 to 2,048.
    pub inode_size: u16,
    /// How many bits of an inode's number say its place within its block.
    pub inode_bits: u8,
    /// Bytes of a directory block: one block or several.
    pub directory_block: u32,
    /// Version 5, whose metadata describes itself.
    pub self_describing: bool,
    pub has_file_types: bool,
    pub needs_repair: bool,
    pub uuid: String,
    pub label: String,
}

/// Whether these are the first bytes of a superblock.
pub fn looks_right(bytes: &[u8]) -> bool {
    let view = Structure::new(FORMAT, "superblock", bytes);
    view.be32(0).is_ok_and(|magic| magic == MAGIC)
        && view.be32(4).is_ok_and(is_block_size)
        && view
            .be16(100)
            .is_ok_and(|number| (1..=5).contains(&(number & version::MASK)))
}

fn is_block_size(size: u32) -> bool {
    size.is_power_of_two() && (512..=65536).contains(&size)
}

impl Superblock {
    /// Reads and checks a superblock.
    pub fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "superblock", bytes);
        if !looks_right(bytes) {
            return Err(view.damaged("no magic, or an impossible block size or version"));
        }
        let number = view.be16(100)?;
        let self_describing = number & version::MASK == 5;
        if !self_describing && number & version::DIRECTORY_2 == 0 {
            let what = "directories of the first version, from before 2001";
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let incompat = if self_describing { view.be32(216)? } else { 0 };
        if incompat & !incompat::KNOWN != 0 {
            let what = format!("features of an unknown meaning ({incompat:#x})");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let more = number & version::MORE != 0;
        let old_file_types = more && view.be32(200)? & FEATURES2_FILE_TYPE != 0;
        let block_size = view.be32(4)?;
        let parsed = Self {
            block_size,
            blocks: view.be64(8)?,
            free_blocks: view.be64(144)?,
            realtime_blocks: view.be64(16)?,
            log_start: view.be64(48)?,
            log_blocks: view.be32(96)?,
            root: view.be64(56)?,
            group_blocks: view.be32(84)?,
            groups: view.be32(88)?,
            group_bits: view.u8(124)?,
            inode_size: view.be16(104)?,
            inode_bits: view.u8(123)?,
            directory_block: block_size
                .checked_shl(u32::from(view.u8(192)?))
                .unwrap_or_default(),
            self_describing,
            has_file_types: incompat & incompat::FILE_TYPE != 0 || old_file_types,
            needs_repair: incompat & incompat::NEEDS_REPAIR != 0,
            uuid: uuid_text(view.array(32)?),
            label: label_text(view.slice(108, 12)?),
        };
        if view.u8(126)? != 0 {
            return Err(view.damaged("it was being made and never finished"));
        }
        parsed.check(view)?;
        Ok(parsed)
    }

    fn check(&self, view: Structure<'_>) -> Result<(), DiskError> {
        let inode_size = u32::from(self.inode_size);
        let per_block = self.block_size.checked_div(inode_size).unwrap_or_default();
        if !inode_size.is_power_of_two()
            || !(256..=2048).contains(&inode_size)
            || per_block.checked_ilog2() != Some(u32::from(self.inode_bits))
        {
            return Err(view.damaged(format_args!("inodes of {inode_size} bytes")));
        }
        if !(self.block_size..=65536).contains(&self.directory_block) {
            return Err(view.damaged(format_args!(
                "directory blocks of {} bytes",
                self.directory_block
            )));
        }
        let bits = self.group_blocks.checked_next_power_of_two();
        let bits = bits.and_then(u32::checked_ilog2);
        let most = u64::from(self.groups) * u64::from(self.group_blocks);
        if self.group_blocks == 0
            || bits != Some(u32::from(self.group_bits))
            || self.blocks == 0
            || self.blocks > most
            || self.blocks >> 52 != 0
        {
            return Err(view.damaged(format_args!(
                "{} blocks in {} groups of {}",
                self.blocks, self.groups, self.group_blocks
            )));
        }
        Ok(())
    }

    /// Bytes of the whole file system.
    pub fn size(&self) -> u64 {
        self.blocks.saturating_mul(u64::from(self.block_size))
    }

    /// Bytes in use, as last written.
    pub fn used(&self) -> u64 {
        let used = self.blocks.saturating_sub(self.free_blocks);
        used.saturating_mul(u64::from(self.block_size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), low in 0_u8..8) {
            let _ = Superblock::parse(&bytes);
            // And past the magic, which chance would never meet.
            for (at, value) in [(0, 0x58), (1, 0x46), (2, 0x53), (3, 0x42), (4, 0), (5, 0), (6, 16), (7, 0), (101, low)] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            let _ = Superblock::parse(&bytes);
        }
    }
}
