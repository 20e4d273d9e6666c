//! From an offset in the disk to where its bytes are: the two levels of tables.

use super::FORMAT;
use super::header::Header;
use crate::disk::DiskError;
use crate::disk::image::RawFile;
use crate::disk::image::pages::{Held, Pages};
use std::sync::Arc;

/// The offset in an entry of either level.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
/// An entry of the second level: compressed; offset valid even if it is 0; all zero.
const COMPRESSED: u64 = 1 << 62;
const COPIED: u64 = 1 << 63;
const ZERO: u64 = 1;

/// Where bytes of the disk are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// In the backing file, if there is one; zero otherwise.
    Unallocated,
    Zero,
    /// In the file, from this offset.
    Data(u64),
    Compressed(Compressed),
}

/// A compressed cluster: where its bytes begin, and how many there are at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compressed {
    pub(super) offset: u64,
    pub(super) length: usize,
}

/// The tables of an image, read as they are needed.
pub(super) struct Map {
    pages: Pages,
    cluster_bits: u32,
    l2_bits: u32,
    l1_offset: u64,
    size: u64,
    version: u32,
    extended_l2: bool,
    external: bool,
}

/// What one reader has at hand while it goes along the disk: so a lookup is seldom a lookup in the cache.
#[derive(Default)]
pub(super) struct Cursor {
    /// Index in the first level, and the offset of the table it leads to.
    table: Option<(u64, Option<u64>)>,
    page: Held,
}

impl Map {
    pub(super) fn new(file: Arc<RawFile>, header: &Header) -> Self {
        Self {
            pages: Pages::new(file, FORMAT),
            cluster_bits: header.cluster_bits,
            l2_bits: header.l2_bits(),
            l1_offset: header.l1_offset,
            size: header.size,
            version: header.version,
            extended_l2: header.extended_l2,
            external: header.external,
        }
    }

    /// Bits of an offset inside what one entry, or one bit of its bitmap, tells of.
    fn unit_bits(&self) -> u32 {
        self.cluster_bits - if self.extended_l2 { 5 } else { 0 }
    }

    /// Where the bytes from `offset` are, and how many of the next `most` bytes are there in one piece.
    pub(super) fn run(
        &self,
        cursor: &mut Cursor,
        offset: u64,
        most: u64,
    ) -> Result<(Source, u64), DiskError> {
        let first = self.locate(cursor, offset)?;
        let bits = match first {
            Source::Compressed(_) => self.cluster_bits,
            _ => self.unit_bits(),
        };
        let unit = 1_u64 << bits;
        let mut length = unit - offset % unit;
        if matches!(first, Source::Compressed(_)) {
            return Ok((first, length.min(most)));
        }
        while length < most && offset.saturating_add(length) < self.size {
            let next = self.locate(cursor, offset + length)?;
            let adjoins = match (first, next) {
                (Source::Data(first), Source::Data(next)) => first + length == next,
                (first, next) => first == next,
            };
            if !adjoins {
                break;
            }
            length += unit;
        }
        Ok((first, length.min(most)))
    }

    /// Where the byte at `offset` is.
    fn locate(&self, cursor: &mut Cursor, offset: u64) -> Result<Source, DiskError> {
        let index = offset >> (self.cluster_bits + self.l2_bits);
        let table = match cursor.table {
            Some((held, table)) if held == index => table,
            _ => {
                let table = self.l2_table(cursor, index)?;
                cursor.table = Some((index, table));
                table
            }
        };
        let Some(table) = table else {
            return Ok(Source::Unallocated);
        };
        let within = (offset >> self.cluster_bits) & ((1 << self.l2_bits) - 1);
        let at = table + within * if self.extended_l2 { 16 } else { 8 };
        let entry = self.be64(cursor, at)?;
        if entry & COMPRESSED != 0 {
            return self.compressed(entry).map(Source::Compressed);
        }
        if self.extended_l2 {
            let bitmap = self.be64(cursor, at + 8)?;
            return self.subcluster(entry, bitmap, offset);
        }
        if entry & ZERO != 0 {
            if self.version < 3 {
                return Err(damaged("a zero cluster in an image of version 2"));
            }
            return Ok(Source::Zero);
        }
        let cluster = self.cluster(entry)?;
        Ok(cluster.map_or(Source::Unallocated, |cluster| {
            Source::Data(cluster + offset % (1 << self.cluster_bits))
        }))
    }

    /// The second-level table that an entry of the first level leads to.
    fn l2_table(&self, cursor: &mut Cursor, index: u64) -> Result<Option<u64>, DiskError> {
        // The header's check keeps the index inside a table that is there.
        let entry = self.be64(cursor, self.l1_offset.saturating_add(index * 8))?;
        let table = entry & OFFSET;
        if !table.is_multiple_of(1 << self.cluster_bits) {
            return Err(damaged(format!(
                "a second-level table at {table}, which is not aligned"
            )));
        }
        Ok((table != 0).then_some(table))
    }

    /// The cluster that an entry leads to; an offset of 0 means one only in an external data file.
    fn cluster(&self, entry: u64) -> Result<Option<u64>, DiskError> {
        let cluster = entry & OFFSET;
        if !cluster.is_multiple_of(1 << self.cluster_bits) {
            return Err(damaged(format!(
                "a cluster at {cluster}, which is not aligned"
            )));
        }
        let is_first = self.external && entry & COPIED != 0;
        Ok((cluster != 0 || is_first).then_some(cluster))
    }

    fn subcluster(&self, entry: u64, bitmap: u64, offset: u64) -> Result<Source, DiskError> {
        let bit = (offset >> self.unit_bits()) % 32;
        let allocated = bitmap >> bit & 1 == 1;
        let zero = bitmap >> (bit + 32) & 1 == 1;
        match (allocated, zero) {
            (true, true) => Err(damaged("a subcluster that is allocated and zero at once")),
            (false, true) => Ok(Source::Zero),
            (false, false) => Ok(Source::Unallocated),
            (true, false) => match self.cluster(entry)? {
                Some(cluster) => Ok(Source::Data(cluster + offset % (1 << self.cluster_bits))),
                None => Err(damaged("a subcluster that is allocated nowhere")),
            },
        }
    }

    fn compressed(&self, entry: u64) -> Result<Compressed, DiskError> {
        if self.external {
            return Err(damaged("a compressed cluster beside an external data file"));
        }
        // The number of further sectors of 512 bytes has more bits the larger a cluster is.
        let bits = self.cluster_bits - 8;
        let offset = entry & ((1 << (62 - bits)) - 1);
        let further = (entry >> (62 - bits)) & ((1 << bits) - 1);
        let length = (further + 1) * 512 - offset % 512;
        Ok(Compressed {
            offset,
            length: usize::try_from(length).unwrap_or(usize::MAX),
        })
    }

    fn be64(&self, cursor: &mut Cursor, at: u64) -> Result<u64, DiskError> {
        let bytes = self.pages.array(&mut cursor.page, at)?;
        Ok(u64::from_be_bytes(bytes))
    }
}

fn damaged(what: impl Into<String>) -> DiskError {
    DiskError::damaged(FORMAT, what)
}
