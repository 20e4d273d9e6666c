//! A part of a mounted tree: a few directories by their names, with what links on the way lead to. For questions about one
//! program on a machine of a million files.

use super::budget::Budget;
use super::directory::Directory;
use crate::disk::FileKind;
use crate::path::MachinePath;
use crate::walk::{Entry, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// Links that one path may lead through, as the kernel's own limit (path_resolution(7)).
const LINKS: u8 = 40;

/// What was looked at so far.
pub struct Part<'a> {
    directory: &'a Directory,
    found: BTreeMap<MachinePath, Entry>,
    /// Names that are not there.
    absent: BTreeSet<MachinePath>,
    /// Directories whose names were taken in, each with the directories in it.
    listed: BTreeMap<MachinePath, Vec<MachinePath>>,
    /// Those taken in with all below them, and how many names that brought.
    descended: BTreeSet<MachinePath>,
    below: usize,
    budget: Budget,
}

/// How deep plug-ins lie below their directory.
const DEPTH: u8 = 6;

/// Names below such directories; more is no directory of plug-ins.
const BELOW: usize = 50_000;

impl<'a> Part<'a> {
    pub(super) fn new(directory: &'a Directory) -> Self {
        let mut part = Self {
            directory,
            found: BTreeMap::new(),
            absent: BTreeSet::new(),
            listed: BTreeMap::new(),
            descended: BTreeSet::new(),
            below: 0,
            budget: Budget::new(),
        };
        part.look(&MachinePath::root());
        part
    }

    /// Looks into directories, and into others with everything below them; whether there was a name not seen before.
    pub fn look_into<'p>(
        &mut self,
        directories: impl IntoIterator<Item = &'p MachinePath>,
        below: impl IntoIterator<Item = &'p MachinePath>,
    ) -> bool {
        let known = self.found.len();
        for path in directories {
            if let Some(real) = self.reach(path, LINKS) {
                self.list(&real);
            }
        }
        for path in below {
            if let Some(real) = self.reach(path, LINKS) {
                self.descend(&real, DEPTH);
            }
        }
        self.found.len() > known
    }

    /// The entries of the directories, those above them, and what links among them lead to.
    pub fn tree(&self) -> Tree {
        Tree::new(self.found.values().cloned().collect())
    }

    /// Takes in every name on the way to a path; where it leads, if anywhere.
    fn reach(&mut self, path: &MachinePath, links: u8) -> Option<MachinePath> {
        let mut at = MachinePath::root();
        let mut components = path.components();
        while let Some(name) = components.next() {
            let next = at.join(name);
            let entry = self.look(&next)?;
            if entry.kind == FileKind::Symlink {
                let target = entry.target.clone()?;
                let mut rest = at.join(&target);
                for name in components {
                    rest = rest.join(name);
                }
                return self.reach(&rest, links.checked_sub(1)?);
            }
            at = next;
        }
        Some(at)
    }

    fn look(&mut self, path: &MachinePath) -> Option<&Entry> {
        if self.absent.contains(path) {
            return None;
        }
        if !self.found.contains_key(path) {
            let entry = self
                .directory
                .look(path)
                .ok()
                .filter(|_| self.budget.take(path));
            let Some(entry) = entry else {
                self.absent.insert(path.clone());
                return None;
            };
            self.found.insert(path.clone(), entry);
        }
        self.found.get(path)
    }

    fn descend(&mut self, directory: &MachinePath, depth: u8) {
        let Some(deeper) = depth.checked_sub(1) else {
            return;
        };
        if self.below > BELOW || !self.descended.insert(directory.clone()) {
            return;
        }
        let known = self.found.len();
        let directories = self.list(directory);
        self.below += self.found.len() - known;
        for directory in directories {
            self.descend(&directory, deeper);
        }
    }

    /// Takes in the names in a directory; which of them are directories.
    fn list(&mut self, directory: &MachinePath) -> Vec<MachinePath> {
        if let Some(directories) = self.listed.get(directory) {
            return directories.clone();
        }
        let mut directories = Vec::new();
        for name in self.directory.names(directory) {
            let path = directory.join(&name);
            match self.look(&path).map(|entry| entry.kind) {
                Some(FileKind::Symlink) => {
                    self.reach(&path, LINKS);
                }
                Some(FileKind::Directory) => directories.push(path),
                _ => {}
            }
        }
        self.listed.insert(directory.clone(), directories.clone());
        directories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_listed_directory_is_found() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["opt/vm/lib/server", "etc", "usr/bin", "bin"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        std::fs::write(root.path().join("etc/os-release"), "ID=debian").unwrap();
        std::fs::write(root.path().join("opt/vm/lib/server/libvm.so"), "").unwrap();
        let directory = Directory::open(root.path(), &[]).unwrap();
        let lib = [MachinePath::new("/opt/vm/lib")];
        let deep = MachinePath::new("/opt/vm/lib/server/libvm.so");
        let mut part = Part::new(&directory);
        assert!(part.look_into(&lib, []) && !part.tree().exists(&deep));
        assert!(part.look_into([], &lib) && part.tree().exists(&deep));
        assert!(!part.look_into(&lib, &lib));
    }
}
