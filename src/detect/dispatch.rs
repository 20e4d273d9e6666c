//! From a tree and the detectors' interests to a sorted list of (file, detectors), by table rather than by asking each
//! detector about each file.

use super::{Detector, Interest, Purpose};
use crate::path::MachinePath;
use crate::walk::{Tree, glob};
use std::collections::{BTreeMap, HashMap};

/// Largest file read for a detector that names no limit of its own, in bytes.
pub const DEFAULT_LIMIT: u64 = 4 << 20;

/// One file to read, and who is to be shown it, why.
#[derive(Debug)]
pub struct Work {
    /// The name it was asked for under.
    pub path: MachinePath,
    /// Index of the detector, and its purpose.
    pub shown: Vec<(usize, Purpose)>,
}

/// What every detector's interest names in the tree, sorted by path.
pub fn by_interest(tree: &Tree, detectors: &[Box<dyn Detector>]) -> Vec<Work> {
    let mut work: BTreeMap<MachinePath, Vec<usize>> = BTreeMap::new();
    let mut names: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, detector) in detectors.iter().enumerate() {
        let Interest {
            paths,
            names: wanted,
            globs,
            ..
        } = detector.interest();
        for path in &paths {
            let path = MachinePath::new(path);
            if tree.get(&path).is_some_and(crate::walk::Entry::is_file) {
                work.entry(path).or_default().push(index);
            }
        }
        for pattern in &globs {
            // A pattern's literal directories make this a look-up in a small part of the tree, but for `/**/…`.
            for entry in tree.glob(pattern) {
                if tree
                    .get(&entry.path)
                    .is_some_and(crate::walk::Entry::is_file)
                {
                    work.entry(entry.path.clone()).or_default().push(index);
                }
            }
        }
        for name in wanted {
            names.entry(name).or_default().push(index);
        }
    }
    if !names.is_empty() {
        for entry in tree.entries().iter().filter(|entry| entry.is_file()) {
            if let Some(found) = names.get(entry.path.name().as_ref()) {
                work.entry(entry.path.clone()).or_default().extend(found);
            }
        }
    }
    work.into_iter()
        .map(|(path, mut shown)| {
            shown.sort_unstable();
            shown.dedup();
            Work {
                path,
                shown: shown
                    .into_iter()
                    .map(|index| (index, Purpose::default()))
                    .collect(),
            }
        })
        .collect()
}

/// Files that a want's pattern names. The pattern's own name is kept where it is a plain path, so that evidence names the
/// link an administrator sees.
pub fn by_pattern(tree: &Tree, pattern: &str) -> Vec<MachinePath> {
    if glob::is_pattern(pattern) {
        let found = tree
            .glob(pattern)
            .into_iter()
            .map(|entry| entry.path.clone());
        return found
            .filter(|path| tree.get(path).is_some_and(crate::walk::Entry::is_file))
            .collect();
    }
    let path = MachinePath::new(pattern);
    let is_file = tree.get(&path).is_some_and(crate::walk::Entry::is_file);
    is_file.then_some(path).into_iter().collect()
}
