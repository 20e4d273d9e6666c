//! The inode: what a node is, whose, how large, when changed. Kernel documentation, "Index Nodes".

use super::FORMAT;
use super::group;
use super::superblock::{Superblock, ro_compat};
use super::volume::Volume;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, FileKind};

/// Inode flags that change how content is read.
pub mod flag {
    pub const COMPRESSED: u32 = 0x4;
    pub const ENCRYPTED: u32 = 0x800;
    pub const HUGE_FILE: u32 = 0x4_0000;
    pub const EXTENTS: u32 = 0x8_0000;
    pub const EA_INODE: u32 = 0x20_0000;
    pub const INLINE_DATA: u32 = 0x1000_0000;
}

/// Bytes of the first, fixed part.
const OLD_SIZE: usize = 128;

/// One inode, read and checked.
#[derive(Debug, Clone)]
pub struct Inode {
    pub number: u64,
    pub kind: FileKind,
    /// Permission bits, 0 to 0o7777.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    /// Bytes allocated, the block of extended attributes included.
    pub allocated: u64,
    pub mtime: (i64, u32),
    pub links: u32,
    pub flags: u32,
    /// Block pointers, an extent tree's root, a short link's target, or the first bytes of inline data.
    pub root: [u8; 60],
    /// The block of extended attributes; 0 for none.
    pub xattr_block: u64,
    /// What follows the fields: extended attributes, if they begin with their magic.
    pub tail: Vec<u8>,
}

impl Inode {
    /// Reads an inode from its place in the table.
    pub fn parse(number: u64, disk: &Superblock, bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "inode", bytes);
        let mode = view.le16(0x0)?;
        let kind = kind_of(mode)
            .ok_or_else(|| view.damaged(format_args!("{number} has the mode {mode:#o}")))?;
        let flags = view.le32(0x20)?;
        let extra = match bytes.len() {
            0..=OLD_SIZE => 0,
            _ => usize::from(view.le16(0x80)?),
        };
        let size = size(view, kind, disk)?;
        // Content inside the inode counts in sectors, as the kernel has it: a small file is not a hole.
        let inlined = match (kind, flags & flag::INLINE_DATA) {
            (FileKind::File, 1..) => size.next_multiple_of(512),
            _ => 0,
        };
        Ok(Self {
            number,
            kind,
            mode: u32::from(mode & 0o7777),
            uid: pair(view.le16(0x2)?, view.le16(0x78)?),
            gid: pair(view.le16(0x18)?, view.le16(0x7a)?),
            size,
            allocated: allocated(view, flags, disk)?.saturating_add(inlined),
            mtime: mtime(view, extra)?,
            links: u32::from(view.le16(0x1a)?),
            flags,
            root: view.array(0x28)?,
            xattr_block: u64::from(view.le32(0x68)?)
                | if disk.is_64bit() {
                    u64::from(view.le16(0x76)?) << 32
                } else {
                    0
                },
            // Without extra fields nothing says where attributes would begin, and the kernel reads none.
            tail: match extra {
                0 => Vec::new(),
                _ => bytes.get(OLD_SIZE + extra..).unwrap_or_default().to_vec(),
            },
        })
    }

    /// Finds an inode in its group's table.
    pub fn load(volume: &Volume, disk: &Superblock, number: u64) -> Result<Self, DiskError> {
        let Some(index) = number
            .checked_sub(1)
            .filter(|at| *at < u64::from(disk.inodes))
        else {
            let what = format!("there is no inode {number} among {}", disk.inodes);
            return Err(DiskError::damaged(FORMAT, what));
        };
        let per_group = u64::from(disk.inodes_per_group).max(1);
        let table = group::inode_table(volume, disk, index / per_group)?;
        let at = index % per_group * u64::from(disk.inode_size);
        let size = u64::from(disk.block_size);
        let block = volume.block(table.saturating_add(at / size))?;
        let within = usize::try_from(at % size).unwrap_or(usize::MAX);
        let view = Structure::new(FORMAT, "inode table", &block);
        Self::parse(
            number,
            disk,
            view.slice(within, usize::from(disk.inode_size))?,
        )
    }

    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Major and minor number: the old form in the first word, the new one in the second.
    pub fn device(&self) -> (u32, u32) {
        if !matches!(self.kind, FileKind::CharDevice | FileKind::BlockDevice) {
            return (0, 0);
        }
        let word = |at| {
            Structure::new(FORMAT, "inode", &self.root)
                .le32(at)
                .unwrap_or_default()
        };
        match (word(0), word(4)) {
            (0, new) => ((new >> 8) & 0xfff, (new & 0xff) | ((new >> 12) & 0xf_ff00)),
            (old, _) => ((old >> 8) & 0xff, old & 0xff),
        }
    }
}

fn pair(low: u16, high: u16) -> u32 {
    u32::from(low) | u32::from(high) << 16
}

fn kind_of(mode: u16) -> Option<FileKind> {
    Some(match mode & 0o17_0000 {
        0o01_0000 => FileKind::Fifo,
        0o02_0000 => FileKind::CharDevice,
        0o04_0000 => FileKind::Directory,
        0o06_0000 => FileKind::BlockDevice,
        0o10_0000 => FileKind::File,
        0o12_0000 => FileKind::Symlink,
        0o14_0000 => FileKind::Socket,
        _ => return None,
    })
}

/// The upper half of a size was the old directory ACL, so it counts for files and, lately, for large directories only.
fn size(view: Structure<'_>, kind: FileKind, disk: &Superblock) -> Result<u64, DiskError> {
    let large_dir = disk.incompat & super::superblock::incompat::LARGE_DIR != 0;
    let wide = kind == FileKind::File || (kind == FileKind::Directory && large_dir);
    let high = if wide { view.le32(0x6c)? } else { 0 };
    let size = u64::from(view.le32(0x4)?) | u64::from(high) << 32;
    if i64::try_from(size).is_err() {
        return Err(view.damaged(format_args!("a size of {size} bytes")));
    }
    Ok(size)
}

fn allocated(view: Structure<'_>, flags: u32, disk: &Superblock) -> Result<u64, DiskError> {
    let low = u64::from(view.le32(0x1c)?);
    if disk.ro_compat & ro_compat::HUGE_FILE == 0 {
        return Ok(low * 512);
    }
    let count = low | u64::from(view.le16(0x74)?) << 32;
    let unit = match flags & flag::HUGE_FILE {
        0 => 512,
        _ => u64::from(disk.block_size),
    };
    Ok(count.saturating_mul(unit))
}

/// Seconds are signed 32-bit; two bits of the extra word carry them on past 2038, the other thirty are nanoseconds.
fn mtime(view: Structure<'_>, extra: usize) -> Result<(i64, u32), DiskError> {
    let seconds = i64::from(i32::from_le_bytes(view.array(0x10)?));
    if extra < 0x8c - OLD_SIZE {
        return Ok((seconds, 0));
    }
    let more = view.le32(0x88)?;
    let epoch = i64::from(more & 3) << 32;
    // Thirty bits can say more than a second has: damage that is no reason to lose the node.
    Ok((seconds + epoch, (more >> 2).min(999_999_999)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(old: u32, new: u32) -> (u32, u32) {
        let mut root = [0; 60];
        root[..4].copy_from_slice(&old.to_le_bytes());
        root[4..8].copy_from_slice(&new.to_le_bytes());
        Inode {
            number: 12,
            kind: FileKind::BlockDevice,
            mode: 0o600,
            uid: 0,
            gid: 0,
            size: 0,
            allocated: 0,
            mtime: (0, 0),
            links: 1,
            flags: 0,
            root,
            xattr_block: 0,
            tail: Vec::new(),
        }
        .device()
    }

    #[test]
    fn device_numbers_come_in_an_old_and_a_new_form() {
        assert_eq!(device(0x0801, 0), (8, 1));
        assert_eq!(device(0, 0x0011_0334), (0x103, 0x134));
    }

    #[test]
    fn times_reach_past_2038_and_before_1970() {
        let mut bytes = [0_u8; 160];
        let mut read = |seconds: i32, extra: u32| {
            bytes[0x10..0x14].copy_from_slice(&seconds.to_le_bytes());
            bytes[0x88..0x8c].copy_from_slice(&extra.to_le_bytes());
            mtime(Structure::new(FORMAT, "inode", &bytes), 32).unwrap()
        };
        assert_eq!(read(-1, 0), (-1, 0));
        assert_eq!(read(i32::MIN, 1), (0x8000_0000, 0));
        assert_eq!(read(5, (7 << 2) | 3), (0x3_0000_0005, 7));
    }
}
