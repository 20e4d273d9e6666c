//! VHDX, fixed, dynamic and differencing, from [MS-VHDX], "Virtual Hard Disk v2 (VHDX) File Format".

mod header;
mod log;
mod metadata;

use super::pages::{Held, Pages};
use super::sparse::{Layout, Source, Sparse};
use super::{Image, OpenError, Place, RawFile, Said};
use crate::disk::note::Note;
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use header::{Header, Region};
use log::Replayed;
use metadata::{Metadata, Parent};
use std::sync::Arc;

const FORMAT: &str = "vhdx";
const ROLE: &str = "parent";
/// The states of a block, in an entry's lowest bits, and its offset, in the highest.
const STATE: u64 = 7;
const OFFSET: u64 = !0xf_ffff;
mod state {
    pub(super) const NOT_PRESENT: u64 = 0;
    pub(super) const PRESENT: u64 = 6;
    pub(super) const PARTIAL: u64 = 7;
}

/// Whether a file begins like one of these.
pub(super) fn probe(head: &[u8], _: &RawFile) -> bool {
    head.starts_with(b"vhdxfile")
}

/// Opens an image and, if it is the difference to a parent, that.
pub(super) fn open(file: &Arc<RawFile>, place: &Place) -> Result<Image, OpenError> {
    let disk = OpenError::disk(place.path());
    let header = Header::read(file).map_err(&disk)?;
    let (replayed, note) = log::replay(file, &header).map_err(&disk)?;
    let replayed = Arc::new(replayed);
    let mut notes = Vec::from_iter(note);
    let (table, metadata) = tables(&replayed).map_err(&disk)?;
    let mut parent = None;
    if let Some(named) = &metadata.parent {
        let image = open_parent(named, place)?;
        notes.extend(image.notes);
        parent = Some(image.device);
    }
    let device = Sparse {
        format: FORMAT,
        file: replayed,
        parent,
        layout: table,
        size: metadata.size,
    };
    Ok(Image {
        format: FORMAT,
        device: Arc::new(device),
        notes,
    })
}

/// Opens the parent beside the image, and makes sure that its data have not changed since.
fn open_parent(named: &Parent, place: &Place) -> Result<Image, OpenError> {
    let name = named.name.as_bytes();
    let (file, above) = place.file(name, ROLE)?;
    let disk = OpenError::disk(above.path());
    let header = Header::read(&file).map_err(&disk)?;
    if !named.ids.contains(&header.data_id) {
        let what = format!(
            "it is not what the difference was made to: its data are {}, and {} are expected",
            header.data_id,
            named.ids.join(" or ")
        );
        return Err(disk(DiskError::damaged(FORMAT, what)));
    }
    let mut image = place.image(name, ROLE, Said::Format(FORMAT))?;
    let note = format!("the image is the difference to {:?}", named.name);
    image.notes.insert(0, Note::Remark(note));
    Ok(image)
}

fn tables(file: &Arc<Replayed>) -> Result<(Table, Metadata), DiskError> {
    let read = |at: u64, length: usize| {
        let mut bytes = vec![0; length];
        let held = file.size();
        inside(at, length, held).map_err(|_| truncated(at, held))?;
        file.read_at(at, &mut bytes)?;
        Ok(bytes)
    };
    let [blocks, region] = header::regions(read)?;
    let metadata = metadata::read(region, read)?;
    Ok((Table::new(file, blocks, &metadata)?, metadata))
}

/// The block allocation table: after so many entries of blocks stands one of the bitmap for all of them.
struct Table {
    pages: Pages<Arc<Replayed>>,
    at: u64,
    block: u64,
    sector: u64,
    /// Blocks for one bitmap.
    chunk: u64,
    differencing: bool,
}

impl Table {
    fn new(file: &Arc<Replayed>, region: Region, metadata: &Metadata) -> Result<Self, DiskError> {
        let table = Self {
            pages: Pages::new(Arc::clone(file), FORMAT),
            at: region.offset,
            block: metadata.block,
            sector: metadata.sector,
            // The specification's 2^23 sectors; at least 16 with the largest blocks.
            chunk: (metadata.sector << 23) / metadata.block,
            differencing: metadata.parent.is_some(),
        };
        let last = (metadata.size.div_ceil(table.block)).saturating_sub(1);
        let needed = (last + last / table.chunk + 1) * 8;
        if needed > u64::from(region.length) {
            let what = format!(
                "a table of {} bytes for a disk of {}",
                region.length, metadata.size
            );
            return Err(DiskError::damaged(FORMAT, what));
        }
        let end = region.offset.saturating_add(needed);
        if end > file.size() {
            return Err(truncated(end, file.size()));
        }
        Ok(table)
    }

    fn entry(&self, held: &mut Held, index: u64) -> Result<u64, DiskError> {
        let bytes = self.pages.array(held, self.at.saturating_add(index * 8))?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Whether a sector is this image's own, by the bitmap of its chunk; the first sector is the lowest bit.
    fn is_own(&self, held: &mut Held, bitmap: u64, sector: u64) -> Result<bool, DiskError> {
        let [byte] = self.pages.array(held, bitmap.saturating_add(sector / 8))?;
        Ok(byte >> (sector % 8) & 1 == 1)
    }
}

impl Layout for Table {
    fn run(&self, held: &mut Held, offset: u64) -> Result<(Source, u64), DiskError> {
        let (number, within) = (offset / self.block, offset % self.block);
        let left = self.block - within;
        let chunk = number / self.chunk;
        let entry = self.entry(held, number + chunk)?;
        let data = Source::Data((entry & OFFSET).saturating_add(within));
        match entry & STATE {
            state::PRESENT => Ok((data, left)),
            state::NOT_PRESENT if self.differencing => Ok((Source::Absent, left)),
            state::PARTIAL if self.differencing => {
                let bitmap = self.entry(held, chunk * (self.chunk + 1) + self.chunk)?;
                if bitmap & STATE != state::PRESENT {
                    return Err(DiskError::damaged(FORMAT, "a block without its bitmap"));
                }
                let sectors = self.block / self.sector;
                let base = number % self.chunk * sectors;
                let first = within / self.sector;
                let own = self.is_own(held, bitmap & OFFSET, base + first)?;
                let mut next = first + 1;
                while next < sectors && self.is_own(held, bitmap & OFFSET, base + next)? == own {
                    next += 1;
                }
                let source = if own { data } else { Source::Absent };
                Ok((source, next * self.sector - within))
            }
            state::PARTIAL => Err(DiskError::damaged(
                FORMAT,
                "a partial block without a parent",
            )),
            _ => Ok((Source::Zero, left)),
        }
    }
}

fn truncated(at: u64, held: u64) -> DiskError {
    super::pages::truncated(FORMAT, at, held)
}
