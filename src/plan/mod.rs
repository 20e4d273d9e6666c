//! The plan: what each container will be. Everything written afterwards reads this and re-derives nothing.

use crate::fact::{Evidence, SecretRef};
use crate::path::MachinePath;
use crate::workload::product::Probe;
use schemars::JsonSchema;
use serde::Serialize;

/// A package of the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PlannedPackage {
    pub name: String,
    /// What the installer is asked for: `1.22.1-*`, so that a security update does not break the build.
    pub pin: String,
    /// What the machine had.
    pub version: String,
}

/// An account made before the packages are installed, with the machine's own numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PlannedUser {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub home: String,
    pub shell: String,
    /// Supplementary groups.
    pub groups: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PlannedGroup {
    pub name: String,
    pub gid: u32,
}

/// A file, directory or link copied out of the machine into the build context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PlannedFile {
    /// Where it stands, in the machine and in the image alike.
    pub path: MachinePath,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub why: String,
}

/// A directory the image makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PlannedDirectory {
    pub path: MachinePath,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

/// A named volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    pub evidence: Evidence,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PlannedPort {
    pub port: u16,
    pub protocol: String,
    pub evidence: Evidence,
}

/// A secret, by reference: a whole file that is mounted, or one variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedCommand {
    pub argv: Vec<String>,
    pub evidence: Evidence,
}

/// A line of the schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedJob {
    pub name: String,
    /// Five cron fields, or `@reboot`.
    pub cron: String,
    pub user: String,
    pub command: String,
    pub environment: Vec<(String, String)>,
    pub evidence: Evidence,
}

/// How often and how patiently a health check asks; seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HealthCheck {
    /// Run inside the container.
    pub command: Vec<String>,
    pub interval: u32,
    pub timeout: u32,
    pub start_period: u32,
    pub retries: u32,
}

/// One container.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Plan {
    /// The workload's id.
    pub id: String,
    pub title: String,
    pub strategy: String,
    /// Why this strategy and this base.
    pub reason: String,
    /// `docker.io/library/debian:12-slim`.
    pub base: String,
    pub packages: Vec<PlannedPackage>,
    pub groups: Vec<PlannedGroup>,
    pub users: Vec<PlannedUser>,
    pub files: Vec<PlannedFile>,
    pub directories: Vec<PlannedDirectory>,
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
    /// An entry point starts as root, prepares, and drops to `user`; without one the image's USER is `user`.
    pub entrypoint: bool,
    pub working_directory: Option<MachinePath>,
    pub ports: Vec<PlannedPort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
    pub stop_signal: String,
    /// Seconds.
    pub stop_timeout: u64,
    pub limits: Vec<(String, String)>,
    pub capabilities: Vec<String>,
    pub sysctls: Vec<(String, String)>,
    pub hosts: Vec<(String, String)>,
    pub timezone: Option<String>,
    pub locale: Option<String>,
    /// The workload whose network name space it shares; the pod's first is its own.
    pub pod: String,
    pub depends_on: Vec<String>,
    pub jobs: Vec<PlannedJob>,
    /// Lines for the reader: what was left out, what a human decides.
    pub notes: Vec<String>,
    #[serde(skip)]
    pub probe: Option<Probe>,
}
