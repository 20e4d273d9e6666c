//! Extended attributes: stored under their full names, access control lists as the kernel hands them out.
//! "On-disk format", "XATTR_ITEM".

use super::FORMAT;
use super::entry::entries;
use super::key::{Key, kind};
use super::tree::Tree;
use crate::disk::{DiskError, Xattrs};
use std::collections::BTreeMap;

/// Bytes of all values together.
const MAX_TOTAL: usize = 16 << 20;

/// A node's attributes, sorted.
pub fn read(tree: &Tree<'_>, inode: u64) -> Result<Xattrs, DiskError> {
    let (mut all, mut total) = (BTreeMap::new(), 0_usize);
    let mut cursor = tree.from(Key::new(inode, kind::XATTR, 0))?;
    while let Some(item) = cursor
        .next()?
        .filter(|item| item.key.is(inode, kind::XATTR))
    {
        for entry in entries(item.bytes()?)? {
            total = total.saturating_add(entry.name.len() + entry.value.len());
            if total > MAX_TOTAL {
                let what = format!("attributes of more than {MAX_TOTAL} bytes");
                return Err(DiskError::damaged(FORMAT, what));
            }
            all.insert(entry.name.to_vec(), entry.value.to_vec());
        }
    }
    Ok(all.into_iter().collect())
}
