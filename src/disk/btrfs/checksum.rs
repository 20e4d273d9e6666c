//! Checksums of tree nodes and superblocks. "On-disk format", "Checksums".

use super::FORMAT;
use crate::disk::bytes::agree;
use crate::disk::{DiskError, crc32c};

/// Bytes that every structure keeps for its checksum, whatever the algorithm.
pub const ROOM: usize = 32;

/// The algorithm of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    Crc32c,
    /// By its name: what it says is not compared.
    Unverified(&'static str),
}

impl Checksum {
    /// The algorithm of this number.
    pub fn of(number: u16) -> Result<Self, DiskError> {
        Ok(match number {
            0 => Self::Crc32c,
            1 => Self::Unverified("xxhash64"),
            2 => Self::Unverified("sha256"),
            3 => Self::Unverified("blake2b"),
            other => {
                let what = format!("a checksum of an unknown kind ({other})");
                return Err(DiskError::unsupported(FORMAT, what));
            }
        })
    }

    /// Whether a structure, which begins with its own checksum, is as it was written; one that cannot be told is.
    pub fn agrees(self, structure: &[u8]) -> bool {
        let Some((stored, content)) = structure.split_at_checked(ROOM) else {
            return false;
        };
        match self {
            Self::Crc32c => {
                let stored = stored.first_chunk().copied();
                agree(|| Some(crc32c::checksum(content).to_le_bytes()), stored)
            }
            Self::Unverified(_) => true,
        }
    }
}
