//! From a loaded unit to a [`Service`].

use super::account::account;
use super::command::Context;
use super::unit::{self, Unit};
use super::{
    bind, calendar, capability, condition, credential, directory, environment, remark, sandbox,
    signal, specifier,
};
use crate::fact::{Document, Evidence, Facts, Unexamined, UnitEntry};
use crate::path::MachinePath;
use crate::service::{
    Bind, CREDENTIALS_DIRECTORY, Command, Commands, Device, GeneratedUnit, Limit, Privileges,
    Service, ServiceType, Starter,
};
use crate::words;
use crate::words::budget::{Budget, EXPANDED, WORDS};

/// What the values of one unit may become: twice what the kernel lets a command line and its environment be by default
/// for one string (execve(2), `MAX_ARG_STRLEN`).
const OF_ONE: usize = 256 << 10;

/// The same for all units of a machine.
const OF_ALL: usize = 16 << 20;

/// What units may still become, and those that became less than is written.
pub(super) struct Limits<'a> {
    whole: Budget,
    /// Lists of directories that are made at boot.
    tmpfiles: Vec<&'a Document>,
    pub cut: Vec<Unexamined>,
}

impl<'a> Limits<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        Self {
            tmpfiles: directory::in_force(facts).collect(),
            whole: Budget::new(OF_ALL),
            cut: Vec::new(),
        }
    }
}

/// A unit as a service; what its values would become beyond the limits is left as written, and named.
pub(super) fn service(
    facts: &Facts,
    unit: &Unit,
    generated: Option<&GeneratedUnit>,
    limits: &mut Limits<'_>,
) -> Service {
    let budget = limits.whole.part(OF_ONE);
    let service = of_unit(facts, unit, generated, (&limits.tmpfiles, &budget));
    limits.whole.settle(&budget, OF_ONE);
    if budget.is_spent() || unit.is_cut {
        limits.cut.push(Unexamined {
            path: service.evidence.path.clone(),
            detector: "services/systemd".to_owned(),
            reason: format!("{}: {EXPANDED}", unit.name),
        });
    }
    service
}

fn of_unit(
    facts: &Facts,
    unit: &Unit,
    generated: Option<&GeneratedUnit>,
    (tmpfiles, budget): (&[&Document], &Budget),
) -> Service {
    let source = Source {
        facts,
        unit,
        budget,
    };
    let plain = source.plain();
    let (user, group) = account(facts, unit, source.value("User"), source.value("Group"));
    let (environment, open) = environment::read(facts, unit, &plain);
    let directories = directory::all(facts, (unit, &user), &plain, tmpfiles);
    let (credentials, uncarried) = credential::all(facts, unit, &plain);
    let own = (!credentials.is_empty()).then(|| {
        let directory = specifier::credentials(&unit.name);
        (CREDENTIALS_DIRECTORY.to_owned(), directory)
    });
    let mut environment = environment;
    // The manager sets them; what the unit sets itself stands.
    let given = directory::variables(&directories).into_iter();
    let is_set = |name: &String| environment.variables.iter().any(|(known, _)| known == name);
    let given: Vec<(String, String)> = given.filter(|(name, _)| !is_set(name)).collect();
    environment.variables = [given, environment.variables].concat();
    let known = [own.into_iter().collect(), environment.variables.clone()].concat();
    let context = Context {
        environment: &known,
        open: open.as_deref(),
        ..plain
    };
    let binds = bind::all(unit, &plain);
    let working_directory = source.value("WorkingDirectory");
    let umask = source.value("UMask");
    let signal = source.value("KillSignal");
    Service {
        masked: unit.masked,
        boot_only: unit.sets("DefaultDependencies", "no"),
        description: source.description(),
        kind: kind(unit, source.value("Type").as_deref()),
        commands: source.commands(&context),
        directories,
        output: source.output(),
        supplementary_groups: source.list("SupplementaryGroups"),
        group,
        working_directory: working_directory
            .and_then(|dir| self::working_directory(facts, &user, &dir)),
        user,
        environment,
        umask: umask.and_then(|mask| u32::from_str_radix(&mask, 8).ok()),
        kill_signal: signal.map_or_else(|| "SIGTERM".into(), |signal| signal::name(&signal)),
        stop_timeout: stop_timeout(unit),
        restart: source.value("Restart").unwrap_or_default(),
        pid_file: source.value("PIDFile").map(|path| pid_file(&path)),
        privileges: source.privileges(),
        devices: source.devices(),
        limits: limits(unit),
        mounts: mounts(unit),
        writable: writable(unit, &plain, &binds),
        binds,
        aliases: unit.aliases.clone(),
        credentials,
        remarks: [remark::remarks(unit), uncarried].concat(),
        files: unit.files.clone(),
        enabled_by: generated.map(|generated| generated.evidence.clone()),
        unmet: condition::unmet(facts, unit, &plain),
        ..Service::new(unit.name.clone(), Starter::Systemd, source.evidence())
    }
}

/// A unit, and the machine that it is read on.
struct Source<'a> {
    facts: &'a Facts,
    unit: &'a Unit,
    budget: &'a Budget,
}

impl<'a> Source<'a> {
    /// What values are expanded with that no variable may stand in.
    fn plain(&self) -> Context<'a> {
        let hostname = self.facts.hostname.as_ref();
        Context {
            name: &self.unit.name,
            hostname: hostname.map(|(name, _)| name.as_str()).unwrap_or_default(),
            owner: &self.unit.owner,
            environment: &[],
            open: None,
            budget: self.budget,
        }
    }

    fn value(&self, key: &str) -> Option<String> {
        let (_, entry) = self.unit.value("Service", key)?;
        Some(self.plain().expand(&entry.value))
    }

    fn list(&self, key: &str) -> Vec<String> {
        let entries = self.unit.list("Service", key).into_iter();
        let plain = self.plain();
        entries
            .flat_map(|(_, entry)| words::split(&plain.expand(&entry.value)))
            .take(WORDS)
            .collect()
    }

    fn description(&self) -> String {
        let entry = self.unit.value("Unit", "Description");
        let text = entry.map(|(_, entry)| self.plain().expand(&entry.value));
        text.unwrap_or_default()
    }

    fn commands(&self, context: &Context<'_>) -> Commands {
        let of = |key: &str| -> Vec<Command> {
            let entries = self.unit.list("Service", key).into_iter();
            entries
                .flat_map(|(path, entry)| context.commands(path, entry))
                .collect()
        };
        Commands {
            start: of("ExecStart"),
            before: of("ExecStartPre"),
            after: of("ExecStartPost"),
            stop: of("ExecStop"),
        }
    }

    /// Files of `StandardOutput=append:/path` and the like.
    fn output(&self) -> Vec<MachinePath> {
        let entries = self.unit.entries.iter().map(|(_, entry)| entry);
        let output = entries
            .filter(|entry| matches!(entry.key.as_str(), "StandardOutput" | "StandardError"));
        let files = output.filter_map(|entry| entry.value.split_once(":/"));
        files.map(|(_, path)| MachinePath::new(path)).collect()
    }

    fn privileges(&self) -> Privileges {
        let no_new = self.value("NoNewPrivileges");
        Privileges {
            ambient: capability::ambient(self.unit),
            bounding: capability::bounding(self.unit),
            no_new: no_new.is_some_and(|value| unit::is_true(&value)),
            walled: sandbox::wall(self.unit),
        }
    }

    fn devices(&self) -> Vec<Device> {
        let entries = self.unit.list("Service", "DeviceAllow").into_iter();
        let device = |(path, entry): &(MachinePath, UnitEntry)| {
            let name = words::parts(&entry.value).next()?;
            Some(Device {
                name: name.to_owned(),
                evidence: unit::evidence(path, entry),
            })
        };
        entries.filter_map(device).collect()
    }

    /// Where it says what it runs, or at least what it is.
    fn evidence(&self) -> Evidence {
        let command = self.unit.value("Service", "ExecStart");
        let said = command.or_else(|| self.unit.value("Unit", "Description"));
        let fragment = || self.unit.files.first().cloned();
        said.map_or_else(
            || Evidence::file(&fragment().unwrap_or_else(MachinePath::root)),
            |(path, entry)| unit::evidence(path, entry),
        )
    }
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

/// RequiresMountsFor= and its weaker kin.
fn mounts(unit: &Unit) -> Vec<MachinePath> {
    let keys = ["RequiresMountsFor", "WantsMountsFor"];
    let entries = keys.iter().flat_map(|key| unit.list("Unit", key));
    let words = entries.flat_map(|(_, entry)| words::split(&entry.value));
    let paths = words.filter(|word| word.starts_with('/')).take(WORDS);
    paths.map(MachinePath::new).collect()
}

/// Paths that the unit lets it write although the rest of the machine is closed to it, and what it is shown to be written.
fn writable(unit: &Unit, context: &Context<'_>, binds: &[Bind]) -> Vec<MachinePath> {
    let entries = unit.list("Service", "ReadWritePaths").into_iter();
    let words = entries.flat_map(|(_, entry)| words::split(&context.expand(&entry.value)));
    let paths = words.map(|word| word.trim_start_matches(['-', '+']).to_owned());
    let absolute = paths.filter(|path| path.starts_with('/') && path.len() > 1);
    let bound = binds.iter().filter(|bind| !bind.is_read_only);
    let bound = bound.map(|bind| bind.source.clone());
    let absolute = absolute.map(MachinePath::new);
    absolute.chain(bound).take(WORDS).collect()
}

/// Limits of the whole service (systemd.resource-control(5)), beside those of each process.
const WHOLE: &[&str] = &["MemoryMax", "MemoryLimit", "CPUQuota", "TasksMax"];

/// Of one limit the last counts.
fn limits(unit: &Unit) -> Vec<Limit> {
    let mut found: Vec<Limit> = Vec::new();
    for (path, entry) in unit.entries.iter().filter(|(_, e)| e.section == "Service") {
        let whole = WHOLE.iter().find(|key| entry.key == **key).copied();
        if let Some(name) = whole.or_else(|| entry.key.strip_prefix("Limit")) {
            found.retain(|known| known.name != name);
            found.push(Limit {
                name: name.to_owned(),
                value: entry.value.clone(),
                evidence: Evidence::line(
                    path,
                    entry.line,
                    &format!("{}={}", entry.key, entry.value),
                ),
            });
        }
    }
    found
}

/// `-` before it: a directory that may be missing; `~`: the user's home.
fn working_directory(facts: &Facts, user: &str, dir: &str) -> Option<MachinePath> {
    let dir = dir.trim_start_matches('-');
    if dir == "~" {
        return facts.user(user).map(|user| MachinePath::new(&user.home));
    }
    dir.starts_with('/').then(|| MachinePath::new(dir))
}
