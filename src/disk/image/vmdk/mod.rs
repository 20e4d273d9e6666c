//! VMDK, from VMware's "Virtual Disk Format 5.0" technical note: a descriptor, and the extents that it names or stands in.
//!
//! What belongs here: hosted sparse, stream-optimized, flat and split disks, and the delta links between them. The sparse
//! extents of newer ESX servers ("SEsparse") have no published format and are named.

mod descriptor;
mod extent;

use super::pages::{Held, truncated};
use super::sparse::read_parent;
use super::{Image, OpenError, Place, RawFile, Said};
use crate::disk::cache::BlockCache;
use crate::disk::inflate;
use crate::disk::note::Note;
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use descriptor::{Descriptor, Kind};
use extent::{Extent, Source};
use std::sync::Arc;

const FORMAT: &str = "vmdk";
const PARENT: &str = "parent";
/// How a descriptor begins.
const TEXT: &[u8] = b"# Disk DescriptorFile";
/// The longest descriptor read, in bytes.
const LONGEST: usize = 4 << 20;

/// Whether a file begins like one of these.
pub(super) fn probe(head: &[u8], _: &RawFile) -> bool {
    let is_text = head
        .get(..TEXT.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(TEXT));
    is_text || head.starts_with(extent::MAGIC) || head.starts_with(extent::MAGIC_ESX)
}

/// Opens a disk by its descriptor, or by its one sparse extent.
pub(super) fn open(file: &Arc<RawFile>, place: &Place) -> Result<Image, OpenError> {
    let disk = OpenError::disk(place.path());
    let mut builder = Builder::default();
    let (held, read) = described(file, &mut builder).map_err(&disk)?;
    if let Some(extent) = held {
        let size = extent.size;
        builder.push(size, Content::Sparse(extent)).map_err(&disk)?;
    } else {
        for line in &read.extents {
            let content = content(line, builder.size == 0, place)?;
            builder.push(line.size, content).map_err(&disk)?;
        }
        if read.extents.is_empty() {
            return Err(disk(DiskError::damaged(
                FORMAT,
                "its descriptor names no extent",
            )));
        }
    }
    if let Some(expected) = &read.parent_id {
        let image = parent(&read.parent, expected, place)?;
        builder.notes.extend(image.notes);
        builder.parent = Some(image.device);
    }
    Ok(Image {
        format: FORMAT,
        notes: std::mem::take(&mut builder.notes),
        device: Arc::new(Vmdk {
            parts: builder.parts,
            size: builder.size,
            parent: builder.parent,
        }),
    })
}

/// Opens the disk that this one is the difference to, and makes sure that it has not changed since.
fn parent(name: &str, expected: &str, place: &Place) -> Result<Image, OpenError> {
    if name.is_empty() {
        let what = "it is the difference to another disk, which it does not name";
        return Err(OpenError::disk(place.path())(DiskError::damaged(
            FORMAT, what,
        )));
    }
    // Windows writes its own slashes.
    let name = name.replace('\\', "/");
    let (file, above) = place.file(name.as_bytes(), PARENT)?;
    let disk = OpenError::disk(above.path());
    let (_, read) = described(&Arc::new(file), &mut Builder::default()).map_err(&disk)?;
    if read.id != expected {
        let what = format!(
            "it is not what the difference was made to: its content has the number {:?}, and {expected:?} is expected",
            read.id
        );
        return Err(disk(DiskError::damaged(FORMAT, what)));
    }
    let mut image = place.image(name.as_bytes(), PARENT, Said::Format(FORMAT))?;
    let note = format!("the image is the difference to {name:?}");
    image.notes.insert(0, Note::Remark(note));
    Ok(image)
}

/// The extent that a file is, if it is one, and the descriptor in it.
fn described(
    file: &Arc<RawFile>,
    builder: &mut Builder,
) -> Result<(Option<Extent>, Descriptor), DiskError> {
    if file.head(TEXT.len())?.eq_ignore_ascii_case(TEXT) {
        return Ok((None, descriptor::parse(&file.head(LONGEST)?)?));
    }
    let extent = Extent::read(file)?;
    let (at, length) = extent.descriptor;
    if at == 0 || length == 0 {
        let note =
            "the image is one extent without a descriptor: it may be a part of a larger disk";
        builder.notes.push(Note::gap(note));
        return Ok((Some(extent), Descriptor::default()));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(LONGEST);
    let descriptor = descriptor::parse(&file.up_to(at, length)?)?;
    Ok((Some(extent), descriptor))
}

/// Opens what one line of a descriptor names.
fn content(line: &descriptor::Extent, is_first: bool, place: &Place) -> Result<Content, OpenError> {
    if line.kind == Kind::Zero {
        return Ok(Content::Zero);
    }
    let (file, own) = place.file(line.file.as_bytes(), "extent")?;
    let disk = OpenError::disk(own.path());
    if line.kind == Kind::Sparse {
        let extent = Extent::read(&Arc::new(file)).map_err(&disk)?;
        if extent.size < line.size {
            let what = "it is smaller than its descriptor says";
            return Err(disk(DiskError::damaged(FORMAT, what)));
        }
        return Ok(Content::Sparse(extent));
    }
    let end = line.offset.saturating_add(line.size);
    if end > file.size() {
        return Err(disk(truncated(FORMAT, end, file.size())));
    }
    own.must_be_disk(&file, is_first && line.offset == 0)?;
    Ok(Content::Flat(file, line.offset))
}

#[derive(Default)]
struct Builder {
    parts: Vec<Part>,
    size: u64,
    parent: Option<Arc<dyn BlockDevice>>,
    notes: Vec<Note>,
}

impl Builder {
    fn push(&mut self, size: u64, content: Content) -> Result<(), DiskError> {
        let cache = match &content {
            Content::Sparse(extent) if extent.is_compressed() => Some(BlockCache::new(
                u32::try_from(extent.grain).unwrap_or(u32::MAX),
            )),
            _ => None,
        };
        let start = self.size;
        let end = start
            .checked_add(size)
            .filter(|end| *end <= i64::MAX.unsigned_abs());
        self.size = end.ok_or_else(|| DiskError::damaged(FORMAT, "a disk beyond any size"))?;
        self.parts.push(Part {
            start,
            size,
            content,
            cache,
        });
        Ok(())
    }
}

/// A stretch of the disk.
struct Part {
    start: u64,
    size: u64,
    content: Content,
    /// Unpacked grains, by their place in the file.
    cache: Option<BlockCache>,
}

enum Content {
    Flat(RawFile, u64),
    Sparse(Extent),
    Zero,
}

/// An opened disk.
struct Vmdk {
    /// By their beginning, without a gap.
    parts: Vec<Part>,
    size: u64,
    parent: Option<Arc<dyn BlockDevice>>,
}

impl BlockDevice for Vmdk {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        let mut held = (0, None);
        while !buf.is_empty() {
            // A part without a length begins where the next does; the last that begins here has the bytes.
            let next = self.parts.partition_point(|part| part.start <= offset);
            let number = next.saturating_sub(1);
            let Some(part) = self.parts.get(number) else {
                return Err(DiskError::damaged(FORMAT, "a disk without extents"));
            };
            // A page at hand is of one file.
            if held.0 != number {
                held = (number, None);
            }
            let read = part.read(&mut held.1, offset, buf, self.parent.as_ref())?;
            offset += u64::try_from(read).unwrap_or_default();
            buf = buf.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }
}

impl Part {
    /// Reads what is in one piece from `offset` of the disk; how many bytes that were.
    fn read(
        &self,
        held: &mut Held,
        offset: u64,
        buf: &mut [u8],
        parent: Option<&Arc<dyn BlockDevice>>,
    ) -> Result<usize, DiskError> {
        let within = offset - self.start;
        let left = self.size - within;
        let (source, length) = match &self.content {
            Content::Zero => (Source::Zero, left),
            Content::Flat(_, at) => (Source::Data(at + within), left),
            Content::Sparse(extent) => extent.run(held, within)?,
        };
        let length = usize::try_from(length.min(left))
            .unwrap_or(usize::MAX)
            .min(buf.len());
        let part = buf.get_mut(..length).unwrap_or_default();
        match (source, &self.content) {
            (Source::Zero, _) => part.fill(0),
            (Source::Absent, _) => read_parent(parent, offset, part)?,
            (Source::Data(at), Content::Flat(file, _)) => plain(file, at, part)?,
            (Source::Data(at), Content::Sparse(extent)) => plain(&extent.file, at, part)?,
            (Source::Packed(marker, from), Content::Sparse(extent)) => {
                let grain = extent.grain.min(extent.size - (within - from));
                self.unpack(extent, marker, (from, grain), part)?;
            }
            (_, Content::Zero) | (Source::Packed(..), Content::Flat(..)) => {}
        }
        Ok(length)
    }

    fn unpack(
        &self,
        extent: &Extent,
        marker: u64,
        (from, grain): (u64, u64),
        part: &mut [u8],
    ) -> Result<(), DiskError> {
        let unpack = || {
            // The last grain may be cut off at the end of the disk.
            let mut bytes = vec![0; usize::try_from(grain).unwrap_or_default()];
            inflate::zlib(FORMAT, &extent.packed(marker)?, &mut bytes)?;
            Ok::<_, DiskError>(bytes)
        };
        let bytes: Arc<[u8]> = match &self.cache {
            Some(cache) => cache.get(marker, unpack)?,
            None => unpack()?.into(),
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let wanted = bytes.get(from..).and_then(|bytes| bytes.get(..part.len()));
        let short = || DiskError::damaged(FORMAT, "a compressed grain is too short");
        part.copy_from_slice(wanted.ok_or_else(short)?);
        Ok(())
    }
}

fn plain(file: &RawFile, at: u64, part: &mut [u8]) -> Result<(), DiskError> {
    let held = file.size();
    inside(at, part.len(), held).map_err(|_| truncated(FORMAT, at, held))?;
    file.read_at(at, part)
}
