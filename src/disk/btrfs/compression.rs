//! Compressed extents: zlib's streams, Zstandard's frames, and LZO in segments of a sector each.
//! "On-disk format", "EXTENT_DATA"; the segments are described at the head of the kernel's `fs/btrfs/lzo.c`.

use super::FORMAT;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, inflate, lzo};

/// How an extent is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Zlib,
    Lzo,
    Zstd,
}

impl Compression {
    pub fn of(number: u8) -> Result<Self, DiskError> {
        Ok(match number {
            0 => Self::None,
            1 => Self::Zlib,
            2 => Self::Lzo,
            3 => Self::Zstd,
            other => {
                let what = format!("content compressed in an unknown way ({other})");
                return Err(DiskError::unsupported(FORMAT, what));
            }
        })
    }

    /// The `length` bytes that an extent stands for. Packing stops at the end of the file, which may lie within the
    /// extent's last sector: what is not there is zero.
    pub fn unpack(self, packed: &[u8], length: usize, sector: u32) -> Result<Vec<u8>, DiskError> {
        let mut out = vec![0; length];
        let filled = match self {
            Self::None => return Ok(packed.to_vec()),
            Self::Zlib => inflate::zlib_start(packed, &mut out),
            Self::Zstd => inflate::zstd_start(packed, &mut out),
            Self::Lzo => segments(packed, &mut out, sector).map_err(|error| error.to_string()),
        };
        let what = match filled {
            Ok(filled) if filled > 0 => return Ok(out),
            Ok(_) => "it is empty".to_owned(),
            Err(error) => error,
        };
        let what = format!("a compressed extent cannot be unpacked: {what}");
        Err(DiskError::damaged(FORMAT, what))
    }
}

/// Unpacks segments, each behind its length; a length never crosses the end of a sector.
fn segments(packed: &[u8], out: &mut [u8], sector: u32) -> Result<usize, DiskError> {
    let view = Structure::new(FORMAT, "segments", packed);
    let sector = usize::try_from(sector).unwrap_or(usize::MAX).max(1);
    let number = |at| Ok::<_, DiskError>(usize::try_from(view.le32(at)?).unwrap_or(usize::MAX));
    let end = number(0)?.min(packed.len());
    let (mut at, mut filled) = (4, 0);
    while at < end && filled < out.len() {
        let left = sector - at % sector;
        if left < 4 {
            at += left;
            continue;
        }
        let length = number(at)?;
        let segment = view.slice(at + 4, length)?;
        let most = filled.saturating_add(sector).min(out.len());
        let room = out.get_mut(filled..most).unwrap_or_default();
        let given = lzo::unpack(segment, room).map_err(|what| DiskError::damaged(FORMAT, what))?;
        if given == 0 {
            return Err(view.damaged("an empty one"));
        }
        filled += given;
        at = at.saturating_add(4).saturating_add(length);
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_that_would_cross_a_sector_begins_the_next() {
        let segment = |text: &[u8; 2]| [&[6, 0, 0, 0, 19], text.as_slice(), &[17, 0, 0]].concat();
        let total = [26, 0, 0, 0];
        let packed = [&total, segment(b"ab").as_slice(), &[0; 2], &segment(b"cd")].concat();
        let mut out = [0; 4];
        assert_eq!(segments(&packed, &mut out, 16).unwrap(), 4);
        assert_eq!(&out, b"abcd");
    }

    #[test]
    fn unpacked_short_ends_in_zeros() {
        let packed = [
            0x78, 0x9c, 0x4b, 0x4c, 0x4a, 0x06, 0x00, 0x02, 0x4d, 0x01, 0x27,
        ];
        let out = Compression::Zlib.unpack(&packed, 5, 4096).unwrap();
        assert_eq!(out, b"abc\0\0");
        assert!(Compression::Zstd.unpack(&packed, 5, 4096).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), number in 0_u8..4, length in 0_usize..600) {
            let _ = Compression::of(number).unwrap().unpack(&bytes, length, 64);
            let packed = [[200, 0, 0, 0, 30, 0, 0, 0].as_slice(), &bytes].concat();
            let _ = Compression::Lzo.unpack(&packed, length, 64);
        }
    }
}
