//! Unit files and init scripts as written; what they mean together is worked out in `workload/service/`.

use super::Evidence;
use crate::path::MachinePath;

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
    /// `NAME=value` assignments before the first function, literal or of earlier ones, redacted.
    pub variables: Vec<(String, String)>,
    /// The daemon's command line as the script starts it (start-stop-daemon --exec … -- …, daemon …), variables expanded
    /// as far as they are literal.
    pub daemon: Option<Vec<String>>,
    /// `--chuid`/`runuser -u`/`su USER -c`/`--user` of that line.
    pub user: Option<String>,
    pub pid_file: Option<String>,
    pub evidence: Evidence,
}
