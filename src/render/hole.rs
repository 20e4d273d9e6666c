//! Holes of the machine's files: passed by, not read. A file of 200 GB that stores nothing costs nothing.

use super::Content;
use crate::walk::Entry;

/// Zeros in a row that are read where a source does not tell its holes, in bytes.
const MOST: u64 = 1 << 30;

/// What was read of one file so far, as far as its holes are concerned.
#[derive(Default)]
pub(super) struct Holes {
    zeros: u64,
}

impl Holes {
    /// Where to go on behind a piece that ends at `offset`; the reason, where the file holds more of nothing than is read.
    pub(super) fn behind(
        &mut self,
        piece: &[u8],
        entry: &Entry,
        offset: u64,
        content: &dyn Content,
    ) -> Result<u64, String> {
        if piece.iter().any(|byte| *byte != 0) {
            self.zeros = 0;
            return Ok(offset);
        }
        let next = content.data_from(entry, offset).unwrap_or(offset);
        let next = next.clamp(offset, entry.size.max(offset));
        if next > offset {
            self.zeros = 0;
            return Ok(next);
        }
        self.zeros = self.zeros.saturating_add(piece.len() as u64);
        if self.zeros > MOST {
            return Err(format!(
                "more than 1 GiB of zeros from byte {} on; it was cut off there",
                offset - self.zeros
            ));
        }
        Ok(offset)
    }
}
