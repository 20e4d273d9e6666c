//! Images of what is on the disk: the workload's packages as they are installed, with what they need, what their scripts made, and
//! what the machine added, on nothing. No archive, registry or package manager is asked.
//!
//! Which packages ([`packages`]) is worked out with the plan; which files ([`fill`]), once every fact is in.

mod accounts;
mod contents;
mod packages;
mod run;
mod table;

pub use contents::fill;
pub(super) use run::of_workload as programs_of;

use self::packages::packages;
use super::Plan;
use super::place::Place;
use crate::path::MachinePath;
use crate::walk::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an image has of the machine's disk.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Lift {
    /// The packages whose files are in it, as the machine has them.
    pub packages: Vec<LiftedPackage>,
    /// Lowest first.
    pub layers: Vec<Layer>,
    /// What of those packages stays behind.
    pub left_out: Vec<LeftOut>,
    /// The record of packages that goes with them, for scanners of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// Libraries and interpreters that files of the image name and that nothing on the machine answers to: who needs what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<(MachinePath, String)>,
    /// Among the machine's packages.
    #[serde(skip)]
    pub(super) chosen: BTreeSet<usize>,
    /// Volumes, logs, what others carry: their content stays out.
    #[serde(skip)]
    pub(super) out: Vec<MachinePath>,
    /// Files of the packages' layers that no package brought as they are.
    #[serde(skip)]
    pub unproven: BTreeSet<MachinePath>,
    /// Files of our own making, in the topmost layer.
    #[serde(skip)]
    pub written: Vec<WrittenFile>,
}

/// A package of the machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LiftedPackage {
    pub name: String,
    pub version: String,
    pub arch: String,
}

/// A part of an image's files.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// `shared` (what all lifted workloads of the machine need), `packages`, `application` or `configuration`.
    pub name: String,
    pub names: u64,
    /// Bytes of content, each file once.
    pub bytes: u64,
    #[serde(skip)]
    pub entries: Vec<Entry>,
}

impl Layer {
    /// Whether its files are packages', or made by their scripts.
    pub fn is_of_packages(&self) -> bool {
        matches!(self.name.as_str(), "shared" | "packages")
    }
}

/// A class of files that stay behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    pub class: String,
    pub names: u64,
    pub bytes: u64,
}

/// A database's text, cut down to packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    pub path: MachinePath,
    /// What a line begins with that names a paragraph's package.
    pub name: String,
}

/// A file that no machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    pub path: MachinePath,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub what: Written,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Text(String),
    Directory,
    Link(String),
}

/// What a lifted image stands on.
pub(super) const BASE: &str = "scratch";

impl Lift {
    /// For a workload of these packages, whose container runs these programs.
    pub(super) fn new(asked: &BTreeSet<String>, run: &BTreeSet<String>, place: &Place<'_>) -> Self {
        Self {
            chosen: packages(asked, run, place.facts, &place.installed),
            ..Self::default()
        }
    }

    /// Adds the packages that own what carried links lead to.
    pub(super) fn carries(&mut self, names: &BTreeSet<String>, place: &Place<'_>) {
        let more = packages(names, &BTreeSet::new(), place.facts, &place.installed);
        self.chosen.extend(more);
    }
}

impl Plan {
    /// With the packages of what its container was found to run.
    pub(super) fn lifted(mut self, place: &Place<'_>) -> Self {
        let run = run::programs(&self);
        if let Some(lift) = &mut self.image.lift {
            let none = BTreeSet::new();
            let more = packages(&none, &run, place.facts, &place.installed);
            lift.chosen.extend(more);
        }
        self
    }
}
