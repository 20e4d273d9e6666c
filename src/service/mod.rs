//! Services as the machine's own manager sees them.
//!
//! What belongs here: the meaning of unit files, links, presets, init scripts and schedules together, one file or folder a
//! manager. How a manager writes things down stays there: a [`Service`] says what they mean, and lines as written are
//! evidence. What does not: products; a service is known by what it runs, and packs say what that is.

mod answered;
mod bind;
mod cron;
mod emperor;
mod inetd;
mod limit;
pub mod managed;
pub mod manager;
mod monit;
mod openrc;
mod pm2;
mod quadlet;
mod script;
mod supervise;
mod supervisord;
mod systemd;
mod sysv;
mod upstart;

use crate::fact::{Evidence, Facts, Unexamined};
use crate::path::MachinePath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use answered::id_of;
pub use bind::Bind;
pub use limit::{Limit, told};
pub use manager::GeneratedUnit;

/// What starts it, as a scan says it: one part of a manager.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Manager")]
pub enum Starter {
    Systemd,
    Sysv,
    Cron,
    Anacron,
    Timer,
    RcLocal,
    Supervisord,
    Pm2,
    Runit,
    Daemontools,
    S6,
    Emperor,
    Monit,
    Upstart,
    Openrc,
    Inittab,
    Inetd,
}

impl Starter {
    /// Whether its programs stand in a list of its own: each of them runs something.
    pub fn reads_lists(self) -> bool {
        matches!(self, Self::Supervisord | Self::Pm2)
    }
}

/// How its process starts and is ready, and so what it means for a container's PID 1.
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
    /// A failure does not count.
    pub ignore_failure: bool,
    /// Runs with full privileges, whatever the service's user is.
    pub privileged: bool,
    pub evidence: Evidence,
}

/// A directory that is made before the start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManagedDirectory {
    pub path: MachinePath,
    pub mode: u32,
    /// Names; empty means the service's own.
    pub user: String,
    pub group: String,
    /// Keeps state, or is gone at boot (/run).
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

/// What is run for a service, each in order.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    /// The service itself; several only where each ends before the next.
    pub start: Vec<Command>,
    pub before: Vec<Command>,
    pub after: Vec<Command>,
    pub stop: Vec<Command>,
}

/// What a service's processes find in their environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// In order, later ones over earlier ones; redacted.
    pub variables: Vec<(String, String)>,
    /// Names of variables whose value was redacted, with the file and line that hold it.
    pub secrets: Vec<(String, Evidence)>,
    /// Files of variables, and whether each may be absent.
    pub files: Vec<(MachinePath, bool)>,
    /// What sets the other variables, as far as the manager's files say.
    pub set_by: BTreeMap<String, Evidence>,
}

/// Where a service finds its credentials: a directory of its own name, which this variable names.
pub const CREDENTIALS: &str = "/run/credentials";
pub const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// A secret that a service finds as a file in its directory of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub name: String,
    pub content: Content,
    pub evidence: Evidence,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file of the machine.
    File(MachinePath),
    /// Redacted.
    Text(String),
}

/// What a service's processes may do beyond their user, and what they may not.
#[derive(Debug, Clone, Default)]
pub struct Privileges {
    /// CAP_ names that its processes have from the start.
    pub ambient: Vec<String>,
    /// CAP_ names that they can ever have; `None` where nothing bounds them.
    pub bounding: Option<Vec<String>>,
    /// Nothing they start gains any.
    pub no_new: bool,
    /// A wall around it that, for a user other than root, has the same effect.
    pub walled: Option<Evidence>,
}

/// A device that a service is given by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// As written: a path, or a class of devices.
    pub name: String,
    pub evidence: Evidence,
}

/// Something about a service that only its manager does for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub kind: RemarkKind,
    /// In a report's words.
    pub text: String,
    pub evidence: Evidence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemarkKind {
    /// It has no counterpart in a container.
    OfTheManager,
    /// It asks for real time, locked memory, or processors of its own.
    RealTime,
    /// A script starts it, which nothing supervises.
    Script,
}

/// A service with everything merged that its manager knows of it.
#[derive(Debug, Clone)]
pub struct Service {
    /// As the machine's manager spells it: `nginx.service`, `acmed`.
    pub name: String,
    pub manager: Starter,
    /// Starts at boot, or when somebody connects to a socket that is open from boot.
    pub enabled: bool,
    pub masked: bool,
    /// Belongs to the boot itself, before anything else runs.
    pub boot_only: bool,
    pub description: String,
    pub kind: ServiceType,
    pub commands: Commands,
    /// The name the main process runs as; `root` where nothing says otherwise.
    pub user: String,
    pub group: String,
    pub supplementary_groups: Vec<String>,
    pub environment: Environment,
    /// Sorted by name.
    pub credentials: Vec<Credential>,
    pub working_directory: Option<MachinePath>,
    pub directories: Vec<ManagedDirectory>,
    /// Files that its output goes to.
    pub output: Vec<MachinePath>,
    pub umask: Option<u32>,
    /// Signal name with SIG; SIGTERM where nothing says otherwise.
    pub kill_signal: String,
    /// Seconds; 0 where the manager waits without end, `None` where nothing is said.
    pub stop_timeout: Option<u64>,
    pub restart: String,
    pub pid_file: Option<MachinePath>,
    pub privileges: Privileges,
    pub devices: Vec<Device>,
    pub limits: Vec<Limit>,
    /// Paths whose mounts have to be there first.
    pub mounts: Vec<MachinePath>,
    /// Paths that it may write although the machine is closed to it.
    pub writable: Vec<MachinePath>,
    pub binds: Vec<Bind>,
    /// Sockets that are opened for it and handed over.
    pub sockets: Vec<Socket>,
    pub aliases: Vec<String>,
    pub remarks: Vec<Remark>,
    /// Files that define it, the first one first, in merge order.
    pub files: Vec<MachinePath>,
    /// Where it is defined, and where it is enabled.
    pub evidence: Evidence,
    pub enabled_by: Option<Evidence>,
    /// A condition that does not hold on this disk: it is started, and skipped.
    pub unmet: Option<Evidence>,
    /// Processes that run of it at once, all alike.
    pub processes: u32,
    /// Why it is no workload, where its manager says so: what it starts is listed by itself, or it is of use to that manager alone.
    pub stays: Option<String>,
}

impl Service {
    /// A service of which nothing is known but its name and place.
    pub fn new(name: String, manager: Starter, evidence: Evidence) -> Self {
        Self {
            name,
            manager,
            enabled: false,
            masked: false,
            boot_only: false,
            description: String::new(),
            kind: ServiceType::Simple,
            commands: Commands::default(),
            user: "root".into(),
            group: "root".into(),
            supplementary_groups: Vec::new(),
            environment: Environment::default(),
            credentials: Vec::new(),
            working_directory: None,
            directories: Vec::new(),
            output: Vec::new(),
            umask: None,
            kill_signal: "SIGTERM".into(),
            stop_timeout: None,
            restart: String::new(),
            pid_file: None,
            privileges: Privileges::default(),
            devices: Vec::new(),
            limits: Vec::new(),
            mounts: Vec::new(),
            writable: Vec::new(),
            binds: Vec::new(),
            sockets: Vec::new(),
            aliases: Vec::new(),
            remarks: Vec::new(),
            files: vec![evidence.path.clone()],
            evidence,
            enabled_by: None,
            unmet: None,
            processes: 1,
            stays: None,
        }
    }
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
    /// As written, what stands for the service's own name filled in.
    pub address: String,
    pub kind: SocketKind,
    /// One process for each connection.
    pub is_accepting: bool,
    /// The service has it as its standard input and output.
    pub is_input: bool,
    /// What it is called when it is handed over.
    pub name: Option<String>,
    pub evidence: Evidence,
}

/// A timer or cron job, ready for a schedule.
#[derive(Debug, Clone)]
pub struct ScheduledJob {
    /// Cron: file and command; timer: the unit's name.
    pub name: String,
    pub manager: Starter,
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

/// Everything that starts or may start on the machine.
#[derive(Debug, Default)]
pub struct Services {
    /// Sorted by name; those that are not enabled too.
    pub services: Vec<Service>,
    /// Enabled jobs of timers and cron, sorted by name.
    pub jobs: Vec<ScheduledJob>,
    /// What there was too much of to be read.
    pub unexamined: Vec<Unexamined>,
    /// Whether the boot goes on to a graphical session, which is a run level of its own; `None` where no manager says.
    pub graphical: Option<bool>,
}

/// Services of one manager; a large machine has some hundreds.
const MOST_SERVICES: usize = 4_000;

/// Scheduled jobs of one manager.
const MOST_JOBS: usize = 20_000;

impl Services {
    /// The service that answers to a name, enabled or not.
    pub fn named(&self, name: &str) -> Option<&Service> {
        let mut services = self.services.iter();
        services.find(|known| known.name == name || known.aliases.iter().any(|a| a == name))
    }

    /// Something of a file was left out.
    fn leave_out(&mut self, path: &MachinePath, manager: &str, reason: impl Into<String>) {
        self.unexamined.push(Unexamined {
            path: path.clone(),
            detector: format!("services/{manager}"),
            reason: reason.into(),
        });
    }
}

/// Works out all services of a machine, manager by manager. Pure.
pub fn services(facts: &Facts, generated: &[GeneratedUnit]) -> Services {
    let mut found = Services::default();
    for manager in manager::MANAGERS {
        manager.find(facts, generated, &mut found);
    }
    answered::take(&mut found.services, facts);
    found.unexamined.sort();
    found.unexamined.dedup();
    found.services.sort_by(|a, b| a.name.cmp(&b.name));
    found.services.dedup_by(|a, b| a.name == b.name);
    found
        .jobs
        .sort_by(|a, b| (&a.name, &a.evidence).cmp(&(&b.name, &b.evidence)));
    found
}
