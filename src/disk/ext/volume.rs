//! The blocks of a file system: reads by block number, what the journal replaces, and a small cache for metadata.

use super::FORMAT;
use crate::disk::cache::BlockCache;
use crate::disk::{BlockDevice, DiskError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the journal keeps the newest content of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirect {
    /// The block on the device that holds the content.
    pub block: u64,
    /// The content's first four bytes were the journal's own magic, and are to be put back.
    pub escaped: bool,
}

/// The magic of journal blocks, which content may not begin with inside a journal.
pub const JOURNAL_MAGIC: u32 = 0xc03b_3998;

/// A device cut into blocks.
pub struct Volume {
    device: Arc<dyn BlockDevice>,
    block_size: u32,
    blocks: u64,
    overlay: BTreeMap<u64, Redirect>,
    cache: BlockCache,
}

impl Volume {
    /// `blocks` blocks of `block_size` bytes, a power of two.
    pub fn new(device: Arc<dyn BlockDevice>, block_size: u32, blocks: u64) -> Self {
        Self {
            device,
            block_size,
            blocks,
            overlay: BTreeMap::new(),
            cache: BlockCache::new(block_size),
        }
    }

    /// The same, with the blocks that the journal replaces.
    pub fn with_overlay(self, overlay: BTreeMap<u64, Redirect>) -> Self {
        let fresh = Self::new(self.device, self.block_size, self.blocks);
        Self { overlay, ..fresh }
    }

    pub fn block_size(&self) -> u32 {
        self.block_size
    }

    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// One block of metadata, from the cache where it can be.
    pub fn block(&self, block: u64) -> Result<Arc<[u8]>, DiskError> {
        self.cache.get(block, || {
            let mut bytes = vec![0; self.block_size as usize];
            self.read(block, 0, &mut bytes)?;
            Ok(bytes)
        })
    }

    /// Fills `buf` from `offset` bytes behind the beginning of `block`, past the cache.
    pub fn read(&self, block: u64, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let size = u64::from(self.block_size);
        let start = block
            .checked_mul(size)
            .and_then(|at| at.checked_add(offset));
        let length = u64::try_from(buf.len()).unwrap_or(u64::MAX);
        let end = start.and_then(|at| at.checked_add(length));
        let (Some(start), Some(end)) = (start, end) else {
            return Err(self.beyond(block));
        };
        if end > self.blocks.saturating_mul(size) {
            return Err(self.beyond(block));
        }
        self.device.read_at(start, buf)?;
        if self.overlay.is_empty() || end == start {
            return Ok(());
        }
        for (block, redirect) in self.overlay.range(start / size..=(end - 1) / size) {
            self.replace(*block, *redirect, start, buf)?;
        }
        Ok(())
    }

    /// Puts a block's content from the journal over the part of it that lies in `buf`, which begins at byte `start`.
    fn replace(
        &self,
        block: u64,
        redirect: Redirect,
        start: u64,
        buf: &mut [u8],
    ) -> Result<(), DiskError> {
        let size = u64::from(self.block_size);
        let mut content = vec![0; self.block_size as usize];
        let from = redirect.block.saturating_mul(size);
        self.device.read_at(from, &mut content)?;
        if redirect.escaped
            && let Some(head) = content.get_mut(..4)
        {
            head.copy_from_slice(&JOURNAL_MAGIC.to_be_bytes());
        }
        let block_start = block.saturating_mul(size);
        let skipped = usize::try_from(start.saturating_sub(block_start)).unwrap_or(usize::MAX);
        let into = usize::try_from(block_start.saturating_sub(start)).unwrap_or(usize::MAX);
        let content = content.get(skipped..).unwrap_or_default();
        for (byte, new) in buf.iter_mut().skip(into).zip(content) {
            *byte = *new;
        }
        Ok(())
    }

    fn beyond(&self, block: u64) -> DiskError {
        let what = format!(
            "block {block} lies beyond the file system's {} blocks",
            self.blocks
        );
        DiskError::damaged(FORMAT, what)
    }
}
