//! qcow2, versions 2 and 3, from QEMU's docs/interop/qcow2.
//!
//! What belongs here: one file per structure. Reference counts, bitmaps and everything else that only a writer needs are
//! not looked at.

mod header;
mod map;
mod snapshot;

use super::sparse::read_parent;
use super::{Image, OpenError, Place, RawFile, Said};
use crate::disk::cache::BlockCache;
use crate::disk::inflate;
use crate::disk::note::Note;
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use header::{Compression, Header};
use map::{Compressed, Cursor, Map, Source};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::sync::Arc;

/// The name of this format.
const FORMAT: &str = "qcow2";
const MAGIC: [u8; 4] = *b"QFI\xfb";

/// Whether a file begins like one of these; version 1 is another format.
pub(super) fn probe(head: &[u8], _: &RawFile) -> bool {
    head.starts_with(&MAGIC) && head.get(4..8) != Some(&[0, 0, 0, 1])
}

/// Opens an image with the files it names.
pub(super) fn open(file: &Arc<RawFile>, place: &Place) -> Result<Image, OpenError> {
    let disk = OpenError::disk(place.path());
    let header = Header::read(file).map_err(&disk)?;
    let mut notes = header.notes.clone();
    notes.extend(snapshot::note(file, &header).map(Note::Remark));
    let data: Arc<dyn BlockDevice> = match &header.data_file {
        Some(name) if header.external => {
            let (file, own) = place.file(name, "external data file")?;
            own.must_be_disk(&file, true)?;
            Arc::new(file)
        }
        _ => Arc::clone(file) as _,
    };
    let mut backing = None;
    if let Some(name) = &header.backing {
        let name = plain_name(FORMAT, name).map_err(&disk)?;
        let said = match header.backing_format.as_deref() {
            None => Said::Nothing,
            Some(format) => Said::Format(format),
        };
        let image = place.image(name, "backing file", said)?;
        let shown = String::from_utf8_lossy(name);
        let note = format!("the image is backed by {shown:?} ({})", image.format);
        notes.push(Note::Remark(note));
        notes.extend(image.notes);
        backing = Some(image.device);
    }
    let device = Qcow2 {
        map: Map::new(Arc::clone(file), &header),
        clusters: BlockCache::new(1 << header.cluster_bits),
        size: header.size,
        cluster_bits: header.cluster_bits,
        compression: header.compression,
        file: Arc::clone(file),
        data,
        backing,
    };
    Ok(Image {
        format: FORMAT,
        device: Arc::new(device),
        notes,
    })
}

/// The file that a backing file's name means: qemu knows addresses of other kinds too, which begin like `nbd:` or `json:`.
pub(super) fn plain_name<'a>(format: &'static str, name: &'a [u8]) -> Result<&'a [u8], DiskError> {
    if let Some(rest) = name.strip_prefix(b"file:") {
        return Ok(rest);
    }
    let before = name.split(|byte| *byte == b'/').next().unwrap_or_default();
    if before.contains(&b':') {
        let shown = String::from_utf8_lossy(name);
        let what = format!(
            "its backing file is {shown:?}, which is no plain file; flatten it: qemu-img convert -O qcow2 IMAGE NEW"
        );
        return Err(DiskError::unsupported(format, what));
    }
    Ok(name)
}

/// An opened image.
struct Qcow2 {
    file: Arc<RawFile>,
    /// Where clusters that are not compressed lie: the image itself, or another file.
    data: Arc<dyn BlockDevice>,
    backing: Option<Arc<dyn BlockDevice>>,
    map: Map,
    /// Clusters unpacked for the sake of a part of them, by their offset in the file.
    clusters: BlockCache,
    size: u64,
    cluster_bits: u32,
    compression: Compression,
}

impl BlockDevice for Qcow2 {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        let mut cursor = Cursor::default();
        let mut packed = Vec::new();
        while !buf.is_empty() {
            let most = u64::try_from(buf.len()).unwrap_or(u64::MAX);
            let (source, length) = self.map.run(&mut cursor, offset, most)?;
            let here = usize::try_from(length).unwrap_or(usize::MAX);
            let (part, rest) = buf.split_at_mut(here.min(buf.len()));
            match source {
                Source::Zero => part.fill(0),
                Source::Unallocated => read_parent(self.backing.as_ref(), offset, part)?,
                Source::Data(at) => self.read_data(at, part)?,
                Source::Compressed(cluster) => packed.push((cluster, offset, part)),
            }
            offset += length;
            buf = rest;
        }
        self.read_packed(packed)
    }
}

impl Qcow2 {
    fn read_data(&self, at: u64, part: &mut [u8]) -> Result<(), DiskError> {
        let held = self.data.size();
        inside(at, part.len(), held).map_err(|_| truncated(at, held))?;
        self.data.read_at(at, part)
    }

    /// Unpacking is what takes the time in reading an image: a long read does it on every core.
    fn read_packed(&self, parts: Vec<(Compressed, u64, &mut [u8])>) -> Result<(), DiskError> {
        let read = |(cluster, offset, part): (Compressed, u64, &mut [u8])| {
            self.read_compressed(cluster, offset, part)
        };
        if parts.len() < 2 {
            return parts.into_iter().try_for_each(read);
        }
        parts.into_par_iter().try_for_each(read)
    }

    fn read_compressed(
        &self,
        cluster: Compressed,
        offset: u64,
        part: &mut [u8],
    ) -> Result<(), DiskError> {
        let size = 1_usize << self.cluster_bits;
        // Who reads a whole cluster will not come back for it soon.
        if part.len() == size {
            return self.unpack(cluster, part);
        }
        let bytes = self.clusters.get(cluster.offset, || {
            let mut bytes = vec![0; size];
            self.unpack(cluster, &mut bytes)?;
            Ok::<_, DiskError>(bytes)
        })?;
        let from = usize::try_from(offset % (1 << self.cluster_bits)).unwrap_or_default();
        let wanted = bytes.get(from..).and_then(|bytes| bytes.get(..part.len()));
        part.copy_from_slice(wanted.ok_or_else(|| truncated(offset, self.size))?);
        Ok(())
    }

    /// The sectors of a compressed cluster at the end of the file need not all be there.
    fn unpack(&self, cluster: Compressed, out: &mut [u8]) -> Result<(), DiskError> {
        let held = self.file.size();
        if cluster.offset >= held {
            return Err(truncated(cluster.offset, held));
        }
        let packed = self.file.up_to(cluster.offset, cluster.length)?;
        match self.compression {
            Compression::Deflate => inflate::deflate(FORMAT, &packed, out),
            Compression::Zstd => inflate::zstd(FORMAT, &packed, out),
        }
    }
}

fn truncated(at: u64, held: u64) -> DiskError {
    super::pages::truncated(FORMAT, at, held)
}
