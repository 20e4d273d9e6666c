//! The log of an image that was not closed, replayed in memory ([MS-VHDX] section 2.3).
//!
//! A ring of entries, each with its checksum; the newest unbroken run of them counts. What the run would write is laid over
//! the file as pages; the file itself is never changed.

use super::FORMAT;
use super::header::{Header, check};
use crate::disk::bytes::Structure;
use crate::disk::image::RawFile;
use crate::disk::note::Note;
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use std::collections::BTreeMap;
use std::sync::Arc;

const SECTOR: usize = 4096;
/// The longest log read, in bytes: Windows makes one of 1 MiB.
const LONGEST: u32 = 32 << 20;
/// Pages of zeros that a log may write.
const ZEROS: usize = 1 << 20;
/// Heads of a run that are tried.
const TRIES: usize = 64;
/// Bytes of an entry before its descriptors, and of a descriptor.
const FIXED: usize = 64;
const DESCRIPTOR: usize = 32;

/// The file, with the pages of the log over it; `None` is a page of zeros.
pub(super) struct Replayed {
    file: Arc<RawFile>,
    /// What the log writes may lie behind the end of the file.
    size: u64,
    pages: BTreeMap<u64, Option<Box<[u8]>>>,
}

impl BlockDevice for Replayed {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        let left = self.file.size().saturating_sub(offset);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let (there, beyond) = buf.split_at_mut(left.min(buf.len()));
        self.file.read_at(offset, there)?;
        beyond.fill(0);
        if self.pages.is_empty() || buf.is_empty() {
            return Ok(());
        }
        let sector = u64::try_from(SECTOR).unwrap_or(1);
        let end = offset + u64::try_from(buf.len()).unwrap_or_default();
        for (number, page) in self.pages.range(offset / sector..end.div_ceil(sector)) {
            let start = number * sector;
            let (from, to) = (start.max(offset), (start + sector).min(end));
            let within = |at: u64, base: u64| usize::try_from(at - base).unwrap_or(usize::MAX);
            let Some(target) = buf.get_mut(within(from, offset)..within(to, offset)) else {
                continue;
            };
            match page {
                None => target.fill(0),
                Some(page) => {
                    let source = page.get(within(from, start)..within(to, start));
                    target.copy_from_slice(source.unwrap_or_default());
                }
            }
        }
        Ok(())
    }
}

/// Replays the log, if there is one; a note says so.
pub(super) fn replay(
    file: &Arc<RawFile>,
    header: &Header,
) -> Result<(Replayed, Option<Note>), DiskError> {
    let mut replayed = Replayed {
        file: Arc::clone(file),
        size: file.size(),
        pages: BTreeMap::new(),
    };
    let Some(id) = header.log_id else {
        return Ok((replayed, None));
    };
    let (offset, length) = header.log;
    if length > LONGEST || !length.is_multiple_of(1 << 20) || length == 0 {
        let what = format!("a log of {length} bytes");
        return Err(DiskError::damaged(FORMAT, what));
    }
    let length = usize::try_from(length).unwrap_or_default();
    let ring = file.up_to(offset, length)?;
    if ring.len() < length {
        return Err(super::truncated(offset, file.size()));
    }
    let entries = entries(&ring, id);
    let Some(run) = newest_run(&entries) else {
        let note =
            "the image was not closed, and its log holds nothing whole; it was read as it is";
        return Ok((replayed, Some(Note::gap(note))));
    };
    let mut zeros = ZEROS;
    for entry in run {
        if entry.least_size > file.size() {
            return Err(super::truncated(entry.least_size, file.size()));
        }
        replayed.size = replayed.size.max(entry.last_size);
        apply(
            &entry.bytes,
            entry.sequence,
            &mut replayed.pages,
            &mut zeros,
        )?;
    }
    let note = "the image was not closed; its log was replayed in memory";
    Ok((replayed, Some(Note::remark(note))))
}

/// An entry whose checksum is right.
struct Entry {
    /// Behind it, in the ring.
    end: usize,
    /// Where the run that it belongs to begins.
    tail: usize,
    sequence: u64,
    /// How long the file was when it was written, and how long it is with what it writes.
    least_size: u64,
    last_size: u64,
    bytes: Vec<u8>,
}

/// The valid entries, by where they begin.
fn entries(ring: &[u8], id: [u8; 16]) -> BTreeMap<usize, Entry> {
    let mut entries = BTreeMap::new();
    // Entries that claim to overlap could make checking them take for ever.
    let mut budget = ring.len() * 2;
    for at in (0..ring.len()).step_by(SECTOR) {
        let length = Structure::new(FORMAT, "log", ring.get(at..).unwrap_or_default())
            .le32(8)
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let is_entry = ring.get(at..at + 4) == Some(b"loge");
        let Some(length) = length
            .ok()
            .filter(|length| is_entry && *length <= ring.len())
        else {
            continue;
        };
        if length < SECTOR || !length.is_multiple_of(SECTOR) || length > budget {
            continue;
        }
        budget -= length;
        if let Ok(entry) = entry(ring, at, length, id) {
            entries.insert(at, entry);
        }
    }
    entries
}

fn entry(ring: &[u8], at: usize, length: usize, id: [u8; 16]) -> Result<Entry, DiskError> {
    let (before, from) = ring.split_at_checked(at).unwrap_or_default();
    let bytes: Vec<u8> = from.iter().chain(before).take(length).copied().collect();
    let view = Structure::new(FORMAT, "log entry", &bytes);
    check(&view, b"loge")?;
    if view.array(32)? != id {
        return Err(view.damaged("it is of another log"));
    }
    Ok(Entry {
        end: (at + length) % ring.len(),
        tail: usize::try_from(view.le32(12)?).unwrap_or(usize::MAX),
        sequence: view.le64(16)?,
        least_size: view.le64(48)?,
        last_size: view.le64(56)?,
        bytes,
    })
}

/// The entries from a head's tail to the head, for the newest head from which they are whole.
fn newest_run(entries: &BTreeMap<usize, Entry>) -> Option<Vec<&Entry>> {
    let mut heads: Vec<(&usize, &Entry)> = entries.iter().collect();
    heads.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.sequence));
    heads.into_iter().take(TRIES).find_map(|(head, last)| {
        let mut run: Vec<&Entry> = Vec::new();
        let mut at = last.tail;
        while run.len() < entries.len() {
            let entry = entries.get(&at)?;
            let follows = run
                .last()
                .is_none_or(|previous| previous.sequence.checked_add(1) == Some(entry.sequence));
            if !follows {
                return None;
            }
            run.push(entry);
            if at == *head {
                return Some(run);
            }
            at = entry.end;
        }
        None
    })
}

/// Lays what one entry writes over the file.
fn apply(
    bytes: &[u8],
    sequence: u64,
    pages: &mut BTreeMap<u64, Option<Box<[u8]>>>,
    zeros: &mut usize,
) -> Result<(), DiskError> {
    let view = Structure::new(FORMAT, "log entry", bytes);
    let count = usize::try_from(view.le32(24)?).unwrap_or(usize::MAX);
    let length = count.saturating_mul(DESCRIPTOR).saturating_add(FIXED);
    if length > bytes.len() {
        return Err(view.damaged(format_args!("{count} descriptors")));
    }
    let mut data = length.next_multiple_of(SECTOR);
    let sector = u64::try_from(SECTOR).unwrap_or(1);
    for at in (FIXED..length).step_by(DESCRIPTOR) {
        let (target, own) = (view.le64(at + 16)?, view.le64(at + 24)?);
        if own != sequence || !target.is_multiple_of(sector) {
            return Err(view.damaged("a descriptor that does not belong to it"));
        }
        match view.slice(at, 4)? {
            b"zero" => {
                let count = view.le64(at + 8)? / sector;
                let most = usize::try_from(count).unwrap_or(usize::MAX);
                *zeros = zeros.checked_sub(most).ok_or_else(|| {
                    view.damaged(format_args!("more than {ZEROS} sectors of zeros"))
                })?;
                let first = target / sector;
                pages.extend((first..first.saturating_add(count)).map(|page| (page, None)));
            }
            b"desc" => {
                let sector_bytes = view.slice(data, SECTOR)?;
                let middle = sector_bytes.get(8..SECTOR - 4).unwrap_or_default();
                // The first eight and the last four bytes of the page stand in the descriptor.
                let page = [view.slice(at + 8, 8)?, middle, view.slice(at + 4, 4)?].concat();
                pages.insert(target / sector, Some(page.into()));
                data += SECTOR;
            }
            _ => return Err(view.damaged("a descriptor of no known kind")),
        }
    }
    Ok(())
}
