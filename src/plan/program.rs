//! The programs whose code counts: those that a container starts, and those of its own that it carries.

use super::Plan;
use crate::fact::{Elf, Facts};
use crate::path::MachinePath;
use crate::program::libraries::{Loader, Programs};
use crate::workload::Workload;
use std::collections::BTreeSet;

/// Of these workloads, each with what is their own: an interpreter opens libraries that an application brings along, and
/// those in the directory that bears the name of the script it runs.
pub fn programs(workloads: &[Workload], plans: &[Plan], facts: &Facts) -> Programs {
    let mut found = Programs::new();
    let loader = Loader::new(facts);
    for workload in workloads {
        let plan = plans.iter().find(|plan| plan.id == workload.id);
        let started = plan.into_iter().flat_map(|plan| &plan.process.programs);
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

/// The programs of a workload that are looked at for what they need of a processor and of files: those its container
/// starts, and those it carries.
pub fn files<'a>(workload: &Workload, plan: Option<&Plan>, facts: &'a Facts) -> Vec<&'a Elf> {
    let started = plan.into_iter().flat_map(|plan| &plan.process.programs);
    let named = started.chain(&workload.executables);
    let mut paths: BTreeSet<&MachinePath> = named.collect();
    for claim in &workload.claims {
        let below = facts.elfs.range::<MachinePath, _>(claim..);
        paths.extend(
            below
                .take_while(|(path, _)| path.is_within(claim))
                .map(|(path, _)| path),
        );
    }
    paths
        .into_iter()
        .filter_map(|path| facts.elfs.get(path))
        .collect()
}
