//! The content of a node: inline, by extents or by block pointers, read at any offset.

use super::inode::{Inode, flag};
use super::volume::Volume;
use super::{FORMAT, extent, indirect, xattr};
use crate::disk::DiskError;

/// Blocks of a node that lie together, or a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first block on the device; `None` reads as zero.
    pub block: Option<u64>,
    /// How many; at least one.
    pub blocks: u64,
}

impl Run {
    pub fn hole(blocks: u64) -> Self {
        Self {
            block: None,
            blocks,
        }
    }
}

/// The run that begins at block `logical` of a node; `wanted` bounds the search, and the run may be longer.
pub fn map(volume: &Volume, inode: &Inode, logical: u64, wanted: u64) -> Result<Run, DiskError> {
    if inode.has(flag::EXTENTS) {
        extent::map(volume, inode, logical)
    } else {
        indirect::map(volume, inode, logical, wanted)
    }
}

/// Refuses what only a key or a codec could read.
pub fn readable(inode: &Inode) -> Result<(), DiskError> {
    for (flag, what) in [
        (flag::ENCRYPTED, "is encrypted"),
        (flag::COMPRESSED, "is compressed by the e2compr patches"),
    ] {
        if inode.has(flag) {
            let what = format!("inode {} {what}", inode.number);
            return Err(DiskError::unsupported(FORMAT, what));
        }
    }
    Ok(())
}

/// Fills `buf` from byte `offset` of a node; short only at its end.
pub fn read_at(
    volume: &Volume,
    inode: &Inode,
    offset: u64,
    buf: &mut [u8],
) -> Result<usize, DiskError> {
    let left = usize::try_from(inode.size.saturating_sub(offset)).unwrap_or(usize::MAX);
    let length = left.min(buf.len());
    let buf = buf.get_mut(..length).unwrap_or_default();
    if inode.has(flag::INLINE_DATA) {
        read_inline(inode, offset, buf)?;
    } else {
        read_mapped(volume, inode, offset, buf)?;
    }
    Ok(length)
}

/// The bytes kept inside the inode: its pointers' place, then the attribute `system.data`.
pub fn inline(inode: &Inode) -> Result<Vec<u8>, DiskError> {
    let mut bytes = inode.root.to_vec();
    bytes.extend(xattr::inline_data(inode)?);
    Ok(bytes)
}

fn read_inline(inode: &Inode, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
    let bytes = inline(inode)?;
    let from = usize::try_from(offset).unwrap_or(usize::MAX);
    let bytes = bytes.get(from..).unwrap_or_default();
    // A file made longer by truncation has nothing stored there, and reads as zero.
    buf.fill(0);
    for (byte, stored) in buf.iter_mut().zip(bytes) {
        *byte = *stored;
    }
    Ok(())
}

fn read_mapped(
    volume: &Volume,
    inode: &Inode,
    offset: u64,
    buf: &mut [u8],
) -> Result<(), DiskError> {
    let size = u64::from(volume.block_size());
    let (mut offset, mut rest) = (offset, buf);
    while !rest.is_empty() {
        let within = offset % size;
        let wanted = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        let wanted_blocks = wanted.saturating_add(within).div_ceil(size);
        let run = map(volume, inode, offset / size, wanted_blocks)?;
        let bytes = run.blocks.saturating_mul(size).saturating_sub(within);
        let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(rest.len());
        let (part, after) = rest.split_at_mut(length);
        match run.block {
            Some(block) => volume.read(block, within, part)?,
            None => part.fill(0),
        }
        offset = offset.saturating_add(bytes);
        rest = after;
    }
    Ok(())
}

/// Holes that are passed by in one go.
const MOST_HOLES: usize = 1024;

/// Where the next block stands that is no hole, or the node's end.
pub fn data_from(volume: &Volume, inode: &Inode, offset: u64) -> Result<u64, DiskError> {
    let (size, mut at) = (u64::from(volume.block_size()), offset);
    if inode.has(flag::INLINE_DATA) {
        return Ok(offset);
    }
    for _ in 0..MOST_HOLES {
        if at >= inode.size {
            return Ok(inode.size.max(offset));
        }
        let run = map(volume, inode, at / size, u64::MAX / size)?;
        if run.block.is_some() {
            break;
        }
        at = (at / size).saturating_add(run.blocks).saturating_mul(size);
    }
    Ok(at.max(offset))
}

/// The whole content of a small node, at most `most` bytes; more is damage.
pub fn read_whole(volume: &Volume, inode: &Inode, most: u64) -> Result<Vec<u8>, DiskError> {
    if inode.size > most {
        let what = format!(
            "inode {} holds {} bytes where at most {most} may be",
            inode.number, inode.size
        );
        return Err(DiskError::damaged(FORMAT, what));
    }
    let mut bytes = vec![0; usize::try_from(inode.size).unwrap_or_default()];
    read_at(volume, inode, 0, &mut bytes)?;
    Ok(bytes)
}
