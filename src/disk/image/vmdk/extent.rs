//! A sparse extent: grains behind a directory and tables of them, plain or compressed ("Virtual Disk Format 5.0", "Hosted
//! Sparse Extents" and "Stream-Optimized Compressed Sparse Extents"; the older kind of ESX servers, "COWD", likewise).

use super::FORMAT;
use crate::disk::bytes::Structure;
use crate::disk::image::RawFile;
use crate::disk::image::pages::{Held, Pages, truncated};
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

const SECTOR: u64 = 512;
pub(super) const MAGIC: &[u8] = b"KDMV";
pub(super) const MAGIC_ESX: &[u8] = b"COWD";
/// A directory that stands behind the grains: its place is in a second header near the end.
const AT_END: u64 = u64::MAX;
/// Where that header begins, from the end of the file.
const FOOTER: u64 = 1024;
/// Flags: entries of 1 are zeros; grains are compressed.
const ZEROED: u32 = 1 << 2;
const COMPRESSED: u32 = 1 << 16;
/// Sectors of a grain; qemu and VMware write 128.
const GRAIN: std::ops::RangeInclusive<u64> = 1..=16384;
/// Entries of a table.
const TABLE: std::ops::RangeInclusive<u64> = 1..=65536;
/// Before a compressed grain: its first sector, and its length.
const MARKER: u64 = 12;

/// Where bytes of an extent are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Absent,
    Zero,
    Data(u64),
    /// The marker of a compressed grain, and how far into the grain the bytes begin.
    Packed(u64, u64),
}

/// A sparse extent's header and tables.
pub(super) struct Extent {
    pub(super) file: Arc<RawFile>,
    /// In bytes.
    pub(super) size: u64,
    pub(super) grain: u64,
    /// Where an embedded descriptor is, and its length, in bytes.
    pub(super) descriptor: (u64, u64),
    directory: u64,
    /// Entries of a table.
    table: u64,
    zeroed: bool,
    compressed: bool,
    pages: Pages,
}

impl Extent {
    pub(super) fn read(file: &Arc<RawFile>) -> Result<Self, DiskError> {
        let bytes = file.head(512)?;
        let view = Structure::new(FORMAT, "header", &bytes);
        if bytes.starts_with(MAGIC_ESX) {
            return Self::esx(file, &view);
        }
        if !bytes.starts_with(MAGIC) {
            return Err(view.damaged("its magic number is missing"));
        }
        if view.le64(56)? != AT_END && view.le64(56)? != 0 {
            return Self::hosted(file, &view);
        }
        let at = file.size().saturating_sub(FOOTER);
        let footer = file.up_to(at, 512)?;
        if !footer.starts_with(MAGIC) {
            let what = "its last sectors are missing: it is truncated; copy it again";
            return Err(DiskError::damaged(FORMAT, what));
        }
        Self::hosted(file, &Structure::new(FORMAT, "footer", &footer))
    }

    fn hosted(file: &Arc<RawFile>, view: &Structure<'_>) -> Result<Self, DiskError> {
        let version = view.le32(4)?;
        if !(1..=3).contains(&version) {
            let what = format!("version {version}; versions 1 to 3 are read");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let flags = view.le32(8)?;
        let compressed = flags & COMPRESSED != 0;
        if compressed && view.le16(77)? != 1 {
            let what = "grains of an unknown compression; deflate is read";
            return Err(DiskError::unsupported(FORMAT, what));
        }
        Self {
            file: Arc::clone(file),
            size: view.le64(12)?,
            grain: view.le64(20)?,
            descriptor: (view.le64(28)?, view.le64(36)?),
            directory: view.le64(56)?,
            table: view.le32(44)?.into(),
            zeroed: flags & ZEROED != 0,
            compressed,
            pages: Pages::new(Arc::clone(file), FORMAT),
        }
        .checked()
    }

    fn esx(file: &Arc<RawFile>, view: &Structure<'_>) -> Result<Self, DiskError> {
        Self {
            file: Arc::clone(file),
            size: view.le32(12)?.into(),
            grain: view.le32(16)?.into(),
            descriptor: (0, 0),
            directory: view.le32(20)?.into(),
            table: 4096,
            zeroed: false,
            compressed: false,
            pages: Pages::new(Arc::clone(file), FORMAT),
        }
        .checked()
    }

    /// Sectors into bytes, and everything in its bounds.
    fn checked(self) -> Result<Self, DiskError> {
        let bytes = |sectors: u64| {
            let bytes = sectors
                .checked_mul(SECTOR)
                .filter(|bytes| *bytes <= i64::MAX.unsigned_abs());
            bytes.ok_or_else(|| DiskError::damaged(FORMAT, format!("{sectors} sectors")))
        };
        if !GRAIN.contains(&self.grain) || !TABLE.contains(&self.table) {
            let what = format!(
                "grains of {} sectors, in tables of {}",
                self.grain, self.table
            );
            return Err(DiskError::damaged(FORMAT, what));
        }
        let checked = Self {
            size: bytes(self.size)?,
            grain: bytes(self.grain)?,
            descriptor: (bytes(self.descriptor.0)?, bytes(self.descriptor.1)?),
            directory: bytes(self.directory)?,
            ..self
        };
        let tables = checked.size.div_ceil(checked.grain * checked.table);
        let end = checked.directory.saturating_add(tables * 4);
        if end > checked.file.size() {
            return Err(truncated(FORMAT, end, checked.file.size()));
        }
        Ok(checked)
    }

    /// Where the bytes from `offset` are, and how many are there in one piece.
    pub(super) fn run(&self, held: &mut Held, offset: u64) -> Result<(Source, u64), DiskError> {
        let (grain, within) = (offset / self.grain, offset % self.grain);
        let left = self.grain - within;
        let directory = self.directory + grain / self.table * 4;
        let table = u64::from(u32::from_le_bytes(self.pages.array(held, directory)?)) * SECTOR;
        // A table that is marked as zero, or was never made.
        if table <= SECTOR {
            let source = if table == SECTOR && self.zeroed {
                Source::Zero
            } else {
                Source::Absent
            };
            return Ok((source, left));
        }
        let entry = table + grain % self.table * 4;
        let at = u64::from(u32::from_le_bytes(self.pages.array(held, entry)?));
        Ok(match at {
            0 => (Source::Absent, left),
            1 if self.zeroed => (Source::Zero, left),
            at if self.compressed => (Source::Packed(at * SECTOR, within), left),
            at => (Source::Data(at * SECTOR + within), left),
        })
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The compressed bytes behind a marker: no more than twice the grain's own.
    pub(super) fn packed(&self, marker: u64) -> Result<Vec<u8>, DiskError> {
        let held = self.file.size();
        let bytes = self.file.up_to(marker, 12)?;
        let view = Structure::new(FORMAT, "grain marker", &bytes);
        let length = u64::from(view.le32(8).map_err(|_| truncated(FORMAT, marker, held))?);
        if length > self.grain * 2 + 512 {
            return Err(view.damaged(format_args!("a grain of {length} bytes")));
        }
        let length = usize::try_from(length).unwrap_or_default();
        let bytes = self.file.up_to(marker + MARKER, length)?;
        if bytes.len() < length {
            return Err(truncated(FORMAT, marker, held));
        }
        Ok(bytes)
    }
}
