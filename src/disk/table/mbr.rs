//! The master boot record and its chain of logical partitions, as DOS, fdisk and the kernel's `block/partitions/msdos.c`
//! understand them; there is no specification.

use super::{Partition, SECTORS, Table};
use crate::disk::bytes::Structure;
use crate::disk::note::Note;
use crate::disk::range::Range;
use crate::disk::{BlockDevice, DiskError};
use std::collections::BTreeSet;

const FORMAT: &str = "mbr";
const SECTOR: usize = 512;
/// Where the four entries stand, and the length of one.
const ENTRIES: usize = 446;
const ENTRY: usize = 16;
/// Types of a partition that holds a chain of others: DOS, Windows, Linux.
const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
/// The type of the entry that protects a GPT from tools that know none.
const PROTECTIVE: u8 = 0xee;
/// Logical partitions at most; Linux has no more minor numbers than 256 for a whole disk.
const LOGICAL: u32 = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    kind: u8,
    /// In sectors.
    start: u32,
    count: u32,
}

impl Entry {
    fn is_used(self) -> bool {
        self.kind != 0 && self.count != 0
    }

    fn is_extended(self) -> bool {
        self.is_used() && EXTENDED.contains(&self.kind)
    }

    fn is_partition(self) -> bool {
        self.is_used() && !EXTENDED.contains(&self.kind) && self.kind != PROTECTIVE
    }
}

/// A boot record: of the disk, or of one link of the chain.
pub(super) struct Record {
    identity: u32,
    entries: [Entry; 4],
}

impl Record {
    /// The first sector's; `None` where it is none, as the boot sector of a file system is none.
    pub(super) fn read(device: &dyn BlockDevice) -> Result<Option<Self>, DiskError> {
        let Some((record, bytes)) = Self::at(device, 0)? else {
            return Ok(None);
        };
        let entries = bytes.get(ENTRIES..).unwrap_or_default();
        let flags = entries
            .chunks_exact(ENTRY)
            .filter_map(|entry| entry.first());
        // Boot code, or a boot sector's, in the place of the entries.
        let plausible = flags.take(4).all(|flag| matches!(flag, 0 | 0x80));
        Ok((plausible && !is_boot_sector(&bytes)).then_some(record))
    }

    fn at(device: &dyn BlockDevice, at: u64) -> Result<Option<(Self, [u8; SECTOR])>, DiskError> {
        let mut bytes = [0; SECTOR];
        if at.checked_add(512).is_none_or(|end| end > device.size()) {
            return Ok(None);
        }
        device.read_at(at, &mut bytes)?;
        let view = Structure::new(FORMAT, "boot record", &bytes);
        if view.array(510)? != [0x55, 0xaa] {
            return Ok(None);
        }
        let entry = |number: usize| -> Result<Entry, DiskError> {
            let at = ENTRIES + number * ENTRY;
            Ok(Entry {
                kind: view.u8(at + 4)?,
                start: view.le32(at + 8)?,
                count: view.le32(at + 12)?,
            })
        };
        let record = Self {
            identity: view.le32(440)?,
            entries: [entry(0)?, entry(1)?, entry(2)?, entry(3)?],
        };
        Ok(Some((record, bytes)))
    }

    /// Whether it says that the disk has a GPT.
    pub(super) fn protects(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == PROTECTIVE)
    }

    /// Whether it names any partition of its own.
    pub(super) fn has_partitions(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.is_partition() || entry.is_extended())
    }
}

/// Whether a first sector is that of a FAT, exFAT or NTFS volume, which ends in the same mark as a boot record. Boot
/// loaders leave the place of these names zero or put code there.
fn is_boot_sector(bytes: &[u8]) -> bool {
    let at = |at: usize| bytes.get(at..).unwrap_or_default();
    at(3).starts_with(b"NTFS    ")
        || at(3).starts_with(b"EXFAT   ")
        || at(3).starts_with(b"-FVE-FS-")
        || at(54).starts_with(b"FAT")
        || at(82).starts_with(b"FAT32")
}

/// The partitions of a boot record; `None` where it names none.
pub(super) fn table(device: &dyn BlockDevice, record: &Record) -> Result<Option<Table>, DiskError> {
    if !record.has_partitions() {
        return Ok(None);
    }
    let sector = sector(device, record)?;
    let mut table = Table {
        kind: "dos",
        partitions: Vec::new(),
        notes: Vec::new(),
    };
    for (number, entry) in (1..).zip(record.entries) {
        if entry.is_partition() {
            let partition = partition(record, number, u64::from(entry.start), entry, sector);
            table.partitions.push(partition);
        }
    }
    for extended in record.entries.iter().filter(|entry| entry.is_extended()) {
        logical(device, record, *extended, sector, &mut table)?;
    }
    Ok(Some(table))
}

fn partition(record: &Record, number: u32, start: u64, entry: Entry, sector: u64) -> Partition {
    Partition {
        number,
        // Two numbers of 32 bits and a sector's size: no overflow.
        start: start.saturating_mul(sector),
        size: u64::from(entry.count).saturating_mul(sector),
        uuid: format!("{:08x}-{number:02x}", record.identity),
        label: String::new(),
    }
}

/// Follows the chain of boot records inside an extended partition: each names one logical partition relative to itself,
/// and the next record relative to the extended partition.
fn logical(
    device: &dyn BlockDevice,
    record: &Record,
    extended: Entry,
    sector: u64,
    table: &mut Table,
) -> Result<(), DiskError> {
    let base = u64::from(extended.start);
    let mut at = base;
    let mut seen = BTreeSet::new();
    let last = table.partitions.last().map_or(0, |last| last.number);
    let mut number = last.max(4);
    for _ in 0..LOGICAL {
        if !seen.insert(at) {
            let note = "the chain of logical partitions leads in a circle; it was left there";
            table.notes.push(Note::gap(note));
            return Ok(());
        }
        let Some((link, _)) = Record::at(device, at.saturating_mul(sector))? else {
            let note = format!("the chain of logical partitions breaks off after number {number}");
            table.notes.push(Note::gap(note));
            return Ok(());
        };
        if let Some(entry) = link.entries.iter().find(|entry| entry.is_partition()) {
            number += 1;
            let start = at.saturating_add(u64::from(entry.start));
            let partition = partition(record, number, start, *entry, sector);
            table.partitions.push(partition);
        }
        let Some(next) = link.entries.iter().find(|entry| entry.is_extended()) else {
            return Ok(());
        };
        at = base.saturating_add(u64::from(next.start));
    }
    let note = format!("more than {LOGICAL} logical partitions; the others were left out");
    table.notes.push(Note::gap(note));
    Ok(())
}

/// The sector's size, which the record does not say: the first in which every partition lies on the disk and, if there
/// is an extended one, a boot record stands at its beginning; else 512 bytes. Where several fit, something must be
/// found at the beginning of a partition.
fn sector(device: &dyn BlockDevice, record: &Record) -> Result<u64, DiskError> {
    let mut fitting = Vec::new();
    for sector in SECTORS.map(u64::from) {
        let mut fits = true;
        for entry in record.entries.iter().filter(|entry| entry.is_used()) {
            let start = u64::from(entry.start) * sector;
            fits &= start < device.size();
            fits &= !entry.is_extended() || Record::at(device, start)?.is_some();
        }
        if fits {
            fitting.push(sector);
        }
    }
    if let [first, _] = *fitting {
        let known = |sector: u64| {
            record
                .entries
                .iter()
                .filter(|entry| entry.is_partition())
                .any(|entry| {
                    let start = u64::from(entry.start) * sector;
                    crate::disk::contents::is_known(&Range::new(
                        device,
                        start,
                        device.size() - start,
                    ))
                })
        };
        let found = fitting.iter().find(|sector| known(**sector));
        return Ok(found.copied().unwrap_or(first));
    }
    Ok(fitting.first().copied().unwrap_or(512))
}
