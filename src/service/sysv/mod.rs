//! Init scripts that no unit replaces, as systemd-sysv-generator(8) has it: enabled by S links of the run levels.

pub mod start;

use super::manager::Manager;
use super::{
    Command, Commands, Environment, GeneratedUnit, MOST_SERVICES, Remark, RemarkKind, Service,
    ServiceType, Services, Starter,
};
use crate::fact::{Evidence, Facts, InitScript, Syntax};
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::words::budget::{Budget, EXPANDED};
use std::collections::{BTreeMap, BTreeSet};

/// Directories of rc links: Debian's and the older Red Hat place. To systemd the levels 2 to 4 are multi-user.target.
const LINKS: &[&str] = &["/etc/rc[234].d/S*", "/etc/rc.d/rc[234].d/S*"];

/// Level 5 is graphical.target.
const GRAPHICAL: &[&str] = &["/etc/rc5.d/S*", "/etc/rc.d/rc5.d/S*"];

/// What runs last, where it is executable.
const RC_LOCAL: &[&str] = &["/etc/rc.local", "/etc/rc.d/rc.local"];

pub(super) struct SystemV;

impl Manager for SystemV {
    fn id(&self) -> &'static str {
        "sysv"
    }

    fn scripts(&self) -> &'static [&'static str] {
        RC_LOCAL
    }

    fn find(&self, facts: &Facts, generated: &[GeneratedUnit], found: &mut Services) {
        let budget = Budget::new(OF_ALL);
        let mut services = services(facts, found, &budget);
        if budget.is_spent()
            && let Some(script) = facts.init_scripts.first()
        {
            found.leave_out(&script.path, self.id(), EXPANDED);
        }
        let daemons: Vec<Service> = daemons(&services, generated).collect();
        services.extend(daemons);
        if let Some(local) = rc_local(facts) {
            drop_wrappers(facts, &local, &mut found.services);
            drop_wrappers(facts, &local, &mut services);
            services.push(local);
        }
        found.services.append(&mut services);
    }
}

/// The unit that runs rc.local is made for it by a generator, or enabled by hand; the script is one service, not two.
fn drop_wrappers(facts: &Facts, local: &Service, others: &mut Vec<Service>) {
    let script = |service: &Service| {
        let program = service.commands.start.first()?.argv.first()?;
        facts.tree.resolve(&MachinePath::new(program))
    };
    let own = script(local);
    others.retain(|service| own.is_none() || script(service) != own);
}

/// What the command lines of all init scripts may become.
const OF_ALL: usize = 16 << 20;

fn services(facts: &Facts, others: &mut Services, budget: &Budget) -> Vec<Service> {
    let is_graphical = others.graphical.unwrap_or(true);
    let links: Vec<_> = LINKS
        .iter()
        .chain(GRAPHICAL.iter().filter(|_| is_graphical))
        .flat_map(|pattern| facts.tree.glob(pattern))
        .collect();
    let mut by_script: BTreeMap<Option<MachinePath>, &Entry> = BTreeMap::new();
    for link in links {
        by_script
            .entry(facts.tree.resolve(&link.path))
            .or_insert(link);
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
        let link = by_script.get(&real).map(|link| &link.path);
        found.push(service(facts, script, (name, link), budget));
    }
    found
}

fn service(
    facts: &Facts,
    script: &InitScript,
    (name, link): (String, Option<&MachinePath>),
    budget: &Budget,
) -> Service {
    let start = start::started(script, &settings(facts, script), facts.masking, budget);
    let kind = match &start {
        Some(start) if start.is_put_behind => ServiceType::Simple,
        _ => ServiceType::Forking,
    };
    let (daemon, user, pid_file) = start.map_or((None, None, None), |start| {
        (Some(start.daemon), start.user, start.pid_file)
    });
    let daemon = daemon.map(|argv| plain(argv, &script.evidence));
    let user = user.unwrap_or_else(|| "root".into());
    Service {
        kind,
        commands: runs(daemon),
        pid_file: pid_file.map(MachinePath::new),
        enabled: link.is_some(),
        enabled_by: link.map(Evidence::file),
        description: script.description.clone(),
        group: user.clone(),
        user,
        ..by_script(name, Starter::Sysv, script.evidence.clone())
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
            commands: runs(Some(plain(unit.command.clone(), &unit.evidence))),
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

/// The script's own variables, and over them those of the files it reads in.
fn settings(facts: &Facts, script: &InitScript) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> = script.variables.iter().cloned().collect();
    for path in &script.sources {
        let document = facts.documents.get(&(path.clone(), Syntax::Environment));
        for setting in document.into_iter().flat_map(|d| &d.settings) {
            let value = setting.args.first().cloned().unwrap_or_default();
            known.insert(setting.key.clone(), value);
        }
    }
    known
}

/// rc.local runs when it is executable and says more than `exit 0`.
fn rc_local(facts: &Facts) -> Option<Service> {
    let mut paths = RC_LOCAL.iter().map(MachinePath::new);
    let path = paths.find(|path| {
        facts
            .tree
            .get(path)
            .is_some_and(crate::walk::Entry::is_executable)
    })?;
    let real = facts.tree.resolve(&path)?;
    let script = facts.scripts.get(&real)?;
    let first = script
        .references
        .iter()
        .find(|reference| reference.word != "exit")?;
    let evidence = Evidence::line(&path, first.line, &first.word);
    let script = plain(vec![path.text().into_owned()], &evidence);
    Some(Service {
        enabled: true,
        kind: ServiceType::Oneshot,
        commands: runs(Some(script)),
        ..by_script("rc.local".into(), Starter::RcLocal, evidence)
    })
}

/// A service that a script starts and nothing supervises.
fn by_script(name: String, starter: Starter, evidence: Evidence) -> Service {
    let remark = Remark {
        kind: RemarkKind::Script,
        text: format!("{name} is started by {}", evidence.path),
        evidence: evidence.clone(),
    };
    Service {
        remarks: vec![remark],
        ..Service::new(name, starter, evidence)
    }
}

fn runs(command: Option<Command>) -> Commands {
    Commands {
        start: command.into_iter().collect(),
        ..Commands::default()
    }
}

fn plain(argv: Vec<String>, evidence: &Evidence) -> Command {
    Command {
        argv,
        ignore_failure: false,
        privileged: false,
        evidence: evidence.clone(),
    }
}
