//! Content that is not packed: in a row, with its end behind the inode, or in chunks. Kernel, `fs/erofs/data.c`.

use super::FORMAT;
use super::inode::{Inode, Layout};
use super::volume::Volume;
use crate::disk::DiskError;

/// In the form of chunks: bits of their size, and whether each has an entry of eight bytes and not four.
const CHUNK_BITS: u32 = 31;
const INDEXES: u32 = 32;
/// What stands in place of the block of a hole.
const HOLE: u32 = u32::MAX;

/// Fills `buf`, all of which lies inside the file.
pub fn read(volume: &Volume, inode: &Inode, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
    match inode.layout {
        Layout::Chunks => chunks(volume, inode, offset, buf),
        _ => row(volume, inode, offset, buf),
    }
}

fn row(volume: &Volume, inode: &Inode, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
    let block = volume.block();
    // Of an inline file the last block is behind the inode, whole or not.
    let outside = match inode.layout {
        Layout::Inline => (inode.size.div_ceil(block).saturating_sub(1)) * block,
        _ => inode.size,
    };
    let here = usize::try_from(outside.saturating_sub(offset)).unwrap_or(usize::MAX);
    let (outer, inner) = buf.split_at_mut(here.min(buf.len()));
    if !outer.is_empty() {
        let start = u64::from(inode.word) << volume.disk.block_bits;
        volume.device.read_at(start.saturating_add(offset), outer)?;
    }
    if !inner.is_empty() {
        let within = offset.saturating_sub(outside);
        volume.metadata(inode.behind().saturating_add(within), inner)?;
    }
    Ok(())
}

fn chunks(volume: &Volume, inode: &Inode, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
    let bits = volume.disk.block_bits + (inode.word & CHUNK_BITS);
    let size = 1_u64.checked_shl(bits).filter(|_| bits < 48);
    let size =
        size.ok_or_else(|| DiskError::damaged(FORMAT, format!("chunks of 2^{bits} bytes")))?;
    let wide = inode.word & INDEXES != 0;
    let width = if wide { 8 } else { 4 };
    let list = inode.behind().next_multiple_of(width);
    let (mut at, mut rest) = (offset, buf);
    while !rest.is_empty() {
        let within = at % size;
        let left = usize::try_from(size - within).unwrap_or(usize::MAX);
        let (now, later) = rest.split_at_mut(left.min(rest.len()));
        let entry = list.saturating_add(at / size * width);
        let first = if wide {
            let device = u16::from_le_bytes(volume.array(entry + 2)?);
            if device != 0 && volume.disk.devices > 0 {
                let what = "content on another device is not read";
                return Err(DiskError::unsupported(FORMAT, what));
            }
            volume.array(entry + 4)?
        } else {
            volume.array(entry)?
        };
        match u32::from_le_bytes(first) {
            HOLE => now.fill(0),
            first => {
                let start = u64::from(first) << volume.disk.block_bits;
                volume.device.read_at(start.saturating_add(within), now)?;
            }
        }
        at = at.saturating_add(u64::try_from(now.len()).unwrap_or_default());
        rest = later;
    }
    Ok(())
}
