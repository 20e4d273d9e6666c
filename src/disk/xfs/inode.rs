//! The inode: what a node is, whose, how large, and its two forks. "XFS Algorithms & Data Structures", "On-disk Inode".

use super::FORMAT;
use super::fork::{Fork, Format};
use super::superblock::Superblock;
use super::volume::Volume;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, FileKind};

const MAGIC: u16 = 0x494e;
/// Bytes of the fixed part, before version 3 and since.
const OLD_CORE: usize = 100;
const CORE: usize = 176;

const FLAG_REALTIME: u16 = 0x1;
const FLAG2_BIGTIME: u64 = 0x8;
const FLAG2_WIDE_COUNTS: u64 = 0x10;

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
    /// Bytes allocated, those of attributes included.
    pub allocated: u64,
    pub mtime: (i64, u32),
    pub links: u32,
    /// Content lies on the realtime device.
    pub realtime: bool,
    pub data: Fork,
    pub attributes: Option<Fork>,
}

impl Inode {
    /// Finds an inode by its number, which says where it lies.
    pub fn load(volume: &Volume, disk: &Superblock, number: u64) -> Result<Self, DiskError> {
        let block = volume.block(number >> disk.inode_bits)?;
        let within = number & ((1 << disk.inode_bits) - 1);
        let size = usize::from(disk.inode_size);
        let at = usize::try_from(within)
            .unwrap_or(usize::MAX)
            .saturating_mul(size);
        let view = Structure::new(FORMAT, "inode block", &block);
        Self::parse(number, disk, view.slice(at, size)?)
    }

    /// Reads an inode from its bytes.
    pub fn parse(number: u64, disk: &Superblock, bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "inode", bytes);
        let (magic, version) = (view.be16(0)?, view.u8(4)?);
        if magic != MAGIC || !(1..=3).contains(&version) {
            return Err(view.damaged(format_args!("there is none at {number}")));
        }
        let new = version == 3;
        if new && view.be64(152)? != number {
            return Err(view.damaged(format_args!("{number} says it is another")));
        }
        let mode = view.be16(2)?;
        let kind = kind_of(mode)
            .ok_or_else(|| view.damaged(format_args!("{number} has the mode {mode:#o}")))?;
        let flags2 = if new { view.be64(120)? } else { 0 };
        let (size, blocks) = (view.be64(56)?, view.be64(64)?);
        if i64::try_from(size).is_err() {
            return Err(view.damaged(format_args!("{number} has {size} bytes")));
        }
        let (data, attributes) = forks(view, new, flags2)?;
        Ok(Self {
            number,
            kind,
            mode: u32::from(mode & 0o7777),
            uid: view.be32(8)?,
            gid: view.be32(12)?,
            size,
            allocated: blocks.saturating_mul(u64::from(disk.block_size)),
            mtime: time(view, 40, flags2)?,
            links: match version {
                1 => u32::from(view.be16(6)?),
                _ => view.be32(16)?,
            },
            realtime: view.be16(90)? & FLAG_REALTIME != 0,
            data,
            attributes,
        })
    }

    /// Major and minor number of a device node.
    pub fn device(&self) -> (u32, u32) {
        if self.data.format != Format::Device {
            return (0, 0);
        }
        let view = Structure::new(FORMAT, "inode", &self.data.bytes);
        let number = view.be32(0).unwrap_or_default();
        ((number >> 18) & 0x3fff, number & 0x3_ffff)
    }
}

/// The data fork, and the one for attributes where there is one.
fn forks(view: Structure<'_>, new: bool, flags2: u64) -> Result<(Fork, Option<Fork>), DiskError> {
    let core = if new { CORE } else { OLD_CORE };
    let room = view.len().saturating_sub(core);
    let offset = usize::from(view.u8(82)?) * 8;
    let wide = flags2 & FLAG2_WIDE_COUNTS != 0;
    let (extents, attribute_extents) = if wide {
        (view.be64(24)?, view.be32(76)?)
    } else {
        (u64::from(view.be32(76)?), u32::from(view.be16(80)?))
    };
    let length = if offset == 0 { room } else { offset };
    let data = Fork::parse(view.u8(5)?, extents, view.slice(core, length)?)?;
    if offset == 0 {
        return Ok((data, None));
    }
    let bytes = view.slice(core + offset, room.saturating_sub(offset))?;
    let attributes = Fork::parse(view.u8(83)?, u64::from(attribute_extents), bytes)?;
    Ok((data, Some(attributes)))
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

/// Signed seconds and nanoseconds; or, since 5.10, nanoseconds since the earliest moment the old form could say.
fn time(view: Structure<'_>, at: usize, flags2: u64) -> Result<(i64, u32), DiskError> {
    const SECOND: u64 = 1_000_000_000;
    if flags2 & FLAG2_BIGTIME == 0 {
        let seconds = i64::from(i32::from_be_bytes(view.array(at)?));
        return Ok((seconds, view.be32(at + 4)?.min(999_999_999)));
    }
    let stamp = view.be64(at)?;
    let seconds = i64::try_from(stamp / SECOND).unwrap_or_default();
    let nanoseconds = u32::try_from(stamp % SECOND).unwrap_or_default();
    Ok((seconds + i64::from(i32::MIN), nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_time() {
        let read = |bytes: [u8; 8], flags| {
            time(Structure::new(FORMAT, "inode", &bytes), 0, flags).unwrap()
        };
        assert_eq!(read([255, 255, 255, 255, 0, 0, 0, 5], 0), (-1, 5));
        assert_eq!(read([0; 8], FLAG2_BIGTIME), (i64::from(i32::MIN), 0));
        let later = (1_u64 << 33) * 1_000_000_000 + 7;
        let expected = ((1 << 33) - (1 << 31), 7);
        assert_eq!(read(later.to_be_bytes(), FLAG2_BIGTIME), expected);
    }
}
