//! The programs that a container runs beside its main one: they have to be in its image.

use crate::fact::Facts;
use crate::path::MachinePath;
use crate::plan::place::Place;
use crate::plan::{Plan, follow};
use crate::program;
use crate::words::script::script_words;
use crate::workload::Workload;
use std::collections::BTreeSet;

/// Everywhere: system(3) and popen(3) run it.
const SHELL: &str = "/bin/sh";

/// By what the machine runs.
pub(in crate::plan) fn of_workload(workload: &Workload, place: &Place<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::from([SHELL.to_owned()]);
    let product = workload.product.iter();
    let command: Vec<&String> = product
        .flat_map(|product| &product.command)
        .flatten()
        .collect();
    if !command.is_empty() {
        // The unit's own may go through wrappers that the container does without.
        found.extend(command.into_iter().cloned());
        return found;
    }
    for service in &workload.services {
        let commands = service.commands.before.iter();
        for command in commands.chain(&service.commands.start) {
            let files = program::of(&command.argv, place.facts).files;
            found.extend(files.iter().map(text));
        }
    }
    found
}

fn text(path: &MachinePath) -> String {
    path.text().into_owned()
}

/// By what the plan says.
pub(in crate::plan) fn of_plan(plan: &Plan) -> BTreeSet<String> {
    let process = &plan.process;
    let mut found = BTreeSet::new();
    let before = process.before.iter().map(|(command, _)| &command.argv);
    let health = process.health.iter().map(|health| &health.command);
    let lines: Vec<&Vec<String>> = (before.chain(health))
        .chain([&process.command.argv])
        .collect();
    for argv in lines {
        for word in argv {
            found.insert(word.clone());
            // Words of shells are programs too.
            found.extend(script_words(word));
        }
    }
    for job in &plan.schedule.jobs {
        found.extend(script_words(&job.command));
    }
    if process.entrypoint {
        found.extend(prepares(plan).into_iter().map(str::to_owned));
    }
    if follow::is_wrapped(&process.command) {
        found.extend(follow::RUNS.iter().map(|name| (*name).to_owned()));
    }
    found
}

/// What the entry point is written with.
fn prepares(plan: &Plan) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let state = &plan.state;
    if state.volumes.iter().any(|volume| volume.load) {
        found.extend(["flock", "ls", "find", "rm", "tar"]);
    }
    let runtime = plan.image.directories.iter().any(|made| made.runtime);
    if runtime || !state.secrets.is_empty() {
        found.insert("install");
    }
    if plan.process.uid != 0 {
        found.insert(plan.process.dropper.program());
        if !plan.image.log_links.is_empty() {
            found.insert("chown");
        }
    }
    if let Some(scheduler) = &plan.schedule.scheduler {
        found.insert("rm");
        if scheduler.mailer.is_some() {
            found.extend(["mkfifo", "cat", "sed"]);
        }
    }
    found
}

/// What the entry point needs and the machine does not have.
pub(in crate::plan) fn lacks(plan: &Plan, place: &Place<'_>) -> Vec<String> {
    if !plan.process.entrypoint {
        return Vec::new();
    }
    let mut lacks: Vec<&str> = prepares(plan).into_iter().collect();
    lacks.retain(|name| program::locate(name, place.facts).is_none());
    let mut notes: Vec<String> = lacks
        .iter()
        .map(|name| format!("The entry point calls {name}, which the machine does not have: add it to the image."))
        .collect();
    let command = plan.process.command.argv.first();
    let missing = command.filter(|program| program::locate(program, place.facts).is_none());
    if let (Some(_), Some(program)) = (&plan.schedule.scheduler, missing) {
        notes.push(format!("The machine has no scheduler that a container could run, and these jobs need one: add one in the place of {program}, or start them from outside."));
    }
    notes
}

/// Whether all of these that are there are machine code, and none runs what others wrote; the shell, which every image has, aside.
pub(super) fn is_native(run: &BTreeSet<String>, facts: &Facts) -> bool {
    let run = run.iter().filter(|word| *word != SHELL);
    let there = run.filter_map(|word| {
        let path = program::locate(word, facts)?;
        let path = facts.tree.resolve(&path)?;
        let entry = facts.tree.entry(&path)?;
        entry.is_executable().then_some(path)
    });
    let mut any = false;
    for path in there {
        any = true;
        if !facts.elfs.contains_key(&path) || program::is_interpreter(&path.name()) {
            return false;
        }
    }
    any
}
