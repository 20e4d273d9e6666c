//! Files that tell a manager of programs what to start, as written; what they mean together is worked out in `service`.

use super::{Evidence, UnitEntry};
use crate::path::MachinePath;
use serde::{Deserialize, Serialize};

/// How such a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// `[program:x]` and `key=value`, continued by indented lines.
    Supervisor,
    /// A list of processes, each with its program, as JSON, YAML or a literal that a script exports.
    ProcessList,
    /// A script that becomes a program.
    RunScript,
    /// A file that is the value of a variable of its name.
    Variable,
    /// A shell's script, or settings that one reads in: its lines as they are.
    Shell,
    /// A job of upstart: stanzas, and scripts between `script` and `end script`.
    Upstart,
    /// `service NAME { key = value }`, as xinetd has it.
    Xinetd,
    /// Checks of monit, each with the program that starts what it watches.
    Monit,
}

/// One such file. A program is a section; its variables are entries of the key [`VARIABLES`], quoted as a unit's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// The name that it was asked for by.
    pub path: MachinePath,
    pub dialect: Dialect,
    /// Values as written, secrets redacted.
    pub entries: Vec<UnitEntry>,
    /// Patterns of files that it reads in, absolute.
    pub includes: Vec<String>,
}

/// The key of a program's variables: `NAME=value` words.
pub const VARIABLES: &str = "environment";

impl Managed {
    pub fn evidence(&self, entry: &UnitEntry) -> Evidence {
        let text = format!("{}={}", entry.key, entry.value);
        Evidence::line(&self.path, entry.line, &text)
    }
}
