//! Tables of an image, read page by page as they are needed: what an image claims about their size costs nothing.

use super::RawFile;
use crate::disk::cache::BlockCache;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

/// Bytes that are read and kept together.
const PAGE: u64 = 4096;

/// The pages of a file.
pub(super) struct Pages<F = Arc<RawFile>> {
    file: F,
    cache: BlockCache,
    format: &'static str,
}

/// The page that one reader has at hand while it goes along a table: a lookup is seldom one in the cache.
pub(super) type Held = Option<(u64, Arc<[u8]>)>;

impl<F: BlockDevice> Pages<F> {
    pub(super) fn new(file: F, format: &'static str) -> Self {
        Self {
            file,
            cache: BlockCache::new(u32::try_from(PAGE).unwrap_or_default()),
            format,
        }
    }

    /// Some bytes of a table. Numbers seldom lie across two pages, but may where a table is not aligned.
    pub(super) fn array<const N: usize>(
        &self,
        held: &mut Held,
        at: u64,
    ) -> Result<[u8; N], DiskError> {
        let number = at / PAGE;
        let page = match held {
            Some((held, page)) if *held == number => page,
            _ => {
                let page = self.cache.get(number, || self.page(number * PAGE))?;
                &held.insert((number, page)).1
            }
        };
        let within = usize::try_from(at % PAGE).unwrap_or(usize::MAX);
        let bytes = within.checked_add(N).and_then(|end| page.get(within..end));
        if let Some(bytes) = bytes.and_then(|bytes| bytes.try_into().ok()) {
            return Ok(bytes);
        }
        let mut bytes = [0; N];
        let read = self.file.read_at(at, &mut bytes);
        read.map_err(|_| truncated(self.format, at, self.file.size()))?;
        Ok(bytes)
    }

    /// A page; the last of a file may be short.
    fn page(&self, start: u64) -> Result<Vec<u8>, DiskError> {
        let left = self.file.size().saturating_sub(start).min(PAGE);
        let mut page = vec![0; usize::try_from(left).unwrap_or_default()];
        if !page.is_empty() {
            self.file.read_at(start, &mut page)?;
        }
        Ok(page)
    }
}

/// What the tables point to is not there.
pub(super) fn truncated(format: &'static str, at: u64, held: u64) -> DiskError {
    let what = format!(
        "the file has {held} bytes, and its tables point to {at}: it is truncated; copy it again"
    );
    DiskError::damaged(format, what)
}
