//! The footer: in the last sector, and for all but fixed disks a copy in the first.

use super::FORMAT;
use crate::disk::bytes::Structure;
use crate::disk::image::RawFile;
use crate::disk::note::Note;
use crate::disk::{BlockDevice, DiskError};

const LENGTH: usize = 512;
const MAGIC: &[u8] = b"conectix";
/// Where the checksum stands; it counts as zero.
const CHECKSUM: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fixed,
    Dynamic,
    Differencing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) kind: Kind,
    /// Where a dynamic disk's header is.
    pub(super) header: u64,
    /// Of the disk, in bytes.
    pub(super) size: u64,
    pub(super) id: [u8; 16],
}

/// Whether bytes begin with a footer.
pub(super) fn is_marked(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The last sector of a file.
pub(super) fn last(file: &RawFile) -> Result<Vec<u8>, DiskError> {
    file.up_to(file.size().saturating_sub(512), LENGTH)
}

impl Footer {
    /// The intact copy, and what is to be said of the other.
    pub(super) fn read(file: &RawFile) -> Result<(Self, Vec<Note>), DiskError> {
        match (parse(&last(file)?), parse(&file.head(LENGTH)?)) {
            (Ok(footer), _) => Ok((footer, Vec::new())),
            (Err(_), Ok(footer)) => {
                let note = "the footer at the end of the image is damaged; the copy at its beginning was read";
                Ok((footer, vec![Note::remark(note)]))
            }
            (Err(error), Err(_)) => Err(error),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Footer, DiskError> {
    let view = Structure::new(FORMAT, "footer", bytes);
    if !is_marked(bytes) {
        return Err(view.damaged("it is missing"));
    }
    let sum = |part: &[u8]| part.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let before = sum(view.slice(0, CHECKSUM)?);
    let after = sum(view.slice(CHECKSUM + 4, LENGTH - CHECKSUM - 4)?);
    if !(before + after) != view.be32(CHECKSUM)? {
        return Err(view.damaged("its checksum is wrong"));
    }
    let kind = match view.be32(60)? {
        2 => Kind::Fixed,
        3 => Kind::Dynamic,
        4 => Kind::Differencing,
        other => {
            let what =
                format!("a disk of kind {other}; fixed, dynamic and differencing ones are read");
            return Err(DiskError::unsupported(FORMAT, what));
        }
    };
    let size = view.be64(48)?;
    if size > i64::MAX.unsigned_abs() {
        return Err(view.damaged(format_args!("a disk of {size} bytes")));
    }
    Ok(Footer {
        kind,
        header: view.be64(16)?,
        size,
        id: view.array(68)?,
    })
}
