//! From a loaded unit to a [`Service`].

use super::command::Context;
use super::unit::Unit;
use super::{
    Command, DirectoryKind, GeneratedUnit, ManagedDirectory, Manager, Service, ServiceType,
    calendar, words,
};
use crate::detect::native::secret::MASK;
use crate::fact::{Evidence, Facts, Syntax};
use crate::path::MachinePath;

/// RuntimeDirectory= and its kin: setting, where it is, what becomes of it (systemd.exec(5), table 2).
const DIRECTORIES: &[(&str, &str, DirectoryKind)] = &[
    ("RuntimeDirectory", "/run", DirectoryKind::Runtime),
    ("StateDirectory", "/var/lib", DirectoryKind::State),
    ("CacheDirectory", "/var/cache", DirectoryKind::Cache),
    ("LogsDirectory", "/var/log", DirectoryKind::Logs),
    (
        "ConfigurationDirectory",
        "/etc",
        DirectoryKind::Configuration,
    ),
];

#[expect(
    clippy::too_many_lines,
    reason = "a flat table of directives; each line stands for itself"
)]
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
    let environment_files = environment_files(unit, &plain);
    let (environment, secret_environment) = environment(facts, unit, &plain, &environment_files);
    let context = Context {
        environment: &environment,
        ..plain
    };
    let exec = |key: &str| -> Vec<Command> {
        let entries = unit.list("Service", key);
        entries
            .iter()
            .flat_map(|(path, entry)| context.commands(path, entry))
            .collect()
    };
    let user = value("User").unwrap_or_else(|| "root".into());
    let group = value("Group")
        .or_else(|| primary_group(facts, &user))
        .unwrap_or_else(|| user.clone());
    let stem = unit.name.split(['@', '.']).next().unwrap_or_default();
    let is_dynamic = value("DynamicUser").is_some_and(|value| is_true(&value));
    let user = if is_dynamic && value("User").is_none() {
        stem.to_owned()
    } else {
        user
    };
    let capabilities = |key: &str| -> Vec<String> {
        list(key)
            .into_iter()
            .filter(|c| !c.starts_with('~'))
            .collect()
    };
    let limits = unit.entries.iter().filter_map(|(_, entry)| {
        let name = entry
            .key
            .strip_prefix("Limit")
            .filter(|_| entry.section == "Service")?;
        Some((name.to_owned(), entry.value.clone()))
    });
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
        kind: kind(value("Type").as_deref(), value("BusName").is_some()),
        exec: exec("ExecStart"),
        exec_pre: exec("ExecStartPre"),
        exec_post: exec("ExecStartPost"),
        exec_stop: exec("ExecStop"),
        directories: directories(unit, &plain, &value),
        supplementary_groups: list("SupplementaryGroups"),
        user,
        group,
        secret_environment,
        environment_files,
        working_directory: value("WorkingDirectory")
            .and_then(|dir| working_directory(facts, unit, &dir)),
        umask: value("UMask").and_then(|mask| u32::from_str_radix(&mask, 8).ok()),
        kill_signal: value("KillSignal").unwrap_or_else(|| "SIGTERM".into()),
        stop_timeout: value("TimeoutStopSec")
            .or_else(|| value("TimeoutSec"))
            .and_then(|span| calendar::span(&span)),
        restart: value("Restart").unwrap_or_default(),
        pid_file: value("PIDFile").map(|path| {
            MachinePath::new(if path.starts_with('/') {
                path
            } else {
                format!("/run/{path}")
            })
        }),
        ambient_capabilities: capabilities("AmbientCapabilities"),
        capability_bounding: unit
            .value("Service", "CapabilityBoundingSet")
            .map(|_| capabilities("CapabilityBoundingSet")),
        no_new_privileges: value("NoNewPrivileges").is_some_and(|value| is_true(&value)),
        limits: limits.collect(),
        sockets: Vec::new(),
        requires: [unit.names("Requires"), unit.names("BindsTo")].concat(),
        wants: unit.names("Wants"),
        part_of: unit.names("PartOf"),
        after: unit.names("After"),
        aliases: unit.aliases.clone(),
        directives: unit.entries.clone(),
        files: unit.files.clone(),
        enabled_by: generated.map(|generated| generated.evidence.clone()),
        environment,
        evidence,
    }
}

fn is_true(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "1" | "yes" | "y" | "true" | "t" | "on"
    )
}

fn kind(value: Option<&str>, bus: bool) -> ServiceType {
    match value {
        Some("forking") => ServiceType::Forking,
        Some("oneshot") => ServiceType::Oneshot,
        Some("dbus") => ServiceType::Dbus,
        Some("notify" | "notify-reload") => ServiceType::Notify,
        Some("exec") => ServiceType::Exec,
        Some("idle") => ServiceType::Idle,
        None if bus => ServiceType::Dbus,
        _ => ServiceType::Simple,
    }
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
fn working_directory(facts: &Facts, unit: &Unit, dir: &str) -> Option<MachinePath> {
    let dir = dir.trim_start_matches('-');
    if dir == "~" {
        let user = unit
            .value("Service", "User")
            .map_or("root", |(_, entry)| entry.value.as_str());
        return facts.user(user).map(|user| MachinePath::new(&user.home));
    }
    dir.starts_with('/').then(|| MachinePath::new(dir))
}

fn environment_files(unit: &Unit, context: &Context<'_>) -> Vec<(MachinePath, bool)> {
    let entries = unit.list("Service", "EnvironmentFile");
    let file = |value: &str| {
        let value = context.expand(value);
        let optional = value.starts_with('-');
        (MachinePath::new(value.trim_start_matches('-')), optional)
    };
    entries
        .iter()
        .map(|(_, entry)| file(&entry.value))
        .collect()
}

type Variables = Vec<(String, String)>;

/// Environment= first, files after, later ones win (systemd.exec(5)). Secret values are masked, and named apart.
fn environment(
    facts: &Facts,
    unit: &Unit,
    context: &Context<'_>,
    files: &[(MachinePath, bool)],
) -> (Variables, Vec<(String, Evidence)>) {
    let mut found: Variables = Vec::new();
    let mut secrets: Vec<(String, Evidence)> = Vec::new();
    let mut set = |name: &str, value: String, evidence: Evidence| {
        found.retain(|(known, _)| known != name);
        secrets.retain(|(known, _)| known != name);
        if value.contains(MASK) {
            secrets.push((name.to_owned(), evidence));
        }
        found.push((name.to_owned(), value));
    };
    for (path, entry) in unit.list("Service", "Environment") {
        for word in words::split(&context.expand(&entry.value)) {
            if let Some((name, value)) = word.split_once('=') {
                set(
                    name,
                    value.to_owned(),
                    Evidence::line(path, entry.line, &word),
                );
            }
        }
    }
    for (pattern, _) in files {
        let matching = facts.documents.iter().filter(|((path, syntax), _)| {
            *syntax == Syntax::Environment
                && crate::walk::glob::matches_path(&pattern.text(), &path.text())
        });
        for (_, document) in matching {
            for setting in &document.settings {
                let value = setting.args.first().cloned().unwrap_or_default();
                set(&setting.key, value, document.evidence(setting));
            }
        }
    }
    (found, secrets)
}

fn directories(
    unit: &Unit,
    context: &Context<'_>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Vec<ManagedDirectory> {
    let mut found = Vec::new();
    for (key, base, kind) in DIRECTORIES {
        let mode = value(&format!("{key}Mode"))
            .and_then(|mode| u32::from_str_radix(&mode, 8).ok())
            .unwrap_or(0o755);
        for (_, entry) in unit.list("Service", key) {
            for name in words::split(&context.expand(&entry.value)) {
                // `name:link` also makes a link, since systemd 250.
                let name = name.split(':').next().unwrap_or_default();
                found.push(ManagedDirectory {
                    path: MachinePath::new(base).join(name),
                    mode,
                    user: String::new(),
                    group: String::new(),
                    kind: *kind,
                });
            }
        }
    }
    found
}
