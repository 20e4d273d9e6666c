//! Facts: what was read from the machine, as plain data with evidence.
//!
//! Everything left of here touches the machine and may meet damage; everything right of here is a pure function over
//! these types. They hold no secret's value: detectors redact before they emit. The one exception are facts that say so
//! ([`Masking::Disclosed`]): what has to write a secret later (`--with-secrets`) reads the machine again for it, and they
//! never leave the function that does (`examine/disclose.rs`).

mod account;
mod answer;
pub mod archive;
mod code;
mod document;
mod elf;
mod index;
mod job;
mod managed;
pub mod masking;
mod package;
pub mod profile;
pub mod unit;

pub use account::{Group, User};
pub use answer::{Answer, Answered, Answers, Disposition, Endpoint};
pub use code::{
    ArgumentSite, CallSite, Code, Edge, Function, Gap, Lent, Region, Symbol, Target, name_hash,
};
pub use document::{Document, Include, Setting, Syntax};
pub use elf::{Cached, Elf, ElfKind, Imports, Libc, Opened, Script, ScriptReference};
pub use job::{Job, JobKind};
pub use managed::{Dialect, Managed, VARIABLES};
pub use masking::Masking;
pub use package::{Conffile, Ownership, Package};
pub use unit::{InitScript, UnitEntry, UnitFile};

use crate::path::{MachinePath, sanitise};
use crate::walk::Tree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where something was seen. `excerpt` is sanitised, redacted, and at most [`Evidence::EXCERPT`] characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    pub path: MachinePath,
    /// Line of a text file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Byte offset in a binary file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    pub excerpt: String,
}

impl Evidence {
    /// Longest excerpt, in characters.
    pub const EXCERPT: usize = 160;

    /// The file as a whole.
    pub fn file(path: &MachinePath) -> Self {
        Self {
            path: path.clone(),
            line: None,
            offset: None,
            excerpt: String::new(),
        }
    }

    /// A line of a text file. The caller has redacted `text`.
    pub fn line(path: &MachinePath, line: u32, text: &str) -> Self {
        Self {
            line: Some(line),
            ..Self::file(path)
        }
        .with_excerpt(text)
    }

    /// A place in a binary file.
    pub fn offset(path: &MachinePath, offset: u64, text: &str) -> Self {
        Self {
            offset: Some(offset),
            ..Self::file(path)
        }
        .with_excerpt(text)
    }

    #[must_use]
    pub fn with_excerpt(mut self, text: &str) -> Self {
        self.excerpt = sanitise(text.trim()).chars().take(Self::EXCERPT).collect();
        self
    }

    /// `path:line`, as reports and comments name it.
    pub fn place(&self) -> String {
        match (self.line, self.offset) {
            (Some(line), _) => format!("{}:{line}", self.path),
            (None, Some(offset)) => format!("{}@{offset:#x}", self.path),
            (None, None) => self.path.to_string(),
        }
    }
}

/// The operating system, from os-release(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OsRelease {
    /// `debian`, `ubuntu`, `rhel`, …; lower case.
    pub id: String,
    pub id_like: Vec<String>,
    /// Empty where the release has none (Debian sid, Arch).
    pub version_id: String,
    /// `bookworm`; from VERSION_CODENAME, else empty.
    pub codename: String,
    /// The code name of the release that it is made from, where it says one (`UBUNTU_CODENAME`, `DEBIAN_CODENAME`).
    #[serde(default)]
    pub parent: String,
    pub pretty_name: String,
    pub evidence: Evidence,
}

/// A place that holds a secret; never the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SecretRef {
    /// What kind of secret: `password`, `private-key`, `token`, `connection-string`, …
    pub kind: String,
    /// The setting or variable it stands in, where there is one.
    pub key: String,
    pub evidence: Evidence,
}

/// A socket, or an address on the machine's loopback, that a file of an application names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// `127.0.0.1:3307`, or a socket's path.
    pub to: String,
    /// Only the port is named: it means something where somebody listens on it.
    pub is_guess: bool,
    pub evidence: Evidence,
}

/// A certificate, and until when it is valid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Certificate {
    /// The common name of whom it is for.
    pub subject: String,
    /// `2026-12-31`.
    pub until: String,
    pub evidence: Evidence,
}

/// An address that a server's configuration names, under a name that speaks of listening. Nothing says that it listens there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// `8888`, `127.0.0.1:8118`.
    pub address: String,
    pub evidence: Evidence,
}

/// A pack's path, text or package matcher that hit a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The pack, and which of its matchers (its id within the pack).
    pub pack: String,
    pub matcher: String,
    /// Named captures, redacted.
    pub captures: BTreeMap<String, String>,
    pub evidence: Evidence,
}

/// One fact, as a detector emits it.
#[derive(Debug, Clone)]
pub enum Fact {
    /// What a person said; it comes before anything that is read.
    Answers(Answers),
    Os(OsRelease),
    /// By a file older than os-release; of several the lowest number counts.
    FormerRelease(u8, OsRelease),
    Hostname(String, Evidence),
    Timezone(String),
    Locale(String),
    Package(Package),
    Archive(archive::OfArchive),
    /// The name of a package database that was read and that has packages.
    PackageDatabase(&'static str),
    /// One that has none, and its file.
    EmptyDatabase(&'static str, MachinePath),
    /// One that could not be read, or not whole: which, and its file.
    DamagedDatabase(&'static str, MachinePath),
    /// The paths a package's file list names (canonical only after the merge).
    Owns {
        package: String,
        paths: Vec<MachinePath>,
    },
    /// Names of packages that were installed as dependencies.
    Automatic(Vec<String>),
    /// Names of packages that were asked for; all others came as dependencies.
    Manual(Vec<String>),
    /// Digests of a file's content, hexadecimal.
    Digest {
        path: MachinePath,
        digests: Vec<String>,
    },
    /// Digests that a package recorded for files it owns, hexadecimal.
    Recorded {
        package: String,
        digests: Vec<(MachinePath, String)>,
    },
    Unit(UnitFile),
    InitScript(InitScript),
    User(User),
    Group(Group),
    Job(Job),
    Managed(Managed),
    Document(Document),
    Elf(Elf),
    /// The loader's cache.
    Cached(Vec<Cached>),
    Code(Box<Code>),
    Script(Script),
    Imports(Imports),
    Secret(SecretRef),
    Peer(Peer),
    Certificate(Certificate),
    Named(Named),
    Hit(Hit),
}

/// A file or part of the disk that was not examined, and why. Part of the answer, never silently good.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Unexamined {
    pub path: MachinePath,
    /// Who would have: a detector's id, or `source`.
    pub detector: String,
    pub reason: String,
}

/// All facts of a machine. Vectors are sorted by path and line; the engine sees to it.
#[derive(Debug, Default)]
pub struct Facts {
    pub tree: Tree,
    /// Whether their secrets are taken out.
    pub masking: Masking,
    pub answers: Answers,
    pub os: Option<OsRelease>,
    /// What older files say, and which of them; it counts where os-release says nothing.
    pub former: Option<(u8, OsRelease)>,
    pub hostname: Option<(String, Evidence)>,
    pub timezone: Option<String>,
    pub locale: Option<String>,
    pub packages: Vec<Package>,
    /// The package database that they were read from, as its reader calls itself.
    pub package_database: Option<String>,
    /// Every database that was read, with packages or without.
    pub read_databases: BTreeSet<&'static str>,
    /// Those without packages, with the file.
    pub empty_databases: BTreeSet<(&'static str, MachinePath)>,
    /// Databases that could not be read whole, with the file.
    pub damaged_databases: BTreeSet<(&'static str, MachinePath)>,
    pub ownership: Ownership,
    /// Where packages come from.
    pub archives: archive::Archives,
    /// Digests by path, of the files that were asked for.
    pub digests: BTreeMap<MachinePath, BTreeSet<String>>,
    pub units: Vec<UnitFile>,
    pub init_scripts: Vec<InitScript>,
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    pub jobs: Vec<Job>,
    /// What tells other managers than the machine's own what to start.
    pub managed: BTreeMap<(MachinePath, Dialect), Managed>,
    /// By path and syntax: a file may be read under two syntaxes.
    pub documents: BTreeMap<(MachinePath, Syntax), Document>,
    pub elfs: BTreeMap<MachinePath, Elf>,
    /// Where the machine's loader finds libraries by name, in its cache's order.
    pub cached: Vec<Cached>,
    /// What the code of executables and libraries does, of the files that workloads run.
    pub codes: BTreeMap<MachinePath, Code>,
    pub scripts: BTreeMap<MachinePath, Script>,
    /// Of code that workloads carry.
    pub imports: BTreeMap<MachinePath, Imports>,
    pub secrets: Vec<SecretRef>,
    pub peers: Vec<Peer>,
    pub certificates: Vec<Certificate>,
    pub named: Vec<Named>,
    pub hits: Vec<Hit>,
    pub unexamined: Vec<Unexamined>,
    /// Accounts and packages by name.
    pub index: index::Index,
    /// Bytes of content that were read.
    pub bytes_read: u64,
    /// Rises with every fact but code and the headers of files that packages own: two states of one examination with the
    /// same revision say the same of its services, workloads and plans.
    pub revision: u64,
}

/// What became of a configuration file since its package wrote it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    Pristine,
    Modified,
    Unowned,
}

impl Facts {
    /// A database of packages: the first that has some is the machine's.
    pub(crate) fn note_database(&mut self, fact: Fact) {
        match fact {
            Fact::PackageDatabase(name) => {
                self.package_database.get_or_insert(name.to_owned());
                self.read_databases.insert(name);
            }
            Fact::EmptyDatabase(name, path) => {
                self.read_databases.insert(name);
                self.empty_databases.insert((name, path));
            }
            Fact::DamagedDatabase(name, path) => {
                self.damaged_databases.insert((name, path));
            }
            _ => {}
        }
    }

    pub(crate) fn note_digests(&mut self, path: &MachinePath, digests: Vec<String>) {
        let known = self.digests.entry(self.tree.canonical(path));
        known.or_default().extend(digests);
    }

    /// The package that owns a path, links in its directories followed.
    pub fn owner(&self, path: &MachinePath) -> Option<&Package> {
        let index = self.ownership.owner(&self.tree.canonical(path))?;
        self.packages.get(index)
    }

    /// Pristine where the content equals what a package recorded, modified where it differs from what each of them did,
    /// unowned where no package knows the path. A file without a digest on either side counts as pristine when owned:
    /// nothing says otherwise.
    pub fn state(&self, path: &MachinePath) -> FileState {
        let path = self.tree.canonical(path);
        if self.ownership.owner(&path).is_none() {
            return FileState::Unowned;
        }
        let Some(found) = self.digests.get(&path) else {
            return FileState::Pristine;
        };
        let mut differs = false;
        for recorded in self.ownership.recorded(&path) {
            if found.contains(recorded) {
                return FileState::Pristine;
            }
            differs |= found.iter().any(|found| found.len() == recorded.len());
        }
        if differs {
            FileState::Modified
        } else {
            FileState::Pristine
        }
    }
}
