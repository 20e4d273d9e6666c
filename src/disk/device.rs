//! The block device: a length and positioned reads. Image formats, partitions and logical volumes are all of this kind.

use std::sync::Arc;

/// What can go wrong with a disk. Every message says what was expected; the caller adds the path.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The operating system refused to read the image file.
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
    /// The bytes contradict the format: a truncated or damaged image, or a hostile one.
    #[error("damaged {format}: {what}")]
    Damaged { format: &'static str, what: String },
    /// The format is recognised, and this part of it is not supported (encrypted, a newer feature, …).
    #[error("{format}: {what}")]
    Unsupported { format: &'static str, what: String },
    /// A read beyond the end of a device.
    #[error("read of {len} bytes at {offset} goes beyond the end of the device ({size} bytes)")]
    OutOfBounds { offset: u64, len: u64, size: u64 },
}

impl DiskError {
    /// The bytes contradict the format.
    pub fn damaged(format: &'static str, what: impl Into<String>) -> Self {
        Self::Damaged {
            format,
            what: what.into(),
        }
    }

    /// Recognised, but not supported.
    pub fn unsupported(format: &'static str, what: impl Into<String>) -> Self {
        Self::Unsupported {
            format,
            what: what.into(),
        }
    }
}

/// A read-only disk: everything is positional, so threads share it without locks.
pub trait BlockDevice: Send + Sync {
    /// Size in bytes.
    fn size(&self) -> u64;
    /// Fills `buf` from `offset` (bytes) or fails; never a short read.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError>;
}

impl<T: BlockDevice + ?Sized> BlockDevice for Arc<T> {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        (**self).read_at(offset, buf)
    }
}

impl<T: BlockDevice + ?Sized> BlockDevice for &T {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        (**self).read_at(offset, buf)
    }
}
