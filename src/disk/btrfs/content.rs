//! A file's content, put together of its extents; what none of them covers is zero.

use super::FORMAT;
use super::compression::Compression;
use super::extent::{Extent, Place};
use super::key::{Key, kind};
use super::tree::Tree;
use super::volume::Volume;
use crate::disk::DiskError;
use crate::disk::cache::BlockCache;
use std::sync::Arc;

/// Bytes of an unpacked extent at most; the cache holds a handful.
const UNPACKED: u32 = 128 << 10;

/// Reads content; compressed extents that were unpacked last are kept, since they are read piece by piece.
pub struct Content {
    unpacked: BlockCache,
}

impl Content {
    pub fn new() -> Self {
        let unpacked = BlockCache::new(UNPACKED);
        Self { unpacked }
    }

    /// Fills `buf` from `offset` bytes into the file `inode`, which must not lie beyond its end.
    pub fn read(
        &self,
        volume: &Volume,
        tree: &Tree<'_>,
        inode: u64,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<(), DiskError> {
        buf.fill(0);
        let length = u64::try_from(buf.len()).unwrap_or(u64::MAX);
        let (end, mut behind) = (offset.saturating_add(length), 0);
        let mut cursor = tree.at_or_before(Key::new(inode, kind::EXTENT_DATA, offset))?;
        while let Some(item) = cursor.next()? {
            if item.key < Key::new(inode, kind::EXTENT_DATA, 0) {
                continue;
            }
            if !item.key.is(inode, kind::EXTENT_DATA) || item.key.offset >= end {
                break;
            }
            let extent = Extent::parse(item.key.offset, item.bytes()?)?;
            if extent.start < behind {
                // Not even by chance: a thousand of them in one place would be a thousand times the work.
                let what = format!("extents of inode {inode} overlap at {}", extent.start);
                return Err(DiskError::damaged(FORMAT, what));
            }
            behind = extent.end();
            let (first, last) = (extent.start.max(offset), extent.end().min(end));
            if first < last {
                let place = |at: u64| usize::try_from(at - offset).unwrap_or(usize::MAX);
                let part = buf.get_mut(place(first)..place(last)).unwrap_or_default();
                let within = extent.skipped.saturating_add(first - extent.start);
                self.part(volume, &extent, within, part)?;
            }
        }
        Ok(())
    }

    /// Fills `out` from `within` bytes into what an extent stores, unpacked.
    fn part(
        &self,
        volume: &Volume,
        extent: &Extent<'_>,
        within: u64,
        out: &mut [u8],
    ) -> Result<(), DiskError> {
        let unpack = |packed: &[u8]| {
            let sector = volume.sector_size();
            extent.compression.unpack(packed, extent.unpacked, sector)
        };
        match (extent.place, extent.compression) {
            (Place::Hole, _) => Ok(()),
            (Place::Inline(content), Compression::None) => copy(content, within, out),
            (Place::Inline(content), _) => copy(&unpack(content)?, within, out),
            (Place::Disk { logical, .. }, Compression::None) => {
                volume.read(logical.saturating_add(within), out)
            }
            (Place::Disk { logical, stored }, _) => {
                let number = logical / u64::from(volume.sector_size().max(1));
                let bytes: Arc<[u8]> = self.unpacked.get(number, || {
                    let length = usize::try_from(stored).unwrap_or(usize::MAX);
                    let mut packed = vec![0; length.min(UNPACKED as usize)];
                    volume.read(logical, &mut packed)?;
                    unpack(&packed)
                })?;
                copy(&bytes, within, out)
            }
        }
    }
}

/// Extents that are passed by in one go.
const MOST_HOLES: usize = 1024;

/// Where the next extent stands that is no hole; nothing behind the last.
pub fn data_from(tree: &Tree<'_>, inode: u64, offset: u64) -> Result<Option<u64>, DiskError> {
    let mut cursor = tree.at_or_before(Key::new(inode, kind::EXTENT_DATA, offset))?;
    let mut behind = offset;
    for _ in 0..MOST_HOLES {
        let Some(item) = cursor.next()? else {
            return Ok(None);
        };
        if item.key < Key::new(inode, kind::EXTENT_DATA, 0) {
            continue;
        }
        if !item.key.is(inode, kind::EXTENT_DATA) {
            return Ok(None);
        }
        let extent = Extent::parse(item.key.offset, item.bytes()?)?;
        if extent.end() > offset && extent.place != Place::Hole {
            return Ok(Some(extent.start.max(offset)));
        }
        behind = extent.end().max(behind);
    }
    Ok(Some(behind))
}

fn copy(from: &[u8], within: u64, out: &mut [u8]) -> Result<(), DiskError> {
    let start = usize::try_from(within).unwrap_or(usize::MAX);
    let part = start
        .checked_add(out.len())
        .and_then(|end| from.get(start..end));
    let part = part.ok_or_else(|| {
        let what = format!("extent: {} bytes at {within} of {}", out.len(), from.len());
        DiskError::damaged(FORMAT, what)
    })?;
    out.copy_from_slice(part);
    Ok(())
}
