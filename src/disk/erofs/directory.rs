//! Directories: blocks that begin with their entries and end with the names. `erofs_fs.h`, `struct erofs_dirent`.

use super::FORMAT;
use crate::disk::bytes::Structure;
use crate::disk::{DirEntry, DiskError, NodeId};
use std::ops::ControlFlow;

/// Bytes of an entry.
const SIZE: usize = 12;

/// Hands out the names in one block; the last one may be shorter than a block.
pub fn block(
    bytes: &[u8],
    visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, DiskError> {
    let view = Structure::new(FORMAT, "directory", bytes);
    let names = usize::from(view.le16(8)?);
    if names < SIZE || names > bytes.len() || !names.is_multiple_of(SIZE) {
        return Err(view.damaged(format_args!("names from {names} on")));
    }
    let count = names / SIZE;
    for number in 0..count {
        let at = number * SIZE;
        let start = usize::from(view.le16(at + 8)?);
        let end = if number + 1 < count {
            usize::from(view.le16(at + SIZE + 8)?)
        } else {
            bytes.len()
        };
        let name = view.slice(start, end.saturating_sub(start))?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        if matches!(name, b"." | b"..") {
            continue;
        }
        if name.is_empty() || name.contains(&b'/') {
            return Err(view.damaged("a name that cannot be one"));
        }
        let entry = DirEntry {
            name: name.to_vec(),
            node: NodeId {
                subvolume: 0,
                inode: view.le64(at)?,
            },
        };
        if visit(entry).is_break() {
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
        fn any_block_survives(mut bytes in proptest::collection::vec(0u8.., 12..600), count in 1_u8..20) {
            let _ = block(&bytes, &mut |_| ControlFlow::Continue(()));
            bytes[8..10].copy_from_slice(&[count * 12, 0]);
            let _ = block(&bytes, &mut |_| ControlFlow::Continue(()));
        }
    }
}
