//! The log: only whether it ends in the record of a clean unmount. "XFS Algorithms & Data Structures", "Journaling Log".
//!
//! The first word of each sector of the log is the number of the lap in which it was written, so the log's head is where
//! that number falls; the record before the head says how the log ended.

use super::FORMAT;
use super::superblock::Superblock;
use super::volume::Volume;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes of the log's own blocks, whatever the device's sectors are.
const SECTOR: u64 = 512;
type Sector = [u8; 512];
const RECORD_MAGIC: u32 = 0xfeed_babe;
/// Bytes of a record that one header sector describes.
const PER_HEADER: u32 = 32 << 10;
/// Sectors to look back for the last record: eight in flight, each of 256 KiB and its headers.
const MOST_BACK: u64 = 8 * 520;
/// Flag of the operation that ends a clean log.
const UNMOUNT: u8 = 0x20;

/// How the log ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Clean,
    /// Changes are in the log that are not in their places.
    Dirty,
    /// It lies on another device.
    Elsewhere,
}

/// Looks at the end of the log.
pub fn state(volume: &Volume, disk: &Superblock) -> Result<State, DiskError> {
    if disk.log_start == 0 {
        return Ok(State::Elsewhere);
    }
    let log = Log {
        volume,
        start: disk.log_start,
        sectors: u64::from(disk.log_blocks) * u64::from(disk.block_size) / SECTOR,
    };
    log.state()
}

struct Log<'a> {
    volume: &'a Volume,
    start: u64,
    sectors: u64,
}

impl Log<'_> {
    fn sector(&self, at: u64) -> Result<Sector, DiskError> {
        let mut bytes: Sector = [0; 512];
        self.volume.read(self.start, at * SECTOR, &mut bytes)?;
        Ok(bytes)
    }

    /// The lap in which a sector was written: a record's header keeps it in its second word.
    fn lap(&self, at: u64) -> Result<u32, DiskError> {
        let bytes = self.sector(at)?;
        let view = Structure::new(FORMAT, "log", &bytes);
        match view.be32(0)? {
            RECORD_MAGIC => view.be32(4),
            lap => Ok(lap),
        }
    }

    /// The sector after the last one written: the first whose lap is not that of sector 0, or 0 when there is none.
    fn head(&self) -> Result<u64, DiskError> {
        let first = self.lap(0)?;
        let (mut low, mut high) = (0, self.sectors);
        while low < high {
            let middle = u64::midpoint(low, high);
            if self.lap(middle)? == first {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(if low == self.sectors { 0 } else { low })
    }

    fn state(&self) -> Result<State, DiskError> {
        if self.sectors == 0 {
            return Err(DiskError::damaged(FORMAT, "log: it has no blocks"));
        }
        // A log of zeros was never used: laps are counted from one.
        if self.lap(0)? == 0 {
            return Ok(State::Clean);
        }
        let head = self.head()?;
        for back in 1..=MOST_BACK.min(self.sectors) {
            let at = (head + self.sectors - back) % self.sectors;
            let bytes = self.sector(at)?;
            let view = Structure::new(FORMAT, "log record", &bytes);
            if view.be32(0)? == RECORD_MAGIC {
                return self.record(view, at, back);
            }
        }
        Ok(State::Dirty)
    }

    /// Whether the last record, which begins `back` sectors before the head, is an unmount and ends at the head.
    fn record(&self, view: Structure<'_>, at: u64, back: u64) -> Result<State, DiskError> {
        let (length, operations, size) = (view.be32(12)?, view.be32(40)?, view.be32(320)?);
        let headers = match view.be32(8)? & 2 {
            0 => 1,
            _ => u64::from(size.div_ceil(PER_HEADER).max(1)),
        };
        let ends = headers + u64::from(length).div_ceil(SECTOR);
        if operations != 1 || ends != back {
            return Ok(State::Dirty);
        }
        let first = self.sector((at + headers) % self.sectors)?;
        let flags = Structure::new(FORMAT, "log operation", &first).u8(9)?;
        Ok(if flags & UNMOUNT != 0 {
            State::Clean
        } else {
            State::Dirty
        })
    }
}
