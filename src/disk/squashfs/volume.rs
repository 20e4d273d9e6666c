//! Blocks: of metadata, which are packed 8 KiB at a time and read as one stream, and of files.

use super::FORMAT;
use super::superblock::Superblock;
use crate::disk::cache::BlockCache;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

/// Bytes of a block of metadata when it is unpacked.
const METADATA: usize = 8192;
/// Of the head of a block of metadata: it is stored as it is.
const AS_IT_IS: u16 = 0x8000;
/// The same of a block of a file.
const FILE_AS_IT_IS: u32 = 1 << 24;

/// A device cut into blocks.
pub struct Volume {
    device: Arc<dyn BlockDevice>,
    disk: Superblock,
    /// By their place; the first eight bytes say where the next one begins.
    metadata: BlockCache,
    blocks: BlockCache,
}

/// A place in metadata: where a block begins on the disk, and bytes into it.
#[derive(Debug, Clone, Copy)]
pub struct Cursor {
    block: u64,
    offset: usize,
}

impl Cursor {
    /// From a reference, whose lower 16 bits are the offset and the upper ones the block's distance from a table's start.
    pub fn of(table: u64, reference: u64) -> Self {
        Self {
            block: table.saturating_add(reference >> 16),
            offset: usize::try_from(reference & 0xffff).unwrap_or_default(),
        }
    }
}

impl Volume {
    pub fn new(device: Arc<dyn BlockDevice>, disk: Superblock) -> Self {
        Self {
            device,
            disk,
            metadata: BlockCache::new(8192),
            blocks: BlockCache::new(disk.block_size),
        }
    }

    /// Fills `buf` from metadata, and moves the cursor behind.
    pub fn read(&self, cursor: &mut Cursor, buf: &mut [u8]) -> Result<(), DiskError> {
        let mut rest = buf;
        while !rest.is_empty() {
            let block = self.block_of_metadata(cursor.block)?;
            let (next, bytes) = block.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
            let bytes = bytes.get(cursor.offset..).unwrap_or_default();
            let length = bytes.len().min(rest.len());
            if bytes.is_empty() && cursor.offset != METADATA {
                let what = format!(
                    "{} bytes into the metadata at {}",
                    cursor.offset, cursor.block
                );
                return Err(DiskError::damaged(FORMAT, what));
            }
            let (now, later) = rest.split_at_mut(length);
            now.copy_from_slice(bytes.get(..length).unwrap_or_default());
            rest = later;
            cursor.offset += length;
            if cursor.offset == METADATA {
                cursor.block = u64::from_le_bytes(*next);
                cursor.offset = 0;
            }
        }
        Ok(())
    }

    /// A fixed number of bytes of metadata.
    pub fn array<const N: usize>(&self, cursor: &mut Cursor) -> Result<[u8; N], DiskError> {
        let mut bytes = [0; N];
        self.read(cursor, &mut bytes)?;
        Ok(bytes)
    }

    fn block_of_metadata(&self, at: u64) -> Result<Arc<[u8]>, DiskError> {
        self.metadata.get(at, || {
            let head = u16::from_le_bytes(self.raw(at)?);
            let length = head & !AS_IT_IS;
            if length == 0 || usize::from(length) > METADATA {
                let what = format!("metadata of {length} bytes at {at}");
                return Err(DiskError::damaged(FORMAT, what));
            }
            let mut packed = vec![0; usize::from(length)];
            let start = at.saturating_add(2);
            self.device.read_at(start, &mut packed)?;
            let bytes = if head & AS_IT_IS != 0 {
                packed
            } else {
                self.disk.packing.unpack(&packed, METADATA)?
            };
            let next = start.saturating_add(u64::from(length)).to_le_bytes();
            Ok([next.as_slice(), &bytes].concat())
        })
    }

    /// A fixed number of bytes that are not packed.
    pub fn raw<const N: usize>(&self, at: u64) -> Result<[u8; N], DiskError> {
        let mut bytes = [0; N];
        self.device.read_at(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Entry `index` of a table whose blocks of metadata are found by a list of their places at `list`.
    pub fn entry<const N: usize>(&self, list: u64, index: u32) -> Result<[u8; N], DiskError> {
        let per_block = u32::try_from(METADATA / N).unwrap_or(1);
        let pointer = list.saturating_add(u64::from(index / per_block) * 8);
        let within = usize::try_from(index % per_block).unwrap_or_default();
        let mut cursor = Cursor {
            block: u64::from_le_bytes(self.raw(pointer)?),
            offset: within * N,
        };
        self.array(&mut cursor)
    }

    /// A block of a file, or one of the ends of several, unpacked; `size` as it is stored, with its mark.
    pub fn block(&self, at: u64, size: u32) -> Result<Arc<[u8]>, DiskError> {
        let length = size & !FILE_AS_IT_IS;
        if length > self.disk.block_size {
            let what = format!("a block of {length} bytes at {at}");
            return Err(DiskError::damaged(FORMAT, what));
        }
        self.blocks.get(at, || {
            let mut packed = vec![0; usize::try_from(length).unwrap_or_default()];
            self.device.read_at(at, &mut packed)?;
            if size & FILE_AS_IT_IS != 0 {
                return Ok(packed);
            }
            let most = usize::try_from(self.disk.block_size).unwrap_or_default();
            self.disk.packing.unpack(&packed, most)
        })
    }

    /// The bytes a stored size stands for.
    pub fn stored(size: u32) -> u64 {
        u64::from(size & !FILE_AS_IT_IS)
    }
}
