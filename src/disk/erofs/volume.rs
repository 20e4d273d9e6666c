//! The device: metadata by its place, through a cache, and content past it.

use super::superblock::Superblock;
use crate::disk::cache::BlockCache;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

/// Bytes of metadata that are kept together.
const PAGE: u32 = 4096;

/// A device and its superblock.
pub struct Volume {
    pub device: Arc<dyn BlockDevice>,
    pub disk: Superblock,
    cache: BlockCache,
}

impl Volume {
    pub fn new(device: Arc<dyn BlockDevice>, disk: Superblock) -> Self {
        Self {
            device,
            disk,
            cache: BlockCache::new(PAGE),
        }
    }

    /// Bytes of a block.
    pub fn block(&self) -> u64 {
        1 << self.disk.block_bits
    }

    /// Fills `buf` from a place in metadata.
    pub fn metadata(&self, at: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let page_size = u64::from(PAGE);
        let (mut at, mut rest) = (at, buf);
        while !rest.is_empty() {
            let page = self.cache.get(at / page_size, || {
                let start = at / page_size * page_size;
                let left = self.device.size().saturating_sub(start).min(page_size);
                let mut bytes = vec![0; usize::try_from(left).unwrap_or_default()];
                self.device.read_at(start, &mut bytes)?;
                Ok::<_, DiskError>(bytes)
            })?;
            let within = usize::try_from(at % page_size).unwrap_or_default();
            let bytes = page.get(within..).unwrap_or_default();
            let length = bytes.len().min(rest.len());
            if length == 0 {
                return Err(DiskError::OutOfBounds {
                    offset: at,
                    len: u64::try_from(rest.len()).unwrap_or(u64::MAX),
                    size: self.device.size(),
                });
            }
            let (now, later) = rest.split_at_mut(length);
            now.copy_from_slice(bytes.get(..length).unwrap_or_default());
            at = at.saturating_add(u64::try_from(length).unwrap_or_default());
            rest = later;
        }
        Ok(())
    }

    /// A fixed number of bytes of metadata.
    pub fn array<const N: usize>(&self, at: u64) -> Result<[u8; N], DiskError> {
        let mut bytes = [0; N];
        self.metadata(at, &mut bytes)?;
        Ok(bytes)
    }
}
