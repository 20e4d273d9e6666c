//! One mounted file system's names, from its root down.
//!
//! A file system is an attacker's bytes: directories may contain themselves, and every one of them may be damaged. What
//! can be read is kept, what cannot is said.

use super::Mount;
use crate::disk::{FileKind, NodeId};
use crate::fact::Unexamined;
use crate::path::MachinePath;
use crate::source::budget::Budget;
use crate::source::unexamined;
use crate::walk::Entry;
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

/// Directories below one another; deeper ones are damage or an attack.
const MOST_DEPTH: usize = 512;

/// What is said of a mount that is not walked to its end.
const AGAIN: &str = "mounted here once more, after more than 200,000 names were walked a second time; the rest was not walked";

/// Names that are walked again because one directory is mounted in several places. A chroot or two has a few thousand; a
/// line of fstab costs an attacker nothing.
const MOST_AGAIN: usize = 200_000;

/// Directories that were walked, by the first mount of their file system.
pub(super) struct Walked {
    directories: HashSet<(usize, NodeId)>,
    left: usize,
}

impl Walked {
    pub(super) fn new() -> Self {
        Self {
            directories: HashSet::new(),
            left: MOST_AGAIN,
        }
    }
}

pub(super) struct Walk<'a> {
    pub mount: &'a Mount,
    /// The mount's place among all.
    pub number: u32,
    /// Mount points of the others: what lies under them here is hidden.
    pub hidden: HashSet<MachinePath>,
    /// Directories that are named and not walked, each with what is to be said of it.
    pub left_out: BTreeMap<NodeId, Option<&'static str>>,
    pub budget: &'a mut Budget,
    /// Of which file system this is, as the place of its first mount, and what of all was walked.
    pub file_system: usize,
    pub walked: &'a mut Walked,
    pub entries: &'a mut Vec<Entry>,
    pub problems: &'a mut Vec<Unexamined>,
}

impl Walk<'_> {
    pub(super) fn run(&mut self) {
        let mut seen: HashSet<NodeId> = HashSet::new();
        let (point, root) = (self.mount.point.clone(), self.mount.root);
        self.entry(&point, root);
        let mut stack = vec![(point, root, 0usize)];
        while let Some((path, node, depth)) = stack.pop() {
            if !seen.insert(node) {
                self.problem(&path, "a directory with a second name, which cannot be");
                continue;
            }
            if depth > MOST_DEPTH {
                self.problem(&path, "deeper than any machine's directories; not walked");
                continue;
            }
            let is_again = !self.walked.directories.insert((self.file_system, node));
            for (name, node) in self.names(&path, node) {
                let below = path.join(&name);
                if is_again {
                    let Some(left) = self.walked.left.checked_sub(1) else {
                        self.problem(&path, AGAIN);
                        return;
                    };
                    self.walked.left = left;
                }
                if self.hidden.contains(&below) {
                    continue;
                }
                if self.budget.left() == 0 {
                    self.problem(&path, Budget::SPENT);
                    return;
                }
                if self.entry(&below, node) != Some(FileKind::Directory) {
                    continue;
                }
                match self.left_out.get(&node) {
                    None => stack.push((below, node, depth + 1)),
                    Some(None) => {}
                    Some(Some(reason)) => self.problem(&below, *reason),
                }
            }
        }
    }

    /// The names in a directory, those before the damage where there is some.
    fn names(&mut self, path: &MachinePath, node: NodeId) -> Vec<(Vec<u8>, NodeId)> {
        let mut names = Vec::new();
        let most = self.budget.left();
        let read = self.mount.fs.read_dir(node, &mut |entry| {
            names.push((entry.name, entry.node));
            // One more than fits, so that the end of the budget shows.
            if names.len() > most {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if let Err(error) = read {
            self.problem(path, error.to_string());
        }
        names
    }

    fn entry(&mut self, path: &MachinePath, node: NodeId) -> Option<FileKind> {
        let fs = &self.mount.fs;
        let stat = match fs.stat(node) {
            Ok(stat) => stat,
            Err(error) => {
                self.problem(path, error.to_string());
                return None;
            }
        };
        let target = match stat.kind {
            FileKind::Symlink => match fs.read_link(node) {
                Ok(target) => Some(target.into_boxed_slice()),
                Err(error) => {
                    self.problem(path, error.to_string());
                    return None;
                }
            },
            _ => None,
        };
        if !self.budget.take(path) {
            self.problem(path, Budget::SPENT);
            return None;
        }
        self.entries.push(Entry {
            path: path.clone(),
            kind: stat.kind,
            mode: stat.mode,
            uid: stat.uid,
            gid: stat.gid,
            size: stat.size,
            mtime: stat.mtime.0,
            target,
            volume: self.number,
            node,
        });
        Some(stat.kind)
    }

    fn problem(&mut self, path: &MachinePath, reason: impl Into<String>) {
        self.problems.push(unexamined(path, reason));
    }
}
