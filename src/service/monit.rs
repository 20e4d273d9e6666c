//! What monit starts: the program of each check's start line, unless that line only tells the machine's own manager to start
//! a service of its own.

use super::managed::{self, Names, Wanted, group_of, user_of};
use super::manager::Manager;
use super::script::Script;
use super::{
    Command, Commands, GeneratedUnit, MOST_SERVICES, Service, ServiceType, Services, Starter,
};
use crate::fact::{Dialect, Evidence, Facts, Managed, UnitEntry};
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::words;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Where it looks where nothing is said, in its order.
const PLACES: &[&str] = &[
    "/root/.monitrc",
    "/etc/monitrc",
    "/usr/etc/monitrc",
    "/usr/local/etc/monitrc",
    "/etc/monit/monitrc",
];

/// Files that one reads.
const MOST_FILES: usize = 1_000;

/// How the machine's own manager is told to start a service: the program, and where the service's name stands after it,
/// before or behind the word that says what to do.
const TOLD: &[(&str, bool)] = &[
    ("systemctl", false),
    ("initctl", false),
    ("service", true),
    ("rc-service", true),
    ("invoke-rc.d", true),
];

/// What they, and init scripts, are told.
const STARTS: &[&str] = &[
    "start",
    "restart",
    "force-reload",
    "try-restart",
    "reload-or-restart",
];

const SCRIPTS: &[&str] = &[
    "/etc/init.d",
    "/etc/rc.d/init.d",
    "/etc/rc.d",
    "/usr/local/etc/rc.d",
];

pub(super) struct Monit;

impl Manager for Monit {
    fn id(&self) -> &'static str {
        "monit"
    }

    fn wants(&self, facts: &Facts, found: &Services) -> Vec<Wanted> {
        let masters = masters(facts, found).into_iter();
        masters
            .map(|(_, file)| Wanted::file(&file, Dialect::Monit))
            .collect()
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let mut names = Names::of(found);
        for (at, file) in masters(facts, found) {
            let files = files(facts, &file);
            if files.is_empty() {
                continue;
            }
            let (mut own, mut others) = (Vec::new(), Vec::new());
            for check in files.iter().flat_map(|file| checks(file)) {
                match check.of_machine() {
                    Some(name) => others.push((name, check.evidence())),
                    None if found.services.len() + own.len() >= MOST_SERVICES => {
                        found.leave_out(&file, self.id(), "more services than the limit");
                        break;
                    }
                    None => own.extend(check.service(facts, &mut names)),
                }
            }
            for (name, evidence) in others {
                turn_on(found, &name, &evidence);
            }
            let started = own.iter().filter(|service| service.enabled);
            let started: Vec<String> = started.map(|service| service.name.clone()).collect();
            if let Some(master) = found.services.get_mut(at) {
                master.stays = Some(if started.is_empty() {
                    "watches services that the machine's own manager starts; an engine's restart policy and health checks do so for containers".to_owned()
                } else {
                    managed::handed_over(&started)
                });
            }
            found.services.append(&mut own);
        }
    }
}

/// A service that only this starts runs as if it were enabled.
fn turn_on(found: &mut Services, name: &str, evidence: &Evidence) {
    let unit = format!("{name}.service");
    let mut all = found.services.iter_mut();
    let is_it = |known: &str| known == name || known == unit;
    let service =
        all.find(|known| is_it(&known.name) || known.aliases.iter().any(|alias| is_it(alias)));
    if let Some(service) = service.filter(|service| !service.enabled && !service.masked) {
        service.enabled = true;
        service.enabled_by = Some(evidence.clone());
    }
}

/// Services that are one, with the file that each reads; a file counts for the first.
fn masters(facts: &Facts, found: &Services) -> Vec<(usize, MachinePath)> {
    let mut files = BTreeSet::new();
    let services = found.services.iter().enumerate();
    let enabled = services.filter(|(_, service)| service.enabled && service.stays.is_none());
    let masters = enabled.filter_map(|(at, service)| {
        let args = managed::arguments(service, "monit")?;
        let named = managed::option(&args, "-c", &["--conf"]).map(MachinePath::new);
        let is_file = |path: &MachinePath| facts.tree.get(path).is_some_and(Entry::is_file);
        let mut places = PLACES.iter().map(MachinePath::new);
        let file = named.or_else(|| places.find(is_file))?;
        files.insert(file.clone()).then_some((at, file))
    });
    masters.collect()
}

/// The control file and those that it reads in.
fn files<'a>(facts: &'a Facts, first: &MachinePath) -> Vec<&'a Managed> {
    let mut todo = VecDeque::from([first.clone()]);
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(path) = todo.pop_front().filter(|_| seen.len() < MOST_FILES) {
        let file = facts.managed.get(&(path.clone(), Dialect::Monit));
        let Some(file) = file.filter(|_| seen.insert(path)) else {
            continue;
        };
        found.push(file);
        for pattern in &file.includes {
            let named = facts.tree.glob(pattern).into_iter();
            todo.extend(named.map(|entry| entry.path.clone()));
        }
    }
    found
}

/// One check, as its file writes it.
struct Check<'a> {
    file: &'a Managed,
    name: &'a str,
    start: &'a UnitEntry,
    settings: BTreeMap<&'a str, &'a str>,
}

fn checks(file: &Managed) -> Vec<Check<'_>> {
    let mut found: Vec<Check<'_>> = Vec::new();
    let mut sections: BTreeMap<&str, BTreeMap<&str, &UnitEntry>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for entry in &file.entries {
        if !sections.contains_key(entry.section.as_str()) {
            order.push(&entry.section);
        }
        let settings = sections.entry(&entry.section).or_default();
        settings.insert(&entry.key, entry);
    }
    for section in order {
        let Some(settings) = sections.get(section) else {
            continue;
        };
        let name = section.split_once(' ').map_or(section, |(_, name)| name);
        if let Some(start) = settings.get("start") {
            found.push(Check {
                file,
                name,
                start,
                settings: settings
                    .iter()
                    .map(|(key, entry)| (*key, entry.value.as_str()))
                    .collect(),
            });
        }
    }
    found
}

impl Check<'_> {
    fn evidence(&self) -> Evidence {
        self.file.evidence(self.start)
    }

    fn setting(&self, key: &str) -> Option<&str> {
        let value = self.settings.get(key).copied();
        value.filter(|value| !value.is_empty())
    }

    /// The name of the service that the machine's own manager is told to start.
    fn of_machine(&self) -> Option<String> {
        let words = words::shell(&self.start.value);
        let (program, rest) = words.split_first()?;
        let rest: Vec<&String> = rest.iter().filter(|word| !word.starts_with('-')).collect();
        let is_start = |word: &&String| STARTS.contains(&word.as_str());
        let base = program.rsplit('/').next().unwrap_or(program);
        let path = MachinePath::new(program);
        let is_script = path.parent().is_some_and(|parent| {
            let mut all = SCRIPTS.iter();
            all.any(|directory| parent == MachinePath::new(directory))
        });
        if is_script && rest.first().is_some_and(is_start) {
            return Some(base.to_owned());
        }
        let (_, is_name_first) = TOLD.iter().find(|(name, _)| *name == base)?;
        let (name, verb) = if *is_name_first {
            (rest.first()?, rest.get(1)?)
        } else {
            (rest.get(1)?, rest.first()?)
        };
        is_start(verb).then(|| (*name).clone())
    }

    fn service(&self, facts: &Facts, names: &mut Names) -> Option<Service> {
        let words = words::shell(&self.start.value);
        let evidence = self.evidence();
        let name = names.free(self.name, "monit");
        let mut service = Service::new(name, Starter::Monit, evidence.clone());
        // No shell reads the line; what it calls may be one.
        let quoted: Vec<String> = words.iter().map(|word| crate::quote::shell(word)).collect();
        let mut run = Script::new(facts, &self.file.path, vec!["sh".to_owned()]);
        run.line(self.start.line, &format!("exec {}", quoted.join(" ")));
        service = if let Some(started) = run.best() {
            service.starting(started, facts)
        } else {
            words.first()?;
            service.commands = Commands {
                start: vec![Command {
                    argv: words,
                    ignore_failure: false,
                    privileged: false,
                    evidence: evidence.clone(),
                }],
                ..Commands::default()
            };
            service
        };
        // What it starts is to leave it: it does not wait.
        service.kind = ServiceType::Forking;
        if let Some(user) = self.setting("uid") {
            service.user = user_of(facts, user);
            service.group = group_of(facts, &service.user);
        }
        if let Some(group) = self.setting("gid") {
            group.clone_into(&mut service.group);
        }
        let pid_file = self.setting("pidfile").map(MachinePath::new);
        service.pid_file = pid_file.or(service.pid_file);
        let is_left = self
            .setting("mode")
            .is_some_and(|mode| !mode.eq_ignore_ascii_case("active"))
            || self
                .setting("onreboot")
                .is_some_and(|word| word.eq_ignore_ascii_case("nostart"));
        service.enabled = !is_left;
        service.enabled_by = (!is_left).then_some(evidence);
        "always".clone_into(&mut service.restart);
        Some(service)
    }
}
