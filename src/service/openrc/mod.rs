//! Services of OpenRC: scripts of /etc/init.d that the run levels link to, with their settings of /etc/conf.d, and what
//! /etc/local.d starts (openrc-run(8), openrc(8)).

mod service;

use super::managed::Wanted;
use super::manager::Manager;
use super::script::made::{by_script, command, that_stay};
use super::script::{self, Script};
use super::{Commands, GeneratedUnit, MOST_SERVICES, Service, ServiceType, Services, Starter};
use crate::fact::{Dialect, Evidence, Facts};
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::words::budget::EXPANDED;
use std::collections::{BTreeMap, BTreeSet};

/// Links to what a run level starts.
const LEVELS: &str = "/etc/runlevels";

const SCRIPTS: &str = "/etc/init.d";

/// Started before the level that the machine goes to.
const BOOT: &[&str] = &["sysinit", "boot"];

const DEFAULT: &str = "default";

/// Scripts of the administrator, run by the service `local`.
const LOCAL: &str = "/etc/local.d";

/// Levels in levels.
const STACKED: usize = 6;

pub(super) struct OpenRc;

/// Whether the machine has OpenRC's run levels.
pub(super) fn is_here(facts: &Facts) -> bool {
    let levels = MachinePath::new(LEVELS);
    facts
        .tree
        .get(&levels.join(DEFAULT))
        .is_some_and(Entry::is_dir)
}

impl Manager for OpenRc {
    fn id(&self) -> &'static str {
        "openrc"
    }

    fn wants(&self, facts: &Facts, found: &Services) -> Vec<Wanted> {
        if !is_here(facts) {
            return Vec::new();
        }
        let own = found
            .services
            .iter()
            .filter(|known| known.manager == Starter::Openrc);
        let mut wanted = Vec::new();
        for path in own.filter_map(|known| known.files.first()) {
            wanted.push(script::wanted(path));
            let run = if path.is_within(&MachinePath::new(LOCAL)) {
                local(facts, path)
            } else {
                service::run(facts, path)
            };
            wanted.extend(run.sources.iter().map(script::wanted));
        }
        wanted
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        if !is_here(facts) {
            return;
        }
        let mut linked: BTreeMap<String, (Evidence, bool)> = BTreeMap::new();
        for level in BOOT {
            links(facts, level, true, STACKED, &mut linked);
        }
        links(facts, &level(facts), false, STACKED, &mut linked);
        let mut own: BTreeMap<String, Service> = BTreeMap::new();
        let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let scripts = facts.tree.children(&MachinePath::new(SCRIPTS));
        let names = scripts.iter().map(|entry| entry.path.name().into_owned());
        for name in names.take(MOST_SERVICES) {
            let path = MachinePath::new(SCRIPTS).join(&name);
            let Some(entry) = facts.tree.get(&path).filter(|entry| entry.is_executable()) else {
                continue;
            };
            let run = service::run(facts, &path);
            if run.is_cut() {
                found.leave_out(&entry.path, self.id(), EXPANDED);
            }
            needs.insert(name.clone(), run.needs.clone());
            let made = service::of(facts, &name, &path, &run);
            own.insert(name, made);
        }
        if scripts.len() > MOST_SERVICES {
            found.leave_out(
                &MachinePath::new(SCRIPTS),
                self.id(),
                "more services than the limit",
            );
        }
        needed(&needs, &own, &mut linked);
        for (name, (evidence, is_boot)) in linked {
            if let Some(service) = own.get_mut(&name) {
                service.enabled = true;
                service.enabled_by = Some(evidence);
                service.boot_only = is_boot;
            }
        }
        if let Some(local) = own.get_mut("local") {
            local.stays = Some(format!(
                "runs the scripts of {LOCAL}, which are listed by themselves"
            ));
        }
        let runs_local = own.get("local").is_some_and(|local| local.enabled);
        let taken: BTreeSet<String> = found
            .services
            .iter()
            .map(|known| known.name.clone())
            .collect();
        found.services.extend(
            own.into_values()
                .filter(|service| !taken.contains(&service.name)),
        );
        if runs_local {
            locals(facts, found);
        }
    }
}

/// The level that the machine goes to: `openrc NAME` is the last that the first process runs.
fn level(facts: &Facts) -> String {
    let table = facts
        .managed
        .get(&(MachinePath::new("/etc/inittab"), Dialect::Shell));
    let lines = table.into_iter().flat_map(|table| &table.entries);
    let named = lines.filter_map(|entry| {
        let line = entry.value.trim_start();
        let is_waited_for = line.contains(":wait:") && !line.starts_with('#');
        let (_, level) = line.rsplit_once("openrc ").filter(|_| is_waited_for)?;
        Some(level.trim().to_owned())
    });
    let mut named = named.filter(|level| {
        !BOOT.contains(&level.as_str()) && level != "shutdown" && level != "reboot"
    });
    let usual = || DEFAULT.to_owned();
    let is_there = |level: &String| facts.tree.exists(&MachinePath::new(LEVELS).join(level));
    // Its lines are those of run levels 0 to 6 elsewhere, of which 3 comes first that is no other's.
    named
        .find(|level| level == DEFAULT)
        .or_else(|| named.find(is_there))
        .unwrap_or_else(usual)
}

fn links(
    facts: &Facts,
    level: &str,
    is_boot: bool,
    left: usize,
    linked: &mut BTreeMap<String, (Evidence, bool)>,
) {
    let place = MachinePath::new(LEVELS).join(level);
    for entry in facts.tree.children(&place) {
        let name = entry.path.name().into_owned();
        let leads_to = facts.tree.get(&entry.path);
        if leads_to.is_some_and(Entry::is_dir) {
            // A level on which this one is stacked.
            if left > 0 {
                links(facts, &name, is_boot, left - 1, linked);
            }
        } else {
            linked
                .entry(name)
                .or_insert_with(|| (Evidence::file(&entry.path), is_boot));
        }
    }
}

/// What others need starts with them, whether a run level names it or not.
fn needed(
    needs: &BTreeMap<String, Vec<String>>,
    own: &BTreeMap<String, Service>,
    linked: &mut BTreeMap<String, (Evidence, bool)>,
) {
    let mut waiting: Vec<String> = linked.keys().cloned().collect();
    while let Some(name) = waiting.pop() {
        let by = own.get(&name).map(|service| service.evidence.clone());
        let is_boot = linked.get(&name).is_some_and(|(_, is_boot)| *is_boot);
        for need in needs.get(&name).into_iter().flatten() {
            if own.contains_key(need)
                && !linked.contains_key(need)
                && let Some(by) = &by
            {
                linked.insert(need.clone(), (by.clone(), is_boot));
                waiting.push(need.clone());
            }
        }
    }
}

/// Scripts that run once all others did, in the order of their names.
fn locals(facts: &Facts, found: &mut Services) {
    let scripts = facts.tree.glob(&format!("{LOCAL}/*.start"));
    for entry in scripts.into_iter().filter(|entry| {
        facts
            .tree
            .get(&entry.path)
            .is_some_and(Entry::is_executable)
    }) {
        if found.services.len() >= MOST_SERVICES {
            found.leave_out(&entry.path, "openrc", "more services than the limit");
            return;
        }
        let evidence = Evidence::file(&entry.path);
        let name = entry.path.name().into_owned();
        let start = command(vec![entry.path.text().into_owned()], &evidence);
        let mut whole = Service {
            enabled: true,
            enabled_by: Some(evidence.clone()),
            kind: ServiceType::Oneshot,
            commands: Commands {
                start: vec![start],
                ..Commands::default()
            },
            ..by_script(name, Starter::Openrc, evidence)
        };
        let run = local(facts, &entry.path);
        that_stay(&run, &mut whole, facts, found);
        found.services.push(whole);
    }
}

fn local<'a>(facts: &'a Facts, path: &MachinePath) -> Script<'a> {
    let mut run = Script::new(facts, path, vec![path.text().into_owned()]);
    if let Some(file) = facts.managed.get(&(path.clone(), Dialect::Shell)) {
        run.file(file);
    }
    run
}
