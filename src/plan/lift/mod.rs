//! Images of what is on the disk: the workload's packages as they are installed, with what they need, what their scripts made, and
//! what the machine added, on nothing. No archive, registry or package manager is asked.
//!
//! Which packages ([`Disk`]) is worked out with the plan; which files ([`fill`]), once every fact is in.

mod accounts;
mod bom;
mod contents;
mod layers;
mod packages;
mod run;
mod table;

use self::packages::Asked;
pub use contents::fill;
pub(super) use packages::Disk;
pub(super) use run::{lacks, of_plan, of_workload};

use super::Plan;
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::product::Optional;
use crate::walk::Entry;
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an image has of the machine's disk.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Lift {
    /// The packages whose files are in it, as the machine has them.
    pub packages: Vec<LiftedPackage>,
    /// The processor that its programs are for, as the machine calls it.
    pub architecture: String,
    /// Lowest first.
    pub layers: Vec<Layer>,
    /// What of the upper layers can stand in a build context as it is, for people to read and to change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trees: Vec<Tree>,
    /// What of those packages stays behind.
    pub left_out: Vec<LeftOut>,
    /// The record of packages that goes with them, for scanners of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// Libraries and interpreters that files of the image name and that nothing on the machine answers to: who needs what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<(MachinePath, String)>,
    /// Links of the image whose targets stay behind, and the targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<(MachinePath, MachinePath)>,
    /// The container starts machine code alone.
    #[serde(skip)]
    pub(super) native: bool,
    /// Files that its product does without.
    #[serde(skip)]
    pub(super) optional: Vec<Optional>,
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

/// Files that all belong to one user and group, in a build context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    pub path: MachinePath,
    pub directory: bool,
    pub uid: u32,
    pub gid: u32,
    pub why: String,
}

impl Lift {
    /// Whether a file is in one of the trees.
    pub fn is_in_tree(&self, path: &MachinePath) -> bool {
        self.trees.iter().any(|tree| path.is_within(&tree.path))
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
    /// For a workload with these packages, whose container runs these programs.
    pub(super) fn new(
        names: &BTreeSet<String>,
        run: &BTreeSet<String>,
        workload: &Workload,
        disk: &Disk<'_>,
    ) -> Self {
        let product = workload.product.iter();
        let optional = product.flat_map(|product| &product.optional);
        let mut lift = Self {
            native: run::is_native(run, disk.facts),
            optional: optional.cloned().collect(),
            ..Self::default()
        };
        lift.add(names, run, disk);
        lift
    }

    /// Adds packages by name, and those of further programs.
    pub(super) fn add(
        &mut self,
        names: &BTreeSet<String>,
        run: &BTreeSet<String>,
        disk: &Disk<'_>,
    ) {
        let more = disk.packages(self.asked(names, run));
        self.chosen.extend(more);
    }

    fn asked<'n>(&'n self, names: &'n BTreeSet<String>, run: &'n BTreeSet<String>) -> Asked<'n> {
        Asked {
            names,
            run,
            native: self.native,
            optional: &self.optional,
        }
    }
}

/// The files of lifted images whose headers say what else these need.
pub fn code(plans: &[Plan], facts: &Facts) -> BTreeSet<MachinePath> {
    let lifts: Vec<&Lift> = plans
        .iter()
        .filter_map(|plan| plan.image.lift.as_ref())
        .collect();
    if lifts.is_empty() {
        return BTreeSet::new();
    }
    let disk = Disk::new(facts);
    let chosen: BTreeSet<usize> = lifts
        .iter()
        .flat_map(|lift| &lift.chosen)
        .copied()
        .collect();
    disk.code(&chosen).cloned().collect()
}
