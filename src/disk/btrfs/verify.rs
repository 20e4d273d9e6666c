//! Checksums of content, which say which of several copies is the good one. Where there is one copy they are not asked: it
//! is all there is. "On-disk format", "EXTENT_CSUM".

use super::FORMAT;
use super::chunk::Chunk;
use super::key::{Key, kind};
use super::tree::{Pointer, Tree};
use super::volume::Volume;
use crate::disk::bytes::{Structure, agree};
use crate::disk::{DiskError, crc32c};

/// The object that all checksums belong to.
const OBJECT: u64 = 10_u64.wrapping_neg();
/// Bytes of a checksum: CRC-32C's.
const SUM: usize = 4;

/// Fills `part` from a logical address, each sector from the first copy whose checksum is right; a sector without one, from
/// the first copy that can be read.
pub fn read(
    volume: &Volume,
    sums: Pointer,
    chunk: &Chunk,
    logical: u64,
    part: &mut [u8],
) -> Result<(), DiskError> {
    let sector = usize::try_from(volume.sector_size()).unwrap_or(usize::MAX);
    let before = logical % u64::from(volume.sector_size().max(1));
    let (start, skipped) = (
        logical - before,
        usize::try_from(before).unwrap_or_default(),
    );
    let length = skipped.saturating_add(part.len()).next_multiple_of(sector);
    let sums = stored(volume, sums, start, length / sector);
    let (mut whole, mut bytes) = (vec![0; length], vec![0; length]);
    let mut missing: Vec<usize> = (0..length / sector).collect();
    let mut failed = None;
    for copy in 0..chunk.copies() {
        if let Err(error) = volume.read_copy(chunk, start, copy, &mut bytes) {
            failed = failed.or(Some(error));
            continue;
        }
        missing.retain(|index| {
            let at = index * sector..(index + 1) * sector;
            let found = bytes.get(at.clone()).unwrap_or_default();
            let sum = sums.get(*index).copied().flatten();
            let good = sum.is_none_or(|sum| agree(|| crc32c::checksum(found), sum));
            if let Some(room) = whole.get_mut(at).filter(|_| good) {
                room.copy_from_slice(found);
            }
            !good
        });
        if missing.is_empty() {
            let end = skipped.saturating_add(part.len());
            part.copy_from_slice(whole.get(skipped..end).unwrap_or_default());
            return Ok(());
        }
    }
    Err(failed.unwrap_or_else(|| {
        let what = format!("content near {start}: the checksum of every copy is wrong");
        DiskError::damaged(FORMAT, what)
    }))
}

/// The checksums of `count` sectors; `None` of those that have none. Of a damaged tree there are none.
fn stored(volume: &Volume, root: Pointer, start: u64, count: usize) -> Vec<Option<u32>> {
    let mut sums = vec![None; count];
    let _ = look_up(volume, root, start, &mut sums);
    sums
}

fn look_up(
    volume: &Volume,
    root: Pointer,
    start: u64,
    sums: &mut [Option<u32>],
) -> Result<(), DiskError> {
    let sector = u64::from(volume.sector_size().max(1));
    let count = u64::try_from(sums.len()).unwrap_or(u64::MAX);
    let end = start.saturating_add(sector.saturating_mul(count));
    let key = Key::new(OBJECT, kind::EXTENT_SUM, start);
    let mut cursor = Tree::new(volume, root).at_or_before(key)?;
    while let Some(item) = cursor.next()? {
        if item.key < Key::new(OBJECT, kind::EXTENT_SUM, 0) {
            continue;
        }
        if !item.key.is(OBJECT, kind::EXTENT_SUM) || item.key.offset >= end {
            break;
        }
        let view = Structure::new(FORMAT, "checksums", item.bytes()?);
        let first = item.key.offset.max(start);
        let skipped = usize::try_from((first - item.key.offset) / sector).unwrap_or(usize::MAX);
        let index = usize::try_from((first - start) / sector).unwrap_or(usize::MAX);
        let held = (view.len() / SUM).saturating_sub(skipped);
        for (number, sum) in sums.iter_mut().skip(index).take(held).enumerate() {
            *sum = Some(view.le32((skipped + number) * SUM)?);
        }
    }
    Ok(())
}
