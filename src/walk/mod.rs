//! The tree: what one metadata pass over the root saw, as plain data.
//!
//! Links resolve here, against the entries, and nowhere else, so that an absolute or `..` link resolves inside the
//! machine whatever the source is. Nothing in this room reads a file's content.

pub mod glob;

use crate::disk::{FileKind, NodeId};
use crate::path::MachinePath;

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
}

impl Tree {
    /// Sorts what the walk handed over; of two entries with one path (a mount over a directory) the later stands.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.reverse();
        entries.dedup_by(|a, b| a.path == b.path);
        entries.reverse();
        Self { entries }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry at exactly this path; a link is not followed.
    pub fn entry(&self, path: &MachinePath) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.path.cmp(path))
            .ok()?;
        self.entries.get(at)
    }

    /// The entry a path leads to, all links followed inside the machine.
    pub fn get(&self, path: &MachinePath) -> Option<&Entry> {
        self.entry(&self.resolve(path)?)
    }

    pub fn exists(&self, path: &MachinePath) -> bool {
        self.get(path).is_some()
    }

    /// The path with every link on the way followed inside the machine; `None` where it leads nowhere.
    pub fn resolve(&self, path: &MachinePath) -> Option<MachinePath> {
        let mut todo: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
        let mut done = MachinePath::root();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == b".." {
                done = done.parent().unwrap_or_else(MachinePath::root);
                continue;
            }
            let next = done.join(&part);
            match self.entry(&next) {
                Some(Entry {
                    kind: FileKind::Symlink,
                    target: Some(target),
                    ..
                }) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return None;
                    }
                    if target.first() == Some(&b'/') {
                        done = MachinePath::root();
                    }
                    let parts = target.split(|b| *b == b'/').rev();
                    todo.extend(
                        parts
                            .filter(|p| !p.is_empty() && *p != b".")
                            .map(<[u8]>::to_vec),
                    );
                }
                Some(_) => done = next,
                None => return None,
            }
        }
        Some(done)
    }

    /// The path with links in its directories followed, the last component as it is: the name a package database and a
    /// merged `/usr` agree on.
    pub fn canonical(&self, path: &MachinePath) -> MachinePath {
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

    /// Entries a shell pattern names: `*` and `?` and `[…]` within a component, `**` over components. A pattern's leading
    /// literal directories may be links; the paths returned are the resolved ones, sorted.
    pub fn glob(&self, pattern: &str) -> Vec<&Entry> {
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
        let literal = parts
            .iter()
            .take_while(|part| !glob::is_pattern(part))
            .count();
        let (head, tail) = parts.split_at_checked(literal).unwrap_or_default();
        let Some(base) = self.resolve(&MachinePath::new(head.join("/"))) else {
            return Vec::new();
        };
        if tail.is_empty() {
            return self.entry(&base).into_iter().collect();
        }
        let mut found = Vec::new();
        self.glob_in(&base, tail, 0, &mut found);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        found
    }

    fn glob_in<'a>(
        &'a self,
        dir: &MachinePath,
        parts: &[&str],
        depth: usize,
        found: &mut Vec<&'a Entry>,
    ) {
        let Some((part, rest)) = parts.split_first() else {
            return;
        };
        if depth > 64 {
            return;
        }
        if *part == "**" {
            let pattern = rest.join("/");
            for entry in self.below(dir) {
                let skip = dir.components().count();
                let tail: Vec<String> = entry
                    .path
                    .components()
                    .skip(skip)
                    .map(|name| String::from_utf8_lossy(name).into_owned())
                    .collect();
                if glob::matches_path(&format!("**/{pattern}"), &tail.join("/")) {
                    found.push(entry);
                }
            }
            return;
        }
        for entry in self.children(dir) {
            if !glob::matches(part, &entry.path.name()) {
                continue;
            }
            if rest.is_empty() {
                found.push(entry);
            } else if let Some(next) = self.resolve(&entry.path) {
                self.glob_in(&next, rest, depth + 1, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree from paths; `a -> b` is a link, a trailing slash a directory.
    fn tree(lines: &[&str]) -> Tree {
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
                path: MachinePath::new(path),
                kind,
                mode: 0o755,
                uid: 0,
                gid: 0,
                size: 0,
                mtime: 0,
                target: target.map(|t| t.as_bytes().into()),
                volume: 0,
                node: NodeId {
                    subvolume: 0,
                    inode: 0,
                },
            }
        });
        Tree::new(entries.collect())
    }

    fn names(found: &[&Entry]) -> Vec<String> {
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

    #[test]
    fn patterns_follow_linked_directories() {
        let tree = tree(&[
            "/",
            "/etc/",
            "/etc/on/",
            "/etc/on/site -> ../all/site",
            "/etc/all/",
            "/etc/all/site",
            "/srv/",
            "/srv/x/",
            "/srv/x/v.conf",
            "/srv/x/deep/",
            "/srv/x/deep/v.conf",
            "/link -> srv",
        ]);
        assert_eq!(names(&tree.glob("/etc/on/*")), ["/etc/on/site"]);
        assert_eq!(names(&tree.glob("/link/*/v.conf")), ["/srv/x/v.conf"]);
        assert_eq!(
            names(&tree.glob("/srv/**/v.conf")),
            ["/srv/x/deep/v.conf", "/srv/x/v.conf"]
        );
        assert_eq!(names(&tree.glob("/etc/all/site")), ["/etc/all/site"]);
    }
}
