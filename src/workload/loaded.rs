//! Libraries that no package brought and that a workload's programs cannot start without: an administrator or a vendor put
//! them where the loader looks, and told it where that is.

use super::{Configuration, Workload, claims};
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::program::libraries::Loader;
use std::collections::BTreeSet;

/// Files of one workload's programs that are looked at.
const MOST: usize = 10_000;

/// Adds them to what the workload carries, with the loader's configuration that names their directories. On a machine
/// whose packages are not known every library would be one.
pub(super) fn take(workload: &mut Workload, facts: &Facts) {
    if facts.packages.is_empty() {
        return;
    }
    let loader = Loader::new(facts);
    let mut found = BTreeSet::new();
    for library in unowned(workload, facts, &loader) {
        let directory = library.parent().unwrap_or_else(MachinePath::root);
        let files = loader.listing(&directory).into_iter();
        let files = files.filter(|path| facts.owner(path).is_none());
        workload
            .configuration
            .extend(files.map(|path| Configuration {
                state: facts.state(&path),
                path,
            }));
        match claims::topmost(facts, &library) {
            Some(top) if top != library => found.extend([top]),
            _ => found.extend(names(&library, &directory, facts)),
        }
    }
    let etc = MachinePath::new("/etc");
    let is_known = |path: &MachinePath| {
        let data = workload.data.iter().map(|data| &data.path);
        path.is_within(&etc)
            || workload
                .claims
                .iter()
                .chain(data)
                .any(|known| path.is_within(known))
    };
    found.retain(|path| !is_known(path));
    workload.claims.extend(found);
    workload.claims = claims::outermost(std::mem::take(&mut workload.claims));
    workload.configuration.sort();
    workload.configuration.dedup();
}

/// All libraries behind its programs that are nobody's.
fn unowned(workload: &Workload, facts: &Facts, loader: &Loader<'_>) -> BTreeSet<MachinePath> {
    let claimed = workload.claims.iter();
    let claimed = claimed.flat_map(|claim| claims::files(facts, claim));
    let claimed = claimed.map(|entry| &entry.path);
    let own = workload.executables.iter().chain(claimed);
    let mut work: Vec<MachinePath> = own
        .filter(|path| facts.elfs.contains_key(*path))
        .cloned()
        .collect();
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    while let Some(path) = work.pop() {
        let Some(elf) = facts.elfs.get(&path).filter(|_| seen.len() < MOST) else {
            continue;
        };
        if !seen.insert(path) {
            continue;
        }
        for library in loader.needed(elf) {
            if facts.owner(&library).is_none() {
                found.insert(library.clone());
            }
            work.push(library);
        }
    }
    found
}

/// A library with the links beside it that lead to it: the loader asks for it by one of those.
fn names(library: &MachinePath, directory: &MachinePath, facts: &Facts) -> Vec<MachinePath> {
    let beside = facts.tree.children(directory).into_iter();
    let links = beside.filter(|entry| entry.target.is_some());
    let links = links.map(|entry| entry.path.clone());
    let links = links.filter(|path| facts.tree.resolve(path).as_ref() == Some(library));
    links.chain([library.clone()]).collect()
}
