//! Archives of packages: where the machine's configuration says that packages come from, and what was read of what each has.
//!
//! No login to an archive is here: an address loses it where it is read.

use super::Evidence;
use crate::path::MachinePath;
use std::collections::{BTreeMap, BTreeSet};

/// One archive as one line or stanza of a source list names it, for one of its suites.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Archive {
    /// The name that its installer calls it by; empty where archives have none.
    pub id: String,
    /// `https://packages.example.org/debian`, without a login.
    pub uri: String,
    /// Empty where it has none.
    pub suite: String,
    pub components: Vec<String>,
    /// Where its keys are; empty where every key that the machine trusts will do.
    pub signed_by: Vec<SignedBy>,
    /// Taken without a signature.
    pub trusted: bool,
    /// The address held a login.
    pub login: bool,
    /// What the names of its lists begin with, for each of its components: `(main, /var/lib/…/host_dists_a_main_)`.
    pub lists: Vec<(String, String)>,
    /// The same of its signed description.
    pub release: String,
    pub evidence: Evidence,
}

/// Who signs an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignedBy {
    File(MachinePath),
    /// A key of those that the machine trusts, by its number.
    Number,
    /// A key within the source list itself.
    Block(Key),
}

/// What a file of keys holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Packets of public keys (RFC 9580).
    Public(Vec<u8>),
    /// A secret key is among them; nothing of it is kept.
    Secret,
    /// Something else.
    Unreadable,
}

/// What an archive says of itself in its signed description.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Described {
    pub path: MachinePath,
    pub origin: String,
    pub label: String,
    pub suite: String,
    pub codename: String,
    /// The line that says the origin.
    pub line: u32,
}

/// What a list of an archive has of packages that are installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    pub path: MachinePath,
    pub packages: Vec<ListedPackage>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedPackage {
    pub name: String,
    pub version: String,
    /// Where its entry begins.
    pub line: u32,
}

/// Which archive an administrator wants packages from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// Names or patterns.
    pub packages: Vec<String>,
    pub pin: String,
    pub priority: i32,
    pub evidence: Evidence,
}

/// One of these, as it is read.
#[derive(Debug, Clone)]
pub enum OfArchive {
    Source(Archive),
    Described(Described),
    Listed(Listed),
    Pin(Pin),
    Key {
        path: MachinePath,
        key: Key,
        /// Every archive that names no key may be signed with it.
        trusted: bool,
    },
    /// A package that was installed from a file once.
    Installed(String, Evidence),
    /// A host that the machine logs in to.
    Login(String, Evidence),
    /// Packages, and the archive that each was last installed from, by its name.
    Came(Vec<(String, String)>),
}

/// Everything about archives.
#[derive(Debug, Clone, Default)]
pub struct Archives {
    pub sources: Vec<Archive>,
    pub described: Vec<Described>,
    pub listed: Vec<Listed>,
    pub pins: Vec<Pin>,
    pub keys: BTreeMap<MachinePath, Key>,
    /// Of those, what every archive that names no key may be signed with.
    pub trusted: BTreeSet<MachinePath>,
    pub logins: Vec<(String, Evidence)>,
    /// Packages that were installed from files, each with the first place that says so.
    pub installed: BTreeMap<String, Evidence>,
    /// Packages, and the names of the archives that they came from.
    pub came: BTreeMap<String, String>,
}

impl Archives {
    /// Of each kind; more are malice.
    pub const MOST: usize = 20_000;

    /// `false`: there are too many of them already.
    pub fn add(&mut self, one: OfArchive) -> bool {
        let known = match &one {
            OfArchive::Source(_) => self.sources.len(),
            OfArchive::Described(_) => self.described.len(),
            OfArchive::Listed(_) => self.listed.len(),
            OfArchive::Pin(_) => self.pins.len(),
            OfArchive::Key { .. } => self.keys.len(),
            OfArchive::Installed(..) => self.installed.len(),
            OfArchive::Login(..) => self.logins.len(),
            OfArchive::Came(_) => self.came.len(),
        };
        if known >= Self::MOST {
            return false;
        }
        match one {
            OfArchive::Source(archive) => self.sources.push(archive),
            OfArchive::Described(described) => self.described.push(described),
            OfArchive::Listed(listed) => self.listed.push(listed),
            OfArchive::Pin(pin) => self.pins.push(pin),
            OfArchive::Key { path, key, trusted } => {
                if trusted {
                    self.trusted.insert(path.clone());
                }
                self.keys.insert(path, key);
            }
            OfArchive::Installed(name, evidence) => {
                self.installed.entry(name).or_insert(evidence);
            }
            OfArchive::Login(host, evidence) => self.logins.push((host, evidence)),
            OfArchive::Came(all) => self.came.extend(all),
        }
        true
    }

    /// By place, so that nothing depends on the order of reading.
    pub fn settle(&mut self) {
        self.sources
            .sort_by(|a, b| (&a.evidence, a).cmp(&(&b.evidence, b)));
        self.sources.dedup();
        self.described.sort();
        self.listed.sort();
        self.pins
            .sort_by(|a, b| (&a.evidence, a).cmp(&(&b.evidence, b)));
        self.logins.sort();
        self.logins.dedup();
    }
}
