//! Which packages a lifted image has: the workload's, what they depend on, and those of the programs that its start, its health
//! check and its scripts run. What only installs, or only runs whole machines, stays behind.

use super::table::TABLE;
use crate::distribution::closure::Installed;
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::program;
use std::collections::BTreeSet;

/// A script runs programs that are scripts themselves; deeper than this nobody nests them.
const DEEP: usize = 8;

/// Places among the machine's packages; `named` by the workload, `run` by its container.
pub(in crate::plan) fn packages(
    named: &BTreeSet<String>,
    run: &BTreeSet<String>,
    facts: &Facts,
    installed: &Installed<'_>,
) -> BTreeSet<usize> {
    let mut chosen = closure(named.iter().map(String::as_str), installed);
    let always = facts.packages.iter();
    let always = always.filter(|package| TABLE.is_always(&package.name));
    chosen.extend(closure(
        always.map(|package| package.name.as_str()),
        installed,
    ));
    let owners = programs(run, facts);
    let owners = owners.iter().filter_map(|path| facts.owner(path));
    chosen.extend(closure(owners.map(|owner| owner.name.as_str()), installed));
    native(chosen, facts)
}

/// Packages with all that they depend on, without what only installs.
pub(super) fn closure<'n>(
    names: impl Iterator<Item = &'n str>,
    installed: &Installed<'_>,
) -> BTreeSet<usize> {
    installed.closure_but(names, |package| TABLE.is_tooling(&package.name))
}

/// Of a package that is there for several processors, the machine's own.
fn native(chosen: BTreeSet<usize>, facts: &Facts) -> BTreeSet<usize> {
    let shell = facts.tree.resolve(&"/bin/sh".into());
    let owner = shell.and_then(|path| facts.owner(&path));
    let Some(own) = owner.map(|owner| owner.arch.as_str()) else {
        return chosen;
    };
    let packages = |at: &usize| facts.packages.get(*at);
    let here: BTreeSet<&str> = (chosen.iter().filter_map(packages))
        .filter(|package| package.arch == own)
        .map(|package| package.name.as_str())
        .collect();
    let twice = |at: &usize| {
        let package = packages(at);
        package.is_some_and(|p| p.arch != own && here.contains(p.name.as_str()))
    };
    chosen.iter().copied().filter(|at| !twice(at)).collect()
}

/// The programs behind these words, with the interpreters of scripts and what those run in turn.
fn programs(run: &BTreeSet<String>, facts: &Facts) -> BTreeSet<MachinePath> {
    let mut found = BTreeSet::new();
    let mut work: Vec<(String, usize)> = run.iter().map(|word| (word.clone(), 0)).collect();
    while let Some((word, deep)) = work.pop() {
        let path = program::locate(&word, facts).and_then(|path| facts.tree.resolve(&path));
        let Some(path) = path.filter(|path| !found.contains(path)) else {
            continue;
        };
        if !facts
            .tree
            .entry(&path)
            .is_some_and(|entry| entry.is_executable())
        {
            continue;
        }
        let script = facts.scripts.get(&path).filter(|_| deep < DEEP);
        if let Some(script) = script {
            let words = script
                .interpreter
                .iter()
                .flat_map(|word| word.split_whitespace());
            work.extend(words.map(|word| (word.to_owned(), deep + 1)));
            let called = script.references.iter();
            work.extend(called.map(|called| (called.word.clone(), deep + 1)));
        }
        found.insert(path);
    }
    found
}
