//! A directory entry of 32 bytes: the short name, and what there is of an inode.

use super::time;

/// Bytes of an entry.
pub const SIZE: usize = 32;
const READ_ONLY: u8 = 1;
pub const LABEL: u8 = 8;
pub const DIRECTORY: u8 = 16;
/// Read-only, hidden, system and label at once: a part of a long name, and no entry at all.
pub const LONG: u8 = 15;

/// What an entry says of its file.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub is_directory: bool,
    pub is_read_only: bool,
    /// The first one; 0 for an empty file.
    pub cluster: u32,
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: i64,
}

impl Entry {
    /// The root, which has none.
    pub const ROOT: Self = Self {
        is_directory: true,
        is_read_only: false,
        cluster: 0,
        size: 0,
        mtime: 0,
    };

    /// `wide` where the file system is FAT32: elsewhere the upper half of the cluster's number has other uses.
    pub fn parse(bytes: &[u8; SIZE], wide: bool) -> Self {
        let attributes = attributes(bytes);
        let half = |at: usize| {
            let low = bytes.get(at).copied().unwrap_or_default();
            let high = bytes.get(at + 1).copied().unwrap_or_default();
            u16::from_le_bytes([low, high])
        };
        let word = |low, high| u32::from(half(high)) << 16 | u32::from(half(low));
        let is_directory = attributes & DIRECTORY != 0;
        Self {
            is_directory,
            // On a directory Windows means something else by it, and the kernel passes it over.
            is_read_only: attributes & READ_ONLY != 0 && !is_directory,
            cluster: if wide {
                word(26, 20)
            } else {
                u32::from(half(26))
            },
            // That of a directory is always 0.
            size: if is_directory {
                0
            } else {
                u64::from(word(28, 30))
            },
            mtime: time::seconds(half(24), half(22)),
        }
    }
}

/// The attribute bits.
pub fn attributes(bytes: &[u8; SIZE]) -> u8 {
    bytes.get(11).copied().unwrap_or_default() & 0x3f
}
