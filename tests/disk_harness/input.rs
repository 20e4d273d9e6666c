//! Disks as inputs: what is not zero, and where it is. `fuzz/seeds.py` writes the same.
//!
//! ```text
//! input = part*                     several disks of a machine, or several files of an image
//! part  = size:u64 piece* END       the last needs no END
//! piece = gap:u32 length:u16 bytes  so many zeros after the piece before, then so many bytes
//! END   = 0xffff_ffff               in a gap's place
//! ```
//!
//! All numbers have the little end first. Any input is some disk; what is cut short ends there.

use std::sync::Arc;
use transvase::disk::{BlockDevice, DiskError};

pub const END: u32 = u32::MAX;
/// Parts of one input at most.
const PARTS: usize = 4;

/// One disk or file.
#[derive(Debug, Clone, Default)]
pub struct Part {
    pub size: u64,
    /// By where they begin; they do not overlap.
    pub pieces: Vec<(u64, Vec<u8>)>,
}

/// Numbers and bytes from the front of an input.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        first
    }
}

/// The parts of an input.
pub fn parts(data: &[u8]) -> Vec<Part> {
    let mut reader = Reader(data);
    let mut parts = Vec::new();
    while parts.len() < PARTS
        && let Some(size) = reader.take()
    {
        let size = u64::from_le_bytes(size);
        parts.push(part(&mut reader, size));
    }
    parts
}

fn part(reader: &mut Reader<'_>, size: u64) -> Part {
    let mut part = Part {
        size,
        pieces: Vec::new(),
    };
    let mut at = 0_u64;
    while let Some(gap) = reader.take().map(u32::from_le_bytes)
        && gap != END
        && let Some(length) = reader.take()
    {
        at += u64::from(gap);
        let bytes = reader.bytes(u16::from_le_bytes(length).into()).to_vec();
        let end = at + bytes.len() as u64;
        part.pieces.push((at, bytes));
        at = end;
    }
    part
}

/// The parts of an input as disks.
pub fn devices(data: &[u8]) -> Vec<Arc<dyn BlockDevice>> {
    let device = |part| Arc::new(part) as Arc<dyn BlockDevice>;
    parts(data).into_iter().map(device).collect()
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("an offset inside a buffer")
}

impl BlockDevice for Part {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let len = buf.len() as u64;
        let end = offset.checked_add(len).filter(|end| *end <= self.size);
        let end = end.ok_or(DiskError::OutOfBounds {
            offset,
            len,
            size: self.size,
        })?;
        buf.fill(0);
        let first = self
            .pieces
            .partition_point(|(at, bytes)| at + bytes.len() as u64 <= offset);
        for (at, bytes) in self.pieces.iter().skip(first) {
            if *at >= end {
                break;
            }
            let from = offset.max(*at);
            let until = end.min(at + bytes.len() as u64);
            let within = |start: u64| place(from - start)..place(until - start);
            buf[within(offset)].copy_from_slice(&bytes[within(*at)]);
        }
        Ok(())
    }
}
