//! The programs whose code counts: those that a container starts, and those of its own that it carries.

use super::Plan;
use crate::fact::Facts;
use crate::workload::Workload;
use crate::workload::libraries::Programs;

/// Of these workloads, each with what is their own: an interpreter opens libraries that an application brings along.
pub fn programs(workloads: &[Workload], plans: &[Plan], facts: &Facts) -> Programs {
    let mut found = Programs::new();
    for workload in workloads {
        let plan = plans.iter().find(|plan| plan.id == workload.id);
        let started = plan.into_iter().flat_map(|plan| &plan.programs);
        // What a package brought and the container does not start is its product's affair.
        let own = workload
            .executables
            .iter()
            .filter(|path| facts.owner(path).is_none());
        for program in started.chain(own) {
            let claims = found.entry(program.clone()).or_default();
            claims.extend(workload.claims.iter().cloned());
        }
    }
    found
}
