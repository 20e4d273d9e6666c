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
use std::ops::Range;
use std::sync::Arc;

const SECTOR: usize = 4096;
const MAGIC: &[u8; 4] = b"loge";
/// The longest log read, in bytes: Windows makes one of 1 MiB.
const LONGEST: u32 = 32 << 20;
/// Heads of a run that are tried.
const TRIES: usize = 64;
/// Bytes of an entry before its descriptors, and of a descriptor.
const FIXED: usize = 64;
const DESCRIPTOR: usize = 32;

/// The file, with the pages of the log over it.
pub(super) struct Replayed {
    file: Arc<RawFile>,
    /// What the log writes may lie behind the end of the file.
    size: u64,
    pages: Pages,
}

/// What the log writes, by the number of the first page; nothing overlaps. A zeroed run may be as long as the disk.
type Pages = BTreeMap<u64, Written>;

struct Written {
    /// The page behind the last.
    end: u64,
    /// Of one page; zeros where there are none.
    bytes: Option<Box<[u8]>>,
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
        let asked = offset / sector..end.div_ceil(sector);
        for (number, Written { end: last, bytes }) in over(&self.pages, &asked) {
            let start = number * sector;
            let (from, to) = (start.max(offset), last.saturating_mul(sector).min(end));
            let within = |at: u64, base: u64| usize::try_from(at - base).unwrap_or(usize::MAX);
            let Some(target) = buf.get_mut(within(from, offset)..within(to, offset)) else {
                continue;
            };
            match bytes {
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

/// What is written in a range of pages, backwards.
fn over<'a>(pages: &'a Pages, asked: &Range<u64>) -> impl Iterator<Item = (&'a u64, &'a Written)> {
    let first = asked.start;
    let before = pages.range(..asked.end).rev();
    before.take_while(move |(_, written)| written.end > first)
}

/// Writes pages over what is there.
fn lay(pages: &mut Pages, at: Range<u64>, bytes: Option<Box<[u8]>>) {
    let under: Vec<u64> = over(pages, &at).map(|(start, _)| *start).collect();
    for start in under {
        let Some(old) = pages.remove(&start) else {
            continue;
        };
        // Only a run of zeros has more than one page, of which some stay.
        for rest in [start..at.start, at.end..old.end] {
            if !rest.is_empty() {
                let (end, bytes) = (rest.end, None);
                pages.insert(rest.start, Written { end, bytes });
            }
        }
    }
    if !at.is_empty() {
        let end = at.end;
        pages.insert(at.start, Written { end, bytes });
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
    inside(offset, length, file.size()).map_err(|_| super::truncated(offset, file.size()))?;
    let ring = Ring {
        file,
        start: offset,
        length,
    };
    let entries = entries(&ring, id)?;
    let Some(run) = newest_run(&entries) else {
        let note =
            "the image was not closed, and its log holds nothing whole; it was read as it is";
        return Ok((replayed, Some(Note::gap(note))));
    };
    for entry in run {
        if entry.least_size > file.size() {
            return Err(super::truncated(entry.least_size, file.size()));
        }
        replayed.size = replayed.size.max(entry.last_size);
        apply(&entry.bytes, entry.sequence, &mut replayed.pages)?;
    }
    let note = "the image was not closed; its log was replayed in memory";
    Ok((replayed, Some(Note::remark(note))))
}

/// The log's place. Most of it is old or empty, so that only entries are read whole.
struct Ring<'a> {
    file: &'a RawFile,
    start: u64,
    /// All of it lies in the file.
    length: usize,
}

impl Ring<'_> {
    /// Fills `bytes`, no longer than the ring, from `at`: behind its end comes its beginning.
    fn read(&self, at: usize, bytes: &mut [u8]) -> Result<(), DiskError> {
        let left = self.length.saturating_sub(at).min(bytes.len());
        let (first, round) = bytes.split_at_mut(left);
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        self.file.read_at(self.start.saturating_add(at), first)?;
        self.file.read_at(self.start, round)
    }
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
fn entries(ring: &Ring<'_>, id: [u8; 16]) -> Result<BTreeMap<usize, Entry>, DiskError> {
    let mut entries = BTreeMap::new();
    // Entries that claim to overlap could make checking them take for ever.
    let mut budget = ring.length * 2;
    for at in (0..ring.length).step_by(SECTOR) {
        let mut head = [0; FIXED];
        ring.read(at, &mut head)?;
        if !head.starts_with(MAGIC) {
            continue;
        }
        let length = Structure::new(FORMAT, "log entry", &head).le32(8)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length < SECTOR || !length.is_multiple_of(SECTOR) || length > budget.min(ring.length) {
            continue;
        }
        budget -= length;
        let mut bytes = vec![0; length];
        ring.read(at, &mut bytes)?;
        if let Ok(entry) = entry(bytes, (at + length) % ring.length, id) {
            entries.insert(at, entry);
        }
    }
    Ok(entries)
}

fn entry(bytes: Vec<u8>, end: usize, id: [u8; 16]) -> Result<Entry, DiskError> {
    let view = Structure::new(FORMAT, "log entry", &bytes);
    check(&view, MAGIC)?;
    if view.array(32)? != id {
        return Err(view.damaged("it is of another log"));
    }
    Ok(Entry {
        end,
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
fn apply(bytes: &[u8], sequence: u64, pages: &mut Pages) -> Result<(), DiskError> {
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
                let first = target / sector;
                let end = first.saturating_add(view.le64(at + 8)? / sector);
                lay(pages, first..end, None);
            }
            b"desc" => {
                let sector_bytes = view.slice(data, SECTOR)?;
                let middle = sector_bytes.get(8..SECTOR - 4).unwrap_or_default();
                // The first eight and the last four bytes of the page stand in the descriptor.
                let page = [view.slice(at + 8, 8)?, middle, view.slice(at + 4, 4)?].concat();
                let first = target / sector;
                lay(pages, first..first + 1, Some(page.into()));
                data += SECTOR;
            }
            _ => return Err(view.damaged("a descriptor of no known kind")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_later_lies_over_what_was_there() {
        let mut pages = Pages::new();
        let page = || Some(Box::from([7; 8]));
        lay(&mut pages, 10..20, None);
        lay(&mut pages, 12..13, page());
        lay(&mut pages, 18..25, None);
        lay(&mut pages, 0..11, None);
        lay(&mut pages, 30..30, None);
        let seen = |pages: &Pages| -> Vec<(u64, u64, bool)> {
            let written = pages.iter();
            written
                .map(|(start, written)| (*start, written.end, written.bytes.is_some()))
                .collect()
        };
        let zeros = |start, end| (start, end, false);
        let expected = [
            zeros(0, 11),
            zeros(11, 12),
            (12, 13, true),
            zeros(13, 18),
            zeros(18, 25),
        ];
        assert_eq!(seen(&pages), expected);
        let asked: Vec<u64> = over(&pages, &(12..14)).map(|(start, _)| *start).collect();
        assert_eq!(asked, [13, 12]);
        // A disk's worth of zeros is one entry.
        lay(&mut pages, 5..u64::MAX, None);
        assert_eq!(seen(&pages), [zeros(0, 5), zeros(5, u64::MAX)]);
    }
}
