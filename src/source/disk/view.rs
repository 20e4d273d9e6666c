//! A few files of a machine looked up through its mounts, without a walk: links resolve inside the machine.

use super::mounts::Mount;
use super::names;
use crate::disk::{FileKind, NodeId};
use crate::path::MachinePath;
use std::ops::ControlFlow;

/// Linux gives up after forty links.
const MOST_LINKS: usize = 40;
/// Names of one directory that are looked at.
const MOST_NAMES: usize = 10_000;

/// A machine's mounts, as a tree.
pub(super) struct View<'a>(pub &'a [Mount]);

impl View<'_> {
    /// The mount and node that a path leads to, all links followed.
    fn find(&self, path: &str) -> Option<(&Mount, NodeId)> {
        let path = MachinePath::new(path);
        let mut todo: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
        let mut at = MachinePath::root();
        let mut found = self.mounted(&at)?;
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == b".." {
                at = at.parent().unwrap_or(at);
                found = self.plain(&at)?;
                continue;
            }
            let below = at.join(&part);
            let next = self.step(found, &below)?;
            let (mount, node) = next;
            if mount.fs.stat(node).ok()?.kind != FileKind::Symlink {
                (at, found) = (below, next);
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
            let target = mount.fs.read_link(node).ok()?;
            if target.first() == Some(&b'/') {
                at = MachinePath::root();
                found = self.mounted(&at)?;
            }
            let parts = target.split(|byte| *byte == b'/').rev();
            let parts = parts.filter(|part| !part.is_empty() && *part != b".");
            todo.extend(parts.map(<[u8]>::to_vec));
        }
        Some(found)
    }

    fn mounted(&self, at: &MachinePath) -> Option<(&Mount, NodeId)> {
        let mount = self.0.iter().find(|mount| mount.point == *at)?;
        Some((mount, mount.root))
    }

    /// One name further down: what is mounted there, else what is in the directory.
    fn step<'a>(
        &'a self,
        (mount, node): (&'a Mount, NodeId),
        below: &MachinePath,
    ) -> Option<(&'a Mount, NodeId)> {
        if let Some(mounted) = self.mounted(below) {
            return Some(mounted);
        }
        let name = std::str::from_utf8(below.file_name()).ok()?;
        Some((mount, names::find(mount.fs.as_ref(), node, name)?))
    }

    /// A path that is known to hold no link.
    fn plain(&self, path: &MachinePath) -> Option<(&Mount, NodeId)> {
        let mut at = MachinePath::root();
        let mut found = self.mounted(&at)?;
        for part in path.components() {
            at = at.join(part);
            found = self.step(found, &at)?;
        }
        Some(found)
    }

    /// A small text file; nothing where there is none.
    pub(super) fn text(&self, path: &str, limit: u64) -> Option<String> {
        let (mount, node) = self.find(path)?;
        names::text_of(mount.fs.as_ref(), node, usize::try_from(limit).ok()?)
    }

    /// The names in a directory, sorted.
    pub(super) fn names(&self, path: &str) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        if let Some((mount, node)) = self.find(path) {
            // What can be read before any damage is enough for a name.
            let _ = mount.fs.read_dir(node, &mut |entry| {
                names.push(entry.name);
                if names.len() < MOST_NAMES {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
        }
        names.sort();
        names
    }
}
