//! Definitions that s6-rc compiles (s6-rc-compile(8)): each directory is a service that runs long, one that runs once, or a
//! bundle of others. What runs is what the bundles of the boot reach, by what they hold and what that depends on.

use super::super::managed::Wanted;
use super::{Service, Watched, service};
use crate::fact::{Dialect, Evidence, Facts};
use crate::path::MachinePath;
use crate::service::{Command, Commands, MOST_SERVICES, ServiceType};
use crate::walk::Entry;
use crate::words;
use std::collections::{BTreeMap, BTreeSet};

/// Where definitions are.
pub(super) const PLACES: &[&str] = &[
    "/etc/s6-overlay/s6-rc.d",
    "/etc/s6-rc/source",
    "/etc/s6/sv",
    "/etc/s6/adminsv",
];

/// Bundles that are brought up at boot.
const ROOTS: &[&str] = &["top", "default", "user", "user2"];

/// Files of a definition that say what it is.
const TOLD: &[&str] = &["type", "contents", "dependencies", "up"];

/// Whether a directory has definitions in it, and not directories that are watched.
pub(super) fn is_one(facts: &Facts, directory: &MachinePath) -> bool {
    let mut all = definitions(facts, directory).into_iter();
    all.any(|path| is_file(facts, &path.join("type")))
}

fn is_file(facts: &Facts, path: &MachinePath) -> bool {
    facts.tree.get(path).is_some_and(Entry::is_file)
}

fn definitions(facts: &Facts, directory: &MachinePath) -> Vec<MachinePath> {
    let Some(real) = facts.tree.resolve(directory) else {
        return Vec::new();
    };
    let entries = facts.tree.children(&real).into_iter();
    let named = entries.filter(|entry| !entry.path.file_name().starts_with(b"."));
    let paths = named.map(|entry| directory.join(entry.path.file_name()));
    paths.take(MOST_SERVICES).collect()
}

/// What says what each of them is.
pub(super) fn wants(facts: &Facts, directory: &MachinePath) -> Vec<Wanted> {
    let all = definitions(facts, directory).into_iter();
    let files = all.flat_map(|path| TOLD.iter().map(move |name| path.join(name)));
    let there = files.filter(|path| is_file(facts, path));
    there
        .map(|path| Wanted::file(&path, Dialect::Shell))
        .collect()
}

/// The lines of a file of a definition.
fn lines<'a>(facts: &'a Facts, path: &MachinePath) -> impl Iterator<Item = &'a str> + use<'a> {
    let file = facts.managed.get(&(path.clone(), Dialect::Shell));
    let entries = file.into_iter().flat_map(|file| &file.entries);
    let lines = entries.map(|entry| words::trim(&entry.value));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Names in `NAME.d`, or in the older file of lines.
fn names(facts: &Facts, definition: &MachinePath, of: &str) -> Vec<String> {
    let inside = definitions(facts, &definition.join(format!("{of}.d"))).into_iter();
    let inside = inside.map(|path| path.name().into_owned());
    let lines = lines(facts, &definition.join(of));
    inside.chain(lines.map(str::to_owned)).collect()
}

/// All services of some places of definitions; a name may be in any of them.
pub(super) fn services(facts: &Facts, places: &[&Watched]) -> Vec<Service> {
    let mut all: BTreeMap<String, (&Watched, MachinePath)> = BTreeMap::new();
    for watched in places {
        for path in definitions(facts, &watched.directory) {
            let name = path.name().into_owned();
            all.entry(name).or_insert((watched, path));
        }
    }
    let reached = reached(facts, &all);
    let mut found = Vec::new();
    for (name, (watched, path)) in &all {
        let kind = lines(facts, &path.join("type")).next().unwrap_or_default();
        // A logger is what another one's output goes to, which is the engine's here.
        let is_logger = is_file(facts, &path.join("consumer-for"));
        let mut service = match kind {
            "longrun" if !is_logger => service(facts, watched, path),
            "oneshot" => once(facts, watched, path),
            _ => None,
        };
        if let Some(service) = &mut service {
            service.enabled = reached.as_ref().is_none_or(|all| all.contains_key(name));
            let by = reached.as_ref().and_then(|all| all.get(name));
            service.enabled_by = service
                .enabled
                .then(|| Evidence::file(by.unwrap_or(&watched.directory)));
        }
        found.extend(service);
    }
    found
}

/// Names that the boot's bundles reach, each with the definition that names it; `None` where there is no such bundle.
fn reached(
    facts: &Facts,
    all: &BTreeMap<String, (&Watched, MachinePath)>,
) -> Option<BTreeMap<String, MachinePath>> {
    let roots = ROOTS.iter().filter_map(|name| all.get_key_value(*name));
    let mut todo: Vec<(String, MachinePath)> = roots
        .map(|(name, (_, path))| (name.clone(), path.clone()))
        .collect();
    if todo.is_empty() {
        return None;
    }
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    while let Some((name, by)) = todo.pop() {
        let Some((_, path)) = all.get(&name).filter(|_| seen.insert(name.clone())) else {
            continue;
        };
        found.insert(name, by);
        for of in ["contents", "dependencies"] {
            let named = names(facts, path, of).into_iter();
            todo.extend(named.map(|name| (name, path.clone())));
        }
    }
    Some(found)
}

/// A definition that runs once, when the machine starts.
fn once(facts: &Facts, watched: &Watched, directory: &MachinePath) -> Option<Service> {
    let path = directory.join("up");
    let argv = words::shell(lines(facts, &path).next()?);
    let evidence = Evidence::file(&path);
    let start = Command {
        argv,
        ignore_failure: false,
        privileged: false,
        evidence: evidence.clone(),
    };
    Some(Service {
        kind: ServiceType::Oneshot,
        commands: Commands {
            start: vec![start],
            ..Commands::default()
        },
        ..Service::new(
            directory.name().into_owned(),
            watched.watcher.starter,
            evidence,
        )
    })
}
