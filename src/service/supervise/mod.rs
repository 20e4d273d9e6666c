//! Services of the managers that watch directories: each directory in the one that is watched is a service, and its `run` a
//! script that becomes the program (runsv(8), supervise of daemontools, s6-supervise).

mod chain;
mod source;

use super::managed::{self, Names, Reading, Wanted, group_of};
use super::manager::Manager;
use super::{Command, Commands, GeneratedUnit, Limit, MOST_SERVICES, Service, Services, Starter};
use crate::fact::{Dialect, Evidence, Facts};
use crate::path::MachinePath;
use crate::walk::Entry;
use chain::Chain;
use std::collections::BTreeMap;

/// A manager: what it is called in the table of supervisors, what it is here, and where it looks where nothing is said.
struct Watcher {
    name: &'static str,
    starter: Starter,
    places: &'static [&'static str],
    /// Where definitions are that it compiles.
    sources: &'static [&'static str],
    /// Options of its command line that take a word of their own.
    takes: &'static [&'static str],
    /// Watched without a service that says so: by the system's first process.
    is_init: bool,
}

const WATCHERS: &[Watcher] = &[
    Watcher {
        name: "runit",
        starter: Starter::Runit,
        places: &[
            "/etc/service",
            "/var/service",
            "/service",
            "/etc/runit/runsvdir/current",
            "/etc/runit/runsvdir/default",
        ],
        sources: &[],
        takes: &[],
        is_init: true,
    },
    Watcher {
        name: "daemontools",
        starter: Starter::Daemontools,
        places: &["/service", "/etc/service", "/var/lib/svscan"],
        sources: &[],
        takes: &[],
        is_init: false,
    },
    Watcher {
        name: "s6",
        starter: Starter::S6,
        places: &[
            "/run/service",
            "/service",
            "/etc/s6/service",
            "/etc/services.d",
            "/etc/s6-overlay/services.d",
        ],
        sources: source::PLACES,
        takes: &["-c", "-C", "-d", "-t", "-s", "-X", "-L"],
        is_init: false,
    },
];

/// The program that makes a disk's first process one of these; a link to it is enough.
const INITS: &[&str] = &["/sbin/init", "/init"];

pub(super) struct Supervise;

impl Manager for Supervise {
    fn id(&self) -> &'static str {
        "supervise"
    }

    fn wants(&self, facts: &Facts, found: &Services) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for watched in watched(facts, found, true) {
            if source::is_one(facts, &watched.directory) {
                wanted.extend(source::wants(facts, &watched.directory));
            }
            for directory in services(facts, &watched.directory) {
                wanted.push(Wanted::file(&directory.join("run"), Dialect::RunScript));
                let key = (directory.join("run"), Dialect::RunScript);
                let script = facts.managed.get(&key);
                let chain = script.map(|script| Chain::of(facts, script, &directory));
                for variables in chain.into_iter().flat_map(|chain| chain.directories) {
                    let directory = crate::walk::literal(&variables);
                    wanted.push(Wanted {
                        pattern: format!("{directory}/*"),
                        reading: Reading::Managed(Dialect::Variable),
                    });
                }
            }
        }
        wanted
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let mut names = Names::of(found);
        let mut handed: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (watched, mut own) in groups(facts, &watched(facts, found, false)) {
            let room = MOST_SERVICES.saturating_sub(found.services.len());
            if own.len() > room {
                own.truncate(room);
                found.leave_out(
                    &watched.directory,
                    self.id(),
                    "more services than the limit",
                );
            }
            for service in &mut own {
                service.name = names.free(&service.name, watched.watcher.name);
            }
            let started = own.iter().filter(|service| service.enabled);
            let started: Vec<String> = started.map(|service| service.name.clone()).collect();
            for at in watched.by.iter().filter(|_| !own.is_empty()) {
                handed.entry(*at).or_default().extend(started.clone());
            }
            found.services.append(&mut own);
        }
        for (at, started) in handed {
            if let Some(master) = found.services.get_mut(at) {
                master.stays = Some(managed::handed_over(&started));
            }
        }
    }
}

/// A directory that a manager watches, and the services that it runs as.
struct Watched {
    watcher: &'static Watcher,
    directory: MachinePath,
    by: Vec<usize>,
}

/// The services of each directory that is watched; those of definitions are one group, since they name one another.
fn groups<'a>(facts: &Facts, all: &'a [Watched]) -> Vec<(&'a Watched, Vec<Service>)> {
    let (sources, plain): (Vec<&Watched>, Vec<&Watched>) = all
        .iter()
        .partition(|watched| source::is_one(facts, &watched.directory));
    let plain = plain.into_iter().map(|watched| {
        let directories = services(facts, &watched.directory).into_iter();
        let own = directories.filter_map(|directory| service(facts, watched, &directory));
        (watched, own.collect())
    });
    let mut found: Vec<(&Watched, Vec<Service>)> = plain.collect();
    if let Some(first) = sources.first() {
        found.push((first, source::services(facts, &sources)));
    }
    found
}

/// Whoever asks for files to be read does so for those too whose services are known already.
fn watched(facts: &Facts, found: &Services, is_asking: bool) -> Vec<Watched> {
    let mut all: Vec<Watched> = Vec::new();
    for watcher in WATCHERS {
        let known = watcher.places.iter().map(MachinePath::new);
        let usual = known.filter(|path| facts.tree.get(path).is_some_and(Entry::is_dir));
        let mut add = |directory: MachinePath, by: Vec<usize>| {
            let real = facts.tree.resolve(&directory);
            let is_new = real.is_some_and(|real| {
                let mut all = all.iter();
                all.all(|known: &Watched| {
                    facts.tree.resolve(&known.directory) != Some(real.clone())
                })
            });
            if is_new {
                all.push(Watched {
                    watcher,
                    directory,
                    by,
                });
            }
        };
        let mut masters = Vec::new();
        for (at, service) in found.services.iter().enumerate() {
            let is_free = service.enabled && (is_asking || service.stays.is_none());
            let Some(args) = managed::arguments(service, watcher.name).filter(|_| is_free) else {
                continue;
            };
            masters.push(at);
            let mut is_taken = false;
            let named = args.iter().find(|word| {
                let skip = std::mem::replace(&mut is_taken, watcher.takes.contains(&word.as_str()));
                !skip && word.starts_with('/')
            });
            match named {
                Some(named) => add(MachinePath::new(named), vec![at]),
                None => (usual.clone().take(1)).for_each(|place| add(place, vec![at])),
            }
        }
        let is_first = is_first(facts, watcher.name);
        if watcher.is_init && is_first {
            usual.take(1).for_each(|place| add(place, Vec::new()));
        }
        if !masters.is_empty() || is_first {
            let places = watcher.sources.iter().map(MachinePath::new);
            let there = places.filter(|place| source::is_one(facts, place));
            there.for_each(|place| add(place, masters.clone()));
        }
    }
    all
}

/// Whether the first process is this one: what starts the machine leads to a file of its name, or below a directory of it.
fn is_first(facts: &Facts, name: &str) -> bool {
    let inits = INITS.iter().map(MachinePath::new);
    let mut real = inits.filter_map(|path| facts.tree.resolve(&path));
    real.any(|path| {
        let mut parts = path.components();
        parts.any(|part| part.starts_with(name.as_bytes()))
    })
}

/// Directories of services in a watched one: those that have a `run`, hidden ones left out.
fn services(facts: &Facts, watched: &MachinePath) -> Vec<MachinePath> {
    let Some(real) = facts.tree.resolve(watched) else {
        return Vec::new();
    };
    let entries = facts.tree.children(&real).into_iter();
    let named = entries.filter(|entry| !entry.path.file_name().starts_with(b"."));
    let directories = named.map(|entry| watched.join(entry.path.file_name()));
    let runs = directories.filter(|path| {
        facts
            .tree
            .get(&path.join("run"))
            .is_some_and(Entry::is_file)
    });
    runs.take(MOST_SERVICES).collect()
}

fn service(facts: &Facts, watched: &Watched, directory: &MachinePath) -> Option<Service> {
    let path = directory.join("run");
    let script = facts.managed.get(&(path.clone(), Dialect::RunScript))?;
    let chain = Chain::of(facts, script, directory);
    let name = directory.name().into_owned();
    let is_down = facts.tree.exists(&directory.join("down"));
    let evidence = chain
        .evidence
        .clone()
        .unwrap_or_else(|| Evidence::file(&path));
    let user = chain.user.clone().unwrap_or_else(|| "root".to_owned());
    let group = chain
        .group
        .clone()
        .unwrap_or_else(|| group_of(facts, &user));
    // A script that becomes nothing that can be told is run as it is.
    let mut argv = chain.argv;
    match argv.first_mut() {
        Some(first) if first.starts_with("./") => {
            *first = chain.directory.join(&*first).text().into_owned();
        }
        Some(_) => {}
        None => argv.push(path.text().into_owned()),
    }
    let is_moved = chain.directory != *directory;
    Some(Service {
        enabled: !is_down,
        enabled_by: (!is_down).then(|| Evidence::file(&watched.directory)),
        commands: Commands {
            start: vec![Command {
                argv,
                ignore_failure: false,
                privileged: false,
                evidence: evidence.clone(),
            }],
            ..Commands::default()
        },
        group,
        user,
        environment: chain.environment,
        working_directory: is_moved.then_some(chain.directory),
        limits: limits(chain.limits, &evidence),
        restart: "always".to_owned(),
        files: vec![path],
        ..Service::new(name, watched.watcher.starter, evidence)
    })
}

fn limits(named: Vec<(String, String)>, evidence: &Evidence) -> Vec<Limit> {
    let limits = named.into_iter().map(|(name, value)| Limit {
        name,
        value,
        evidence: evidence.clone(),
    });
    limits.collect()
}
