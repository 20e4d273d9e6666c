//! The header and its extensions: every number checked before anything is done with it.

use super::{FORMAT, MAGIC};
use crate::disk::bytes::Structure;
use crate::disk::image::RawFile;
use crate::disk::note::Note;
use crate::disk::{BlockDevice, DiskError};

/// Length of a header of version 2, and the least of version 3.
const V2: usize = 72;
const V3: usize = 104;
/// The longest name of a backing file, as qemu has it.
const NAME: usize = 1023;
/// The largest first-level table, in entries; qemu opens none larger than 32 MiB.
const L1: u32 = 4 << 20;

/// Incompatible features.
mod incompatible {
    pub(super) const DIRTY: u64 = 1;
    pub(super) const CORRUPT: u64 = 1 << 1;
    pub(super) const DATA_FILE: u64 = 1 << 2;
    pub(super) const COMPRESSION: u64 = 1 << 3;
    pub(super) const EXTENDED_L2: u64 = 1 << 4;
    pub(super) const KNOWN: u64 = DIRTY | CORRUPT | DATA_FILE | COMPRESSION | EXTENDED_L2;
}

/// Header extensions.
mod extension {
    pub(super) const END: u32 = 0;
    pub(super) const BACKING_FORMAT: u32 = 0xe279_2aca;
    pub(super) const DATA_FILE: u32 = 0x4441_5441;
}

/// How clusters are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Deflate,
    Zstd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: u32,
    /// 9 to 21.
    pub(super) cluster_bits: u32,
    /// Of the disk, in bytes.
    pub(super) size: u64,
    pub(super) l1_offset: u64,
    pub(super) backing: Option<Vec<u8>>,
    pub(super) backing_format: Option<String>,
    pub(super) compression: Compression,
    pub(super) extended_l2: bool,
    /// Whether data lies in another file; its name is an extension.
    pub(super) external: bool,
    pub(super) data_file: Option<Vec<u8>>,
    pub(super) snapshots: u32,
    pub(super) snapshots_offset: u64,
    pub(super) notes: Vec<Note>,
}

impl Header {
    pub(super) fn read(file: &RawFile) -> Result<Self, DiskError> {
        let fixed = file.head(V3 + 8)?;
        let view = Structure::new(FORMAT, "header", &fixed);
        if view.array(0)? != MAGIC {
            return Err(view.damaged("its magic number is missing"));
        }
        let cluster_bits = view.cluster_bits()?;
        // The header, its extensions and the name of the backing file lie in the first cluster.
        let first = file.head(1 << cluster_bits)?;
        let view = Structure::new(FORMAT, "header", &first);
        let mut header = fixed_part(&view, cluster_bits)?;
        let length = match header.version {
            2 => V2,
            _ => usize::try_from(view.be32(100)?).unwrap_or(usize::MAX),
        };
        if header.version != 2 && length < V3 {
            return Err(view.damaged(format_args!("it says that it has {length} bytes")));
        }
        features(&view, &mut header, length)?;
        extensions(&view, &mut header, length)?;
        header.backing = backing(&view)?;
        if header.external && header.data_file.is_none() {
            return Err(view.damaged("data lies in another file, and its name is missing"));
        }
        check_tables(&view, &header, file.size())?;
        Ok(header)
    }

    /// Bits of an offset inside one second-level table's reach.
    pub(super) fn l2_bits(&self) -> u32 {
        // Entries of 8 bytes fill a cluster, or of 16 bytes.
        self.cluster_bits - if self.extended_l2 { 4 } else { 3 }
    }
}

impl Structure<'_> {
    /// The exponent of the cluster's size, in the bounds that qemu keeps.
    fn cluster_bits(&self) -> Result<u32, DiskError> {
        let bits = self.be32(20)?;
        if (9..=21).contains(&bits) {
            return Ok(bits);
        }
        Err(self.damaged(format_args!(
            "clusters of 2^{bits} bytes; 2^9 to 2^21 are possible"
        )))
    }
}

fn fixed_part(view: &Structure<'_>, cluster_bits: u32) -> Result<Header, DiskError> {
    let version = view.be32(4)?;
    if !matches!(version, 2 | 3) {
        let what = format!("version {version}; versions 2 and 3 are read");
        return Err(DiskError::unsupported(FORMAT, what));
    }
    if view.be32(32)? != 0 {
        let what = "the image is encrypted; decrypt it first: qemu-img convert with its secret";
        return Err(DiskError::unsupported(FORMAT, what));
    }
    Ok(Header {
        version,
        cluster_bits,
        size: view.be64(24)?,
        l1_offset: view.be64(40)?,
        backing: None,
        backing_format: None,
        compression: Compression::Deflate,
        extended_l2: false,
        external: false,
        data_file: None,
        snapshots: view.be32(60)?,
        snapshots_offset: view.be64(64)?,
        notes: Vec::new(),
    })
}

/// What version 3 added.
fn features(view: &Structure<'_>, header: &mut Header, length: usize) -> Result<(), DiskError> {
    if header.version == 2 {
        return Ok(());
    }
    let features = view.be64(72)?;
    let unknown = features & !incompatible::KNOWN;
    if unknown != 0 {
        let what = format!(
            "the image uses feature {} of a newer version; convert it first: qemu-img convert -O qcow2 IMAGE NEW",
            unknown.trailing_zeros()
        );
        return Err(DiskError::unsupported(FORMAT, what));
    }
    header.external = features & incompatible::DATA_FILE != 0;
    header.extended_l2 = features & incompatible::EXTENDED_L2 != 0;
    if header.extended_l2 && header.cluster_bits < 14 {
        return Err(view.damaged("subclusters need clusters of 16 KiB or more"));
    }
    let kind = if length > V3 { view.u8(104)? } else { 0 };
    header.compression = match kind {
        0 => Compression::Deflate,
        1 => Compression::Zstd,
        other => {
            let what = format!("compression of kind {other}; 0 (zlib) and 1 (zstd) are read");
            return Err(DiskError::unsupported(FORMAT, what));
        }
    };
    if (features & incompatible::COMPRESSION != 0) != (kind != 0) {
        return Err(view.damaged("its kind of compression and the feature bit contradict"));
    }
    if features & incompatible::DIRTY != 0 {
        let note = "the image was not closed; only its reference counts suffer, which reading does not need";
        header.notes.push(Note::remark(note));
    }
    if features & incompatible::CORRUPT != 0 {
        let note = "the image is marked as corrupt; what is read may be wrong";
        header.notes.push(Note::gap(note));
    }
    Ok(())
}

fn extensions(view: &Structure<'_>, header: &mut Header, length: usize) -> Result<(), DiskError> {
    let mut at = length;
    // Each takes eight bytes or more of a cluster, so this ends.
    while at.checked_add(8).is_some_and(|end| end <= view.len()) {
        let (kind, size) = (view.be32(at)?, view.be32(at + 4)?);
        if kind == extension::END {
            break;
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let content = view.slice(at + 8, size)?;
        match kind {
            extension::BACKING_FORMAT => {
                header.backing_format = Some(String::from_utf8_lossy(content).into_owned());
            }
            extension::DATA_FILE => header.data_file = Some(content.to_vec()),
            _ => {}
        }
        at += 8 + size.next_multiple_of(8);
    }
    Ok(())
}

fn backing(view: &Structure<'_>) -> Result<Option<Vec<u8>>, DiskError> {
    let at = view.be64(8)?;
    let size = usize::try_from(view.be32(16)?).unwrap_or(usize::MAX);
    if at == 0 || size == 0 {
        return Ok(None);
    }
    if size > NAME {
        return Err(view.damaged(format_args!("its backing file has a name of {size} bytes")));
    }
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    Ok(Some(view.slice(at, size)?.to_vec()))
}

/// The first-level table must be aligned, reach over the whole disk, and be there.
fn check_tables(view: &Structure<'_>, header: &Header, held: u64) -> Result<(), DiskError> {
    let entries = view.be32(36)?;
    let reach = header.cluster_bits + header.l2_bits();
    let needed = header.size.div_ceil(1 << reach);
    if header.size > i64::MAX.unsigned_abs() || entries > L1 || needed > u64::from(entries) {
        return Err(view.damaged(format_args!(
            "a first-level table of {entries} entries for a disk of {} bytes",
            header.size
        )));
    }
    if !header.l1_offset.is_multiple_of(1 << header.cluster_bits) {
        return Err(view.damaged("its first-level table is not aligned"));
    }
    let end = header.l1_offset.checked_add(needed * 8);
    if end.is_none_or(|end| end > held) {
        return Err(super::truncated(end.unwrap_or(u64::MAX), held));
    }
    Ok(())
}
