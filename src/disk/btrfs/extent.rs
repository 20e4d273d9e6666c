//! Extents: a part of a file, in the item itself or elsewhere, as it is or compressed. "On-disk format", "EXTENT_DATA".

use super::FORMAT;
use super::compression::Compression;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes before the content of an extent that holds it.
const HEADER: usize = 21;
/// Bytes that are compressed as one, and what they may be compressed to, at most.
const MOST: u64 = 128 << 10;

/// Where an extent's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// In the item.
    Inline(&'a [u8]),
    /// At a logical address. Compressed ones are `stored` bytes together, of which the extent shows a part.
    Disk { logical: u64, stored: u64 },
    /// Nowhere: zeros, or allocated and not yet written.
    Hole,
}

/// One extent, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent<'a> {
    /// The file's byte that it begins with.
    pub start: u64,
    /// Bytes of the file.
    pub length: u64,
    /// Bytes of what is stored that lie before the first one shown.
    pub skipped: u64,
    pub compression: Compression,
    /// Bytes of what is stored, unpacked.
    pub unpacked: usize,
    pub place: Place<'a>,
}

impl<'a> Extent<'a> {
    /// Reads the extent that begins at byte `start` of its file.
    pub fn parse(start: u64, bytes: &'a [u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "extent", bytes);
        let (unpacked, compression) = (view.le64(8)?, Compression::of(view.u8(16)?)?);
        if view.u8(17)? != 0 || view.le16(18)? != 0 {
            let what = "content that is encrypted or encoded in an unknown way";
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let inline = view.u8(20)? == 0;
        let (place, skipped, length) = if inline {
            let content = bytes.get(HEADER..).unwrap_or_default();
            let length = match compression {
                Compression::None => u64::try_from(content.len()).unwrap_or_default(),
                _ => unpacked,
            };
            (Place::Inline(content), 0, length)
        } else {
            let (logical, stored) = (view.le64(HEADER)?, view.le64(HEADER + 8)?);
            let place = match (view.u8(20)?, logical) {
                (1, 0) | (2, _) => Place::Hole,
                (1, _) => Place::Disk { logical, stored },
                (other, _) => return Err(view.damaged(format_args!("the kind {other}"))),
            };
            (place, view.le64(HEADER + 16)?, view.le64(HEADER + 24)?)
        };
        let extent = Self {
            start,
            length,
            skipped,
            compression,
            unpacked: usize::try_from(unpacked).unwrap_or(usize::MAX),
            place,
        };
        extent.check(view, unpacked)?;
        Ok(extent)
    }

    fn check(&self, view: Structure<'_>, unpacked: u64) -> Result<(), DiskError> {
        let (start, length) = (self.start, self.length);
        let end = self.skipped.checked_add(length);
        if length == 0 || start.checked_add(length).is_none() || end.is_none() {
            return Err(view.damaged(format_args!("{length} bytes at {start}")));
        }
        let (stored, most) = match (self.place, self.compression) {
            // Holes keep what their bytes once were part of.
            (Place::Hole, _) | (Place::Inline(_), Compression::None) => return Ok(()),
            (Place::Disk { stored, .. }, Compression::None) => (stored, stored),
            (Place::Disk { stored, .. }, _) if stored <= MOST => (unpacked, MOST),
            (Place::Inline(content), _) if !content.is_empty() => (unpacked, MOST),
            _ => (u64::MAX, MOST),
        };
        if stored > most || end.is_none_or(|end| end > stored) {
            return Err(view.damaged(format_args!(
                "{length} bytes behind {} of {stored}",
                self.skipped
            )));
        }
        Ok(())
    }

    /// The file's byte behind its last.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(unpacked: u64, compression: u8, kind: u8, words: &[u64]) -> Vec<u8> {
        let mut out = [1_u64.to_le_bytes(), unpacked.to_le_bytes()].concat();
        out.extend([compression, 0, 0, 0, kind]);
        for word in words {
            out.extend(word.to_le_bytes());
        }
        out
    }

    #[test]
    fn each_kind() {
        let disk = stored(8192, 0, 1, &[1 << 20, 8192, 4096, 4096]);
        let extent = Extent::parse(12288, &disk).unwrap();
        assert_eq!((extent.skipped, extent.end()), (4096, 16384));
        let hole = stored(8192, 0, 1, &[0, 0, 0, 8192]);
        assert_eq!(Extent::parse(0, &hole).unwrap().place, Place::Hole);
        let reserved = stored(8192, 0, 2, &[1 << 20, 8192, 0, 8192]);
        assert_eq!(Extent::parse(0, &reserved).unwrap().place, Place::Hole);
        let inline = [stored(5, 0, 0, &[]), b"hello".to_vec()].concat();
        let extent = Extent::parse(0, &inline).unwrap();
        assert_eq!((extent.place, extent.length), (Place::Inline(b"hello"), 5));
    }

    #[test]
    fn bombs_and_nonsense_are_refused() {
        for bytes in [
            stored(1 << 40, 1, 1, &[1 << 20, 4096, 0, 1 << 40]),
            stored(4096, 1, 1, &[1 << 20, 1 << 40, 0, 4096]),
            stored(4096, 3, 1, &[1 << 20, 4096, 4096, 4096]),
            stored(8192, 0, 1, &[1 << 20, 8192, 4096, 8192]),
            stored(8192, 0, 1, &[1 << 20, 8192, u64::MAX, 8192]),
            stored(8192, 0, 3, &[1 << 20, 8192, 0, 8192]),
            stored(8192, 9, 1, &[1 << 20, 8192, 0, 8192]),
        ] {
            assert!(Extent::parse(0, &bytes).is_err());
        }
    }

    proptest! {
        #[test]
        fn never_panics(start: u64, mut bytes in proptest::collection::vec(any::<u8>(), 0..80), kind in 0_u8..3, compression in 0_u8..4) {
            for (at, value) in [(16, compression), (17, 0), (18, 0), (19, 0), (20, kind)] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            let _ = Extent::parse(start, &bytes);
        }
    }
}
