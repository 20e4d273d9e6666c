//! Content of files: blocks one after the other, of which only the sizes are noted down, and an end that is packed together
//! with those of other files.
//!
//! The middle of a file is found by adding up. Of a long list the sum at every 2,048th block is kept for the files that
//! were read last: enough that reading forward does not begin again and again.

use super::FORMAT;
use super::inode::Content;
use super::superblock::Superblock;
use super::volume::{Cursor, Volume};
use crate::disk::DiskError;
use std::sync::{Arc, Mutex, PoisonError};

/// Sizes between two sums, and bytes of them.
const STRIDE: u64 = 2048;
/// Blocks of one file: two terabytes of the usual size.
const MOST: u64 = 16 << 20;
/// Files whose sums are kept.
const FILES: usize = 16;

/// Where blocks begin on the disk, and their sizes in the list, at each stride.
type Sums = Arc<[(u64, Cursor)]>;

/// The sums of files that were read, by their inodes.
pub struct Known([Mutex<Option<(u64, Sums)>>; FILES]);

impl Known {
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(None)))
    }

    fn sums(
        &self,
        volume: &Volume,
        inode: u64,
        content: &Content,
        blocks: u64,
    ) -> Result<Sums, DiskError> {
        let at = usize::try_from(inode).unwrap_or_default() % FILES;
        let Some(slot) = self.0.get(at) else {
            return sums(volume, content, blocks);
        };
        let held = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, sums)) = held
            && of == inode
        {
            return Ok(sums);
        }
        let sums = sums(volume, content, blocks)?;
        let mut held = slot.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((inode, Arc::clone(&sums)));
        Ok(sums)
    }

    /// Reads from a file; short only at its end.
    pub fn read(
        &self,
        volume: &Volume,
        disk: &Superblock,
        (inode, content): (u64, &Content),
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize, DiskError> {
        let left = usize::try_from(content.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        let mut rest = buf.get_mut(..length).unwrap_or_default();
        let size = u64::from(disk.block_size);
        let blocks = match content.end {
            Some(_) => content.size / size,
            None => content.size.div_ceil(size),
        };
        if blocks > MOST {
            let what = format!("a file of {blocks} blocks is not read");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let (mut number, mut within) = (offset / size, offset % size);
        let mut list = None;
        while !rest.is_empty() {
            // Bytes of this block that belong to the file.
            let held = (content.size - number * size).min(size);
            let now = usize::try_from(held - within)
                .unwrap_or_default()
                .min(rest.len());
            let (part, later) = rest.split_at_mut(now);
            if number < blocks {
                let mut here = match list.take() {
                    Some(list) => list,
                    None => self.seek(volume, (inode, content), number, blocks)?,
                };
                here.block(volume, held, within, part)?;
                list = Some(here);
            } else {
                end(volume, disk, content, within, part)?;
            }
            (rest, number, within) = (later, number + 1, 0);
        }
        Ok(length)
    }

    /// The list of sizes at the block with this number.
    fn seek(
        &self,
        volume: &Volume,
        (inode, content): (u64, &Content),
        number: u64,
        blocks: u64,
    ) -> Result<List, DiskError> {
        let (at, sizes) = if number < STRIDE {
            (content.start, content.sizes)
        } else {
            let sums = self.sums(volume, inode, content, blocks)?;
            let index = usize::try_from(number / STRIDE).unwrap_or(usize::MAX);
            let sum = sums.get(index).copied();
            sum.ok_or_else(|| DiskError::damaged(FORMAT, "a list of blocks that is cut short"))?
        };
        let mut list = List { at, sizes };
        list.skip(volume, number % STRIDE)?;
        Ok(list)
    }
}

/// Sizes still to come, and where the next block begins.
#[derive(Clone, Copy)]
struct List {
    at: u64,
    sizes: Cursor,
}

impl List {
    /// Reads from inside the next block, which holds `held` bytes of the file.
    fn block(
        &mut self,
        volume: &Volume,
        held: u64,
        within: u64,
        out: &mut [u8],
    ) -> Result<(), DiskError> {
        let size = u32::from_le_bytes(volume.array(&mut self.sizes)?);
        // A hole has no bytes on the disk.
        if size == 0 {
            out.fill(0);
            return Ok(());
        }
        let bytes = volume.block(self.at, size)?;
        if u64::try_from(bytes.len()).unwrap_or_default() < held {
            let what = format!("a block of {} bytes where {held} belong", bytes.len());
            return Err(DiskError::damaged(FORMAT, what));
        }
        self.at = self.at.saturating_add(Volume::stored(size));
        copy(&bytes, within, out)
    }

    fn skip(&mut self, volume: &Volume, blocks: u64) -> Result<(), DiskError> {
        let mut bytes = vec![0; usize::try_from(blocks.min(STRIDE) * 4).unwrap_or_default()];
        volume.read(&mut self.sizes, &mut bytes)?;
        let (sizes, _) = bytes.as_chunks::<4>();
        let stored = sizes
            .iter()
            .map(|size| Volume::stored(u32::from_le_bytes(*size)));
        self.at = self.at.saturating_add(stored.sum());
        Ok(())
    }
}

fn sums(volume: &Volume, content: &Content, blocks: u64) -> Result<Sums, DiskError> {
    let mut list = List {
        at: content.start,
        sizes: content.sizes,
    };
    let mut sums = Vec::new();
    for _ in 0..=blocks / STRIDE {
        sums.push((list.at, list.sizes));
        // The list may end inside the last stride.
        let last = u64::try_from(sums.len()).unwrap_or_default() > blocks / STRIDE;
        list.skip(volume, if last { 0 } else { STRIDE })?;
    }
    Ok(sums.into())
}

fn end(
    volume: &Volume,
    disk: &Superblock,
    content: &Content,
    within: u64,
    out: &mut [u8],
) -> Result<(), DiskError> {
    let (number, offset) = content
        .end
        .ok_or_else(|| DiskError::damaged(FORMAT, "a file without an end"))?;
    let entry = volume.entry::<16>(disk.fragments, number)?;
    let (at, size) = entry.split_at(8);
    let at = at.try_into().map(u64::from_le_bytes).unwrap_or_default();
    let size = size.first_chunk().map(|size| u32::from_le_bytes(*size));
    let bytes = volume.block(at, size.unwrap_or_default())?;
    copy(&bytes, u64::from(offset).saturating_add(within), out)
}

fn copy(bytes: &[u8], from: u64, out: &mut [u8]) -> Result<(), DiskError> {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let part = bytes.get(from..).and_then(|bytes| bytes.get(..out.len()));
    let part = part.ok_or_else(|| DiskError::damaged(FORMAT, "a block that is too short"))?;
    out.copy_from_slice(part);
    Ok(())
}
