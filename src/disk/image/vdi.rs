//! VDI, VirtualBox's format, from VirtualBox's src/VBox/Storage/VDICore.h; there is no specification.

use super::pages::{Held, Pages};
use super::sparse::{Layout, Source, Sparse};
use super::{Image, OpenError, Place, RawFile};
use crate::disk::bytes::Structure;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

const FORMAT: &str = "vdi";
/// The signature stands behind a text for humans.
const SIGNATURE: (usize, [u8; 4]) = (0x40, 0xbeda_107f_u32.to_le_bytes());
/// Bytes of a header.
const HEADER: usize = 0x200;
/// Entries of the map: never written, and written with zeros.
const FREE: u32 = u32::MAX;
const ZERO: u32 = u32::MAX - 1;
/// A disk that is the difference to another, which is named by nothing but a UUID.
const DIFFERENCING: u32 = 4;

/// Whether a file begins like one of these.
pub(super) fn probe(head: &[u8], _: &RawFile) -> bool {
    let (at, signature) = SIGNATURE;
    head.get(at..).unwrap_or_default().starts_with(&signature)
}

/// The map from blocks of the disk to blocks of the file.
struct Map {
    pages: Pages,
    at: u64,
    data: u64,
    /// Of a block's data, and of what stands before it.
    block: u64,
    extra: u64,
}

/// Opens a dynamic or a fixed image.
pub(super) fn open(file: &Arc<RawFile>, place: &Place) -> Result<Image, OpenError> {
    let (layout, size) = read(file).map_err(OpenError::disk(place.path()))?;
    let device = Sparse {
        format: FORMAT,
        file: Arc::clone(file),
        parent: None,
        layout,
        size,
    };
    Ok(Image {
        format: FORMAT,
        device: Arc::new(device),
        notes: Vec::new(),
    })
}

fn read(file: &Arc<RawFile>) -> Result<(Map, u64), DiskError> {
    let bytes = file.head(HEADER)?;
    let view = Structure::new(FORMAT, "header", &bytes);
    let version = view.le32(0x44)?;
    if version >> 16 != 1 {
        let what = format!(
            "version {}.{}; version 1 is read",
            version >> 16,
            version & 0xffff
        );
        return Err(DiskError::unsupported(FORMAT, what));
    }
    let kind = view.le32(0x4c)?;
    if kind >= DIFFERENCING {
        let what = "the image is the difference to another disk (a snapshot); give the machine's disk in one piece: \
                    VBoxManage clonemedium IMAGE NEW";
        return Err(DiskError::unsupported(FORMAT, what));
    }
    let (size, block, blocks) = (view.le64(0x170)?, view.le32(0x178)?, view.le32(0x180)?);
    if block < 512
        || size > i64::MAX.unsigned_abs()
        || u64::from(blocks) < size.div_ceil(block.into())
    {
        let what = format!("{blocks} blocks of {block} bytes for a disk of {size} bytes");
        return Err(view.damaged(what));
    }
    let map = Map {
        pages: Pages::new(Arc::clone(file), FORMAT),
        at: view.le32(0x154)?.into(),
        data: view.le32(0x158)?.into(),
        block: block.into(),
        extra: view.le32(0x17c)?.into(),
    };
    let end = map.at + size.div_ceil(map.block) * 4;
    if end > file.size() {
        return Err(super::pages::truncated(FORMAT, end, file.size()));
    }
    Ok((map, size))
}

impl Layout for Map {
    fn run(&self, held: &mut Held, offset: u64) -> Result<(Source, u64), DiskError> {
        let within = offset % self.block;
        let at = self.at + offset / self.block * 4;
        let entry = u32::from_le_bytes(self.pages.array(held, at)?);
        let source = match entry {
            FREE | ZERO => Source::Zero,
            entry => {
                let before = u64::from(entry).saturating_mul(self.block + self.extra);
                Source::Data(before.saturating_add(self.data + self.extra + within))
            }
        };
        Ok((source, self.block - within))
    }
}
