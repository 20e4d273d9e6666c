//! VHD, fixed, dynamic and differencing, from Microsoft's "Virtual Hard Disk Image Format Specification" 1.0 (2006).

mod footer;
mod parent;

use super::pages::{Held, Pages, truncated};
use super::sparse::{Layout, Source, Sparse};
use super::{Image, OpenError, Place, RawFile};
use crate::disk::bytes::Structure;
use crate::disk::range::Range;
use crate::disk::{BlockDevice, DiskError};
use footer::{Footer, Kind};
use std::sync::Arc;

const FORMAT: &str = "vhd";
const SECTOR: u64 = 512;
/// Bytes of the header of a dynamic disk.
const HEADER: usize = 1024;
/// An entry of the table that stands for a block that was never written.
const FREE: u32 = u32::MAX;

/// Whether a file begins, or ends, like one of these: a fixed disk has its footer only.
pub(super) fn probe(head: &[u8], file: &RawFile) -> bool {
    footer::is_marked(head) || matches!(footer::last(file), Ok(bytes) if footer::is_marked(&bytes))
}

/// Opens an image and, if it is the difference to a parent, that.
pub(super) fn open(file: &Arc<RawFile>, place: &Place) -> Result<Image, OpenError> {
    let disk = OpenError::disk(place.path());
    let (footer, mut notes) = Footer::read(file).map_err(&disk)?;
    if footer.kind == Kind::Fixed {
        let held = file.size().saturating_sub(SECTOR);
        if footer.size > held {
            return Err(disk(truncated(FORMAT, footer.size, file.size())));
        }
        return Ok(Image {
            format: FORMAT,
            device: Arc::new(Range::new(Arc::clone(file), 0, footer.size)),
            notes,
        });
    }
    let bytes = file.up_to(footer.header, HEADER).map_err(&disk)?;
    let view = Structure::new(FORMAT, "header", &bytes);
    let layout = table(file, &view, &footer).map_err(&disk)?;
    let mut parent = None;
    if footer.kind == Kind::Differencing {
        let image = parent::open(file, &view, place)?;
        notes.extend(image.notes);
        parent = Some(image.device);
    }
    let device = Sparse {
        format: FORMAT,
        file: Arc::clone(file),
        parent,
        layout,
        size: footer.size,
    };
    Ok(Image {
        format: FORMAT,
        device: Arc::new(device),
        notes,
    })
}

/// The block allocation table.
struct Table {
    pages: Pages,
    at: u64,
    block: u64,
    /// Bytes of the bitmap before each block.
    bitmap: u64,
    /// Whether the bitmap says which sectors are the parent's; elsewhere a sector that it lacks holds zeros anyway.
    differencing: bool,
}

fn table(file: &Arc<RawFile>, view: &Structure<'_>, footer: &Footer) -> Result<Table, DiskError> {
    if view.slice(0, 8)? != b"cxsparse" {
        return Err(view.damaged("its magic number is missing"));
    }
    let (at, entries, block) = (view.be64(16)?, view.be32(28)?, u64::from(view.be32(32)?));
    if !block.is_power_of_two() || block < SECTOR {
        return Err(view.damaged(format_args!("blocks of {block} bytes")));
    }
    let needed = footer.size.div_ceil(block);
    if needed > u64::from(entries) {
        let what = format_args!(
            "{entries} blocks of {block} bytes for a disk of {} bytes",
            footer.size
        );
        return Err(view.damaged(what));
    }
    let end = at.saturating_add(needed * 4);
    if end > file.size() {
        return Err(truncated(FORMAT, end, file.size()));
    }
    Ok(Table {
        pages: Pages::new(Arc::clone(file), FORMAT),
        at,
        block,
        bitmap: (block / SECTOR).div_ceil(8).next_multiple_of(SECTOR),
        differencing: footer.kind == Kind::Differencing,
    })
}

impl Layout for Table {
    fn run(&self, held: &mut Held, offset: u64) -> Result<(Source, u64), DiskError> {
        let (number, within) = (offset / self.block, offset % self.block);
        let entry = u32::from_be_bytes(self.pages.array(held, self.at + number * 4)?);
        if entry == FREE {
            return Ok((Source::Absent, self.block - within));
        }
        let bitmap = u64::from(entry) * SECTOR;
        let source = Source::Data(bitmap + self.bitmap + within);
        if !self.differencing {
            return Ok((source, self.block - within));
        }
        let (first, sectors) = (within / SECTOR, self.block / SECTOR);
        let own = self.is_own(held, bitmap, first)?;
        let mut next = first + 1;
        while next < sectors && self.is_own(held, bitmap, next)? == own {
            next += 1;
        }
        let source = if own { source } else { Source::Absent };
        Ok((source, next * SECTOR - within))
    }
}

impl Table {
    /// Whether a sector of a block is this image's own; the first sector is the highest bit.
    fn is_own(&self, held: &mut Held, bitmap: u64, sector: u64) -> Result<bool, DiskError> {
        let [byte] = self.pages.array(held, bitmap + sector / 8)?;
        Ok(byte >> (7 - sector % 8) & 1 == 1)
    }
}
