//! Workloads: the service graph cut into parts that move as one. Pure functions over facts.
//!
//! ```text
//! unit files, init scripts, jobs ─▶ services ─▶ + packs ─▶ products ─▶ graph ─▶ workloads, dispositions
//! ```

mod called;
pub mod claims;
pub mod connect;
mod custom;
pub mod cut;
mod data;
mod fill;
mod jobs;
mod listen;
mod loaded;
pub mod mount;
pub(crate) mod named;
mod packages;
mod place;
mod reach;
mod session;
pub mod settings;
mod spoken;
mod supposed;
pub mod trust;

use crate::fact::{Answer, Evidence, Facts, FileState, SecretRef};
use crate::path::MachinePath;
use crate::product::{Connect, Listen};
use crate::service;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use called::Call;
pub use data::place_of;
pub use mount::{Mount, MountKind};

pub use crate::product::Product;
pub use crate::service::Service;
pub use cut::{Cut, Placed, PlacedJob};

/// A file of a workload's configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    pub path: MachinePath,
    pub state: FileState,
}

/// State that must outlive the container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Data {
    pub path: MachinePath,
    /// Bytes of the files below it.
    pub bytes: u64,
    pub why: String,
    pub evidence: Evidence,
    /// The name that it is used by, where a link leads from there.
    #[serde(skip)]
    pub link: Option<MachinePath>,
    /// It is a part of an application, which expects to find the directories that are in it.
    #[serde(skip)]
    pub is_inner: bool,
    /// Nothing says that it is state but whose it is and where: it is carried, and the question stays open.
    #[serde(skip)]
    pub is_supposed: bool,
}

/// A part of the machine that moves as one: one container.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Unique in the machine; `[a-z0-9-]`, at most 63 characters, starts with a letter.
    pub id: String,
    pub title: String,
    /// `web-server`, `database`, `cache`, `application`, `proxy`, `scheduled`, …
    pub kind: String,
    /// Its services: the main one first. Empty only for a workload made of cron jobs.
    pub services: Vec<Service>,
    /// Jobs of a scheduled workload.
    pub jobs: Vec<service::ScheduledJob>,
    /// The pack's view of the main service, where a pack recognised it.
    pub product: Option<Product>,
    /// Names of the packages the image installs (the closure is the package manager's affair), sorted.
    pub packages: Vec<String>,
    /// Executables and scripts it runs, resolved.
    pub executables: Vec<MachinePath>,
    pub listens: Vec<Listen>,
    pub connects: Vec<Connect>,
    pub user: String,
    pub group: String,
    /// Redacted; an entry whose value is secret is in `secrets` and not here.
    pub environment: Vec<(String, String)>,
    pub configuration: Vec<Configuration>,
    /// Unowned files and directories (applications, scripts, web roots) it needs: the topmost paths.
    pub claims: Vec<MachinePath>,
    pub data: Vec<Data>,
    /// What is mounted where it looks: shares of other machines, memory.
    pub mounts: Vec<Mount>,
    pub logs: Vec<MachinePath>,
    pub schedule: Option<String>,
    /// Places with secrets among its configuration, claims and units.
    pub secrets: Vec<SecretRef>,
    /// Packs of products whose tools its jobs call.
    pub clients_of: Vec<String>,
    /// What its jobs call and a container does not have.
    pub calls: Vec<Call>,
    /// Workloads it reaches over loopback or a Unix socket, and those whose data it works on; they share a pod. Sorted by
    /// id, each once.
    pub needs: Vec<Needed>,
    /// What a person said of it; taken in above where it says what something is.
    pub answer: Answer,
}

/// Another workload that has to be there, and what says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    pub id: String,
    /// Connections that end there.
    pub connects: Vec<Evidence>,
    /// Its data that this one works on too.
    pub data: Vec<Evidence>,
}

/// The configuration of a workload: its own files, and those of its packages.
pub fn configuration_of<'a>(
    workload: &'a Workload,
    facts: &'a Facts,
) -> impl Iterator<Item = &'a MachinePath> {
    let own = workload
        .configuration
        .iter()
        .map(|configuration| &configuration.path);
    let packages = workload
        .packages
        .iter()
        .filter_map(|name| facts.package(name));
    let conffiles = packages.flat_map(|package| &package.conffiles);
    let product = workload.product.iter();
    let product = product.flat_map(|product| &product.configuration);
    own.chain(product)
        .chain(conffiles.map(|conffile| &conffile.path))
}
