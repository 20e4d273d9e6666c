//! The plan: what each container will be. Everything written afterwards reads this and re-derives nothing.
//!
//! [`plan`] is a pure function over facts and workloads; it opens no file. One file beside this one for each noun of a
//! plan: base, pin, account, file, volume, command, …

mod account;
mod activate;
mod build;
mod capability;
mod carried;
mod command;
mod configuration;
mod contract;
mod device;
mod file;
mod health;
mod hosts;
mod identity;
mod names;
mod package;
mod place;
mod pod;
mod port;
mod privilege;
mod process;
mod program;
mod schedule;
pub(crate) mod secret;
mod service;
mod socket;
mod volume;

pub use build::plan;
pub use contract::{needs, settle};
pub use program::{files, programs};

use crate::distribution::candidate::{BaseChoice, Demand};
use crate::fact::{Evidence, SecretRef};
use crate::kernel::place::Profile;
use crate::path::MachinePath;
use crate::product::Probe;
use crate::walk::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the caller asks of every plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// The machine's data is written beside the containers, and they start with it.
    pub with_data: bool,
}

/// A package of the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedPackage {
    pub name: String,
    /// What the installer is asked for: `1.22.1-*`, so that a security update does not break the build.
    pub pin: String,
    /// What the machine had; empty where the machine did not have the package.
    pub version: String,
}

/// An account made before the packages are installed, with the machine's own numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedUser {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub home: String,
    pub shell: String,
    /// Supplementary groups.
    pub groups: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedGroup {
    pub name: String,
    pub gid: u32,
}

/// A file, directory (with everything below it) or link copied out of the machine into the build context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedFile {
    /// Where it stands, in the machine and in the image alike.
    pub path: MachinePath,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub why: String,
    /// Names copied, itself included: 1, or more for a directory.
    pub names: u64,
    /// Bytes of content copied.
    pub bytes: u64,
}

/// Something the packages put into the image that the machine does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedRemoval {
    pub path: MachinePath,
    /// A directory that stays, emptied.
    pub content: bool,
    pub why: String,
}

/// A directory the image makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedDirectory {
    pub path: MachinePath,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Below /run or /tmp: gone at every boot of the machine, so made again at every start.
    pub runtime: bool,
}

/// A named volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedVolume {
    /// Unique in OUT: `postgresql-15-main-data`.
    pub name: String,
    pub path: MachinePath,
    pub bytes: u64,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub why: String,
    /// Holds the machine's data (written by `--with-data`), or is only shared or scratch.
    pub carries_data: bool,
    /// The machine's data is written beside the container, which loads it at the first start.
    pub load: bool,
    pub evidence: Evidence,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedPort {
    pub port: u16,
    pub protocol: String,
    pub evidence: Evidence,
}

/// A secret, by reference: a whole file that is mounted, or one variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedSecret {
    /// File name under OUT/secrets; `[a-z0-9._-]`.
    pub name: String,
    /// The file to put it at inside the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PlannedFile>,
    /// Or the variables it sets, in a file of shell assignments.
    pub variables: Vec<String>,
    pub holds: Vec<SecretRef>,
}

/// A command with the place it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedCommand {
    pub argv: Vec<String>,
    /// A failure does not keep the main command from starting.
    pub ignore_failure: bool,
    pub evidence: Evidence,
}

/// A line of the schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedJob {
    pub name: String,
    /// Five cron fields, or `@reboot`.
    pub cron: String,
    pub user: String,
    pub command: String,
    pub environment: Vec<(String, String)>,
    /// The line holds a secret: `command` is redacted, and the line itself is a secret of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    pub evidence: Evidence,
}

/// Where the schedule's lines go, and where their output comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedScheduler {
    /// Directory of job tables.
    pub tables: MachinePath,
    /// The program that is handed the jobs' output as mail.
    pub mailer: MachinePath,
}

/// A capability that a container keeps, and what for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// CAP_ name.
    pub capability: String,
    pub why: String,
}

/// A device of the host that a container is handed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedDevice {
    pub path: String,
    pub why: String,
    pub evidence: Evidence,
}

/// What a container may ask of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contract {
    /// Every capability is dropped but those it keeps; else it has them beside the engine's own set.
    pub drops: bool,
    /// Why the engine's own set stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unproven: Option<String>,
    pub keeps: Vec<Kept>,
    pub devices: Vec<PlannedDevice>,
    pub profile: Profile,
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            drops: false,
            unproven: None,
            keeps: Vec::new(),
            devices: Vec::new(),
            profile: Profile::new([], false),
        }
    }
}

/// How often and how patiently a health check asks; seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthCheck {
    /// Run inside the container.
    pub command: Vec<String>,
    pub interval: u32,
    pub timeout: u32,
    pub start_period: u32,
    pub retries: u32,
}

/// One container.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The workload's id.
    pub id: String,
    pub title: String,
    pub strategy: String,
    /// Why this strategy and this base.
    pub reason: String,
    /// `docker.io/library/debian:12-slim`.
    pub base: String,
    /// What its programs without a package need of a base, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demand: Option<Demand>,
    /// Other bases, for those programs alone: the smallest that satisfies first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub bases: Vec<BaseChoice>,
    /// The machine's release as it calls itself.
    pub release: String,
    /// Lines of a package source list beyond the base's own.
    pub sources: Vec<String>,
    /// Accounts of the base image that hold a number the machine gave to somebody else.
    pub displaced: Vec<String>,
    /// Accounts that the base or a package brings, and groups they belong to beside their own.
    pub memberships: Vec<(String, String)>,
    pub packages: Vec<PlannedPackage>,
    /// Directories that must be there before packages are installed.
    pub package_directories: Vec<String>,
    pub groups: Vec<PlannedGroup>,
    pub users: Vec<PlannedUser>,
    pub files: Vec<PlannedFile>,
    pub removals: Vec<PlannedRemoval>,
    pub directories: Vec<PlannedDirectory>,
    /// Log files that must exist before the start, since the process may not create them.
    pub log_files: Vec<PlannedFile>,
    /// Log files linked to the container's output: path and `/dev/stdout` or `/dev/stderr`.
    pub log_links: Vec<(MachinePath, String)>,
    pub volumes: Vec<PlannedVolume>,
    pub environment: Vec<(String, String)>,
    pub secrets: Vec<PlannedSecret>,
    /// Commands before the main one, in order, as root where `true`.
    pub before: Vec<(PlannedCommand, bool)>,
    pub command: PlannedCommand,
    /// `uid:gid` names of the main process.
    pub user: String,
    pub group: String,
    /// The numbers of both.
    pub uid: u32,
    pub gid: u32,
    /// An entry point starts as root, prepares, and drops to `user`; without one the image's USER is `user`.
    pub entrypoint: bool,
    pub working_directory: Option<MachinePath>,
    pub ports: Vec<PlannedPort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
    pub stop_signal: String,
    /// Seconds.
    pub stop_timeout: u64,
    /// `no`, `on-failure` or `unless-stopped`.
    pub restart: String,
    pub limits: Vec<(String, String)>,
    /// Kept by the process although it is not root; CAP_ names.
    pub capabilities: Vec<String>,
    /// Native programs that it starts itself, links followed.
    pub programs: Vec<MachinePath>,
    pub contract: Contract,
    pub no_new_privileges: bool,
    /// PID 1 is the engine's own init, since the process reaps no orphans.
    pub init: bool,
    /// File-creation mask, where the machine sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<u32>,
    pub sysctls: Vec<(String, String)>,
    pub hosts: Vec<(String, String)>,
    pub timezone: Option<String>,
    pub locale: Option<String>,
    /// The package that brings the definitions a locale is made from, where it has to be made.
    #[serde(skip)]
    pub locale_package: Option<String>,
    /// The machine's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The workload whose network name space it shares; the pod's first is its own.
    pub pod: String,
    pub depends_on: Vec<String>,
    pub jobs: Vec<PlannedJob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<PlannedScheduler>,
    /// Lines for the reader: what was left out, what a human decides.
    pub notes: Vec<String>,
    #[serde(skip)]
    pub probe: Option<Probe>,
    /// Every name of `files`, directories expanded, and the directories above them (not listed in `files`), by path.
    #[serde(skip)]
    pub entries: Vec<Entry>,
    /// The files of `secrets`, by path.
    #[serde(skip)]
    pub secret_entries: Vec<Entry>,
    /// Every name of the volumes that carry data, by volume and path.
    #[serde(skip)]
    pub data: Vec<(String, Vec<Entry>)>,
}
