//! Products: what a pack says of one service, with the machine's own configuration put in.
//!
//! A pack is evaluated for a service by `detect/pack/evaluate`; the result stands here so that nothing to the right of it
//! knows what a pack looks like.

use super::{Connect, Disposition, Listen};
use crate::fact::Evidence;
use crate::path::MachinePath;
use serde::{Deserialize, Serialize};

/// How bad a concern is; what that means for the verdict depends on the target.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Minor,
    Major,
    Blocker,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Concern {
    /// Id in the rule catalogue: `network/bound-address`.
    pub rule: String,
    pub severity: Severity,
    pub title: String,
    pub detail: String,
    /// The workload it belongs to; `null` for the machine as a whole.
    pub workload: Option<String>,
    /// Never empty.
    pub evidence: Vec<Evidence>,
    pub remedy: String,
    pub links: Vec<String>,
}

/// Where a product writes a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// A file; `stdout` says whether the image may link it to the container's own output (the process opens it as the
    /// user the container starts with).
    File {
        path: MachinePath,
        stdout: bool,
    },
    Syslog,
    Stdout,
}

/// How to ask whether it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A command run inside the container; exit 0 is healthy.
    Command(Vec<String>),
    Http {
        port: u16,
        path: String,
    },
    Tcp {
        port: u16,
    },
}

/// A directory that must exist before the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    pub path: MachinePath,
    pub user: String,
    pub group: String,
    pub mode: u32,
}

/// A product as one service runs it.
#[derive(Debug, Clone)]
pub struct Product {
    /// The pack's id: `web/nginx`.
    pub pack: String,
    pub title: String,
    pub kind: String,
    pub disposition: Disposition,
    /// Why this disposition, one sentence.
    pub reason: String,
    /// Listening addresses from the configuration.
    pub listens: Vec<Listen>,
    pub connects: Vec<Connect>,
    /// Data directories, and why they are data.
    pub data: Vec<(MachinePath, String, Evidence)>,
    pub logs: Vec<Log>,
    /// Every configuration file read, in the order of inclusion.
    pub configuration: Vec<MachinePath>,
    /// Files and directories the configuration names (document roots, certificates, scripts).
    pub claims: Vec<(MachinePath, Evidence)>,
    /// Opens files that its clients name by path.
    pub opens_files_of_clients: bool,
    /// Names of installed packages that belong to it beyond the executable's own (modules, plug-ins).
    pub companions: Vec<String>,
    /// The foreground command, where the unit's own would fork or is a wrapper. `None`: the unit's own will do.
    pub command: Option<Vec<String>>,
    /// The user that the product itself drops to or must be started as, where the unit does not say.
    pub user: Option<String>,
    /// Whether it must be started as root (it drops privileges by itself).
    pub starts_as_root: bool,
    /// Users that its workers run as.
    pub workers: Vec<String>,
    pub stop_signal: Option<String>,
    pub probe: Option<Probe>,
    pub directories: Vec<Directory>,
    /// Variables it needs beyond the unit's.
    pub environment: Vec<(String, String)>,
    pub concerns: Vec<Concern>,
}
