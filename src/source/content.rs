//! The content of one opened file, whatever the source.

use super::ReadError;
use std::io;

/// Positioned reads of one file.
pub(super) trait ReadAt: Send + Sync {
    /// Fills `buf` from `offset` (bytes); short only at the end of the file.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError>;

    /// Where the next byte stands that is stored, from `offset` on: behind a hole, or at the end. A file whose source does not
    /// tell is stored everywhere.
    fn data_from(&self, offset: u64) -> Result<u64, ReadError> {
        Ok(offset)
    }

    /// Its first bytes, at most `most`; of `size` as the walk saw it, in bytes.
    fn read_first(&self, size: u64, most: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        loop {
            let start = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            // One byte more than is expected: a file that has grown since the walk shows itself.
            let expected = size.saturating_sub(start).saturating_add(1);
            let expected = expected.min(PIECE).min(most.saturating_sub(start));
            let wanted = usize::try_from(expected).unwrap_or(usize::MAX);
            let old = bytes.len();
            bytes.resize(old.saturating_add(wanted), 0);
            let piece = bytes.get_mut(old..).unwrap_or_default();
            let read = self.read_at(start, piece)?;
            bytes.truncate(old.saturating_add(read));
            if read < wanted || wanted == 0 {
                return Ok(bytes);
            }
        }
    }
}

/// Files are read in pieces of this many bytes, so that no claimed length is allocated before its content was there.
const PIECE: u64 = 4 << 20;

/// An opened file of the machine. [`io::Read`] goes through it from the beginning.
pub struct Content<'a> {
    file: Box<dyn ReadAt + 'a>,
    /// Bytes, as the walk saw it.
    size: u64,
    position: u64,
}

impl<'a> Content<'a> {
    pub(super) fn new(file: Box<dyn ReadAt + 'a>, size: u64) -> Self {
        let position = 0;
        Self {
            file,
            size,
            position,
        }
    }

    /// Fills `buf` from `offset` (bytes); short only at the end of the file.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        self.file.read_at(offset, buf)
    }

    /// Where the next byte stands that is stored, from `offset` on: behind a hole, or at the end.
    pub fn data_from(&self, offset: u64) -> Result<u64, ReadError> {
        self.file.data_from(offset)
    }

    pub(super) fn read_whole(&self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let bytes = self.file.read_first(self.size, limit.saturating_add(1))?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > limit {
            return Err(ReadError::TooLarge { size, limit });
        }
        Ok(bytes)
    }
}

impl io::Read for Content<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.position, buf)?;
        let step = u64::try_from(read).unwrap_or(u64::MAX);
        self.position = self.position.saturating_add(step);
        Ok(read)
    }
}
