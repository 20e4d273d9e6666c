//! Roots: the tree of each subvolume, where it hangs in another one, and which one is mounted when none is named.
//! "On-disk format", "ROOT_ITEM" and "ROOT_REF".

use super::FORMAT;
use super::entry::entries;
use super::inode;
use super::key::{Key, kind};
use super::tree::{Item, Pointer, Tree};
use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use std::collections::BTreeMap;

/// The subvolume that every file system has.
pub const TOP: u64 = 5;
/// Numbers of the others, and of the objects within each.
const FIRST: u64 = 256;
const LAST: u64 = u64::MAX - 255;
/// The tree of checksums of content.
const SUMS: u64 = 7;
/// The directory in the tree of roots that names the default subvolume.
const DIRECTORY: u64 = 6;
/// Bytes of a root before subvolumes had UUIDs.
const OLD: usize = 239;
const READ_ONLY: u64 = 1;
const DEAD: u64 = 1 << 48;
/// Subvolumes at most; more are an attack.
const MOST: usize = 1 << 16;

/// A subvolume's root.
#[derive(Debug, Clone, Copy)]
pub struct Root {
    pub tree: Pointer,
    /// The inode of its top directory.
    pub directory: u64,
    pub read_only: bool,
    /// Zeros where it has none.
    pub uuid: [u8; 16],
    /// The subvolume that this one was a snapshot of; zeros where it was none.
    pub origin: [u8; 16],
}

/// Where a subvolume hangs: a name in a directory of another one.
#[derive(Debug, Clone)]
pub struct Link {
    pub directory: u64,
    pub name: Vec<u8>,
}

/// All subvolumes.
#[derive(Debug)]
pub struct Roots {
    pub all: BTreeMap<u64, Root>,
    /// By subvolume and the one that hangs in it.
    pub links: BTreeMap<(u64, u64), Link>,
    /// The subvolume that is mounted when none is named.
    pub default: u64,
    /// The tree of checksums of content.
    pub sums: Option<Pointer>,
    /// The first damage that was met.
    pub damage: Option<DiskError>,
}

impl Roots {
    /// Reads the tree of roots; a damaged node costs the roots in it.
    pub fn read(tree: &Tree<'_>) -> Result<Self, DiskError> {
        let mut roots = Self {
            all: BTreeMap::new(),
            links: BTreeMap::new(),
            default: TOP,
            sums: None,
            damage: None,
        };
        let mut cursor = tree.from(Key::new(0, 0, 0))?;
        loop {
            let kept = match cursor.next() {
                Ok(Some(item)) => roots.keep(&item),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            if let Err(error) = kept {
                roots.damage.get_or_insert(error);
            }
            if roots.all.len().max(roots.links.len()) > MOST {
                return Err(DiskError::damaged(FORMAT, "more subvolumes than can be"));
            }
        }
        if !roots.all.contains_key(&roots.default) {
            roots.default = TOP;
        }
        Ok(roots)
    }

    fn keep(&mut self, item: &Item) -> Result<(), DiskError> {
        let Key {
            object,
            kind,
            offset,
        } = item.key;
        match (object, kind) {
            (DIRECTORY, kind::DIR_ITEM) => {
                let named = entries(item.bytes()?)?;
                let default = named.iter().find(|entry| entry.name == b"default");
                if let Some(entry) = default {
                    self.default = entry.location.object;
                }
            }
            (SUMS, kind::ROOT) => {
                self.sums = root(item.bytes()?)?.map(|root| root.tree);
            }
            (TOP | FIRST..=LAST, kind::ROOT) => {
                if let Some(root) = root(item.bytes()?)? {
                    self.all.insert(object, root);
                }
            }
            (TOP | FIRST..=LAST, kind::ROOT_REF) => {
                self.links.insert((object, offset), link(item.bytes()?)?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A root; `None` where the subvolume was deleted.
fn root(bytes: &[u8]) -> Result<Option<Root>, DiskError> {
    let view = Structure::new(FORMAT, "root", bytes);
    let at = inode::SIZE;
    let (flags, generation) = (view.le64(at + 48)?, view.le64(at)?);
    if flags & DEAD != 0 || view.le32(at + 56)? == 0 {
        return Ok(None);
    }
    // A kernel that knows no UUIDs leaves the second generation behind when it writes.
    let has_uuids = bytes.len() > OLD && view.le64(OLD)? == generation;
    let uuid = |at| {
        if has_uuids {
            view.array(at)
        } else {
            Ok([0; 16])
        }
    };
    Ok(Some(Root {
        tree: Pointer {
            logical: view.le64(at + 16)?,
            generation,
            level: view.u8(at + 78)?,
            first: None,
        },
        directory: view.le64(at + 8)?,
        read_only: flags & READ_ONLY != 0,
        uuid: uuid(OLD + 8)?,
        origin: uuid(OLD + 24)?,
    }))
}

fn link(bytes: &[u8]) -> Result<Link, DiskError> {
    let view = Structure::new(FORMAT, "reference of a root", bytes);
    let length = usize::from(view.le16(16)?);
    Ok(Link {
        directory: view.le64(0)?,
        name: view.slice(18, length)?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn uuids_count_where_the_last_writer_knew_them() {
        let mut bytes = vec![0; 439];
        bytes[160] = 9;
        bytes[216] = 1;
        bytes[263] = 5;
        assert_eq!(root(&bytes).unwrap().unwrap().origin, [0; 16]);
        bytes[239] = 9;
        assert_eq!(root(&bytes).unwrap().unwrap().origin[0], 5);
        assert_eq!(root(&bytes[..239]).unwrap().unwrap().origin, [0; 16]);
        bytes[216] = 0;
        assert!(root(&bytes).unwrap().is_none());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..460)) {
            let _ = (root(&bytes), link(&bytes));
        }
    }
}
