//! Configuration as the machine has it: what was changed, what was added, and what was taken away.
//!
//! A package's scripts fill directories of links (`*-enabled`, `mods-enabled`, `conf.d`) on every new installation. Where
//! packages own the directory and nothing in it, the machine's state is the whole truth: the image's is emptied first.

use super::PlannedRemoval;
use super::file::Carrier;
use super::place::Place;
use crate::detect::native::package;
use crate::disk::FileKind;
use crate::distribution::origin::Origin;
use crate::fact::FileState;
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::workload::Workload;
use std::collections::{BTreeMap, BTreeSet};

/// Carries a workload's configuration and returns what the image has to lose.
pub(super) fn carry(
    workload: &Workload,
    place: &Place<'_>,
    carrier: &mut Carrier<'_, '_>,
) -> Vec<PlannedRemoval> {
    let variables = workload
        .services
        .iter()
        .flat_map(|service| &service.environment.files);
    let variables: BTreeSet<&MachinePath> = variables.map(|(path, _)| path).collect();
    // The service manager reads these, not the process: their content is the container's environment.
    let read = workload
        .configuration
        .iter()
        .filter(|file| !variables.contains(&file.path));
    for file in read {
        let owner = place.facts.owner(&file.path);
        let brought = owner.is_some() && place.provided(&file.path, carrier.brought());
        match file.state {
            // A maker's archive goes from version to version, and with it what its packages begin with.
            FileState::Pristine if brought && is_foreign(&file.path, place) => carrier.keep(
                &file.path,
                "configuration of a package that is another archive's, as it is on the machine",
            ),
            FileState::Pristine if brought => {}
            FileState::Pristine => carrier.carry(
                &file.path,
                "configuration of a package that the image does not have",
            ),
            FileState::Modified => {
                carrier.carry(&file.path, "configuration changed on the machine");
            }
            FileState::Unowned => carrier.carry(&file.path, "configuration made on the machine"),
        }
    }
    let mut removals = Vec::new();
    conffiles(place, carrier, &mut removals);
    patched(place, carrier);
    for root in private_roots(place, &carrier.brought().packages) {
        added(&root, place, carrier, &mut removals);
    }
    removals.sort();
    removals.dedup();
    removals
}

/// Whether the package of a file came from somebody else's archive.
fn is_foreign(path: &MachinePath, place: &Place<'_>) -> bool {
    let path = place.facts.tree.canonical(path);
    let owner = place.facts.ownership.owner(&path);
    owner.is_some_and(|at| matches!(place.origins.of(at), Origin::Foreign(_)))
}

/// Conffiles of the image's packages: carried where changed, removed where an administrator deleted them.
fn conffiles(place: &Place<'_>, carrier: &mut Carrier<'_, '_>, removals: &mut Vec<PlannedRemoval>) {
    let names: Vec<&str> = carrier.brought().packages.iter().copied().collect();
    for package in names.iter().filter_map(|name| place.facts.package(name)) {
        for conffile in &package.conffiles {
            let path = place.facts.tree.canonical(&conffile.path);
            if place.facts.tree.entry(&path).is_none() {
                removals.push(PlannedRemoval {
                    path,
                    content: false,
                    why: format!(
                        "deleted on the machine; package {} would bring it back",
                        package.name
                    ),
                });
            } else if place.facts.state(&path) == FileState::Modified {
                carrier.carry(&path, "configuration changed on the machine");
            }
        }
    }
}

/// Files of the image's packages outside /etc that were changed after installation. Units stay: the plan is made of them.
fn patched(place: &Place<'_>, carrier: &mut Carrier<'_, '_>) {
    let etc = MachinePath::from("/etc");
    let changed = place.facts.ownership.recorded_paths().filter(|path| {
        let owner = place.facts.owner(path);
        owner.is_some_and(|owner| carrier.brought().packages.contains(owner.name.as_str()))
            && !path.is_within(&etc)
            && !path.text().contains("/systemd/system/")
            && place.facts.state(path) == FileState::Modified
    });
    let changed: Vec<MachinePath> = changed.cloned().collect();
    for path in changed {
        carrier.carry(
            &path,
            "changed on the machine since its package was installed",
        );
    }
}

/// Directories `/etc/NAME` in which only packages of the image own files.
fn private_roots(place: &Place<'_>, closure: &BTreeSet<&str>) -> Vec<MachinePath> {
    let mut roots: BTreeMap<MachinePath, bool> = BTreeMap::new();
    for (path, owner) in &place.owned_configuration {
        let mut parts = path.components().skip(1);
        let Some(name) = parts.next() else {
            continue;
        };
        let directory = place.facts.tree.entry(path).is_some_and(Entry::is_dir);
        // A directory that packages make and leave to their scripts is as good as one with their files in it.
        let left = parts.next().is_none() && directory && !place.owns_below(path);
        if (directory || path.components().count() < 3) && !left {
            continue;
        }
        let owner = place.facts.packages.get(*owner);
        let ours = owner.is_some_and(|owner| closure.contains(owner.name.as_str()));
        let root = MachinePath::from("/etc").join(name);
        *roots.entry(root).or_insert(true) &= ours;
    }
    roots
        .into_iter()
        .filter(|(_, ours)| *ours)
        .map(|(root, _)| root)
        .collect()
}

/// What the machine added below one of them.
fn added(
    root: &MachinePath,
    place: &Place<'_>,
    carrier: &mut Carrier<'_, '_>,
    removals: &mut Vec<PlannedRemoval>,
) {
    let tree = &place.facts.tree;
    for entry in tree.entry(root).into_iter().chain(tree.below(root)) {
        let owned = place.owned_configuration.contains_key(&entry.path);
        match entry.kind {
            _ if place.base.distribution.is_generated(&entry.path) => {}
            _ if package::is_aside(&entry.path) => {}
            FileKind::Directory if owned && !place.owns_below(&entry.path) => {
                removals.push(PlannedRemoval {
                    path: entry.path.clone(),
                    content: true,
                    why: "packages fill this directory at installation; the machine's own content follows".to_owned(),
                });
            }
            FileKind::File | FileKind::Directory if !owned => {
                carrier.carry(&entry.path, "configuration made on the machine");
            }
            FileKind::Symlink if !owned => carrier.carry(&entry.path, "switched on at the machine"),
            _ => {}
        }
    }
}
