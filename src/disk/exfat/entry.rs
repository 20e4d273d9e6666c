//! A file's entries: what it is, where its content lies, and its name. "exFAT file system specification", sections 7.4,
//! 7.6 and 7.7.

use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use crate::disk::fat::chain::Chains;
use crate::disk::fat::time;

use super::FORMAT;

/// Bytes of an entry.
pub const SIZE: usize = 32;
/// Kinds of entries: the first of a file's, the second, and those with its name.
pub const FILE: u8 = 0x85;
pub const STREAM: u8 = 0xc0;
pub const NAME: u8 = 0xc1;
/// The volume's label.
pub const LABEL: u8 = 0x83;
/// Set while an entry is in use.
pub const IN_USE: u8 = 0x80;
/// UTF-16 units in one entry with a part of a name.
pub const UNITS: usize = 15;

/// Where a file's bytes are.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    /// The first cluster; 0 where there is none.
    pub first: u32,
    /// Without a chain: cluster follows cluster.
    pub contiguous: bool,
    pub size: u64,
    /// Bytes behind this were never written, and read as zero.
    pub written: u64,
}

/// What is known of a file besides its name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub is_directory: bool,
    pub is_read_only: bool,
    /// Seconds since 1970, and nanoseconds.
    pub mtime: (i64, u32),
    pub content: Content,
}

impl Entry {
    /// From a file's first two entries.
    pub fn parse(file: &[u8; SIZE], stream: &[u8; SIZE]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "entry of a file", file);
        if view.u8(0)? != FILE {
            return Err(view.damaged("it is no longer one"));
        }
        let attributes = view.le16(4)?;
        let is_directory = attributes & 16 != 0;
        Ok(Self {
            is_directory,
            is_read_only: attributes & 1 != 0 && !is_directory,
            mtime: modified(view)?,
            content: content(stream)?,
        })
    }
}

/// Local time, hundredths beyond its two seconds, and the distance from UTC in quarters of an hour, if that is known.
fn modified(view: Structure<'_>) -> Result<(i64, u32), DiskError> {
    let (clock, date) = (view.le16(12)?, view.le16(14)?);
    let hundredths = u32::from(view.u8(21)?.min(199));
    let zone = view.u8(23)?;
    let quarters = i64::from(zone & 0x7f);
    let quarters = if quarters >= 64 {
        quarters - 128
    } else {
        quarters
    };
    let ahead = if zone & 0x80 != 0 { quarters * 900 } else { 0 };
    let seconds = time::seconds(date, clock) + i64::from(hundredths / 100) - ahead;
    Ok((seconds, hundredths % 100 * 10_000_000))
}

fn content(stream: &[u8; SIZE]) -> Result<Content, DiskError> {
    let view = Structure::new(FORMAT, "stream of a file", stream);
    if view.u8(0)? != STREAM {
        return Err(view.damaged("it does not follow the file's first entry"));
    }
    Ok(Content {
        first: view.le32(20)?,
        contiguous: view.u8(1)? & 2 != 0,
        size: view.le64(24)?,
        written: view.le64(8)?,
    })
}

impl Content {
    /// Fills `buf`, all of which lies inside the file.
    pub fn read(&self, chains: &Chains, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let there = usize::try_from(self.written.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (stored, zeros) = buf.split_at_mut(there.min(buf.len()));
        zeros.fill(0);
        if stored.is_empty() {
            return Ok(());
        }
        if !self.contiguous {
            return chains.read(self.first, offset, stored);
        }
        let end = offset.saturating_add(u64::try_from(stored.len()).unwrap_or(u64::MAX));
        let size = u64::from(chains.cluster_size());
        let last = u64::from(self.first).saturating_add((end - 1) / size);
        let last = u32::try_from(last).unwrap_or(u32::MAX);
        let start = chains.place(self.first)?;
        chains.place(last)?;
        chains
            .device()
            .read_at(start.saturating_add(offset), stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_know_their_zone() {
        let mut bytes = [0; SIZE];
        // 2026-11-23 17:30:12, 1.50 seconds more, an hour ahead of UTC.
        let date = 0x5d77_u16;
        let clock = 0x8bc6_u16;
        bytes[12..14].copy_from_slice(&clock.to_le_bytes());
        bytes[14..16].copy_from_slice(&date.to_le_bytes());
        bytes[21] = 150;
        let of = |bytes: &[u8]| modified(Structure::new(FORMAT, "entry", bytes)).unwrap();
        assert_eq!(of(&bytes), (1_795_455_013, 500_000_000));
        bytes[23] = 0x84;
        assert_eq!(of(&bytes), (1_795_455_013 - 3600, 500_000_000));
        bytes[23] = 0xfc;
        assert_eq!(of(&bytes), (1_795_455_013 + 3600, 500_000_000));
    }
}
