//! The programs whose code counts: those that a container starts, and those of its own that it carries.

use super::Plan;
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::workload::Workload;
use crate::workload::libraries::{Loader, Programs};
use std::collections::BTreeSet;

/// Of these workloads, each with what is their own: an interpreter opens libraries that an application brings along, and
/// those in the directory that bears the name of the script it runs.
pub fn programs(workloads: &[Workload], plans: &[Plan], facts: &Facts) -> Programs {
    let mut found = Programs::new();
    let loader = Loader::new(facts);
    for workload in workloads {
        let plan = plans.iter().find(|plan| plan.id == workload.id);
        let started = plan.into_iter().flat_map(|plan| &plan.programs);
        // What a package brought and the container does not start is its product's affair.
        let own = workload
            .executables
            .iter()
            .filter(|path| facts.owner(path).is_none());
        let scripts = workload.executables.iter();
        let scripts = scripts.filter(|path| facts.scripts.contains_key(*path));
        let beside = scripts.flat_map(|script| loader.directories_of_script(script));
        let beside: BTreeSet<MachinePath> = workload.claims.iter().cloned().chain(beside).collect();
        for program in started.chain(own) {
            let opens = found.entry(program.clone()).or_default();
            opens.extend(beside.iter().cloned());
        }
    }
    found
}
