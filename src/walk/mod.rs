//! The tree: what one metadata pass over the root saw, as plain data.
//!
//! Links resolve here, against the entries, and nowhere else, so that an absolute or `..` link resolves inside the
//! machine whatever the source is. Nothing in this room reads a file's content.

mod find;
pub mod glob;

use crate::disk::{FileKind, NodeId};
use crate::path::MachinePath;
use std::collections::HashMap;

pub use find::{Found, literal};

/// One name in the machine's tree.
#[derive(Debug, Clone)]
pub struct Entry {
    pub path: MachinePath,
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: i64,
    /// A symbolic link's target as stored.
    pub target: Option<Box<[u8]>>,
    /// Where the source finds the content again: index of the volume or archive, and node.
    pub volume: u32,
    pub node: NodeId,
}

impl Entry {
    /// A file that stands for any other, where a test needs one.
    #[cfg(test)]
    pub(crate) fn file(path: &MachinePath, mode: u32) -> Self {
        Self {
            path: path.clone(),
            kind: FileKind::File,
            mode,
            uid: 0,
            gid: 0,
            size: 0,
            mtime: 0,
            target: None,
            volume: 0,
            node: NodeId {
                subvolume: 0,
                inode: 0,
            },
        }
    }

    /// A link that the machine does not have.
    pub(crate) fn link(path: &MachinePath, target: &MachinePath) -> Self {
        Self {
            path: path.clone(),
            kind: FileKind::Symlink,
            mode: 0o777,
            uid: 0,
            gid: 0,
            size: 0,
            mtime: 0,
            target: Some(target.as_bytes().into()),
            volume: 0,
            node: NodeId {
                subvolume: 0,
                inode: 0,
            },
        }
    }

    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// A regular file that somebody may execute.
    pub fn is_executable(&self) -> bool {
        self.is_file() && self.mode & 0o111 != 0
    }
}

/// A machine's links may form loops; Linux gives up after forty, and so does [`Tree::resolve`].
const MAX_LINKS: usize = 40;

/// All entries, sorted by path, and the questions asked of them.
#[derive(Debug, Default)]
pub struct Tree {
    entries: Vec<Entry>,
    /// Where each path stands. Most questions are for one path, and a search through the sorted list touches a dozen.
    places: HashMap<MachinePath, usize>,
}

impl Tree {
    /// Sorts what the walk handed over; of two entries with one path (a mount over a directory) the later stands.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.reverse();
        entries.dedup_by(|a, b| a.path == b.path);
        entries.reverse();
        let places = entries.iter().enumerate();
        let places = places.map(|(at, entry)| (entry.path.clone(), at)).collect();
        Self { entries, places }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry at exactly this path; a link is not followed.
    pub fn entry(&self, path: &MachinePath) -> Option<&Entry> {
        self.at(path.as_bytes())
    }

    fn at(&self, path: &[u8]) -> Option<&Entry> {
        self.entries.get(*self.places.get(path)?)
    }

    /// The entry a path leads to, all links followed inside the machine.
    pub fn get(&self, path: &MachinePath) -> Option<&Entry> {
        match self.entry(path) {
            Some(entry) if entry.kind != FileKind::Symlink => Some(entry),
            _ => self.entry(&self.resolve(path)?),
        }
    }

    pub fn exists(&self, path: &MachinePath) -> bool {
        self.get(path).is_some()
    }

    /// The path with every link on the way followed inside the machine; `None` where it leads nowhere.
    pub fn resolve(&self, path: &MachinePath) -> Option<MachinePath> {
        // No walk goes through a link, so what it saw under a name has no link in that name.
        if self
            .entry(path)
            .is_some_and(|entry| entry.kind != FileKind::Symlink)
        {
            return Some(path.clone());
        }
        let mut todo: Vec<&[u8]> = path.components().rev().collect();
        let mut done: Vec<u8> = Vec::with_capacity(path.as_bytes().len());
        let mut links = 0;
        while let Some(part) = todo.pop() {
            let above = done.len();
            if part == b".." {
                let parent = done.iter().rposition(|b| *b == b'/').unwrap_or_default();
                done.truncate(parent);
                continue;
            }
            done.push(b'/');
            done.extend_from_slice(part);
            let entry = self.at(&done)?;
            let Some(target) = entry
                .target
                .as_deref()
                .filter(|_| entry.kind == FileKind::Symlink)
            else {
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                return None;
            }
            done.truncate(if target.first() == Some(&b'/') {
                0
            } else {
                above
            });
            let parts = target.split(|b| *b == b'/').rev();
            todo.extend(parts.filter(|part| !part.is_empty() && *part != b"."));
        }
        Some(MachinePath::new(done))
    }

    /// The path with links in its directories followed, the last component as it is: the name a package database and a
    /// merged `/usr` agree on.
    pub fn canonical(&self, path: &MachinePath) -> MachinePath {
        if self.entry(path).is_some() {
            return path.clone();
        }
        let parent = path.parent().and_then(|dir| self.resolve(&dir));
        parent.map_or_else(|| path.clone(), |dir| dir.join(path.file_name()))
    }

    /// Everything below a directory, the directory itself left out, sorted by path.
    pub fn below(&self, dir: &MachinePath) -> impl Iterator<Item = &Entry> + use<'_> {
        // Siblings such as `/a-b` sort between `/a` and `/a/x`, hence the filter on one contiguous range of the prefix.
        let from = self.entries.partition_point(|entry| entry.path <= *dir);
        let rest = self.entries.get(from..).unwrap_or_default();
        let (first, second) = (dir.clone(), dir.clone());
        rest.iter()
            .take_while(move |entry| entry.path.as_bytes().starts_with(first.as_bytes()))
            .filter(move |entry| entry.path.is_within(&second))
    }

    /// The names directly in a directory (links in the directory's own path followed), sorted.
    pub fn children(&self, dir: &MachinePath) -> Vec<&Entry> {
        let Some(dir) = self.resolve(dir) else {
            return Vec::new();
        };
        let prefix = if dir.as_bytes() == b"/" {
            1
        } else {
            dir.as_bytes().len() + 1
        };
        let mut found = Vec::new();
        let mut at = self.entries.partition_point(|entry| entry.path <= dir);
        while let Some(entry) = self.entries.get(at) {
            if !entry.path.as_bytes().starts_with(dir.as_bytes()) {
                break;
            }
            at += 1;
            if !entry.path.is_within(&dir) {
                continue;
            }
            let name = entry.path.as_bytes().get(prefix..).unwrap_or_default();
            if name.contains(&b'/') {
                // Only a child's own descendants may stand between it and the next child, but for siblings such as
                // `/a/b-c` between `/a/b` and `/a/b/x`: go on from the first entry past this child's subtree.
                let child = name.split(|b| *b == b'/').next().unwrap_or_default();
                let mut past = dir.join(child).as_bytes().to_vec();
                past.push(b'/' + 1);
                at = self
                    .entries
                    .partition_point(|entry| entry.path.as_bytes() < &*past)
                    .max(at);
            } else {
                found.push(entry);
            }
        }
        found
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A tree from paths; `a -> b` is a link, a trailing slash a directory.
    pub(super) fn tree(lines: &[&str]) -> Tree {
        let entries = lines.iter().map(|line| {
            let (path, target) = line
                .split_once(" -> ")
                .map_or((*line, None), |(p, t)| (p, Some(t)));
            let kind = match target {
                Some(_) => FileKind::Symlink,
                None if line.ends_with('/') => FileKind::Directory,
                None => FileKind::File,
            };
            Entry {
                kind,
                target: target.map(|t| t.as_bytes().into()),
                ..Entry::file(&MachinePath::new(path), 0o755)
            }
        });
        Tree::new(entries.collect())
    }

    pub(super) fn names(found: &[&Entry]) -> Vec<String> {
        found.iter().map(|entry| entry.path.to_string()).collect()
    }

    #[test]
    fn links_resolve_inside_the_machine() {
        let tree = tree(&[
            "/",
            "/bin -> usr/bin",
            "/usr/",
            "/usr/bin/",
            "/usr/bin/sh -> /bin/dash",
            "/usr/bin/dash",
            "/out -> ../../../usr",
            "/loop -> loop",
            "/gone -> /none",
        ]);
        assert_eq!(
            tree.resolve(&"/bin/sh".into()),
            Some("/usr/bin/dash".into())
        );
        assert_eq!(tree.resolve(&"/out/bin".into()), Some("/usr/bin".into()));
        assert_eq!(tree.resolve(&"/loop".into()), None);
        assert_eq!(tree.resolve(&"/gone".into()), None);
        assert_eq!(tree.canonical(&"/bin/sh".into()), "/usr/bin/sh".into());
    }

    #[test]
    fn children_skip_what_lies_deeper() {
        let tree = tree(&[
            "/", "/a/", "/a/b/", "/a/b-c", "/a/b/x", "/a/b/y/", "/a/b/y/z", "/a/d", "/ab",
        ]);
        assert_eq!(
            names(&tree.children(&"/a".into())),
            ["/a/b", "/a/b-c", "/a/d"]
        );
        assert_eq!(names(&tree.children(&"/".into())), ["/a", "/ab"]);
        assert_eq!(tree.below(&"/a/b".into()).count(), 3);
    }
}
