//! Directories: names in an index of which the beginning is in the record and the rest in blocks of its own. The order of
//! the tree is not needed, so the blocks are read one after the other, those that are in use.
//! "NTFS Documentation", "$INDEX_ROOT" and "$INDEX_ALLOCATION".

use super::FORMAT;
use super::file::File;
use super::record::{number, repaired, units};
use super::stream::{Clusters, Stream};
use crate::disk::bytes::Structure;
use crate::disk::{DirEntry, DiskError, NodeId};
use std::ops::ControlFlow;

/// Kinds of the attributes that make up a directory, and the name all of them have.
const ROOT: u32 = 0x90;
const BLOCKS: u32 = 0xa0;
const IN_USE: u32 = 0xb0;
const NAMES: &str = "$I30";
/// Bytes of the root, and the most blocks of one directory.
const MOST_ROOT: u64 = 64 << 10;
const MOST_BLOCKS: u64 = 1 << 20;
/// Unreadable blocks, after which nobody goes on.
const MOST_DAMAGED: usize = 100;
/// Records before this one are the file system's own.
const FIRST_FILE: u64 = 24;
/// Of the two names that a file with a long one has, the short one.
const SHORT: u8 = 2;

type Visit<'a> = &'a mut dyn FnMut(DirEntry) -> ControlFlow<()>;

/// Hands out every name. A damaged block costs its own names only: the rest is handed out, then the damage reported.
pub fn read(clusters: &Clusters<'_>, file: &File, visit: Visit<'_>) -> Result<(), DiskError> {
    let stream = |kind| Stream::gather(&file.attributes, kind, NAMES);
    let root =
        stream(ROOT)?.ok_or_else(|| DiskError::damaged(FORMAT, "a directory without names"))?;
    let root = root.whole(clusters, MOST_ROOT)?;
    let view = Structure::new(FORMAT, "index root", &root);
    let size = usize::try_from(view.le32(8)?).unwrap_or_default();
    let mut damage = None;
    match entries(view, 16, visit) {
        Ok(ControlFlow::Break(())) => return Ok(()),
        Ok(ControlFlow::Continue(())) => {}
        Err(error) => damage = Some(error),
    }
    let Some(blocks) = stream(BLOCKS)? else {
        return damage.map_or(Ok(()), Err);
    };
    if !size.is_power_of_two() || !(512..=65_536).contains(&size) {
        return Err(view.damaged(format_args!("blocks of {size} bytes")));
    }
    let step = u64::try_from(size).unwrap_or(512);
    let count = blocks.size / step;
    if count > MOST_BLOCKS {
        return Err(view.damaged(format_args!("{count} blocks")));
    }
    let in_use = stream(IN_USE)?
        .ok_or_else(|| view.damaged("it does not say which blocks are in use"))?
        .whole(clusters, MOST_BLOCKS)?;
    let (mut bytes, mut damaged) = (vec![0; size], 0);
    for block in 0..count {
        let mark = usize::try_from(block / 8)
            .ok()
            .and_then(|at| in_use.get(at));
        if mark.is_none_or(|mark| mark >> (block % 8) & 1 == 0) {
            continue;
        }
        let read = blocks
            .read(clusters, block * step, &mut bytes)
            .and_then(|_| repaired(&mut bytes, *b"INDX"));
        let names = read.and_then(|()| {
            let view = Structure::new(FORMAT, "index block", &bytes);
            entries(view, 24, visit)
        });
        match names {
            Ok(ControlFlow::Break(())) => return Ok(()),
            Ok(ControlFlow::Continue(())) => {}
            Err(error) => {
                damage.get_or_insert(error);
                damaged += 1;
            }
        }
        if damaged > MOST_DAMAGED {
            break;
        }
    }
    damage.map_or(Ok(()), Err)
}

/// Names behind the header at `header`.
fn entries(
    view: Structure<'_>,
    header: usize,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>, DiskError> {
    let place = |at| Ok::<_, DiskError>(usize::try_from(view.le32(at)?).unwrap_or(usize::MAX));
    let end = header.saturating_add(place(header + 4)?).min(view.len());
    let mut at = header.saturating_add(place(header)?);
    while at < end {
        let length = usize::from(view.le16(at + 8)?);
        // The last entry has no name.
        if view.le16(at + 12)? & 2 != 0 {
            break;
        }
        if length < 16 {
            return Err(view.damaged(format_args!("an entry of {length} bytes")));
        }
        let key = view.slice(at + 16, usize::from(view.le16(at + 10)?))?;
        let inode = number(view.le64(at)?);
        let key = Structure::new(FORMAT, "name in a directory", key);
        at += length;
        if key.u8(65)? == SHORT || inode < FIRST_FILE {
            continue;
        }
        let name = units(key.slice(66, usize::from(key.u8(64)?) * 2)?);
        let name = String::from_utf16_lossy(&name).into_bytes();
        if matches!(name.as_slice(), b"" | b"." | b"..")
            || name.iter().any(|byte| matches!(byte, 0 | b'/'))
        {
            return Err(key.damaged("it cannot be one"));
        }
        let node = NodeId {
            subvolume: 0,
            inode,
        };
        if visit(DirEntry { name, node }).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_block_survives(mut bytes in proptest::collection::vec(0u8.., 32..2000), start in 16_u8..64) {
            bytes[16..24].copy_from_slice(&[start, 0, 0, 0, 0xff, 0x0f, 0, 0]);
            let view = Structure::new(FORMAT, "block", &bytes);
            let _ = entries(view, 16, &mut |_| ControlFlow::Continue(()));
        }
    }
}
