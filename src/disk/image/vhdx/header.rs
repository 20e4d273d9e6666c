//! The headers and the region table, each there twice ([MS-VHDX] sections 2.2.2 and 2.2.3).

use super::FORMAT;
use crate::disk::bytes::{Structure, agree, guid, guid_text};
use crate::disk::image::RawFile;
use crate::disk::{DiskError, crc32c};

const HEADERS: [u64; 2] = [64 << 10, 128 << 10];
const HEADER: usize = 4096;
const REGIONS: [u64; 2] = [192 << 10, 256 << 10];
const REGION: usize = 64 << 10;
/// Where the checksum stands in each; it counts as zero.
const CHECKSUM: usize = 4;
/// Entries of a region table, by the specification.
const ENTRIES: u32 = 2047;
const BLOCKS: [u8; 16] = guid("2dc27766-f623-4200-9d64-115e9bfd4a08");
const METADATA: [u8; 16] = guid("8b7ca206-4790-4b9a-b8fe-575f050f886e");

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    sequence: u64,
    /// Changes whenever the disk's content does.
    pub(super) data_id: String,
    /// The log that must be replayed; `None` where the image was closed.
    pub(super) log_id: Option<[u8; 16]>,
    pub(super) log: (u64, u32),
}

impl Header {
    /// The newer of the intact copies.
    pub(super) fn read(file: &RawFile) -> Result<Self, DiskError> {
        let copies = HEADERS.map(|at| parse(&file.up_to(at, HEADER)?));
        let [first, second] = copies;
        match (first, second) {
            (Ok(first), Ok(second)) if first.sequence < second.sequence => Ok(second),
            (Ok(header), _) | (Err(_), Ok(header)) => Ok(header),
            (Err(error), Err(_)) => Err(error),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Header, DiskError> {
    let view = Structure::new(FORMAT, "header", bytes);
    check(&view, b"head")?;
    let version = view.le16(66)?;
    if version != 1 || view.le16(64)? != 0 {
        let what = format!("version {version}; version 1 is read");
        return Err(DiskError::unsupported(FORMAT, what));
    }
    let log_id: [u8; 16] = view.array(48)?;
    Ok(Header {
        sequence: view.le64(8)?,
        data_id: guid_text(view.array(32)?),
        log_id: (log_id != [0; 16]).then_some(log_id),
        log: (view.le64(72)?, view.le32(68)?),
    })
}

/// The magic number and the checksum of a structure.
pub(super) fn check(view: &Structure<'_>, magic: &[u8]) -> Result<(), DiskError> {
    if view.slice(0, 4)? != magic {
        return Err(view.damaged("its magic number is missing"));
    }
    let behind = view.len().saturating_sub(CHECKSUM + 4);
    let parts = [
        view.slice(0, CHECKSUM)?,
        &[0; 4],
        view.slice(CHECKSUM + 4, behind)?,
    ];
    let sum = || {
        !parts
            .iter()
            .fold(u32::MAX, |sum, part| crc32c::extend(sum, part))
    };
    if !agree(sum, view.le32(CHECKSUM)?) {
        return Err(view.damaged("its checksum is wrong"));
    }
    Ok(())
}

/// A region of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) offset: u64,
    pub(super) length: u32,
}

/// The block allocation table and the metadata.
pub(super) fn regions(
    read: impl Fn(u64, usize) -> Result<Vec<u8>, DiskError>,
) -> Result<[Region; 2], DiskError> {
    let [first, second] = REGIONS;
    let copy = |at| table(&read(at, REGION)?);
    copy(first).or_else(|error| copy(second).map_err(|_| error))
}

fn table(bytes: &[u8]) -> Result<[Region; 2], DiskError> {
    let view = Structure::new(FORMAT, "region table", bytes);
    check(&view, b"regi")?;
    let (mut blocks, mut metadata) = (None, None);
    for entry in 0..view.le32(8)?.min(ENTRIES) {
        let at = 16 + 32 * usize::try_from(entry).unwrap_or(usize::MAX);
        let region = Region {
            offset: view.le64(at + 16)?,
            length: view.le32(at + 24)?,
        };
        match view.array(at)? {
            BLOCKS => blocks = Some(region),
            METADATA => metadata = Some(region),
            other if view.le32(at + 28)? & 1 == 1 => {
                let what = format!("a required region {}, which is not known", guid_text(other));
                return Err(DiskError::unsupported(FORMAT, what));
            }
            _ => {}
        }
    }
    match (blocks, metadata) {
        (Some(blocks), Some(metadata)) => Ok([blocks, metadata]),
        _ => Err(view.damaged("it lacks the block table or the metadata")),
    }
}
