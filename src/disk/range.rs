//! A part of a device: what a partition is.

use super::{BlockDevice, DiskError};

/// Bytes `start..start + size` of another device.
pub struct Range<D> {
    device: D,
    start: u64,
    size: u64,
}

impl<D: BlockDevice> Range<D> {
    /// The part may reach beyond the end of its device, as it does in a truncated image: reading there fails.
    pub fn new(device: D, start: u64, size: u64) -> Self {
        Self {
            device,
            start,
            size,
        }
    }
}

impl<D: BlockDevice> BlockDevice for Range<D> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        let start = self.start.checked_add(offset).ok_or_else(|| {
            DiskError::damaged("partition", "it begins beyond the end of any disk")
        })?;
        self.device.read_at(start, buf)
    }
}

/// Fails unless `len` bytes from `offset` lie inside a device of `size` bytes.
pub fn inside(offset: u64, len: usize, size: u64) -> Result<(), DiskError> {
    let len = u64::try_from(len).unwrap_or(u64::MAX);
    match offset.checked_add(len) {
        Some(end) if end <= size => Ok(()),
        _ => Err(DiskError::OutOfBounds { offset, len, size }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl BlockDevice for Counting {
        fn size(&self) -> u64 {
            100
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
            inside(offset, buf.len(), self.size())?;
            for (byte, value) in buf.iter_mut().zip(offset..) {
                *byte = u8::try_from(value).unwrap();
            }
            Ok(())
        }
    }

    #[test]
    fn a_part_begins_where_it_says_and_ends_there_too() {
        let part = Range::new(Counting, 40, 20);
        let mut buf = [0; 4];
        part.read_at(16, &mut buf).unwrap();
        assert_eq!(buf, [56, 57, 58, 59]);
        assert!(part.read_at(17, &mut buf).is_err());
        assert!(part.read_at(u64::MAX, &mut buf).is_err());
        let beyond = Range::new(Counting, 90, 20);
        assert!(beyond.read_at(8, &mut buf).is_err());
        let absurd = Range::new(Counting, u64::MAX, u64::MAX);
        assert!(absurd.read_at(8, &mut buf).is_err());
    }
}
