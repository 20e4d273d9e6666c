//! Services as the machine's own manager sees them.
//!
//! What belongs here: the meaning of unit files, links, presets, init scripts and schedules together. What does not:
//! products; a service is known by what it runs, and packs say what that is.

mod cron;
mod systemd;
pub mod sysv;

use crate::fact::{Evidence, Facts, UnitEntry};
use crate::path::MachinePath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who starts it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    Systemd,
    Sysv,
    Openrc,
    Upstart,
    Supervisord,
    Runit,
    Cron,
    Anacron,
    Timer,
    At,
    Inetd,
    RcLocal,
}

/// systemd's Type=, and what it means for a container's PID 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServiceType {
    #[default]
    Simple,
    Exec,
    Forking,
    Oneshot,
    Dbus,
    Notify,
    Idle,
}

/// One command line, specifiers and variables expanded as far as the disk tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Redacted.
    pub argv: Vec<String>,
    /// `-`: a failure does not count.
    pub ignore_failure: bool,
    /// `+` or `!`: runs with full privileges, whatever User= says.
    pub privileged: bool,
    pub evidence: Evidence,
}

/// A directory the manager makes before the start (RuntimeDirectory=, StateDirectory=, …, tmpfiles.d).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManagedDirectory {
    pub path: MachinePath,
    pub mode: u32,
    /// Names; empty means the service's own.
    pub user: String,
    pub group: String,
    /// Keeps state (StateDirectory=, CacheDirectory=, LogsDirectory=), or is gone at boot (/run).
    pub kind: DirectoryKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DirectoryKind {
    Runtime,
    State,
    Cache,
    Logs,
    Configuration,
    Temporary,
}

/// A service, everything merged: fragment, drop-ins, template, instance, aliases, EnvironmentFile=.
#[derive(Debug, Clone)]
pub struct Service {
    /// As the machine's manager spells it: `nginx.service`, `acmed`.
    pub name: String,
    pub manager: Manager,
    /// Starts at boot: reachable from the default target through .wants and .requires links, Wants= and Requires=, rc?.d
    /// links, or by an enabled socket or path unit.
    pub enabled: bool,
    pub masked: bool,
    pub description: String,
    pub kind: ServiceType,
    pub exec: Vec<Command>,
    pub exec_pre: Vec<Command>,
    pub exec_post: Vec<Command>,
    pub exec_stop: Vec<Command>,
    /// The name the main process runs as; `root` where nothing says otherwise.
    pub user: String,
    pub group: String,
    pub supplementary_groups: Vec<String>,
    /// Environment=, then EnvironmentFile=, in order; redacted.
    pub environment: Vec<(String, String)>,
    /// Names of variables whose value was redacted, with the file and line that hold it.
    pub secret_environment: Vec<(String, Evidence)>,
    /// Path and whether it may be absent (`-`).
    pub environment_files: Vec<(MachinePath, bool)>,
    pub working_directory: Option<MachinePath>,
    pub directories: Vec<ManagedDirectory>,
    pub umask: Option<u32>,
    /// Signal name with SIG; SIGTERM where nothing says otherwise.
    pub kill_signal: String,
    /// Seconds; 0 where the manager waits without end, `None` where nothing is said.
    pub stop_timeout: Option<u64>,
    pub restart: String,
    pub pid_file: Option<MachinePath>,
    /// The sets in force, CAP_ names; the bounding set is `None` where nothing bounds it.
    pub ambient_capabilities: Vec<String>,
    pub capability_bounding: Option<Vec<String>>,
    pub no_new_privileges: bool,
    /// Limit name (`NOFILE`) and value as written.
    pub limits: Vec<(String, String)>,
    /// Sockets that socket units open and hand over.
    pub sockets: Vec<Socket>,
    pub requires: Vec<String>,
    pub wants: Vec<String>,
    pub part_of: Vec<String>,
    pub after: Vec<String>,
    pub aliases: Vec<String>,
    /// Every directive in force, in merge order: for rules and mapping tables.
    pub directives: Vec<(MachinePath, UnitEntry)>,
    /// Fragment first, then drop-ins, in merge order.
    pub files: Vec<MachinePath>,
    /// Where it is defined, and where it is enabled.
    pub evidence: Evidence,
    pub enabled_by: Option<Evidence>,
    /// A condition of the unit that does not hold on this disk: it is started, and skipped.
    pub unmet: Option<Evidence>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketKind {
    Stream,
    Datagram,
    SequentialPacket,
    Fifo,
}

/// A socket that a socket unit opens for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// `ListenStream=` and its kin as written, specifiers filled in.
    pub address: String,
    pub kind: SocketKind,
    /// One process for each connection.
    pub is_accepting: bool,
    /// `FileDescriptorName=`.
    pub name: Option<String>,
    pub evidence: Evidence,
}

/// A timer or cron job, ready for a schedule.
#[derive(Debug, Clone)]
pub struct ScheduledJob {
    /// Cron: file and command; timer: the unit's name.
    pub name: String,
    pub manager: Manager,
    pub enabled: bool,
    /// In the machine's own notation.
    pub schedule: String,
    /// The same as five cron fields, where it can be said so.
    pub cron: Option<String>,
    pub user: String,
    /// A shell command line for cron; for a timer, the commands of the service it starts.
    pub command: String,
    pub environment: Vec<(String, String)>,
    pub secret: bool,
    /// The service a timer starts.
    pub service: Option<Box<Service>>,
    pub evidence: Evidence,
}

/// A unit that a generator would make at boot; packs describe which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedUnit {
    /// `postgresql@15-main.service`; its template is on the disk.
    pub name: String,
    /// The unit that pulls it in, or the init script that starts it.
    pub wanted_by: String,
    pub evidence: Evidence,
    /// What the init script starts, where no template says it: command line and environment.
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
}

/// Everything that starts or may start on the machine.
#[derive(Debug, Default)]
pub struct Services {
    /// Sorted by name; those that are not enabled too.
    pub services: Vec<Service>,
    /// Enabled jobs of timers and cron, sorted by name.
    pub jobs: Vec<ScheduledJob>,
}

/// Works out all services of a machine. Pure.
pub fn services(facts: &Facts, generated: &[GeneratedUnit]) -> Services {
    let path = systemd::UnitPath::new(facts);
    let reached = systemd::reach(&path, generated);
    let mut services = systemd::services(facts, &path, &reached, generated);
    services.extend(sysv::services(facts, &path, &reached));
    let daemons: Vec<Service> = sysv::daemons(&services, generated).collect();
    services.extend(daemons);
    drop_wrappers(facts, &mut services);
    services.sort_by(|a, b| a.name.cmp(&b.name));
    services.dedup_by(|a, b| a.name == b.name);
    let mut jobs = systemd::timers(facts, &path, &reached);
    jobs.extend(cron::jobs(facts));
    jobs.sort_by(|a, b| (&a.name, &a.evidence).cmp(&(&b.name, &b.evidence)));
    Services { services, jobs }
}

/// The unit that runs rc.local is made for it by a generator, or enabled by hand; the script is one service, not two.
fn drop_wrappers(facts: &Facts, services: &mut Vec<Service>) {
    let script = |service: &Service| {
        let program = service.exec.first()?.argv.first()?;
        facts.tree.resolve(&MachinePath::new(program))
    };
    let local = services
        .iter()
        .find(|service| service.manager == Manager::RcLocal)
        .and_then(script);
    services.retain(|service| {
        local.is_none() || service.manager == Manager::RcLocal || script(service) != local
    });
}
