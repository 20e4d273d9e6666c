//! Forks: content inside the inode, a list of extents, or a tree of them. "XFS Algorithms & Data Structures", "Data Extents".

use super::FORMAT;
use super::volume::Volume;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use std::sync::Arc;

/// Bytes of an extent record, and of a key with its pointer.
const RECORD: usize = 16;
/// Bytes before the keys of the root, which lies in the inode.
const ROOT_HEADER: usize = 4;
/// Holes that are passed by in one go.
const MOST_HOLES: usize = 1024;
const OLD_MAGIC: u32 = 0x424d_4150;
const MAGIC: u32 = 0x424d_4133;
/// Bytes before the records of any other node, before version 5 and since.
const OLD_HEADER: usize = 24;
const HEADER: usize = 72;
/// More levels than any tree needs for 2^48 extents at the least fan-out.
const MAX_LEVELS: u16 = 14;

/// How a fork's bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Device,
    Local,
    Extents,
    Tree,
}

/// One fork of an inode.
#[derive(Debug, Clone)]
pub struct Fork {
    pub format: Format,
    pub bytes: Vec<u8>,
    /// Extents in the list.
    extents: usize,
}

/// Blocks of a fork that lie together, or a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The number of the first block; `None` reads as zero.
    pub block: Option<u64>,
    /// How many; at least one.
    pub blocks: u64,
}

/// Sorted records: where they begin, and how many there are.
#[derive(Clone, Copy)]
struct Records<'a> {
    view: Structure<'a>,
    at: usize,
    count: usize,
    /// Bytes from one key to the next.
    stride: usize,
}

impl Records<'_> {
    /// The first logical block of a record; of a leaf's it is the upper part of the first word.
    fn start(&self, index: usize) -> Result<u64, DiskError> {
        let word = self.view.be64(self.at + index * self.stride)?;
        Ok(match self.stride {
            RECORD => (word >> 9) & ((1 << 54) - 1),
            _ => word,
        })
    }

    /// The last record that begins at or before `logical`, and where the next one begins.
    fn find(&self, logical: u64) -> Result<(Option<usize>, Option<u64>), DiskError> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.start(middle)? <= logical {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let next = (low < self.count).then(|| self.start(low)).transpose()?;
        Ok((low.checked_sub(1), next))
    }

    /// The run at `logical`, which no later record and no later leaf before `limit` maps.
    fn run(&self, logical: u64, limit: u64) -> Result<Run, DiskError> {
        let (found, next) = self.find(logical)?;
        let room = next
            .unwrap_or(limit)
            .min(limit)
            .saturating_sub(logical)
            .max(1);
        let hole = Run {
            block: None,
            blocks: room,
        };
        let Some(index) = found else {
            return Ok(hole);
        };
        let at = self.at + index * RECORD;
        let (high, low) = (self.view.be64(at)?, self.view.be64(at + 8)?);
        let skipped = logical.saturating_sub(self.start(index)?);
        let count = low & 0x1f_ffff;
        if skipped >= count {
            return Ok(hole);
        }
        let start = (high & 0x1ff) << 43 | low >> 21;
        // The top bit marks blocks that are allocated and not yet written.
        let block = (high >> 63 == 0).then(|| start.saturating_add(skipped));
        let blocks = (count - skipped).min(room);
        Ok(Run { block, blocks })
    }
}

impl Fork {
    /// Reads a fork's format and checks that what it lists is there.
    pub fn parse(format: u8, extents: u64, bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "fork", bytes);
        let format = match format {
            0 => Format::Device,
            1 => Format::Local,
            2 => Format::Extents,
            3 => Format::Tree,
            other => return Err(view.damaged(format_args!("the format {other}"))),
        };
        // Trees count their own records.
        let extents = match format {
            Format::Extents => usize::try_from(extents).unwrap_or(usize::MAX),
            _ => 0,
        };
        if extents > bytes.len() / RECORD {
            return Err(view.damaged(format_args!("{extents} extents in {} bytes", bytes.len())));
        }
        Ok(Self {
            format,
            bytes: bytes.to_vec(),
            extents,
        })
    }

    /// The run that begins at block `logical`.
    pub fn map(&self, volume: &Volume, logical: u64) -> Result<Run, DiskError> {
        let view = Structure::new(FORMAT, "fork", &self.bytes);
        match self.format {
            Format::Extents => {
                let records = Records {
                    view,
                    at: 0,
                    count: self.extents,
                    stride: RECORD,
                };
                records.run(logical, u64::MAX)
            }
            Format::Tree => self.map_tree(volume, logical),
            Format::Device | Format::Local => Err(view.damaged("it has no extents")),
        }
    }

    fn map_tree(&self, volume: &Volume, logical: u64) -> Result<Run, DiskError> {
        let view = Structure::new(FORMAT, "extent tree", &self.bytes);
        let mut level = view.be16(0)?;
        if level == 0 || level > MAX_LEVELS {
            return Err(view.damaged(format_args!("{level} levels")));
        }
        let room = view.len().saturating_sub(ROOT_HEADER) / RECORD;
        let (mut limit, mut child) = (
            u64::MAX,
            child(view, ROOT_HEADER, room, view.be16(2)?, logical)?,
        );
        loop {
            let (number, next) = child;
            limit = next.unwrap_or(limit).min(limit);
            let block: Arc<[u8]> = volume.block(number)?;
            let view = Structure::new(FORMAT, "extent tree", &block);
            let header = match view.be32(0)? {
                MAGIC => HEADER,
                OLD_MAGIC => OLD_HEADER,
                _ => return Err(view.damaged("a node without its magic")),
            };
            // Each level must be one lower than its parent, so a loop of nodes ends here.
            level = level.saturating_sub(1);
            if view.be16(4)? != level {
                return Err(view.damaged("a node at the wrong level"));
            }
            let (count, room) = (view.be16(6)?, view.len().saturating_sub(header) / RECORD);
            if level > 0 {
                child = self::child(view, header, room, count, logical)?;
                continue;
            }
            let count = usize::from(count);
            if count > room {
                return Err(view.damaged(format_args!("{count} extents in a leaf")));
            }
            let records = Records {
                view,
                at: header,
                count,
                stride: RECORD,
            };
            return records.run(logical, limit);
        }
    }

    /// Fills `buf` from byte `offset` of the fork; holes read as zero.
    pub fn read(&self, volume: &Volume, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let size = u64::from(volume.block_size());
        let (mut offset, mut rest) = (offset, buf);
        while !rest.is_empty() {
            let within = offset % size;
            let run = self.map(volume, offset / size)?;
            let bytes = run.blocks.saturating_mul(size).saturating_sub(within);
            let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(rest.len());
            let (part, after) = rest.split_at_mut(length);
            match run.block {
                Some(block) => volume.read(block, within, part)?,
                None => part.fill(0),
            }
            offset = offset.saturating_add(bytes);
            rest = after;
        }
        Ok(())
    }

    /// Where the next block stands that is no hole, from byte `offset` on, or the end at byte `size`.
    pub fn data_from(&self, volume: &Volume, offset: u64, size: u64) -> Result<u64, DiskError> {
        let (block, mut at) = (u64::from(volume.block_size()), offset);
        for _ in 0..MOST_HOLES {
            if at >= size {
                return Ok(size);
            }
            let run = self.map(volume, at / block)?;
            if run.block.is_some() {
                break;
            }
            at = (at / block)
                .saturating_add(run.blocks)
                .saturating_mul(block);
        }
        Ok(at)
    }
}

/// The child of a node with `room` keys and as many pointers behind them, and where its neighbour begins.
fn child(
    view: Structure<'_>,
    at: usize,
    room: usize,
    count: u16,
    logical: u64,
) -> Result<(u64, Option<u64>), DiskError> {
    let count = usize::from(count);
    if count == 0 || count > room {
        return Err(view.damaged(format_args!("{count} children where {room} fit")));
    }
    let keys = Records {
        view,
        at,
        count,
        stride: 8,
    };
    let (found, next) = keys.find(logical)?;
    // Before the first key lies a hole, which the first child's leaf says just as well.
    let index = found.unwrap_or_default();
    let pointer = view.be64(at + (room + index) * 8)?;
    Ok((pointer, if found.is_none() { None } else { next }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(unwritten: bool, logical: u64, block: u64, count: u64) -> Vec<u8> {
        let high = u64::from(unwritten) << 63 | logical << 9 | block >> 43;
        let low = (block & ((1 << 43) - 1)) << 21 | count;
        [high.to_be_bytes(), low.to_be_bytes()].concat()
    }

    #[test]
    fn records_say_runs_holes_and_unwritten_blocks() {
        let far = (1 << 51) + 77;
        let bytes = [
            record(false, 3, far, 4),
            record(true, 10, 500, 5),
            record(false, 15, 600, 1),
        ]
        .concat();
        let records = Records {
            view: Structure::new(FORMAT, "test", &bytes),
            at: 0,
            count: 3,
            stride: RECORD,
        };
        let run = |at| {
            let run = records.run(at, 1000).unwrap();
            (run.block, run.blocks)
        };
        assert_eq!(run(0), (None, 3));
        assert_eq!(run(5), (Some(far + 2), 2));
        assert_eq!(run(7), (None, 3));
        assert_eq!(run(11), (None, 4));
        assert_eq!(run(15), (Some(600), 1));
        assert_eq!(run(16), (None, 984));
    }

    proptest! {
        #[test]
        fn never_panics(format in 0_u8..6, extents: u64, bytes in proptest::collection::vec(any::<u8>(), 0..300), logical: u64) {
            for extents in [extents, extents % 20] {
                let Ok(fork) = Fork::parse(format, extents, &bytes) else { continue };
                let view = Structure::new(FORMAT, "test", &fork.bytes);
                let _ = Records { view, at: 0, count: fork.extents, stride: RECORD }.run(logical, u64::MAX);
                let _ = child(view, 4, bytes.len() / 16, u16::try_from(extents % 30).unwrap_or(1), logical);
            }
        }
    }
}
