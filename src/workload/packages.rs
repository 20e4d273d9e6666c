//! Packages behind a workload: what its programs, libraries and scripts come from.

use super::{Workload, claims};
use crate::distribution::closure::Installed;
use crate::fact::{Facts, Imports};
use crate::path::MachinePath;
use crate::program::libraries::Loader;
use crate::program::{self, Program, modules};
use crate::service::Service;
use std::collections::{BTreeMap, BTreeSet};

/// Packages the image installs: owners of programs, interpreters, unit, configuration and libraries, and companions.
pub(super) fn packages(
    workload: &Workload,
    service: &Service,
    program: &Program,
    facts: &Facts,
    installed: &Installed<'_>,
) -> Vec<String> {
    let mut paths: Vec<MachinePath> = program.files.clone();
    paths.extend(
        program
            .names
            .iter()
            .filter(|name| name.starts_with('/'))
            .map(MachinePath::new),
    );
    paths.extend(service.files.first().cloned());
    paths.extend(
        workload
            .configuration
            .iter()
            .map(|configuration| configuration.path.clone()),
    );
    let commands = service
        .commands
        .before
        .iter()
        .chain(&service.commands.after)
        .chain(&service.commands.stop);
    paths.extend(commands.flat_map(|command| program::of(&command.argv, facts).files));
    let companions = workload
        .product
        .iter()
        .flat_map(|product| product.companions.iter().cloned());
    of_paths(facts, installed, paths, &workload.claims, companions)
}

/// Names of the packages behind paths and claims, essential ones left out: every base has them.
pub fn of_paths(
    facts: &Facts,
    installed: &Installed<'_>,
    mut paths: Vec<MachinePath>,
    claims: &[MachinePath],
    companions: impl Iterator<Item = String>,
) -> Vec<String> {
    let loader = Loader::new(facts);
    let loaded = modules::extensions(facts, &paths);
    paths.extend(loaded);
    // What nobody's package is, here and among the claims, names its interpreter and modules itself.
    let own = paths.iter().filter(|path| facts.owner(path).is_none());
    let own: Vec<MachinePath> = own.cloned().collect();
    let mut code: BTreeMap<&MachinePath, &Imports> = BTreeMap::new();
    for path in &own {
        code.extend(facts.imports.get_key_value(path));
        let script = facts.scripts.get(path).into_iter();
        paths.extend(script.flat_map(|script| called(&script.interpreter, facts)));
    }
    for claim in claims {
        for entry in claims::files(facts, claim) {
            code.extend(facts.imports.get_key_value(&entry.path));
            if let Some(elf) = facts.elfs.get(&entry.path) {
                paths.extend(loader.needed(elf));
                paths.extend(elf.interpreter.as_ref().map(MachinePath::new));
            }
            if let Some(script) = facts.scripts.get(&entry.path) {
                paths.extend(called(&script.interpreter, facts));
                let words = script
                    .references
                    .iter()
                    .map(|reference| reference.word.as_str());
                paths.extend(words.filter_map(|word| executable(facts, word)));
            }
        }
    }
    paths.extend(modules::files(facts, code.into_values()));
    let mut names: BTreeSet<String> = companions.collect();
    for path in paths {
        let owner = facts.owner(&path).or_else(|| {
            facts
                .tree
                .resolve(&path)
                .and_then(|real| facts.owner(&real))
        });
        names.extend(
            owner
                .filter(|package| !package.essential)
                .map(|package| package.name.clone()),
        );
    }
    names.retain(|name| {
        installed
            .package(name)
            .is_some_and(|package| !package.essential)
    });
    roots_of(installed, &names)
}

/// Packages that no other of the list brings along: what an installer has to be asked for.
fn roots_of(installed: &Installed<'_>, names: &BTreeSet<String>) -> Vec<String> {
    let mut kept = names.clone();
    // Of two packages that need one another the one an administrator asked for stays.
    let manual = |name: &&String| {
        installed
            .package(name)
            .is_some_and(|package| package.manual)
    };
    let (asked, pulled): (Vec<&String>, Vec<&String>) = names.iter().partition(manual);
    for name in asked.into_iter().chain(pulled) {
        if !kept.contains(name) {
            continue;
        }
        let brought = installed.brought_with(name);
        kept.retain(|other| other == name || !brought.contains(other.as_str()));
    }
    kept.into_iter().collect()
}

/// The files of a command line, by the names they are called by and by those that these lead to: the link may be another
/// package's than the program.
fn called(argv: &[String], facts: &Facts) -> Vec<MachinePath> {
    let program = program::of(argv, facts);
    let names = program.names.iter().filter(|name| name.starts_with('/'));
    let names = names.map(MachinePath::new);
    let mut found: Vec<MachinePath> = names.chain(program.files.iter().cloned()).collect();
    let loaded = modules::extensions(facts, &found);
    found.extend(loaded);
    found
}

/// The name that a word of a script is called by, where it is a link to a program.
pub fn link(facts: &Facts, word: &str) -> Option<MachinePath> {
    let named = program::locate(word, facts)?;
    let real = executable(facts, word)?;
    (named != real).then_some(named)
}

/// A word of a script that is a command of the machine.
pub fn executable(facts: &Facts, word: &str) -> Option<MachinePath> {
    let real = facts.tree.resolve(&program::locate(word, facts)?)?;
    facts
        .tree
        .entry(&real)
        .is_some_and(crate::walk::Entry::is_executable)
        .then_some(real)
}
