//! QCOW of version 1, which QEMU wrote before qcow2 and still reads; from QEMU's block/qcow.c, there is no specification.
//!
//! What belongs here: two levels of tables, clusters of compressed bytes, and a backing file. Encryption is refused.

use super::pages::{Held, Pages, truncated};
use super::sparse::read_parent;
use super::{Image, OpenError, Place, RawFile, Said, qcow2};
use crate::disk::bytes::Structure;
use crate::disk::cache::BlockCache;
use crate::disk::inflate;
use crate::disk::note::Note;
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

/// As qemu-img names it.
const FORMAT: &str = "qcow";
const MAGIC: &[u8] = b"QFI\xfb\0\0\0\x01";
const HEADER: usize = 48;
/// The longest name of a backing file, as QEMU has it.
const NAME: usize = 1023;
/// A compressed cluster, in an entry of the second level.
const COMPRESSED: u64 = 1 << 63;

/// Whether a file begins like one of these.
pub(super) fn probe(head: &[u8], _: &RawFile) -> bool {
    head.starts_with(MAGIC)
}

/// Opens an image with its backing file.
pub(super) fn open(file: &Arc<RawFile>, place: &Place) -> Result<Image, OpenError> {
    let disk = OpenError::disk(place.path());
    let (map, name) = header(file).map_err(&disk)?;
    let mut notes = Vec::new();
    let mut backing = None;
    if let Some(name) = name {
        let name = qcow2::plain_name(FORMAT, &name).map_err(&disk)?;
        // This version does not say what its backing file is.
        let image = place.image(name, "backing file", Said::Nothing)?;
        let shown = String::from_utf8_lossy(name);
        let note = format!("the image is backed by {shown:?} ({})", image.format);
        notes.push(Note::Remark(note));
        notes.extend(image.notes);
        backing = Some(image.device);
    }
    let device = Qcow1 {
        clusters: BlockCache::new(1 << map.cluster_bits),
        file: Arc::clone(file),
        map,
        backing,
    };
    Ok(Image {
        format: FORMAT,
        device: Arc::new(device),
        notes,
    })
}

fn header(file: &Arc<RawFile>) -> Result<(Map, Option<Vec<u8>>), DiskError> {
    let bytes = file.head(HEADER)?;
    let view = Structure::new(FORMAT, "header", &bytes);
    let (cluster_bits, l2_bits) = (u32::from(view.u8(32)?), u32::from(view.u8(33)?));
    // The bounds that QEMU keeps.
    if !(9..=16).contains(&cluster_bits) || !(6..=13).contains(&l2_bits) {
        return Err(view.damaged(format_args!(
            "clusters of 2^{cluster_bits} bytes and tables of 2^{l2_bits} entries; 2^9 to 2^16 and 2^6 to 2^13 are possible"
        )));
    }
    match view.be32(36)? {
        0 => {}
        1 => {
            let what = "the image is encrypted; decrypt it first: qemu-img convert with its secret";
            return Err(DiskError::unsupported(FORMAT, what));
        }
        other => return Err(view.damaged(format_args!("encryption of the kind {other}"))),
    }
    // QEMU counts in whole sectors.
    let size = view.be64(24)? & !511;
    let l1_offset = view.be64(40)?;
    let entries = size.div_ceil(1 << (cluster_bits + l2_bits));
    let end = l1_offset.checked_add(entries * 8);
    if size > i64::MAX.unsigned_abs() {
        return Err(view.damaged(format_args!("a disk of {size} bytes")));
    }
    if end.is_none_or(|end| end > file.size()) {
        return Err(truncated(FORMAT, end.unwrap_or(u64::MAX), file.size()));
    }
    let map = Map {
        pages: Pages::new(Arc::clone(file), FORMAT),
        cluster_bits,
        l2_bits,
        l1_offset,
        size,
    };
    Ok((map, backing(file, &view)?))
}

fn backing(file: &RawFile, view: &Structure<'_>) -> Result<Option<Vec<u8>>, DiskError> {
    let at = view.be64(8)?;
    let size = usize::try_from(view.be32(16)?).unwrap_or(usize::MAX);
    if at == 0 || size == 0 {
        return Ok(None);
    }
    if size > NAME {
        return Err(view.damaged(format_args!("its backing file has a name of {size} bytes")));
    }
    let name = file.up_to(at, size)?;
    if name.len() < size {
        return Err(truncated(FORMAT, at, file.size()));
    }
    Ok(Some(name))
}

/// Where bytes of the disk are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// In the backing file, if there is one; zero otherwise.
    Absent,
    /// In the file, from this offset.
    Data(u64),
    /// A cluster's packed bytes: where they begin, and how many they are.
    Packed(u64, usize),
}

/// The tables of an image, read as they are needed.
struct Map {
    pages: Pages,
    cluster_bits: u32,
    l2_bits: u32,
    l1_offset: u64,
    size: u64,
}

impl Map {
    /// Where the byte at `offset` is. The header's check keeps the first level inside the file.
    fn locate(&self, held: &mut Held, offset: u64) -> Result<Source, DiskError> {
        let index = offset >> (self.cluster_bits + self.l2_bits);
        let table = self.be64(held, self.l1_offset.saturating_add(index * 8))?;
        if table == 0 {
            return Ok(Source::Absent);
        }
        let within = (offset >> self.cluster_bits) & ((1 << self.l2_bits) - 1);
        let entry = self.be64(held, table.saturating_add(within * 8))?;
        if entry & COMPRESSED != 0 {
            let bits = 63 - self.cluster_bits;
            let length = (entry & !COMPRESSED) >> bits;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            return Ok(Source::Packed(entry & ((1 << bits) - 1), length));
        }
        if entry == 0 {
            return Ok(Source::Absent);
        }
        let at = entry.checked_add(offset % (1 << self.cluster_bits));
        let beyond = || DiskError::damaged(FORMAT, "a cluster beyond the end of any file");
        at.map(Source::Data).ok_or_else(beyond)
    }

    /// The same, and how many of the next `most` bytes are there in one piece.
    fn run(&self, held: &mut Held, offset: u64, most: u64) -> Result<(Source, u64), DiskError> {
        let first = self.locate(held, offset)?;
        let cluster = 1_u64 << self.cluster_bits;
        let mut length = cluster - offset % cluster;
        while length < most && offset.saturating_add(length) < self.size {
            let adjoins = match (first, self.locate(held, offset + length)?) {
                (Source::Data(first), Source::Data(next)) => {
                    first.checked_add(length) == Some(next)
                }
                (Source::Absent, Source::Absent) => true,
                _ => false,
            };
            if !adjoins {
                break;
            }
            length += cluster;
        }
        Ok((first, length.min(most)))
    }

    fn be64(&self, held: &mut Held, at: u64) -> Result<u64, DiskError> {
        self.pages.array(held, at).map(u64::from_be_bytes)
    }
}

/// An opened image.
struct Qcow1 {
    file: Arc<RawFile>,
    map: Map,
    backing: Option<Arc<dyn BlockDevice>>,
    /// Unpacked clusters, by their offset in the file.
    clusters: BlockCache,
}

impl BlockDevice for Qcow1 {
    fn size(&self) -> u64 {
        self.map.size
    }

    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.map.size)?;
        let mut held = None;
        while !buf.is_empty() {
            let most = u64::try_from(buf.len()).unwrap_or(u64::MAX);
            let (source, length) = self.map.run(&mut held, offset, most)?;
            let here = usize::try_from(length).unwrap_or(usize::MAX);
            let (part, rest) = buf.split_at_mut(here.min(buf.len()));
            match source {
                Source::Absent => read_parent(self.backing.as_ref(), offset, part)?,
                Source::Data(at) => {
                    let size = self.file.size();
                    inside(at, part.len(), size).map_err(|_| truncated(FORMAT, at, size))?;
                    self.file.read_at(at, part)?;
                }
                Source::Packed(at, packed) => self.unpack(at, packed, offset, part)?,
            }
            offset += length;
            buf = rest;
        }
        Ok(())
    }
}

impl Qcow1 {
    fn unpack(
        &self,
        at: u64,
        packed: usize,
        offset: u64,
        part: &mut [u8],
    ) -> Result<(), DiskError> {
        let size = 1_u64 << self.map.cluster_bits;
        let bytes = self.clusters.get(at, || {
            let held = self.file.size();
            inside(at, packed, held).map_err(|_| truncated(FORMAT, at, held))?;
            let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
            inflate::deflate(FORMAT, &self.file.up_to(at, packed)?, &mut bytes)?;
            Ok::<_, DiskError>(bytes)
        })?;
        let from = usize::try_from(offset % size).unwrap_or(usize::MAX);
        let wanted = bytes.get(from..).and_then(|bytes| bytes.get(..part.len()));
        let short = || DiskError::damaged(FORMAT, "a compressed cluster is too short");
        part.copy_from_slice(wanted.ok_or_else(short)?);
        Ok(())
    }
}
