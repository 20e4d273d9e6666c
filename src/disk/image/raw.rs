//! Raw images: the file is the disk. Also what every other format reads its own bytes through.

use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

/// A file or block device of this system, bytes that a caller has elsewhere, or a part of one of these, read by position:
/// threads need no lock.
pub struct RawFile {
    whole: Arc<dyn BlockDevice>,
    /// Where the part begins in the whole.
    start: u64,
    size: u64,
    /// Device and inode: the same file under whatever name.
    inode: (u64, u64),
}

/// An open file and its size.
struct Opened(File, u64);

impl RawFile {
    /// An open file. The length of a block device is not in its metadata, so its end is sought.
    pub fn new(mut file: File) -> Result<Self, DiskError> {
        let metadata = file.metadata()?;
        let size = if metadata.is_file() {
            metadata.len()
        } else {
            file.seek(SeekFrom::End(0))?
        };
        Ok(Self {
            inode: (metadata.dev(), metadata.ino()),
            whole: Arc::new(Opened(file, size)),
            start: 0,
            size,
        })
    }

    /// What is no file of this system. Among the files of one [`super::Beside`], each has a number of its own.
    pub fn elsewhere(whole: Arc<dyn BlockDevice>, number: u64) -> Self {
        Self {
            size: whole.size(),
            whole,
            start: 0,
            inode: (0, number),
        }
    }

    /// A part of this file, as a file: a member of an archive.
    pub(super) fn part(&self, start: u64, size: u64) -> Result<Self, DiskError> {
        let end = start.checked_add(size).filter(|end| *end <= self.size);
        let begin = end.and_then(|_| self.start.checked_add(start));
        Ok(Self {
            whole: Arc::clone(&self.whole),
            start: begin.ok_or(DiskError::OutOfBounds {
                offset: start,
                len: size,
                size: self.size,
            })?,
            size,
            inode: self.inode,
        })
    }

    /// Device, inode number and the part's beginning, for telling cycles.
    pub fn identity(&self) -> (u64, u64, u64) {
        let (device, inode) = self.inode;
        (device, inode, self.start)
    }

    /// The first bytes, at most `len`: fewer where the file is shorter.
    pub fn head(&self, len: usize) -> Result<Vec<u8>, DiskError> {
        self.up_to(0, len)
    }

    /// At most `len` bytes from `offset`: fewer where the file ends before.
    pub fn up_to(&self, offset: u64, len: usize) -> Result<Vec<u8>, DiskError> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len.min(left)];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }
}

impl BlockDevice for RawFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        if buf.is_empty() {
            return Ok(());
        }
        inside(offset, buf.len(), self.size)?;
        // Both ends of a part were checked when it was made.
        let at = self.start.saturating_add(offset);
        self.whole.read_at(at, buf)
    }
}

impl BlockDevice for Opened {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        Ok(self.0.read_exact_at(buf, offset)?)
    }
}
