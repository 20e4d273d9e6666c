//! The file allocation table: for each cluster the one that follows it. Entries of 12, 16 or 32 bits (28 of them used), and
//! exFAT's of 32.

use crate::disk::cache::BlockCache;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

/// Bytes of the table that are read and kept together.
const PAGE: u32 = 4096;

/// Width of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    Twelve,
    Sixteen,
    ThirtyTwo,
    /// All 32 bits.
    Extended,
}

/// Where a table lies.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Bytes from the beginning of the device.
    pub at: u64,
    /// Bytes.
    pub size: u64,
    pub width: Width,
    /// Clusters of the heap; the first is number 2.
    pub clusters: u32,
}

/// A table, read page by page.
pub struct Table {
    device: Arc<dyn BlockDevice>,
    format: &'static str,
    layout: Layout,
    cache: BlockCache,
}

impl Table {
    pub fn new(device: Arc<dyn BlockDevice>, format: &'static str, layout: Layout) -> Self {
        Self {
            device,
            format,
            layout,
            cache: BlockCache::new(PAGE),
        }
    }

    pub fn format(&self) -> &'static str {
        self.format
    }

    /// Clusters of the heap.
    pub fn clusters(&self) -> u32 {
        self.layout.clusters
    }

    /// Whether a number is that of a cluster.
    pub fn holds(&self, cluster: u32) -> bool {
        cluster >= 2 && cluster - 2 < self.layout.clusters
    }

    /// The cluster behind this one; `None` at the end of a chain.
    pub fn next(&self, cluster: u32) -> Result<Option<u32>, DiskError> {
        let entry = self.entry(cluster)?;
        let end = match self.layout.width {
            Width::Twelve => 0xff8,
            Width::Sixteen => 0xfff8,
            Width::ThirtyTwo => 0x0fff_fff8,
            Width::Extended => 0xffff_fff8,
        };
        if entry >= end {
            return Ok(None);
        }
        if !self.holds(entry) {
            let what = format!("cluster {entry} follows cluster {cluster}, and is none");
            return Err(DiskError::damaged(self.format, what));
        }
        Ok(Some(entry))
    }

    /// How many clusters are free: page by page, for there may be a million. None is where that cannot be read.
    pub fn count_free(&self) -> usize {
        let clusters = 2..self.layout.clusters.saturating_add(2);
        let width = match self.layout.width {
            Width::Twelve => {
                let is_free = |cluster: &u32| self.entry(*cluster).is_ok_and(|entry| entry == 0);
                return clusters.filter(is_free).count();
            }
            Width::Sixteen => 2,
            Width::ThirtyTwo | Width::Extended => 4,
        };
        let used = match self.layout.width {
            Width::ThirtyTwo => 0x0fff_ffff,
            _ => u32::MAX,
        };
        let entries = PAGE / width;
        let counted = (0..clusters.end.div_ceil(entries)).map(|number| {
            let Ok(page) = self.page(number.into()) else {
                return 0;
            };
            let first = number * entries;
            let from = clusters.start.saturating_sub(first) * width;
            let until = (clusters.end - first).min(entries) * width;
            let held = u32::try_from(page.len()).unwrap_or_default();
            let bytes = page.get(from as usize..until.min(held) as usize);
            let bytes = bytes.unwrap_or_default();
            if width == 2 {
                zeros(bytes, |entry| u16::from_le_bytes(entry) == 0)
            } else {
                zeros(bytes, |entry| u32::from_le_bytes(entry) & used == 0)
            }
        });
        counted.sum()
    }

    /// Whether the mark of a clean end is missing that Windows keeps in the second entry.
    pub fn is_dirty(&self) -> bool {
        let mark = match self.layout.width {
            Width::Sixteen => 1 << 15,
            Width::ThirtyTwo => 1 << 27,
            Width::Twelve | Width::Extended => return false,
        };
        self.entry(1).is_ok_and(|entry| entry & mark == 0)
    }

    fn entry(&self, cluster: u32) -> Result<u32, DiskError> {
        let number = u64::from(cluster);
        match self.layout.width {
            Width::Twelve => {
                let at = number + number / 2;
                let pair = u16::from_le_bytes([self.byte(at)?, self.byte(at + 1)?]);
                let odd = !cluster.is_multiple_of(2);
                Ok(u32::from(if odd { pair >> 4 } else { pair & 0xfff }))
            }
            Width::Sixteen => self
                .bytes(number * 2)
                .map(u16::from_le_bytes)
                .map(u32::from),
            Width::ThirtyTwo => {
                let entry = self.bytes(number * 4).map(u32::from_le_bytes)?;
                Ok(entry & 0x0fff_ffff)
            }
            Width::Extended => self.bytes(number * 4).map(u32::from_le_bytes),
        }
    }

    fn byte(&self, at: u64) -> Result<u8, DiskError> {
        self.bytes::<1>(at).map(|[byte]| byte)
    }

    /// Bytes of one entry that does not cross a page.
    fn bytes<const N: usize>(&self, at: u64) -> Result<[u8; N], DiskError> {
        let page = self.page(at / u64::from(PAGE))?;
        let within = usize::try_from(at % u64::from(PAGE)).unwrap_or_default();
        let found = page.get(within..within + N);
        found
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| {
                DiskError::damaged(self.format, "a cluster lies beyond the allocation table")
            })
    }

    fn page(&self, number: u64) -> Result<Arc<[u8]>, DiskError> {
        let page_size = u64::from(PAGE);
        self.cache.get(number, || {
            let start = number * page_size;
            let length = self.layout.size.saturating_sub(start).min(page_size);
            let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
            let from = self.layout.at.saturating_add(start);
            self.device.read_at(from, &mut bytes)?;
            Ok(bytes)
        })
    }
}

/// How many numbers of so many bytes are free; most of those on a disk are, one beside the other.
fn zeros<const N: usize>(bytes: &[u8], is_free: impl Fn([u8; N]) -> bool) -> usize {
    let count = |bytes: &[u8]| {
        let (entries, _) = bytes.as_chunks::<N>();
        entries.iter().filter(|entry| is_free(**entry)).count()
    };
    let (wide, rest) = bytes.as_chunks::<64>();
    let empty = |bytes: &[u8; 64]| {
        let (words, _) = bytes.as_chunks::<16>();
        let all = words.iter().map(|word| u128::from_ne_bytes(*word));
        all.fold(0, std::ops::BitOr::bitor) == 0
    };
    let counted = wide.iter().map(|bytes| {
        if empty(bytes) {
            bytes.len() / N
        } else {
            count(bytes)
        }
    });
    counted.sum::<usize>() + count(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::range::inside;

    struct Bytes(Vec<u8>);

    impl BlockDevice for Bytes {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
            inside(offset, buf.len(), self.size())?;
            let at = usize::try_from(offset).unwrap();
            buf.copy_from_slice(&self.0[at..at + buf.len()]);
            Ok(())
        }
    }

    fn table(bytes: &[u8], width: Width, clusters: u32) -> Table {
        let layout = Layout {
            at: 0,
            size: bytes.len() as u64,
            width,
            clusters,
        };
        Table::new(Arc::new(Bytes(bytes.to_vec())), "fat", layout)
    }

    #[test]
    fn entries_of_every_width() {
        // 0xff8, 0xfff, 0x003, 0x004, 0xfff, 0x000
        let twelve = table(
            &[0xf8, 0xff, 0xff, 3, 0x40, 0, 0xff, 0x0f, 0],
            Width::Twelve,
            4,
        );
        assert_eq!(twelve.next(2).unwrap(), Some(3));
        assert_eq!(twelve.next(3).unwrap(), Some(4));
        assert_eq!(twelve.next(4).unwrap(), None);
        assert!(twelve.next(5).is_err() && twelve.count_free() == 1 && twelve.next(9).is_err());
        let sixteen = table(
            &[0xf8, 0xff, 0xff, 0x7f, 3, 0, 0xff, 0xff],
            Width::Sixteen,
            2,
        );
        assert!(sixteen.is_dirty());
        assert_eq!(sixteen.next(2).unwrap(), Some(3));
        assert_eq!(sixteen.next(3).unwrap(), None);
        let holes = [[1; 8], [0, 0, 0, 0xf0, 0, 1, 0, 0], [0; 8]].concat();
        assert_eq!(table(&holes, Width::Sixteen, 7).count_free(), 3);
        assert_eq!(table(&holes, Width::ThirtyTwo, 3).count_free(), 2);
        assert_eq!(table(&holes, Width::Extended, 3).count_free(), 1);
        // What lies beyond the table's end is not free.
        assert_eq!(table(&holes, Width::Extended, 3000).count_free(), 2);
        let wide = [[0; 8], [0xf3, 0, 0, 0xf0, 0, 0, 0, 0]].concat();
        assert!(table(&wide, Width::ThirtyTwo, 2).next(2).is_err());
        let upper = [[0; 8], [3, 0, 0, 0xf0, 0xff, 0xff, 0xff, 0xff]].concat();
        assert_eq!(table(&upper, Width::ThirtyTwo, 2).next(2).unwrap(), Some(3));
        assert!(table(&upper, Width::Extended, 2).next(2).is_err());
        assert_eq!(table(&upper, Width::Extended, 2).next(3).unwrap(), None);
    }
}
