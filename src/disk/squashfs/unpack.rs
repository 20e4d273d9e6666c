//! The six ways of packing a block.

use super::FORMAT;
use crate::disk::{DiskError, inflate, lz4, lzo};
use lzma_rust2::{LzmaReader, XzReader};
use std::io::Read;

/// Kilobytes that unpacking a block of at most a megabyte may take.
const MEMORY: u32 = 32 << 10;

/// How blocks are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Zlib,
    Lzma,
    Lzo,
    Xz,
    Lz4,
    Zstd,
}

impl Packing {
    /// By its number in the superblock.
    pub fn of(number: u16) -> Result<Self, DiskError> {
        Ok(match number {
            1 => Self::Zlib,
            2 => Self::Lzma,
            3 => Self::Lzo,
            4 => Self::Xz,
            5 => Self::Lz4,
            6 => Self::Zstd,
            other => {
                let what = format!("packed in a way with the number {other}, which nobody knows");
                return Err(DiskError::unsupported(FORMAT, what));
            }
        })
    }

    /// Unpacks a block of at most `most` bytes.
    pub fn unpack(self, packed: &[u8], most: usize) -> Result<Vec<u8>, DiskError> {
        let mut out = vec![0; most];
        let length = match self {
            Self::Zlib => inflate::zlib_start(packed, &mut out),
            Self::Zstd => inflate::zstd_start(packed, &mut out),
            Self::Lzo => lzo::unpack(packed, &mut out),
            Self::Lz4 => lz4::unpack(packed, &mut out),
            Self::Xz => fill(XzReader::new_mem_limit(packed, false, MEMORY), &mut out),
            Self::Lzma => LzmaReader::new_mem_limit(packed, MEMORY, None)
                .map_err(|error| error.to_string())
                .and_then(|reader| fill(reader, &mut out)),
        };
        let length = length.map_err(|error| {
            DiskError::damaged(FORMAT, format!("a block cannot be unpacked: {error}"))
        })?;
        out.truncate(length);
        Ok(out)
    }
}

fn fill(mut reader: impl Read, out: &mut [u8]) -> Result<usize, String> {
    let mut filled = 0;
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(packed in proptest::collection::vec(0u8.., 0..300), number in 1..7_u16) {
            let _ = Packing::of(number).unwrap().unpack(&packed, 8192);
        }
    }
}
