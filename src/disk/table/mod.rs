//! Partition tables: which parts of a disk are volumes.
//!
//! What belongs here: one file for each kind of table. A table only names ranges; what is in them is told elsewhere.

mod gpt;
mod mbr;

use super::note::Note;
use super::{BlockDevice, DiskError};

/// Sizes of a sector that disks have: a table counts in them and does not say which.
const SECTORS: [u32; 2] = [512, 4096];

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// As a kernel numbers it: 1 is `sda1`.
    pub number: u32,
    /// First byte and length in bytes.
    pub start: u64,
    pub size: u64,
    /// As blkid prints it: `PARTUUID=` of fstab.
    pub uuid: String,
    /// The partition's name; only GPT has one.
    pub label: String,
}

/// A partition table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `gpt` or `dos`, as blkid prints it.
    pub kind: &'static str,
    /// By number.
    pub partitions: Vec<Partition>,
    /// What a reader should know: the backup copy was read, …
    pub notes: Vec<Note>,
}

/// The table of a disk, or `None` where it has none and is a volume as a whole.
///
/// # Errors
/// A GPT that is there and damaged in both copies, or a disk that cannot be read.
pub fn read(device: &dyn BlockDevice) -> Result<Option<Table>, DiskError> {
    let record = mbr::Record::read(device)?;
    // A valid GPT beside a table of the old kind that does not protect it is a leftover: the disk was partitioned anew.
    let leftover = record
        .as_ref()
        .is_some_and(|record| !record.protects() && record.has_partitions());
    if !leftover && let Some(table) = gpt::read(device)? {
        return Ok(Some(table));
    }
    match record {
        Some(record) if record.protects() && !record.has_partitions() => Err(DiskError::damaged(
            "gpt",
            "a table is announced, and neither its header nor the backup at the end of the disk is intact",
        )),
        Some(record) => mbr::table(device, &record),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
