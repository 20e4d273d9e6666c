//! The journal's own superblock: where the log lies, where to begin, and how its blocks are checked.

use super::super::FORMAT;
use super::super::volume::JOURNAL_MAGIC;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, crc32c};

const SUPERBLOCK_V1: u32 = 3;
const SUPERBLOCK_V2: u32 = 4;
/// Fast commit blocks at the log's end when the superblock does not say how many.
const DEFAULT_FAST_BLOCKS: u32 = 256;
/// The kernel keeps no fast commit area where the log would become smaller than this.
const LEAST_LOG: u32 = 1024;

const COMPAT_CHECKSUM: u32 = 0x1;
const INCOMPAT_64BIT: u32 = 0x2;
const INCOMPAT_CSUM_V2: u32 = 0x8;
const INCOMPAT_CSUM_V3: u32 = 0x10;
const INCOMPAT_FAST_COMMIT: u32 = 0x20;
const INCOMPAT_KNOWN: u32 = 0x3f;

/// How the blocks of a log are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    None,
    /// One CRC-32 over a transaction's blocks, in its commit block.
    Transaction,
    /// CRC-32C in every block of the log's own; sixteen bits of it per data block.
    V2,
    /// The same with all bits, and another form of tag.
    V3,
}

/// The journal's superblock, checked.
#[derive(Debug)]
pub struct Header {
    /// Blocks of the log proper end here.
    pub last: u32,
    /// The first block of the log proper.
    pub first: u32,
    /// The first transaction that may be in the log.
    pub sequence: u32,
    /// Where it begins; 0 for an empty log.
    pub start: u32,
    pub is_64bit: bool,
    pub has_fast_commits: bool,
    pub checks: Checks,
    /// The seed of every CRC-32C in the log.
    pub seed: u32,
}

impl Header {
    /// Reads block 0 of a journal of `blocks` blocks of `block_size` bytes.
    pub fn parse(bytes: &[u8], block_size: u32, blocks: u64) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "journal", bytes);
        let version = view.be32(4)?;
        if view.be32(0)? != JOURNAL_MAGIC || ![SUPERBLOCK_V1, SUPERBLOCK_V2].contains(&version) {
            return Err(view.damaged("no superblock"));
        }
        if view.be32(0xc)? != block_size {
            return Err(view.damaged("a block size of its own"));
        }
        let features = |at| match version {
            SUPERBLOCK_V2 => view.be32(at),
            _ => Ok(0),
        };
        let (compat, incompat) = (features(0x24)?, features(0x28)?);
        if incompat & !INCOMPAT_KNOWN != 0 {
            let what = format!("journal features of an unknown meaning ({incompat:#x})");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let has_fast_commits = incompat & INCOMPAT_FAST_COMMIT != 0;
        let length = view.be32(0x10)?;
        let header = Self {
            last: if has_fast_commits {
                log_end(length, view.be32(0x54)?)
            } else {
                length
            },
            first: view.be32(0x14)?,
            sequence: view.be32(0x18)?,
            start: view.be32(0x1c)?,
            is_64bit: incompat & INCOMPAT_64BIT != 0,
            has_fast_commits,
            checks: checks(compat, incompat),
            seed: crc32c::extend(u32::MAX, view.slice(0x30, 16)?),
        };
        let inside = header.first..header.last;
        if u64::from(length) > blocks
            || header.first == 0
            || (header.start != 0 && !inside.contains(&header.start))
        {
            return Err(view.damaged("the log lies outside the journal"));
        }
        Ok(header)
    }
}

fn log_end(length: u32, fast: u32) -> u32 {
    let fast = if fast == 0 { DEFAULT_FAST_BLOCKS } else { fast };
    match length.checked_sub(fast) {
        Some(end) if end >= LEAST_LOG => end,
        _ => length,
    }
}

fn checks(compat: u32, incompat: u32) -> Checks {
    if incompat & INCOMPAT_CSUM_V3 != 0 {
        Checks::V3
    } else if incompat & INCOMPAT_CSUM_V2 != 0 {
        Checks::V2
    } else if compat & COMPAT_CHECKSUM != 0 {
        Checks::Transaction
    } else {
        Checks::None
    }
}
