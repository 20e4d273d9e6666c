//! From detectors' interests and wants to a sorted list of files, each with everybody who is to be shown it: by table,
//! never by asking each detector about each file.

use super::{Purpose, Registry};
use crate::path::MachinePath;
use crate::walk::{Entry, Tree, glob};
use std::collections::{BTreeMap, HashMap};

/// One look at a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Look {
    /// The name by which it was asked for.
    pub named: MachinePath,
    /// The detector's place in the registry.
    pub detector: usize,
    pub purpose: Purpose,
}

/// A file to read once, and every look at it. The key is the file itself, all links followed.
pub(super) type Work = BTreeMap<MachinePath, Vec<Look>>;

/// What every detector's interest names in the tree.
pub(super) fn by_interest(tree: &Tree, registry: &Registry) -> Work {
    let mut work = Work::new();
    let mut add = |detector: usize, named: &MachinePath| {
        if let Some(file) = tree.get(named).filter(|entry| entry.is_file()) {
            work.entry(file.path.clone()).or_default().push(Look {
                named: named.clone(),
                detector,
                purpose: Purpose::default(),
            });
        }
    };
    let mut names: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (at, registered) in registry.iter().enumerate() {
        for path in &registered.interest.paths {
            add(at, &MachinePath::new(path));
        }
        for pattern in &registered.interest.globs {
            for found in tree.find(pattern) {
                add(at, &found.named);
            }
        }
        for name in &registered.interest.names {
            names.entry(name.as_bytes()).or_default().push(at);
        }
    }
    if !names.is_empty() {
        for entry in tree.entries().iter().filter(|entry| entry.is_file()) {
            for at in names.get(entry.path.file_name()).into_iter().flatten() {
                add(*at, &entry.path);
            }
        }
    }
    for looks in work.values_mut() {
        once_each(tree, looks);
    }
    work
}

/// Of several names by which one detector's patterns mean one place (`/lib` and `/usr/lib` on a merged `/usr`) a single
/// one stays: the canonical where it is among them, else the first.
fn once_each(tree: &Tree, looks: &mut Vec<Look>) {
    let mut places: Vec<(usize, MachinePath, bool, Look)> = looks
        .drain(..)
        .map(|look| {
            let place = tree.canonical(&look.named);
            (look.detector, place.clone(), place != look.named, look)
        })
        .collect();
    places.sort();
    places.dedup_by(|later, first| (later.0, &later.1) == (first.0, &first.1));
    looks.extend(places.into_iter().map(|(_, _, _, look)| look));
}

/// Files that a pattern names, by the names it means them by: a plain path is itself, so that evidence shows the name an
/// administrator gave.
pub fn by_pattern(tree: &Tree, pattern: &str) -> Vec<MachinePath> {
    let is_file = |path: &MachinePath| tree.get(path).is_some_and(Entry::is_file);
    if glob::is_pattern(pattern) {
        let found = tree.find(pattern).into_iter().map(|found| found.named);
        return found.filter(is_file).collect();
    }
    let path = MachinePath::new(pattern);
    Some(path).filter(is_file).into_iter().collect()
}

/// How many names a pattern may be compared with: all below what it begins with; none for what is no pattern.
pub fn compared(tree: &Tree, pattern: &str) -> usize {
    if !glob::is_pattern(pattern) {
        return 0;
    }
    let literal = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    let (directory, _) = literal.rsplit_once('/').unwrap_or_default();
    let prefix = format!("{directory}/");
    let entries = tree.entries();
    let from = entries.partition_point(|entry| entry.path.as_bytes() < prefix.as_bytes());
    let rest = entries.get(from..).unwrap_or_default();
    rest.partition_point(|entry| entry.path.as_bytes().starts_with(prefix.as_bytes())) + 1
}
