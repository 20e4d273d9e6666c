//! Directories: entries in the order in which they were made. "On-disk format", "DIR_INDEX".
//!
//! An entry may lead to another subvolume. A snapshot keeps the entries of the subvolumes in its origin, and none of them
//! hangs in it: such an entry is shown as the kernel shows it, an empty directory.

use super::FORMAT;
use super::entry::entries;
use super::key::{Key, kind};
use super::root::Roots;
use super::tree::{Item, Tree};
use crate::disk::{DirEntry, DiskError, FileKind, NodeId, Stat};
use std::ops::ControlFlow;

/// What an inode's number begins with that stands for a subvolume that is not there: no real number does.
const ABSENT: u64 = 1 << 63;

type Visit<'a> = &'a mut dyn FnMut(DirEntry) -> ControlFlow<()>;

/// Whether a node stands for a subvolume that is not there.
pub fn is_absent(node: NodeId) -> bool {
    node.inode >= ABSENT
}

/// What the kernel says of such a directory, but for the times, which are those of the question.
pub fn absent() -> Stat {
    Stat {
        kind: FileKind::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        size: 0,
        allocated: 0,
        mtime: (0, 0),
        links: 1,
        device: (0, 0),
    }
}

/// Hands out every entry. A damaged item costs its own entries only: the rest is handed out, then the damage reported.
pub fn read(
    tree: &Tree<'_>,
    roots: &Roots,
    node: NodeId,
    visit: Visit<'_>,
) -> Result<(), DiskError> {
    let mut walk = Walk { roots, node, visit };
    let mut damage = None;
    let mut cursor = tree.from(Key::new(node.inode, kind::DIR_INDEX, 0))?;
    loop {
        let handed_out = match cursor.next() {
            Ok(Some(item)) if item.key.is(node.inode, kind::DIR_INDEX) => walk.item(&item),
            Ok(_) => break,
            Err(error) => Err(error),
        };
        match handed_out {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return Ok(()),
            Err(error) => {
                damage.get_or_insert(error);
            }
        }
    }
    damage.map_or(Ok(()), Err)
}

struct Walk<'a> {
    roots: &'a Roots,
    node: NodeId,
    visit: Visit<'a>,
}

impl Walk<'_> {
    fn item(&mut self, item: &Item) -> Result<ControlFlow<()>, DiskError> {
        for entry in entries(item.bytes()?)? {
            let name = entry.name;
            let cannot_be = name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'/'));
            if cannot_be || matches!(name, b"." | b"..") {
                let what = format!(
                    "directory {} has a name that cannot be one",
                    self.node.inode
                );
                return Err(DiskError::damaged(FORMAT, what));
            }
            let node = self.leads_to(&entry.location, name);
            let name = name.to_vec();
            if (self.visit)(DirEntry { name, node }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn leads_to(&self, location: &Key, name: &[u8]) -> NodeId {
        let (subvolume, inode) = (self.node.subvolume, location.object);
        if location.kind != kind::ROOT {
            // A number that only stands for what is absent is no inode's.
            let inode = inode & !ABSENT;
            return NodeId { subvolume, inode };
        }
        let link = self.roots.links.get(&(subvolume, inode));
        let hangs = link.is_some_and(|link| link.directory == self.node.inode && link.name == name);
        match self.roots.all.get(&inode) {
            Some(root) if hangs => NodeId {
                subvolume: inode,
                inode: root.directory,
            },
            _ => NodeId {
                subvolume,
                inode: inode | ABSENT,
            },
        }
    }
}
