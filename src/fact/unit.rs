//! Unit files and init scripts as written; what they mean together is worked out in `service`.

use super::Evidence;
use crate::path::MachinePath;
use std::collections::BTreeSet;

/// Directories of system units, strongest first (systemd.unit(5), table 1). `system.control` is where
/// `systemctl set-property` keeps what it was told.
pub const TIERS: &[&str] = &[
    "/etc/systemd/system.control",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Directories of the manager's own configuration, strongest first (systemd-system.conf(5)).
pub const MANAGER: &[&str] = &[
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
    "/lib/systemd",
];

/// Directories of files that a generator makes units of, each a container (podman-systemd.unit(5)).
pub const QUADLETS: &[&str] = &[
    "/etc/containers/systemd",
    "/run/containers/systemd",
    "/usr/share/containers/systemd",
];

/// Kinds of units that are read.
pub const SUFFIXES: &[&str] = &["service", "socket", "timer", "path", "target", "mount"];

/// One assignment of a unit file. Values are joined over continuation lines, specifiers unexpanded, secrets redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitEntry {
    pub section: String,
    pub key: String,
    pub value: String,
    /// 1-based, of the line the assignment starts on.
    pub line: u32,
    /// Whether a secret was redacted from the value.
    pub secret: bool,
    /// Variables that stand where a secret would, whatever was redacted: `--password=${P}`. Sorted.
    pub references: BTreeSet<String>,
}

/// A unit fragment or drop-in, one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFile {
    /// The name in the unit search path (a link's own name, not its target's).
    pub path: MachinePath,
    pub entries: Vec<UnitEntry>,
}

impl UnitFile {
    pub fn evidence(&self, entry: &UnitEntry) -> Evidence {
        Evidence::line(
            &self.path,
            entry.line,
            &format!("{}={}", entry.key, entry.value),
        )
    }
}

/// A System V init script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitScript {
    pub path: MachinePath,
    /// From the LSB header; empty where there is none.
    pub provides: Vec<String>,
    pub required_start: Vec<String>,
    pub default_start: Vec<String>,
    pub description: String,
    /// Assignments that are literal or made of earlier ones, redacted.
    pub variables: Vec<(String, String)>,
    /// Names of variables that it uses as secrets: `--password $PW`. Sorted.
    pub secrets: BTreeSet<String>,
    /// Names that get a value at run time: arguments of functions, output of commands, loops. Sorted.
    pub computed: Vec<String>,
    /// Files of settings it reads in with `.`: /etc/default/NAME and the like.
    pub sources: Vec<MachinePath>,
    /// Lines that may start the daemon (start-stop-daemon, daemon, su, …), in order, variables as written, redacted.
    pub starts: Vec<String>,
    pub evidence: Evidence,
}
