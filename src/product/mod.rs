//! Products: what a pack says of one service, with the machine's own configuration put in.
//!
//! `pack` reads packs and asks a machine's facts their questions; the answers stand here, so that nothing above this room
//! knows what a pack looks like.

pub mod pack;

use crate::fact::{Evidence, Facts, Peer, Unexamined};
use crate::path::MachinePath;
use crate::program::{self, Around, Program};
use crate::rule::Concern;
use crate::service::{Limit, Service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::fact::Disposition;

/// A transport address something listens on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Listen {
    /// `0.0.0.0`, `::`, `127.0.0.1`, a name, or the path of a Unix socket (`port` 0).
    pub address: String,
    pub port: u16,
    /// `tcp`, `udp`, or `unix`.
    pub protocol: String,
    pub evidence: Evidence,
}

impl Listen {
    /// `127.0.0.1:80/tcp`, `[::]:53/udp`, or the path of a socket.
    pub fn shown(&self) -> String {
        match self.port {
            0 => self.address.clone(),
            port if self.address.contains(':') && !self.address.starts_with('[') => {
                format!("[{}]:{port}/{}", self.address, self.protocol)
            }
            port => format!("{}:{port}/{}", self.address, self.protocol),
        }
    }

    /// Reachable only from the machine itself.
    pub fn is_local(&self) -> bool {
        self.protocol == "unix" || is_loopback(&self.address)
    }
}

/// Whether an address names the machine itself.
pub fn is_loopback(address: &str) -> bool {
    let address = address.trim_matches(['[', ']']);
    address == "localhost"
        || address == "ip6-localhost"
        || address == "::1"
        || address
            .strip_prefix("127.")
            .is_some_and(|rest| rest.split('.').count() == 3)
}

/// Something a workload connects to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Connect {
    /// `address:port`, or the path of a Unix socket.
    pub to: String,
    /// The setting or variable that says so: `proxy_pass`, `DATABASE_URL`.
    pub via: String,
    pub evidence: Evidence,
}

impl From<&Peer> for Connect {
    fn from(peer: &Peer) -> Self {
        Self {
            to: peer.to.clone(),
            via: peer.evidence.path.name().into_owned(),
            evidence: peer.evidence.clone(),
        }
    }
}

/// What a service runs, with its own directory and variables.
pub fn program_of(service: &Service, facts: &Facts) -> Program {
    let argv = service.commands.start.first();
    let argv = argv.map_or(&[][..], |command| command.argv.as_slice());
    let around = Around {
        directory: service.working_directory.as_ref(),
        variables: &service.environment.variables,
        home: facts.user(&service.user).map(|user| user.home.as_str()),
    };
    program::of_in(argv, around, facts)
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

/// What a pack speaks of at all: what it does not is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Says {
    /// Where it listens; a pack that does not say that is of a product that does not.
    pub listeners: bool,
    /// Where its state is; not where it runs somebody's application.
    pub state: bool,
}

/// Files (by pattern) that a product looks for, and does without.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optional {
    pub paths: Vec<String>,
    /// What is not there without them.
    pub what: String,
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
    pub says: Says,
    /// Locales that its configuration names.
    pub locales: Vec<String>,
    /// Names of hosts that it answers for, and paths that it serves, as its configuration has them.
    pub hosts: Vec<String>,
    pub paths: Vec<String>,
    /// Why its listeners are only the product's defaults, where they are.
    pub listens_supposed: Option<String>,
    /// Opens files that its clients name by path.
    pub opens_files_of_clients: bool,
    /// Names of installed packages that belong to it beyond the executable's own (modules, plug-ins).
    pub companions: Vec<String>,
    /// Of the installed packages, those that no distribution has.
    pub makers: Vec<String>,
    /// Files of its packages that it runs without.
    pub optional: Vec<Optional>,
    /// The foreground command, where the unit's own would fork or is a wrapper. `None`: the unit's own will do.
    pub command: Option<Vec<String>>,
    /// The user that the product itself drops to or must be started as, where the unit does not say.
    pub user: Option<String>,
    /// Whether it must be started as root (it drops privileges by itself).
    pub starts_as_root: bool,
    /// Users that its workers run as.
    pub workers: Vec<String>,
    pub stop_signal: Option<String>,
    /// Capabilities that it makes use of where the machine gives them.
    pub capabilities: Vec<String>,
    pub probe: Option<Probe>,
    pub directories: Vec<Directory>,
    /// Variables it needs beyond the unit's.
    pub environment: Vec<(String, String)>,
    /// What the variables of its start script limit it in, beside the unit.
    pub limits: Vec<Limit>,
    pub concerns: Vec<Concern>,
    /// What of its configuration was too much to be read.
    pub unexamined: Vec<Unexamined>,
}
