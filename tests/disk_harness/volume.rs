//! Tables, groups, arrays: what is put together out of disks, and disks read here and there.

use super::input;
use transvase::disk::contents::{Contents, contents as look};
use transvase::disk::{BlockDevice, lvm, md, table};

/// Reads a disk where readers have edges: both ends, across blocks, and beyond.
pub fn touch(device: &dyn BlockDevice) {
    const LENGTH: u16 = 4500;
    let (size, length) = (device.size(), u64::from(LENGTH));
    let mut buf = vec![0; usize::from(LENGTH)];
    let powers = [9, 12, 15, 16, 18, 20, 21, 24, 28, 31, 32, 40, 63];
    let edges = powers.map(|power| (1_u64 << power).saturating_sub(length / 2));
    let ends = [0, size / 2, size.saturating_sub(length), size, u64::MAX - 5];
    for at in edges.into_iter().chain(ends) {
        let left = usize::try_from(size.saturating_sub(at)).unwrap_or(usize::MAX);
        let left = left.min(buf.len());
        let _ = device.read_at(at, &mut buf[..left]);
        if left < buf.len() {
            assert!(device.read_at(at, &mut buf[..=left]).is_err());
        }
    }
}

/// A partition table on the first disk.
pub fn table(data: &[u8]) {
    if let Some(device) = input::devices(data).first()
        && let Ok(Some(table)) = table::read(device)
    {
        assert!(table.partitions.len() <= 4096);
        md::is_whole(device, &table.partitions);
    }
}

/// Volume groups on all disks.
pub fn group(data: &[u8]) {
    let assembled = lvm::assemble(&input::devices(data));
    for volume in assembled.volumes.iter().take(8) {
        volume.mapper_name();
        if let Ok(device) = &volume.device {
            touch(device);
        }
    }
}

/// Arrays on all disks.
pub fn array(data: &[u8]) {
    let assembled = md::assemble(&input::devices(data), &[]);
    for array in &assembled.arrays {
        touch(&array.device);
    }
}

/// Whatever is on the first disk.
pub fn contents(data: &[u8]) {
    if let Some(device) = input::devices(data).first()
        && let Contents::FileSystem(fs) = look(device)
    {
        fs.info();
    }
}
