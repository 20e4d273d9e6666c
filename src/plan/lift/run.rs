//! The programs that a container runs beside its main one: they have to be in its image.

use crate::fact::Facts;
use crate::path::MachinePath;
use crate::plan::place::Place;
use crate::plan::{Plan, follow};
use crate::program;
use crate::words::script::script_words;
use crate::workload::Workload;
use std::collections::BTreeSet;

/// What the entry point is written with, in the order of its text.
const PREPARES: &[&str] = &[
    "flock", "ls", "find", "tar", "rm", "install", "chown", "mkfifo", "cat", "setpriv",
];
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
        found.extend(PREPARES.iter().map(|name| (*name).to_owned()));
    }
    if follow::is_wrapped(&process.command) {
        found.extend(follow::RUNS.iter().map(|name| (*name).to_owned()));
    }
    found
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
