//! From a loaded unit to a [`Service`].

use super::command::Context;
use super::unit::Unit;
use super::{calendar, capability, condition, directory, environment, signal};
use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;
use crate::service::{Command, GeneratedUnit, Manager, Service, ServiceType};
use crate::words;

pub(super) fn service(facts: &Facts, unit: &Unit, generated: Option<&GeneratedUnit>) -> Service {
    let hostname = facts
        .hostname
        .as_ref()
        .map(|(name, _)| name.as_str())
        .unwrap_or_default();
    let plain = Context {
        name: &unit.name,
        hostname,
        environment: &[],
        open: None,
    };
    let value = |key: &str| {
        unit.value("Service", key)
            .map(|(_, entry)| plain.expand(&entry.value))
    };
    let list = |key: &str| -> Vec<String> {
        let entries = unit.list("Service", key);
        entries
            .iter()
            .flat_map(|(_, entry)| words::split(&plain.expand(&entry.value)))
            .collect()
    };
    let (user, group) = account(facts, unit, value("User"), value("Group"));
    let environment_files = environment::files(unit, &plain);
    let environment = environment::read(facts, unit, &plain, &environment_files);
    let directories = directory::all(facts, unit, &plain, &user);
    let known = [
        directory::variables(&directories),
        environment.variables.clone(),
    ]
    .concat();
    let context = Context {
        environment: &known,
        open: environment.open.as_deref(),
        ..plain
    };
    let exec = |key: &str| -> Vec<Command> {
        let entries = unit.list("Service", key);
        entries
            .iter()
            .flat_map(|(path, entry)| context.commands(path, entry))
            .collect()
    };
    let fragment = unit
        .files
        .first()
        .cloned()
        .unwrap_or_else(MachinePath::root);
    let at = unit
        .value("Service", "ExecStart")
        .or_else(|| unit.value("Unit", "Description"));
    let evidence = at.map_or_else(
        || Evidence::file(&fragment),
        |(path, entry)| Evidence::line(path, entry.line, &format!("{}={}", entry.key, entry.value)),
    );
    Service {
        name: unit.name.clone(),
        manager: Manager::Systemd,
        enabled: false,
        masked: unit.masked,
        description: unit
            .value("Unit", "Description")
            .map(|(_, e)| plain.expand(&e.value))
            .unwrap_or_default(),
        kind: kind(unit, value("Type").as_deref()),
        exec: exec("ExecStart"),
        exec_pre: exec("ExecStartPre"),
        exec_post: exec("ExecStartPost"),
        exec_stop: exec("ExecStop"),
        directories,
        supplementary_groups: list("SupplementaryGroups"),
        group,
        secret_environment: environment.secrets,
        environment_files,
        working_directory: value("WorkingDirectory")
            .and_then(|dir| working_directory(facts, &user, &dir)),
        user,
        umask: value("UMask").and_then(|mask| u32::from_str_radix(&mask, 8).ok()),
        kill_signal: value("KillSignal").map_or_else(|| "SIGTERM".into(), |s| signal::name(&s)),
        stop_timeout: stop_timeout(unit),
        restart: value("Restart").unwrap_or_default(),
        pid_file: value("PIDFile").map(|path| pid_file(&path)),
        ambient_capabilities: capability::ambient(unit),
        capability_bounding: capability::bounding(unit, is_true),
        no_new_privileges: value("NoNewPrivileges").is_some_and(|value| is_true(&value)),
        limits: limits(unit),
        sockets: Vec::new(),
        requires: [unit.names("Requires"), unit.names("BindsTo")].concat(),
        wants: unit.names("Wants"),
        part_of: unit.names("PartOf"),
        after: unit.names("After"),
        aliases: unit.aliases.clone(),
        directives: unit.entries.clone(),
        files: unit.files.clone(),
        enabled_by: generated.map(|generated| generated.evidence.clone()),
        environment: environment.variables,
        unmet: condition::unmet(facts, unit, &plain),
        evidence,
    }
}

pub(super) fn is_true(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "1" | "yes" | "y" | "true" | "t" | "on"
    )
}

fn kind(unit: &Unit, value: Option<&str>) -> ServiceType {
    let has = |key: &str| unit.value("Service", key).is_some();
    match value {
        Some("forking") => ServiceType::Forking,
        Some("oneshot") => ServiceType::Oneshot,
        Some("dbus") => ServiceType::Dbus,
        Some("notify" | "notify-reload") => ServiceType::Notify,
        Some("exec") => ServiceType::Exec,
        Some("idle") => ServiceType::Idle,
        None if has("BusName") => ServiceType::Dbus,
        None if !has("ExecStart") => ServiceType::Oneshot,
        _ => ServiceType::Simple,
    }
}

/// User= and Group= as names; a dynamic user is called after the unit.
fn account(
    facts: &Facts,
    unit: &Unit,
    user: Option<String>,
    group: Option<String>,
) -> (String, String) {
    let is_dynamic = unit
        .value("Service", "DynamicUser")
        .is_some_and(|(_, entry)| is_true(&entry.value));
    let stem = unit.name.rsplit_once('.').map_or(&*unit.name, |(s, _)| s);
    let prefix = stem.split('@').next().unwrap_or_default();
    let user = match user {
        None if is_dynamic => prefix.to_owned(),
        None => "root".to_owned(),
        Some(user) => {
            let uid = user.parse().ok();
            let known = facts.users.iter().find(|known| uid == Some(known.uid));
            known.map_or(user, |known| known.name.clone())
        }
    };
    let group = match group {
        None => primary_group(facts, &user).unwrap_or_else(|| user.clone()),
        Some(group) => {
            let gid = group.parse().ok();
            let known = facts.groups.iter().find(|known| gid == Some(known.gid));
            known.map_or(group, |known| known.name.clone())
        }
    };
    (user, group)
}

/// TimeoutSec= sets it too; of both the last counts, and `infinity` is 0.
fn stop_timeout(unit: &Unit) -> Option<u64> {
    let is_stop = |key: &str| matches!(key, "TimeoutStopSec" | "TimeoutSec");
    let (_, entry) = unit
        .entries
        .iter()
        .rfind(|(_, entry)| entry.section == "Service" && is_stop(&entry.key))?;
    match entry.value.as_str() {
        "infinity" => Some(0),
        span => calendar::span(span),
    }
}

/// Relative to /run; the place that /var/run was is /run to systemd.
fn pid_file(path: &str) -> MachinePath {
    let below = path.strip_prefix("/var/run/");
    match below.or_else(|| (!path.starts_with('/')).then_some(path)) {
        Some(below) => MachinePath::new("/run").join(below),
        None => MachinePath::new(path),
    }
}

/// Limit name and value as written; of one limit the last counts.
fn limits(unit: &Unit) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (_, entry) in unit.entries.iter().filter(|(_, e)| e.section == "Service") {
        if let Some(name) = entry.key.strip_prefix("Limit") {
            found.retain(|(known, _)| known != name);
            found.push((name.to_owned(), entry.value.clone()));
        }
    }
    found
}

fn primary_group(facts: &Facts, user: &str) -> Option<String> {
    let gid = facts.user(user)?.gid;
    facts
        .groups
        .iter()
        .find(|group| group.gid == gid)
        .map(|group| group.name.clone())
}

/// `-` before it: a directory that may be missing; `~`: the user's home.
fn working_directory(facts: &Facts, user: &str, dir: &str) -> Option<MachinePath> {
    let dir = dir.trim_start_matches('-');
    if dir == "~" {
        return facts.user(user).map(|user| MachinePath::new(&user.home));
    }
    dir.starts_with('/').then(|| MachinePath::new(dir))
}
