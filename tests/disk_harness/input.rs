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

use std::ops::Range;
use std::sync::Arc;
use transvase::disk::{BlockDevice, DiskError};

pub const END: u32 = u32::MAX;
/// Parts of one input at most.
const PARTS: usize = 4;

/// One disk or file.
#[derive(Debug, Clone)]
pub struct Part {
    pub size: u64,
    input: Arc<[u8]>,
    /// Where each begins, and its bytes in the input. They do not overlap.
    pieces: Vec<(u64, Range<usize>)>,
}

/// Numbers and bytes from the front of an input.
struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let found = self.data.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(*found)
    }

    fn bytes(&mut self, length: usize) -> Range<usize> {
        let start = self.at;
        self.at += length.min(self.data.len() - start);
        start..self.at
    }
}

/// The parts of an input.
pub fn parts(data: &[u8]) -> Vec<Part> {
    let input = Arc::from(data);
    let mut reader = Reader { data, at: 0 };
    let mut parts = Vec::new();
    while parts.len() < PARTS
        && let Some(size) = reader.take()
    {
        let size = u64::from_le_bytes(size);
        let input = Arc::clone(&input);
        let pieces = pieces(&mut reader);
        parts.push(Part {
            size,
            input,
            pieces,
        });
    }
    parts
}

/// The pieces until the end of a part.
fn pieces(reader: &mut Reader<'_>) -> Vec<(u64, Range<usize>)> {
    let mut pieces = Vec::new();
    let mut at = 0_u64;
    while let Some(gap) = reader.take().map(u32::from_le_bytes)
        && gap != END
        && let Some(length) = reader.take()
    {
        at += u64::from(gap);
        let bytes = reader.bytes(u16::from_le_bytes(length).into());
        let end = at + bytes.len() as u64;
        pieces.push((at, bytes));
        at = end;
    }
    pieces
}

impl Part {
    /// Where bytes are that need not be zero, and these.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let pieces = self.pieces.iter();
        pieces.map(|(at, bytes)| (*at, &self.input[bytes.clone()]))
    }
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
            let bytes = &self.input[bytes.clone()];
            buf[within(offset)].copy_from_slice(&bytes[within(*at)]);
        }
        Ok(())
    }
}
