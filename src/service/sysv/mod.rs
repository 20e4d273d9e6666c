//! Init scripts that no unit replaces: started by S links of the run level that the machine goes to, under systemd as
//! systemd-sysv-generator(8) has it; what the first process keeps running by its own table; and rc.local.

mod level;
mod table;

use super::managed::Wanted;
use super::manager::Manager;
use super::openrc;
use super::script::made::{by_script, command, that_stay};
use super::script::{self, Script};
use super::{
    Command, Commands, Environment, GeneratedUnit, MOST_SERVICES, Service, ServiceType, Services,
    Starter,
};
use crate::fact::{Dialect, Evidence, Facts, InitScript};
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::words::budget::EXPANDED;
pub(super) use level::{Levels, is_systemd};
use std::collections::{BTreeMap, BTreeSet};

/// What runs last, where it is executable.
const RC_LOCAL: &[&str] = &[
    "/etc/rc.local",
    "/etc/rc.d/rc.local",
    "/etc/init.d/boot.local",
    "/etc/init.d/after.local",
];

/// What a job of upstart's is called by as an init script: a link to this.
const JOB: &str = "upstart-job";

pub(super) struct SystemV;

impl Manager for SystemV {
    fn id(&self) -> &'static str {
        "sysv"
    }

    fn scripts(&self) -> &'static [&'static str] {
        RC_LOCAL
    }

    fn wants(&self, facts: &Facts, found: &Services) -> Vec<Wanted> {
        let table = MachinePath::new(level::TABLE);
        let mut wanted = vec![script::wanted(&table)];
        let mut scripts: Vec<MachinePath> = RC_LOCAL.iter().map(MachinePath::new).collect();
        let own = found
            .services
            .iter()
            .filter(|known| known.manager == Starter::Sysv);
        scripts.extend(own.filter_map(|known| known.files.first().cloned()));
        for path in scripts {
            wanted.push(script::wanted(&path));
            wanted.extend(started(facts, &path).sources.iter().map(script::wanted));
        }
        wanted
    }

    fn find(&self, facts: &Facts, generated: &[GeneratedUnit], found: &mut Services) {
        let levels = Levels::of(facts, found);
        if !openrc::is_here(facts) {
            let mut services = services(facts, found, &levels);
            let daemons: Vec<Service> = daemons(&services, generated).collect();
            services.extend(daemons);
            found.services.append(&mut services);
        }
        if !is_systemd(facts, found) && !super::upstart::is_here(facts, found) {
            table::find(facts, &levels, found);
        }
        let mut seen: BTreeSet<Option<MachinePath>> = BTreeSet::new();
        for path in RC_LOCAL.iter().map(MachinePath::new) {
            if !seen.insert(facts.tree.resolve(&path)) {
                continue;
            }
            if let Some(mut local) = rc_local(facts, &path) {
                drop_wrappers(facts, &local, &mut found.services);
                let run = started(facts, &path);
                that_stay(&run, &mut local, facts, found);
                found.services.push(local);
            }
        }
    }
}

/// Goes through a script as it is called at boot.
fn started<'a>(facts: &'a Facts, path: &MachinePath) -> Script<'a> {
    let called = vec![path.text().into_owned(), "start".to_owned()];
    let mut run = Script::new(facts, path, called);
    if let Some(file) = facts.managed.get(&(path.clone(), Dialect::Shell)) {
        let first = file
            .entries
            .first()
            .map_or("", |entry| entry.value.as_str());
        let is_framed = first.starts_with("#!") && first.contains(FRAME);
        if is_framed {
            run.read_in(&MachinePath::new("/etc/default").join(path.file_name()));
        }
        run.file(file);
        if is_framed && run.has("do_start_cmd_override") {
            run.call("do_start_cmd_override");
        } else if is_framed && run.has("do_start") {
            run.call("do_start");
        } else if is_framed {
            let at = run.evidence_of("DAEMON").and_then(|evidence| evidence.line);
            run.line(at.unwrap_or(1), FRAMED);
        }
    }
    run
}

/// Debian's interpreter of init scripts that only say what to start (init-d-script(5)), and what it does with them.
const FRAME: &str = "init-d-script";
const FRAMED: &str = "start-stop-daemon --start --quiet ${PIDFILE:+--pidfile $PIDFILE} $START_ARGS --exec $DAEMON -- $DAEMON_ARGS";

/// The unit that runs rc.local is made for it by a generator, or enabled by hand; the script is one service, not two.
fn drop_wrappers(facts: &Facts, local: &Service, others: &mut Vec<Service>) {
    let script = |service: &Service| {
        let program = service.commands.start.first()?.argv.first()?;
        facts.tree.resolve(&MachinePath::new(program))
    };
    let own = script(local);
    others.retain(|service| own.is_none() || script(service) != own);
}

fn services(facts: &Facts, others: &mut Services, levels: &Levels) -> Vec<Service> {
    let mut by_script: BTreeMap<Option<MachinePath>, (&Entry, bool)> = BTreeMap::new();
    let links = levels.links_to(facts).into_iter().map(|link| (link, false));
    let boot = level::BOOT
        .iter()
        .flat_map(|pattern| facts.tree.glob(pattern));
    // Of systemd they are what it does itself.
    let boot = boot.filter(|_| matches!(levels, Levels::One(_)));
    for (link, is_boot) in links.chain(boot.map(|link| (link, true))) {
        by_script
            .entry(facts.tree.resolve(&link.path))
            .or_insert((link, is_boot));
    }
    let taken: BTreeSet<String> = {
        let names = others.services.iter();
        let names = names.flat_map(|known| std::iter::once(&known.name).chain(&known.aliases));
        names.cloned().collect()
    };
    let mut found = Vec::new();
    for script in &facts.init_scripts {
        if found.len() >= MOST_SERVICES {
            let reason = format!(
                "more than {MOST_SERVICES} init scripts; this one and those after it were left out"
            );
            others.leave_out(&script.path, "sysv", reason);
            break;
        }
        let name = script.path.name().into_owned();
        let stem = name.strip_suffix(".sh").unwrap_or(&name);
        // A native unit (or mask, or alias) of the same name takes the script's place, whatever the script provides.
        let is_script = facts
            .tree
            .get(&script.path)
            .is_some_and(crate::walk::Entry::is_executable);
        if !is_script || taken.contains(&format!("{stem}.service")) {
            continue;
        }
        let real = facts.tree.resolve(&script.path);
        let is_job = real.as_ref().is_some_and(|real| real.name() == JOB);
        if is_job || taken.contains(&name) {
            continue;
        }
        let link = by_script.get(&real).copied();
        let mut made = service(facts, script, name, others);
        made.enabled = link.is_some();
        made.enabled_by = link.map(|(link, _)| Evidence::file(&link.path));
        made.boot_only = link.is_some_and(|(_, is_boot)| is_boot);
        found.push(made);
    }
    found
}

fn service(facts: &Facts, script: &InitScript, name: String, others: &mut Services) -> Service {
    let run = started(facts, &script.path);
    if run.is_cut() {
        others.leave_out(&script.path, "sysv", EXPANDED);
    }
    let service = Service {
        kind: ServiceType::Forking,
        description: script.description.clone(),
        unmet: run.ended.clone(),
        ..by_script(name, Starter::Sysv, script.evidence.clone())
    };
    match run.best() {
        Some(started) => Service {
            unmet: None,
            ..service.starting(started, facts)
        },
        None => service,
    }
}

/// Daemons that an enabled init script starts one by one, as packs describe them.
fn daemons<'a>(
    services: &'a [Service],
    generated: &'a [GeneratedUnit],
) -> impl Iterator<Item = Service> + 'a {
    let scripts = services.iter().rev();
    let scripts = scripts.filter(|service| service.manager == Starter::Sysv);
    let scripts: BTreeMap<&str, &Service> = scripts
        .map(|script| (script.name.as_str(), script))
        .collect();
    let started = generated.iter().filter(|unit| !unit.command.is_empty());
    started.filter_map(move |unit| {
        let script = *scripts.get(unit.wanted_by.as_str())?;
        // A pack's command stays in front.
        Some(Service {
            commands: runs(Some(command(unit.command.clone(), &unit.evidence))),
            enabled: script.enabled,
            enabled_by: script.enabled_by.clone(),
            environment: Environment {
                variables: unit.environment.clone(),
                ..Environment::default()
            },
            description: script.description.clone(),
            files: script.files.clone(),
            ..by_script(unit.name.clone(), Starter::Sysv, unit.evidence.clone())
        })
    })
}

/// rc.local runs when it is executable and says more than `exit 0`.
fn rc_local(facts: &Facts, path: &MachinePath) -> Option<Service> {
    facts.tree.get(path).filter(|entry| entry.is_executable())?;
    let real = facts.tree.resolve(path)?;
    let script = facts.scripts.get(&real)?;
    let first = script
        .references
        .iter()
        .find(|reference| reference.word != "exit")?;
    let evidence = Evidence::line(path, first.line, &first.word);
    let script = command(vec![path.text().into_owned()], &evidence);
    Some(Service {
        enabled: true,
        kind: ServiceType::Oneshot,
        commands: runs(Some(script)),
        ..by_script(path.name().into_owned(), Starter::RcLocal, evidence)
    })
}

fn runs(command: Option<Command>) -> Commands {
    Commands {
        start: command.into_iter().collect(),
        ..Commands::default()
    }
}
