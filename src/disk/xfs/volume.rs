//! Blocks by number: a number says its allocation group in its upper bits and the block within it in the lower ones.

use super::FORMAT;
use super::superblock::Superblock;
use crate::disk::cache::BlockCache;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

/// A device cut into allocation groups and blocks.
pub struct Volume {
    device: Arc<dyn BlockDevice>,
    block_size: u32,
    blocks: u64,
    group_blocks: u64,
    group_bits: u32,
    cache: BlockCache,
}

impl Volume {
    pub fn new(device: Arc<dyn BlockDevice>, disk: &Superblock) -> Self {
        Self {
            device,
            block_size: disk.block_size,
            blocks: disk.blocks,
            group_blocks: u64::from(disk.group_blocks),
            group_bits: u32::from(disk.group_bits),
            cache: BlockCache::new(disk.block_size),
        }
    }

    pub fn block_size(&self) -> u32 {
        self.block_size
    }

    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The byte on the device where `count` blocks from number `number` on begin.
    fn place(&self, number: u64, count: u64) -> Result<u64, DiskError> {
        let group = number.checked_shr(self.group_bits).unwrap_or_default();
        let within = number & (1_u64 << self.group_bits.min(63)).wrapping_sub(1);
        let linear = group
            .checked_mul(self.group_blocks)
            .and_then(|start| start.checked_add(within));
        let end = within.checked_add(count);
        match (linear, end) {
            // A run never leaves its group, and the last group may be shorter than the others.
            (Some(linear), Some(end))
                if end <= self.group_blocks && linear.saturating_add(count) <= self.blocks =>
            {
                Ok(linear.saturating_mul(u64::from(self.block_size)))
            }
            _ => {
                let what = format!("{count} blocks at {number} lie beyond their allocation group");
                Err(DiskError::damaged(FORMAT, what))
            }
        }
    }

    /// One block of metadata, from the cache where it can be.
    pub fn block(&self, number: u64) -> Result<Arc<[u8]>, DiskError> {
        self.cache.get(number, || {
            let mut bytes = vec![0; self.block_size as usize];
            self.read(number, 0, &mut bytes)?;
            Ok(bytes)
        })
    }

    /// Fills `buf` from `offset` bytes behind the beginning of block `number`, past the cache.
    pub fn read(&self, number: u64, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let length = u64::try_from(buf.len()).unwrap_or(u64::MAX);
        let blocks = offset
            .saturating_add(length)
            .div_ceil(u64::from(self.block_size));
        let start = self.place(number, blocks)?;
        self.device.read_at(start.saturating_add(offset), buf)
    }
}
