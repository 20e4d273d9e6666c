//! A disk of which a file holds some blocks, each where a table says: what VHD, VHDX and VDI have in common.

use super::RawFile;
use super::pages::{Held, truncated};
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

/// Where bytes of the disk are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// In the parent, if there is one; zero otherwise.
    Absent,
    Zero,
    /// In the file, from this offset.
    Data(u64),
}

/// The tables of a format.
pub(super) trait Layout: Send + Sync {
    /// Where the bytes from `offset` are, and how many bytes, at least one, are there in one piece.
    fn run(&self, held: &mut Held, offset: u64) -> Result<(Source, u64), DiskError>;
}

/// An image with such tables.
pub(super) struct Sparse<L, F = Arc<RawFile>> {
    pub(super) format: &'static str,
    pub(super) file: F,
    pub(super) parent: Option<Arc<dyn BlockDevice>>,
    pub(super) layout: L,
    pub(super) size: u64,
}

impl<L: Layout, F: BlockDevice> BlockDevice for Sparse<L, F> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        let mut held = None;
        while !buf.is_empty() {
            let (source, length) = self.layout.run(&mut held, offset)?;
            let here = usize::try_from(length).unwrap_or(usize::MAX);
            let (part, rest) = buf.split_at_mut(here.clamp(1, buf.len()));
            match source {
                Source::Zero => part.fill(0),
                Source::Absent => read_parent(self.parent.as_ref(), offset, part)?,
                Source::Data(at) => {
                    let size = self.file.size();
                    inside(at, part.len(), size).map_err(|_| truncated(self.format, at, size))?;
                    self.file.read_at(at, part)?;
                }
            }
            offset += u64::try_from(part.len()).unwrap_or_default();
            buf = rest;
        }
        Ok(())
    }
}

/// Reads what an image does not hold itself. A parent may be shorter than the disk; beyond its end there is nothing.
pub(super) fn read_parent(
    parent: Option<&Arc<dyn BlockDevice>>,
    offset: u64,
    part: &mut [u8],
) -> Result<(), DiskError> {
    let held = parent.map_or(0, BlockDevice::size);
    let left = usize::try_from(held.saturating_sub(offset)).unwrap_or(usize::MAX);
    let (there, beyond) = part.split_at_mut(left.min(part.len()));
    beyond.fill(0);
    match parent {
        Some(parent) if !there.is_empty() => parent.read_at(offset, there),
        _ => Ok(()),
    }
}
