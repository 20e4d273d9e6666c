//! Block groups: where each one's inode table begins. Kernel documentation, "Block Group Descriptors" and "Meta Block Groups".

use super::FORMAT;
use super::superblock::{Superblock, incompat};
use super::volume::Volume;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// The first block of a group's inode table.
pub fn inode_table(volume: &Volume, disk: &Superblock, group: u64) -> Result<u64, DiskError> {
    let size = u64::from(disk.descriptor_size);
    let per_block = u64::from(disk.block_size) / size;
    let block = volume.block(table_block(disk, group / per_block.max(1), per_block))?;
    let at = usize::try_from(group % per_block.max(1) * size).unwrap_or(usize::MAX);
    let all = Structure::new(FORMAT, "group descriptor", &block);
    let view = Structure::new(
        FORMAT,
        "group descriptor",
        all.slice(at, usize::from(disk.descriptor_size))?,
    );
    let high = if disk.is_64bit() { view.le32(0x28)? } else { 0 };
    Ok(u64::from(view.le32(0x8)?) | u64::from(high) << 32)
}

/// The block that holds the `nth` block of descriptors.
fn table_block(disk: &Superblock, nth: u64, per_block: u64) -> u64 {
    let superblock_block = super::superblock::OFFSET / u64::from(disk.block_size);
    let meta = disk.incompat & incompat::META_BG != 0;
    if !meta || nth < u64::from(disk.first_meta_group) {
        return superblock_block + 1 + nth;
    }
    // Under META_BG each run of `per_block` groups keeps its descriptors in its own first group.
    let group = nth.saturating_mul(per_block);
    let start = group
        .saturating_mul(u64::from(disk.blocks_per_group))
        .saturating_add(u64::from(disk.first_data_block));
    let mut skipped = u64::from(disk.has_copy(group));
    // With blocks of 1 KiB numbered from 0, the boot block pushes the first group's copy one further.
    if disk.block_size == 1024 && nth == 0 && disk.first_data_block == 0 {
        skipped += 1;
    }
    start.saturating_add(skipped)
}
