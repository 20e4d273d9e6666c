//! Directories: heads that several entries share, each with where its inode is. `squashfs_fs.h`, `struct squashfs_dir_header`.

use super::FORMAT;
use super::volume::{Cursor, Volume};
use crate::disk::bytes::Structure;
use crate::disk::{DirEntry, DiskError, NodeId};
use std::ops::ControlFlow;

/// Entries behind one head.
const MOST: u32 = 256;
/// Bytes of a head, and of an entry before its name.
const HEAD: usize = 12;
const ENTRY: usize = 8;

/// Hands out the names in `size` bytes from `cursor` on.
pub fn read(
    volume: &Volume,
    mut cursor: Cursor,
    size: u64,
    visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
) -> Result<(), DiskError> {
    let (mut left, mut damage) = (size, None);
    while left > 0 {
        let head = volume.array::<HEAD>(&mut cursor)?;
        let view = Structure::new(FORMAT, "directory", &head);
        let (count, start) = (view.le32(0)?, view.le32(4)?);
        if count >= MOST {
            return Err(view.damaged(format_args!("{count} entries behind one head")));
        }
        left = left.saturating_sub(HEAD as u64);
        for _ in 0..=count {
            let entry = volume.array::<ENTRY>(&mut cursor)?;
            let view = Structure::new(FORMAT, "directory entry", &entry);
            let mut name = vec![0; usize::from(view.le16(6)?) + 1];
            volume.read(&mut cursor, &mut name)?;
            left = left.saturating_sub((ENTRY + name.len()) as u64);
            let odd = matches!(name.as_slice(), b"." | b"..");
            if odd || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
                damage.get_or_insert_with(|| view.damaged("a name that cannot be one"));
                continue;
            }
            let inode = u64::from(start) << 16 | u64::from(view.le16(0)?);
            let node = NodeId {
                subvolume: 0,
                inode,
            };
            if visit(DirEntry { name, node }).is_break() {
                return Ok(());
            }
        }
    }
    damage.map_or(Ok(()), Err)
}
