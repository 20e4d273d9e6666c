//! What a reader has to know of a workload that no noun of its plan says.

use super::command;
use crate::workload::Workload;

/// What the machine ran beside the main process, and the container does not.
pub(super) fn left_behind(workload: &Workload) -> Vec<String> {
    let others = workload.services.iter().skip(1).map(|service| {
        format!(
            "Service {} belongs to this workload and is not started by itself here.",
            service.name
        )
    });
    let after = workload
        .services
        .iter()
        .take(1)
        .flat_map(|service| &service.commands.after)
        .map(|command| {
            let place = command.evidence.place();
            format!("The machine ran a command after the start ({place}); the container does not.")
        });
    let main = workload.services.iter().take(1);
    let modules = main.flat_map(|service| &service.commands.before);
    let modules = modules.filter(|command| command::loads_modules(command)).map(|command| {
        let place = command.evidence.place();
        format!("The machine loaded a kernel module before the start ({place}); the container's host has to have it loaded.")
    });
    others.chain(after).chain(modules).collect()
}
