//! The GUID partition table, from the UEFI specification 2.10, section 5.3.

use super::{Partition, SECTORS, Table};
use crate::disk::bytes::{Structure, agree, guid_text};
use crate::disk::note::Note;
use crate::disk::{BlockDevice, DiskError, crc32};

const FORMAT: &str = "gpt";
/// The least length of a header.
const HEADER: usize = 92;
/// Where the header's own checksum stands; it counts as zero.
const CHECKSUM: usize = 16;
/// Entries of a table at most. Every tool writes 128; Linux reads no more than 256.
const ENTRIES: u32 = 1024;
/// Lengths of an entry that are read: 128 by every tool, larger by the specification.
const ENTRY: std::ops::RangeInclusive<u32> = 128..=4096;

/// A header whose checksum is right.
struct Header {
    sector: u64,
    backup: u64,
    entries: u64,
    count: u32,
    entry_size: u32,
    entries_checksum: u32,
}

/// The table of a disk; `None` where no valid copy of a header is.
pub(super) fn read(device: &dyn BlockDevice) -> Result<Option<Table>, DiskError> {
    for sector in SECTORS {
        let size = u64::from(sector);
        let primary = header(device, sector, size)?;
        let last = (device.size() / size).saturating_sub(1);
        let stated = primary.as_ref().map(|header| header.backup);
        if let Some(header) = &primary
            && let Some(partitions) = partitions(device, header)?
        {
            return Ok(Some(table(partitions, Vec::new())));
        }
        // The end of the disk moves when it is enlarged; an intact header still knows where its backup was.
        for at in [Some(last), stated].into_iter().flatten() {
            let Some(at) = at.checked_mul(size).filter(|at| *at > size) else {
                continue;
            };
            let Some(header) = header(device, sector, at)? else {
                continue;
            };
            if let Some(partitions) = partitions(device, &header)? {
                let note = "the partition table is damaged; its backup was read";
                return Ok(Some(table(partitions, vec![Note::remark(note)])));
            }
        }
    }
    Ok(None)
}

fn table(partitions: Vec<Partition>, notes: Vec<Note>) -> Table {
    Table {
        kind: FORMAT,
        partitions,
        notes,
    }
}

/// The header at a byte offset, if one with the right checksum is there.
fn header(device: &dyn BlockDevice, sector: u32, at: u64) -> Result<Option<Header>, DiskError> {
    let mut bytes = [0; 512];
    if at.checked_add(512).is_none_or(|end| end > device.size()) {
        return Ok(None);
    }
    device.read_at(at, &mut bytes)?;
    let view = Structure::new(FORMAT, "header", &bytes);
    if view.bytes().get(..8) != Some(b"EFI PART") {
        return Ok(None);
    }
    let length = usize::try_from(view.le32(12)?).unwrap_or(usize::MAX);
    if !(HEADER..=bytes.len()).contains(&length) {
        return Ok(None);
    }
    let before = view.slice(0, CHECKSUM)?;
    let after = view.slice(CHECKSUM + 4, length - CHECKSUM - 4)?;
    let sum = || crc32::checksum(&[before, &[0; 4], after]);
    if !agree(sum, view.le32(CHECKSUM)?) {
        return Ok(None);
    }
    let sector = u64::from(sector);
    Ok(
        (view.le64(24)?.checked_mul(sector) == Some(at)).then_some(Header {
            sector,
            backup: view.le64(32)?,
            entries: view.le64(72)?,
            count: view.le32(80)?,
            entry_size: view.le32(84)?,
            entries_checksum: view.le32(88)?,
        }),
    )
}

/// The partitions of a header; `None` where the array's checksum is wrong or cannot be taken.
fn partitions(
    device: &dyn BlockDevice,
    header: &Header,
) -> Result<Option<Vec<Partition>>, DiskError> {
    if header.count > ENTRIES || !ENTRY.contains(&header.entry_size) {
        return Err(DiskError::unsupported(
            FORMAT,
            format!(
                "a table of {} entries of {} bytes; at most {ENTRIES} of 128 to 4096 bytes are read",
                header.count, header.entry_size
            ),
        ));
    }
    let entry_size = usize::try_from(header.entry_size).unwrap_or(usize::MAX);
    let count = usize::try_from(header.count).unwrap_or(usize::MAX);
    let length = count.saturating_mul(entry_size);
    let at = header.entries.checked_mul(header.sector);
    let reach = u64::try_from(length).unwrap_or(u64::MAX);
    let Some(at) = at.filter(|at| {
        at.checked_add(reach)
            .is_some_and(|end| end <= device.size())
    }) else {
        return Ok(None);
    };
    let mut bytes = vec![0; length];
    device.read_at(at, &mut bytes)?;
    if !agree(|| crc32::checksum(&[&bytes]), header.entries_checksum) {
        return Ok(None);
    }
    let mut partitions = Vec::new();
    for (number, entry) in (1..).zip(bytes.chunks_exact(entry_size)) {
        partitions.extend(partition(number, entry, header.sector)?);
    }
    Ok(Some(partitions))
}

/// One entry; `None` where it is unused, or its end lies before its beginning.
fn partition(number: u32, entry: &[u8], sector: u64) -> Result<Option<Partition>, DiskError> {
    let view = Structure::new(FORMAT, "partition entry", entry);
    if view.array::<16>(0)? == [0; 16] {
        return Ok(None);
    }
    let (first, last) = (view.le64(32)?, view.le64(40)?);
    let start = first.checked_mul(sector);
    let sectors = last
        .checked_sub(first)
        .and_then(|count| count.checked_add(1));
    let size = sectors.and_then(|count| count.checked_mul(sector));
    let (Some(start), Some(size)) = (start, size) else {
        return Ok(None);
    };
    let units: Vec<u16> = view
        .slice(56, 72)?
        .chunks_exact(2)
        .filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)))
        .take_while(|unit| *unit != 0)
        .collect();
    Ok(Some(Partition {
        number,
        start,
        size,
        uuid: guid_text(view.array(16)?),
        label: String::from_utf16_lossy(&units),
    }))
}
