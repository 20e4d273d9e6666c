//! scan.json: everything that was found, in one document with a schema of its own.
//!
//! These types are the contract (`schema_version` 2); the JSON Schema is generated from them, and `report` reads them
//! back. Built from facts, cut, assessments and plans; nothing is worked out here.

use crate::assess::Assessment;
use crate::fact::{Evidence, Unexamined};
use crate::kernel::need::Ask;
use crate::kernel::place::Delta;
use crate::path::MachinePath;
use crate::plan::{Plan, Unclaimed};
use crate::product::{Connect, Disposition, Listen};
use crate::proof::Proof;
pub use crate::proof::Tool;
use crate::rule::{Certainty, Concern, Severity, Verdict};
use crate::service::Starter;
use crate::source::SourceInfo;
use crate::workload::{Configuration, Data};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Of these types. 1 had the fields of a plan side by side.
pub const SCHEMA_VERSION: u32 = 2;

/// One scan of one machine.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    pub schema_version: u32,
    pub tool: Tool,
    pub source: SourceInfo,
    pub machine: Machine,
    pub coverage: Coverage,
    pub packages: Packages,
    /// Where the machine's bytes are, and what of them moves.
    pub usage: Usage,
    pub services: Vec<Service>,
    pub concerns: Vec<Concern>,
    pub workloads: Vec<Workload>,
    /// Files that were changed or made on the machine and that nothing carries: topmost directories, by path.
    #[serde(default)]
    pub unclaimed: Vec<Unclaimed>,
    pub assessment: Whole,
    pub totals: Totals,
    /// What came of starting its containers, where that is known; a document of its own (verify.json).
    #[serde(skip)]
    pub proof: Option<Proof>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    pub os: Option<Os>,
    /// Of the system's own programs; `null` where none was read.
    pub architecture: Option<String>,
    pub hostname: Option<String>,
    /// `systemd`, `sysv`, `openrc`, …; `null` where none was found.
    pub init: Option<String>,
    /// Releases of installed kernels.
    pub kernels: Vec<String>,
    pub libc: Option<Libc>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Os {
    pub id: String,
    pub version_id: String,
    pub pretty_name: String,
    /// `debian`, `rhel`, `suse`, `alpine`, …
    pub family: String,
    /// The last day of support (ISO 8601); `null` where it is not known.
    pub end_of_life: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Libc {
    /// `glibc` or `musl`.
    pub kind: String,
    pub version: String,
}

/// What was looked at, and what was not.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    pub files_seen: u64,
    pub bytes_read: u64,
    pub unexamined: Vec<Unexamined>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Packages {
    /// `dpkg`; `null` where no database was found.
    pub manager: Option<String>,
    pub count: u64,
    pub items: Vec<Package>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub arch: String,
    /// Where it came from: an archive's address, suite and component, the distribution's id where no list says more, `local` for
    /// a file that somebody installed, or `unknown`.
    pub origin: String,
    /// What says so: entries of lists and lines of source lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin_evidence: Vec<Evidence>,
    /// Source package.
    #[serde(default)]
    pub source: String,
    pub manual: bool,
    /// Package URL.
    pub purl: String,
    /// Bytes of its files that are on the disk.
    #[serde(default)]
    pub bytes: u64,
    /// In an image: as one that a workload names, as what that one depends on, or as part of every base image.
    #[serde(default)]
    pub moves: bool,
    /// Its entry in the package database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// Bytes of regular files, each counted once however many names it has.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    pub bytes: u64,
    /// Bytes of files that images and volumes carry, or that belong to their packages.
    pub moves: u64,
    /// The larger directories by path, each with everything below it.
    pub directories: Vec<UsedDirectory>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UsedDirectory {
    pub path: MachinePath,
    pub bytes: u64,
    pub moves: u64,
}

/// A service or a scheduled job.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// As the machine's manager spells it.
    pub name: String,
    pub manager: Starter,
    pub enabled: bool,
    /// Redacted command line.
    pub exec: String,
    /// The name the main process runs as.
    pub user: String,
    /// `null` for a service that does not start.
    pub disposition: Option<Disposition>,
    pub reason: String,
    pub workload: Option<String>,
    pub evidence: Evidence,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    pub id: String,
    pub title: String,
    pub kind: String,
    /// The pack that recognised it: `web/nginx`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Names of hosts that its configuration answers for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Paths that its configuration serves, or that its product has for this purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    pub services: Vec<String>,
    pub packages: Vec<String>,
    pub executables: Vec<MachinePath>,
    pub listens: Vec<Listen>,
    pub connects: Vec<Connect>,
    /// Workloads it reaches over loopback or a Unix socket, or whose data it opens.
    #[serde(default)]
    pub needs: Vec<String>,
    pub kernel: Kernel,
    pub user: String,
    pub environment: Vec<Variable>,
    pub configuration: Vec<Configuration>,
    pub data: Vec<Data>,
    pub logs: Vec<MachinePath>,
    /// In the machine's own notation; `null` for what runs all the time.
    pub schedule: Option<String>,
    pub assessment: Assessment,
    pub targets: BTreeMap<String, TargetScore>,
    pub plan: Option<Plan>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Variable {
    pub name: String,
    pub value: String,
}

/// What a workload asks of the kernel: what its units say, and what the code of its programs does.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Kernel {
    /// The programs whose code was followed.
    pub programs: Vec<MachinePath>,
    /// Every call they can reach, sorted.
    pub syscalls: BTreeSet<String>,
    /// Those that it asks for, not those it could use.
    pub capabilities: Vec<String>,
    /// Those that units and code name.
    pub devices: Vec<String>,
    /// Kernel settings that code names.
    pub sysctls: Vec<String>,
    /// What loads modules.
    pub modules: Vec<String>,
    /// `x86_64`, `x86-64-v3`, `aarch64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_set: Option<String>,
    /// Places of what is asked for.
    pub evidence: Vec<Evidence>,
    /// Everything above one by one, with what it only could use.
    pub asks: Vec<Ask>,
    /// Where the code does not tell which call it makes; the first few.
    pub unresolved: Vec<Open>,
    /// What each place would refuse, and what to add there.
    pub targets: Vec<Delta>,
}

/// A place where code does not tell what it asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Open {
    pub reason: String,
    pub evidence: Evidence,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TargetScore {
    pub score: u32,
    pub verdict: Verdict,
}

/// The machine as a whole.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Whole {
    /// The lowest of its workloads' scores and its own.
    pub score: u32,
    /// The hardest verdict of any part.
    pub verdict: Verdict,
    /// That of the least known part.
    pub certainty: Certainty,
    /// One sentence.
    pub summary: String,
    /// What weighs on the machine apart from its workloads.
    pub machine: Assessment,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    pub services: u64,
    pub containerize: u64,
    pub platform: u64,
    pub drop: u64,
    pub keep: u64,
    pub workloads: u64,
    pub concerns: BTreeMap<String, u64>,
}

impl Scan {
    /// The document as text, ending in a newline.
    pub fn to_json(&self) -> String {
        // These types hold no map with keys other than strings and no failing Serialize.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let mut text = crate::quote::json_document(text);
        text.push('\n');
        text
    }

    /// The JSON Schema of the document, generated from the types.
    pub fn schema() -> String {
        let mut text =
            serde_json::to_string_pretty(&schemars::schema_for!(Self)).unwrap_or_default();
        text.push('\n');
        text
    }

    pub fn worst(&self) -> Option<Severity> {
        self.concerns.iter().map(|concern| concern.severity).max()
    }
}

/// Why a text is no scan that can be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("it is a scan of schema_version {0}, and {SCHEMA_VERSION} was expected")]
    Version(u64),
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
}

impl Scan {
    /// Reads a saved scan. One of another version is refused by its number, not by the first field that differs.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        /// All that every version has.
        #[derive(Deserialize)]
        struct Head {
            schema_version: u64,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.schema_version == u64::from(SCHEMA_VERSION) {
            Ok(serde_json::from_str(text)?)
        } else {
            Err(Unreadable::Version(head.schema_version))
        }
    }
}
