//! Volumes of a thin pool: device-mapper's own tables say which blocks of the pool a volume has (Linux's
//! Documentation/admin-guide/device-mapper/thin-provisioning.rst, drivers/md/dm-thin-metadata.c, and
//! drivers/md/persistent-data/dm-btree-internal.h).
//!
//! A tree leads from a volume's number to the root of a second tree, and that from blocks of the volume to blocks of the
//! pool. What a volume has no block for is zero, or its external origin's.

use super::FORMAT;
use crate::disk::bytes::{Structure, agree};
use crate::disk::cache::BlockCache;
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError, crc32c};
use std::sync::Arc;

type Device = Arc<dyn BlockDevice>;

const MAGIC: u64 = 27_022_010;
/// Every block of the tables has this many bytes.
const BLOCK: u32 = 4096;
/// What checksums are xored with, by the kind of block.
const SUPERBLOCK: u32 = 160_774;
const NODE: u32 = 121_107;
/// Bytes of a node before its keys.
const HEADER: usize = 32;
/// A node's flags.
const INTERNAL: u32 = 1;
const LEAF: u32 = 2;
/// Levels of one tree; each has a hundred times the entries of the one above.
const DEPTH: usize = 12;

/// A volume of a pool.
pub(super) struct Thin {
    tables: Tables,
    /// Of the tree of this volume's blocks.
    root: u64,
    data: Device,
    /// Bytes in a block of the pool.
    block: u64,
    origin: Option<Device>,
    size: u64,
}

/// The tables of a pool.
struct Tables {
    device: Device,
    nodes: BlockCache,
}

impl Thin {
    /// The volume with this number, of `size` bytes.
    pub(super) fn open(
        metadata: Device,
        data: Device,
        number: u64,
        origin: Option<Device>,
        size: u64,
    ) -> Result<Self, DiskError> {
        let tables = Tables {
            device: metadata,
            nodes: BlockCache::new(BLOCK),
        };
        let bytes = tables.read(0, SUPERBLOCK)?;
        let view = Structure::new(FORMAT, "superblock of a thin pool", &bytes);
        let version = view.le32(40)?;
        if view.le64(32)? != MAGIC {
            return Err(view.damaged("its magic number is missing"));
        }
        let features = view.le32(360)?;
        if !matches!(version, 1 | 2) || features != 0 || view.le32(340)? != BLOCK / 512 {
            let what = format!("a thin pool of version {version} with features {features:#x}");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let block = u64::from(view.le32(336)?) * 512;
        if block == 0 {
            return Err(view.damaged("its blocks have no length"));
        }
        let root = tables.find(view.le64(320)?, number)?;
        let root = root.ok_or_else(|| {
            view.damaged(format_args!(
                "the pool has no volume with the number {number}"
            ))
        })?;
        Ok(Self {
            tables,
            root,
            data,
            block,
            origin,
            size,
        })
    }

    fn read_block(&self, offset: u64, part: &mut [u8]) -> Result<(), DiskError> {
        let Some(value) = self.tables.find(self.root, offset / self.block)? else {
            return self.unmapped(offset, part);
        };
        // Below it is the time at which the block was written.
        let at = (value >> 24)
            .checked_mul(self.block)
            .and_then(|at| at.checked_add(offset % self.block));
        let at = at.ok_or_else(|| super::damaged("a block beyond any disk"))?;
        self.data.read_at(at, part)
    }

    /// An external origin may be shorter than the volume; beyond its end there is nothing.
    fn unmapped(&self, offset: u64, part: &mut [u8]) -> Result<(), DiskError> {
        let held = self.origin.as_ref().map_or(0, BlockDevice::size);
        let left = usize::try_from(held.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (there, beyond) = part.split_at_mut(left.min(part.len()));
        beyond.fill(0);
        match &self.origin {
            Some(origin) if !there.is_empty() => origin.read_at(offset, there),
            _ => Ok(()),
        }
    }
}

impl BlockDevice for Thin {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        while !buf.is_empty() {
            let left = self.block - offset % self.block;
            let here = usize::try_from(left).unwrap_or(usize::MAX);
            let (part, rest) = buf.split_at_mut(here.min(buf.len()));
            self.read_block(offset, part)?;
            offset += u64::try_from(part.len()).unwrap_or_default();
            buf = rest;
        }
        Ok(())
    }
}

impl Tables {
    /// A block, which says itself where it is and carries a checksum.
    fn read(&self, number: u64, xor: u32) -> Result<Vec<u8>, DiskError> {
        let mut bytes = vec![0; usize::try_from(BLOCK).unwrap_or_default()];
        let at = number.checked_mul(u64::from(BLOCK));
        let at = at.filter(|at| inside(*at, bytes.len(), self.device.size()).is_ok());
        let beyond = || {
            super::damaged(format!(
                "block {number} of a thin pool's tables is beyond their end"
            ))
        };
        self.device.read_at(at.ok_or_else(beyond)?, &mut bytes)?;
        let view = Structure::new(FORMAT, "block of a thin pool's tables", &bytes);
        let body = view.slice(4, bytes.len().saturating_sub(4))?;
        let sum = || crc32c::extend(u32::MAX, body) ^ xor;
        if !agree(sum, view.le32(0)?) || view.le64(8)? != number {
            return Err(view.damaged(format_args!("{number} has a wrong checksum or number")));
        }
        Ok(bytes)
    }

    /// The value of a key in the tree with this root.
    fn find(&self, root: u64, key: u64) -> Result<Option<u64>, DiskError> {
        let mut number = root;
        for _ in 0..DEPTH {
            let bytes = self.nodes.get(number, || self.read(number, NODE))?;
            let view = Structure::new(FORMAT, "node of a thin pool's tree", &bytes);
            let kind = view.le32(4)? & (INTERNAL | LEAF);
            let Some((held, value)) = entry(&view, key)? else {
                return Ok(None);
            };
            match kind {
                LEAF => return Ok((held == key).then_some(value)),
                INTERNAL => number = value,
                _ => return Err(view.damaged("it is neither a leaf nor above one")),
            }
        }
        Err(super::damaged("the tree of a thin pool has no end"))
    }
}

/// The last entry of a node whose key is not greater: all keys stand before all values.
fn entry(view: &Structure<'_>, key: u64) -> Result<Option<(u64, u64)>, DiskError> {
    let number = |at| Ok::<_, DiskError>(usize::try_from(view.le32(at)?).unwrap_or(usize::MAX));
    let (count, most, value) = (number(16)?, number(20)?, number(24)?);
    if count > most || most > view.len() / 16 || value != 8 {
        return Err(view.damaged(format_args!("{count} of {most} entries of {value} bytes")));
    }
    let keys = view.slice(HEADER, count * 8)?;
    let (keys, _) = keys.as_chunks::<8>();
    let next = keys.partition_point(|held| u64::from_le_bytes(*held) <= key);
    let Some(at) = next.checked_sub(1) else {
        return Ok(None);
    };
    let held = view.le64(HEADER + at * 8)?;
    Ok(Some((held, view.le64(HEADER + (most + at) * 8)?)))
}
