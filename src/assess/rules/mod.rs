//! Native rules: those that ask about the shape of things (a graph, a sum, a date) and not about one product or file.
//!
//! A rule is native or declarative, never both; a rule about a product's setting is a pack's. Each function is pure, and
//! each concern it makes has evidence.

mod code;
mod kernel;
mod network;
mod origin;
mod platform;
mod process;
mod security;
mod storage;
mod unknown;

use crate::fact::{Elf, Facts, Unexamined};
use crate::kernel::Reaches;
use crate::kernel::need::Need;
use crate::plan::{Plan, Unclaimed};
use crate::rule::Concern;
use crate::service::Service;
use crate::workload::{Placed, PlacedJob, Workload};
use std::collections::BTreeMap;

/// What the rules look at.
pub struct Seen<'a> {
    pub facts: &'a Facts,
    /// What was not examined, of the disk and of what is written on it.
    pub unexamined: &'a [Unexamined],
    /// All services that start at boot, moved or not.
    pub services: &'a [Service],
    pub workloads: &'a [Workload],
    pub plans: &'a [Plan],
    /// The enabled services, and what becomes of each.
    pub placed: &'a [Placed],
    /// The enabled jobs, and what becomes of each.
    pub jobs: &'a [PlacedJob],
    /// What the code of each workload's programs needs.
    pub needs: &'a BTreeMap<String, Need>,
    /// What the code of programs can reach.
    pub reaches: &'a Reaches,
    /// What was changed or made on the machine and nothing carries.
    pub unclaimed: &'a [Unclaimed],
}

impl Seen<'_> {
    /// The native programs that a workload's container starts or carries.
    fn elfs(&self, workload: &Workload) -> Vec<&Elf> {
        let plan = self.plans.iter().find(|plan| plan.id == workload.id);
        crate::plan::files(workload, plan, self.facts)
    }
}

type Rule = fn(&Seen<'_>) -> Vec<Concern>;

/// Every native rule family; tests iterate it.
const RULES: &[Rule] = &[
    code::concerns,
    kernel::concerns,
    network::concerns,
    origin::concerns,
    platform::concerns,
    process::concerns,
    security::concerns,
    storage::concerns,
    unknown::concerns,
];

/// All concerns the native rules raise, sorted, doubles dropped.
pub fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found: Vec<Concern> = RULES.iter().flat_map(|rule| rule(seen)).collect();
    sort(&mut found);
    found
}

/// The order of reports: worst first, then by rule, workload and place.
pub fn sort(concerns: &mut Vec<Concern>) {
    concerns.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| a.workload.cmp(&b.workload))
            .then_with(|| a.evidence.cmp(&b.evidence))
            .then_with(|| a.detail.cmp(&b.detail))
    });
    concerns.dedup();
}
