//! The paths of subvolumes, from the top of the file system: up through the directories that each hangs in.
//! "On-disk format", "ROOT_REF" and "INODE_REF".

use super::Btrfs;
use super::FORMAT;
use super::key::{Key, kind};
use super::root::TOP;
use super::tree::Tree;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, NodeId, Subvolume};
use std::collections::BTreeMap;

/// Subvolumes, and directories, below one another at most.
const MOST_DEPTH: usize = 512;
/// Directories that are looked up for all paths together: what needs more is an attack.
const MOST_LOOKS: usize = 1 << 20;
/// Bytes of a path at most.
const MOST_BYTES: usize = 4096;

/// All that hang in the top or in one that does.
pub fn list(btrfs: &Btrfs) -> Vec<Subvolume> {
    let links = btrfs.roots.links.keys();
    let parents: BTreeMap<u64, u64> = links.map(|(parent, child)| (*child, *parent)).collect();
    let (all, mut looks) = (btrfs.roots.all.iter(), 0);
    all.filter_map(|(number, root)| {
        Some(Subvolume {
            root: NodeId {
                subvolume: *number,
                inode: root.directory,
            },
            // One that hangs nowhere can be reached by nobody.
            path: path(btrfs, &parents, *number, &mut looks).ok().flatten()?,
            read_only: root.read_only,
            uuid: root.uuid,
            origin: root.origin,
        })
    })
    .collect()
}

/// The path of a subvolume; `None` where it hangs nowhere.
fn path(
    btrfs: &Btrfs,
    parents: &BTreeMap<u64, u64>,
    number: u64,
    looks: &mut usize,
) -> Result<Option<Vec<u8>>, DiskError> {
    let (mut names, mut at) = (Vec::new(), number);
    for _ in 0..MOST_DEPTH {
        if *looks > MOST_LOOKS {
            break;
        }
        if at == TOP {
            names.reverse();
            return Ok(Some(names.join(&b'/')));
        }
        let Some(parent) = parents.get(&at) else {
            return Ok(None);
        };
        let link = btrfs.roots.links.get(&(*parent, at));
        let (Some(link), Some(root)) = (link, btrfs.roots.all.get(parent)) else {
            return Ok(None);
        };
        names.push(link.name.clone());
        let above = names.len();
        let tree = btrfs.tree(*parent)?;
        let climbed = climb(&tree, link.directory, root.directory, &mut names);
        *looks += names.len() - above + 1;
        climbed?;
        let length: usize = names.iter().map(|name| name.len() + 1).sum();
        if length > MOST_BYTES {
            break;
        }
        at = *parent;
    }
    Ok(None)
}

/// Adds the names of a directory and of those above it, the lowest first.
fn climb(
    tree: &Tree<'_>,
    directory: u64,
    top: u64,
    names: &mut Vec<Vec<u8>>,
) -> Result<(), DiskError> {
    let mut at = directory;
    for _ in 0..MOST_DEPTH {
        if at == top {
            return Ok(());
        }
        let item = tree.from(Key::new(at, kind::INODE_REF, 0))?.next()?;
        let Some(item) = item.filter(|item| item.key.is(at, kind::INODE_REF)) else {
            break;
        };
        let view = Structure::new(FORMAT, "reference of an inode", item.bytes()?);
        let length = usize::from(view.le16(8)?);
        names.push(view.slice(10, length)?.to_vec());
        at = item.key.offset;
    }
    let what = format!("directory {directory} hangs nowhere");
    Err(DiskError::damaged(FORMAT, what))
}
