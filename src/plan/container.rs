//! One container, noun by noun.

use super::{
    Contract, Dropper, HealthCheck, Lift, PlannedCommand, PlannedDirectory, PlannedFile,
    PlannedGroup, PlannedJob, PlannedMount, PlannedOrigin, PlannedPackage, PlannedPort,
    PlannedRemoval, PlannedScheduler, PlannedSecret, PlannedUser, PlannedVolume,
};
use crate::distribution::candidate::{BaseChoice, Demand};
use crate::distribution::family::{ArchiveFile, PlannedArchive, PlannedLocale, PlannedPin, Step};
use crate::path::MachinePath;
use crate::product::Probe;
use crate::walk::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One container.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The workload's id.
    pub id: String,
    pub title: String,
    /// How the image comes by its files: `packages` or `lift`.
    pub strategy: String,
    /// Why this strategy and this base.
    pub reason: String,
    pub image: Image,
    pub process: Process,
    pub network: Network,
    pub state: State,
    pub schedule: Schedule,
    pub contract: Contract,
    /// Lines for the reader: what was left out, what a human decides.
    pub notes: Vec<String>,
}

/// What the image is made of, and what is done to make it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// `docker.io/library/debian:12-slim`, or `scratch`.
    pub base: String,
    /// What it has of the machine's disk, where that is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lift: Option<Lift>,
    /// What its programs without a package need of a base, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demand: Option<Demand>,
    /// Other bases, for those programs alone: the smallest that satisfies first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub bases: Vec<BaseChoice>,
    /// The machine's release as it calls itself.
    pub release: String,
    /// Archives beyond the base's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<PlannedArchive>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<PlannedPin>,
    /// Of the base's own archive, beside those that it installs from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Packages that are not, or may not be, of the release's own archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<PlannedOrigin>,
    pub packages: Vec<PlannedPackage>,
    /// Streams of modules that packages are of: `name:stream`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Directories that must be there before packages are installed.
    pub package_directories: Vec<String>,
    /// Accounts of the base image that hold a number the machine gave to somebody else.
    pub displaced: Vec<String>,
    /// Accounts that the base or a package brings, and groups they belong to beside their own.
    pub memberships: Vec<(String, String)>,
    pub groups: Vec<PlannedGroup>,
    pub users: Vec<PlannedUser>,
    pub files: Vec<PlannedFile>,
    pub removals: Vec<PlannedRemoval>,
    pub directories: Vec<PlannedDirectory>,
    /// Log files that must exist before the start, since the process may not create them.
    pub log_files: Vec<PlannedFile>,
    /// Log files linked to the container's output: path and `/dev/stdout` or `/dev/stderr`.
    pub log_links: Vec<(MachinePath, String)>,
    pub timezone: Option<String>,
    pub locale: Option<String>,
    /// Locales that are made beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locales: Vec<PlannedLocale>,
    /// What is done to the base before its installer is told of further archives.
    #[serde(skip)]
    pub prepare: Vec<Step>,
    /// The files that tell it.
    #[serde(skip)]
    pub archive_files: Vec<ArchiveFile>,
    /// What is done to the base before the files come: accounts and packages.
    #[serde(skip)]
    pub steps: Vec<Step>,
    /// What is done once they are there.
    #[serde(skip)]
    pub finish: Vec<Step>,
    /// Every name of `files`, directories expanded, and the directories above them (not listed in `files`), by path.
    #[serde(skip)]
    pub entries: Vec<Entry>,
}

/// What runs in the container, as whom, and how it is started, asked and stopped.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    pub command: PlannedCommand,
    /// Commands before the main one, in order, as root where `true`.
    pub before: Vec<(PlannedCommand, bool)>,
    pub environment: Vec<(String, String)>,
    /// `uid:gid` names of the main process.
    pub user: String,
    pub group: String,
    /// The numbers of both.
    pub uid: u32,
    pub gid: u32,
    /// An entry point starts as root, prepares, and drops to `user`; without one the image's USER is `user`.
    pub entrypoint: bool,
    pub working_directory: Option<MachinePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
    pub stop_signal: String,
    /// Seconds.
    pub stop_timeout: u64,
    /// `no`, `on-failure` or `unless-stopped`.
    pub restart: String,
    pub limits: Limits,
    /// Kept by the process although it is not root; CAP_ names.
    pub capabilities: Vec<String>,
    pub no_new_privileges: bool,
    /// Native programs that it starts itself, links followed.
    pub programs: Vec<MachinePath>,
    /// PID 1 is the engine's own init, since the process reaps no orphans.
    pub init: bool,
    /// File-creation mask, where the machine sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<u32>,
    /// Containers that run of it at once, all alike.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub replicas: u32,
    /// How the entry point becomes `user`.
    #[serde(skip)]
    pub dropper: Dropper,
    #[serde(skip)]
    pub probe: Option<Probe>,
}

/// What the machine limits the process in, and all of its processes together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Names and values as engines spell them: `nofile`, `1024:65536`.
    pub process: Vec<(String, String)>,
    /// Bytes of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Hundredths of a processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// Processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u64>,
}

/// Whom the container shares a network with, and what of it is seen from outside.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// The workload whose network name space it shares; the pod's first is its own.
    pub pod: String,
    pub depends_on: Vec<String>,
    pub ports: Vec<PlannedPort>,
    pub hosts: Vec<(String, String)>,
    /// Domains that short names are looked up in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    pub sysctls: Vec<(String, String)>,
    /// The machine's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

/// What comes from outside of the image and outlives the container.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct State {
    pub volumes: Vec<PlannedVolume>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<PlannedMount>,
    pub secrets: Vec<PlannedSecret>,
    /// The files of `secrets`, by path.
    #[serde(skip)]
    pub secret_entries: Vec<Entry>,
    /// Every name of the volumes that carry data, by volume and path.
    #[serde(skip)]
    pub data: Vec<(String, Vec<Entry>)>,
}

/// What runs by the clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    pub jobs: Vec<PlannedJob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<PlannedScheduler>,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_one(number: &u32) -> bool {
    *number == 1
}
