//! Native rules: those that ask about the shape of things (a graph, a sum, a date) and not about one product or file.
//!
//! A rule is native or declarative, never both; a rule about a product's setting is a pack's. Each function is pure, and
//! each concern it makes has evidence.

mod kernel;
mod network;
mod platform;
pub use platform::end_of_life;
mod process;
mod security;
mod storage;

use super::Concern;
use crate::fact::Facts;
use crate::workload::{Service, Workload};

/// What the rules look at.
pub struct Seen<'a> {
    pub facts: &'a Facts,
    /// All services that start at boot, moved or not.
    pub services: &'a [Service],
    pub workloads: &'a [Workload],
}

type Rule = fn(&Seen<'_>) -> Vec<Concern>;

/// Every native rule family; tests iterate it.
const RULES: &[Rule] = &[
    kernel::concerns,
    network::concerns,
    platform::concerns,
    process::concerns,
    security::concerns,
    storage::concerns,
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
