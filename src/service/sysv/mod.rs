//! Init scripts that no unit replaces, as systemd-sysv-generator(8) has it: enabled by S links of the run levels.

pub mod start;

use super::systemd::Reached;
use super::systemd::search::UnitPath;
use super::{Command, GeneratedUnit, Manager, Service, ServiceType};
use crate::fact::{Evidence, Facts, InitScript, Syntax};
use crate::path::MachinePath;
use std::collections::BTreeMap;

/// Directories of rc links: Debian's and the older Red Hat place. To systemd the levels 2 to 4 are multi-user.target.
const LINKS: &[&str] = &["/etc/rc[234].d/S*", "/etc/rc.d/rc[234].d/S*"];

/// Level 5 is graphical.target.
const GRAPHICAL: &[&str] = &["/etc/rc5.d/S*", "/etc/rc.d/rc5.d/S*"];

/// What runs last, where it is executable.
pub const RC_LOCAL: &[&str] = &["/etc/rc.local", "/etc/rc.d/rc.local"];

pub(super) fn services(facts: &Facts, path: &UnitPath<'_>, reached: &Reached) -> Vec<Service> {
    let is_graphical = reached.units.is_empty() || reached.units.contains_key("graphical.target");
    let links: Vec<_> = LINKS
        .iter()
        .chain(GRAPHICAL.iter().filter(|_| is_graphical))
        .flat_map(|pattern| facts.tree.glob(pattern))
        .collect();
    let mut found = Vec::new();
    for script in &facts.init_scripts {
        let name = script.path.name().into_owned();
        let stem = name.strip_suffix(".sh").unwrap_or(&name);
        // A native unit (or mask, or alias) of the same name takes the script's place, whatever the script provides.
        let is_script = facts
            .tree
            .get(&script.path)
            .is_some_and(crate::walk::Entry::is_executable);
        if !is_script || path.load(&format!("{stem}.service")).is_some() {
            continue;
        }
        let real = facts.tree.resolve(&script.path);
        let link = links
            .iter()
            .find(|link| facts.tree.resolve(&link.path) == real);
        found.push(service(facts, script, name, link.map(|link| &link.path)));
    }
    found.extend(rc_local(facts));
    found
}

fn service(
    facts: &Facts,
    script: &InitScript,
    name: String,
    link: Option<&MachinePath>,
) -> Service {
    let start = start::started(script, &settings(facts, script));
    let kind = match &start {
        Some(start) if start.is_put_behind => ServiceType::Simple,
        _ => ServiceType::Forking,
    };
    let (daemon, user, pid_file) = start.map_or((None, None, None), |start| {
        (Some(start.daemon), start.user, start.pid_file)
    });
    let daemon = daemon.into_iter().map(|argv| Command {
        argv,
        ignore_failure: false,
        privileged: false,
        evidence: script.evidence.clone(),
    });
    let user = user.unwrap_or_else(|| "root".into());
    Service {
        kind,
        exec: daemon.collect(),
        pid_file: pid_file.map(MachinePath::new),
        enabled: link.is_some(),
        enabled_by: link.map(Evidence::file),
        description: script.description.clone(),
        requires: script
            .required_start
            .iter()
            .filter(|name| !name.starts_with('$'))
            .cloned()
            .collect(),
        group: user.clone(),
        user,
        ..empty(name, Manager::Sysv, script.evidence.clone())
    }
}

/// Daemons that an enabled init script starts one by one, as packs describe them.
pub(super) fn daemons<'a>(
    services: &'a [Service],
    generated: &'a [GeneratedUnit],
) -> impl Iterator<Item = Service> + 'a {
    let started = generated.iter().filter(|unit| !unit.command.is_empty());
    started.filter_map(|unit| {
        let script = services
            .iter()
            .find(|service| service.name == unit.wanted_by && service.manager == Manager::Sysv)?;
        let exec = Command {
            argv: unit.command.clone(),
            ignore_failure: false,
            privileged: false,
            evidence: unit.evidence.clone(),
        };
        // A pack's command stays in front.
        Some(Service {
            exec: vec![exec],
            enabled: script.enabled,
            enabled_by: script.enabled_by.clone(),
            environment: unit.environment.clone(),
            description: script.description.clone(),
            files: script.files.clone(),
            ..empty(unit.name.clone(), Manager::Sysv, unit.evidence.clone())
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
    let exec = Command {
        argv: vec![path.text().into_owned()],
        ignore_failure: false,
        privileged: false,
        evidence: evidence.clone(),
    };
    Some(Service {
        enabled: true,
        kind: ServiceType::Oneshot,
        exec: vec![exec],
        ..empty("rc.local".into(), Manager::RcLocal, evidence)
    })
}

/// A service of which nothing is known but its name and place.
pub fn empty(name: String, manager: Manager, evidence: Evidence) -> Service {
    Service {
        name,
        manager,
        enabled: false,
        masked: false,
        description: String::new(),
        kind: ServiceType::Simple,
        exec: Vec::new(),
        exec_pre: Vec::new(),
        exec_post: Vec::new(),
        exec_stop: Vec::new(),
        user: "root".into(),
        group: "root".into(),
        supplementary_groups: Vec::new(),
        environment: Vec::new(),
        secret_environment: Vec::new(),
        environment_files: Vec::new(),
        working_directory: None,
        directories: Vec::new(),
        umask: None,
        kill_signal: "SIGTERM".into(),
        stop_timeout: None,
        restart: String::new(),
        pid_file: None,
        ambient_capabilities: Vec::new(),
        capability_bounding: None,
        no_new_privileges: false,
        limits: Vec::new(),
        sockets: Vec::new(),
        requires: Vec::new(),
        wants: Vec::new(),
        part_of: Vec::new(),
        after: Vec::new(),
        aliases: Vec::new(),
        directives: Vec::new(),
        files: vec![evidence.path.clone()],
        evidence,
        enabled_by: None,
        unmet: None,
    }
}
