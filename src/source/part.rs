//! A part of a mounted tree: a few directories by their names, with what links on the way lead to. For questions about one
//! program on a machine of a million files.

use super::budget::Budget;
use super::directory::Directory;
use crate::disk::FileKind;
use crate::path::MachinePath;
use crate::walk::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Links that one path may lead through, as the kernel's own limit (path_resolution(7)).
const LINKS: u8 = 40;

struct Part<'a> {
    directory: &'a Directory,
    found: BTreeMap<MachinePath, Entry>,
    /// Names that are not there.
    absent: BTreeSet<MachinePath>,
    listed: BTreeSet<MachinePath>,
    /// Whether listed before or not, those taken in with all below them.
    descended: BTreeSet<MachinePath>,
    budget: Budget,
}

/// How deep plug-ins lie below their directory.
const DEPTH: u8 = 6;

/// Names below such directories; more is no directory of plug-ins.
const BELOW: usize = 50_000;

/// The entries of these directories, of everything below others, of those above them, and of what links among them lead to.
pub(super) fn entries(
    directory: &Directory,
    directories: &[MachinePath],
    below: &[MachinePath],
) -> Vec<Entry> {
    let mut part = Part {
        directory,
        found: BTreeMap::new(),
        absent: BTreeSet::new(),
        listed: BTreeSet::new(),
        descended: BTreeSet::new(),
        budget: Budget::new(),
    };
    part.look(&MachinePath::root());
    for path in directories {
        if let Some(real) = part.reach(path, LINKS) {
            part.list(&real);
        }
    }
    let most = part.found.len().saturating_add(BELOW);
    for path in below {
        if let Some(real) = part.reach(path, LINKS) {
            part.descend(&real, DEPTH, most);
        }
    }
    part.found.into_values().collect()
}

impl Part<'_> {
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

    fn descend(&mut self, directory: &MachinePath, depth: u8, most: usize) {
        let Some(deeper) = depth.checked_sub(1) else {
            return;
        };
        if self.found.len() > most || !self.descended.insert(directory.clone()) {
            return;
        }
        self.list(directory);
        for name in self.directory.names(directory) {
            let path = directory.join(&name);
            if self.look(&path).is_some_and(Entry::is_dir) {
                self.descend(&path, deeper, most);
            }
        }
    }

    fn list(&mut self, directory: &MachinePath) {
        if !self.listed.insert(directory.clone()) {
            return;
        }
        for name in self.directory.names(directory) {
            let path = directory.join(&name);
            let link = self
                .look(&path)
                .is_some_and(|entry| entry.kind == FileKind::Symlink);
            if link {
                self.reach(&path, LINKS);
            }
        }
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
        let directory = Directory::open(root.path()).unwrap();
        let lib = [MachinePath::new("/opt/vm/lib")];
        let names = |below: &[MachinePath]| {
            let entries = entries(&directory, &lib, below).into_iter();
            let names = entries.map(|entry| entry.path.text().into_owned());
            names.collect::<Vec<_>>()
        };
        let deep = "/opt/vm/lib/server/libvm.so".to_owned();
        assert!(!names(&[]).contains(&deep));
        assert!(names(&lib).contains(&deep));
    }
}
