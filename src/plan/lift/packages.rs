//! Which packages a lifted image has: the workload's, what they depend on, what their programs and libraries load, and those of the
//! programs that its start, its health check and its scripts run. What only installs, or only runs whole machines, stays behind.
//!
//! Where the container starts machine code alone, all that it can load is known. Then a library that nothing in the image loads,
//! and a package of scripts that nobody named, are not taken along for a dependency's sake: the first are there for an option that
//! was built in elsewhere, the second wrap the program for people.

use super::table::TABLE;
use crate::distribution::closure::Installed;
use crate::fact::{Facts, Package};
use crate::path::MachinePath;
use crate::product::Optional;
use crate::program;
use crate::program::libraries::{Loader, is_library};
use crate::walk::glob;
use std::collections::BTreeSet;

/// A script runs programs that are scripts themselves; deeper than this nobody nests them.
const DEEP: usize = 8;

/// The machine's packages as every lifted image looks at them.
pub(in crate::plan) struct Disk<'a> {
    pub facts: &'a Facts,
    installed: Installed<'a>,
    loader: Loader<'a>,
    /// Paths of each package.
    owned: Vec<Vec<&'a MachinePath>>,
    kinds: Vec<Kind>,
}

/// What a package is made of, by the names of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Shared libraries and nothing that reads like more.
    Libraries,
    /// Programs that run on any processor.
    Scripts,
    Other,
}

/// Who asks for packages.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Asked<'n> {
    /// Packages by name.
    pub names: &'n BTreeSet<String>,
    /// Programs by path or name.
    pub run: &'n BTreeSet<String>,
    /// The container starts machine code alone.
    pub native: bool,
    /// Files that the workload's product does without.
    pub optional: &'n [Optional],
}

impl Asked<'_> {
    /// Whether a package's file is part of the image.
    fn takes(&self, path: &MachinePath) -> bool {
        TABLE.class(path).is_none() && optional(self.optional, path).is_none()
    }
}

/// Which of these a file is.
pub(super) fn optional(all: &[Optional], path: &MachinePath) -> Option<usize> {
    let text = path.text();
    all.iter().position(|optional| {
        let mut paths = optional.paths.iter();
        paths.any(|pattern| glob::matches_path(pattern, &text))
    })
}

impl<'a> Disk<'a> {
    pub(in crate::plan) fn new(facts: &'a Facts) -> Self {
        let mut owned = vec![Vec::new(); facts.packages.len()];
        for (path, owner) in facts.ownership.owned() {
            if let Some(paths) = owned.get_mut(owner) {
                paths.push(path);
            }
        }
        let kinds = facts.packages.iter().zip(&owned);
        let kinds = kinds.map(|(package, paths)| Kind::of(package, paths, facts));
        Self {
            facts,
            installed: Installed::new(&facts.packages),
            loader: Loader::new(facts),
            kinds: kinds.collect(),
            owned,
        }
    }

    /// The paths of a package.
    pub(super) fn paths(&self, package: usize) -> &[&'a MachinePath] {
        self.owned.get(package).map_or(&[], Vec::as_slice)
    }

    /// Places among the machine's packages.
    pub(in crate::plan) fn packages(&self, asked: Asked<'_>) -> BTreeSet<usize> {
        let facts = self.facts;
        let names = asked.names.iter().map(String::as_str);
        let mut chosen = self.closure(names, asked.native);
        let always = facts.packages.iter();
        let always = always.filter(|package| TABLE.is_always(&package.name));
        chosen.extend(self.closure(always.map(|package| package.name.as_str()), asked.native));
        let mut programs = self.programs(asked.run);
        programs.extend(self.interpreters(asked));
        chosen.extend(self.owners(programs.iter(), asked.native));
        self.settle(chosen, asked)
    }

    /// What runs the scripts of the packages asked for. Those of others are for people at a terminal, or their package depends
    /// on what runs them.
    fn interpreters(&self, asked: Asked<'_>) -> Vec<MachinePath> {
        let facts = self.facts;
        let named = facts.packages.iter().enumerate();
        let named = named.filter(|(_, package)| asked.names.contains(&package.name));
        let paths = named
            .flat_map(|(at, _)| self.paths(at))
            .filter(|path| asked.takes(path));
        let scripts = paths.filter_map(|path| facts.scripts.get(*path));
        let run = scripts.filter_map(|script| program::interpreter(script, facts));
        run.filter_map(|path| facts.tree.resolve(&path)).collect()
    }

    /// The same with what files of them load, as far as those were read.
    pub(super) fn settle(&self, mut chosen: BTreeSet<usize>, asked: Asked<'_>) -> BTreeSet<usize> {
        let mut done = BTreeSet::new();
        loop {
            let new: Vec<usize> = chosen.difference(&done).copied().collect();
            if new.is_empty() {
                return self.native(chosen);
            }
            for at in new {
                done.insert(at);
                let taken = self.paths(at).iter();
                let taken = taken.filter(|path| asked.takes(path));
                let loaded: BTreeSet<MachinePath> =
                    taken.flat_map(|path| self.loads(path).0).collect();
                chosen.extend(self.owners(loaded.iter(), asked.native));
            }
        }
    }

    /// The packages of files, with all that those depend on.
    pub(super) fn owners<'p>(
        &self,
        paths: impl Iterator<Item = &'p MachinePath>,
        native: bool,
    ) -> BTreeSet<usize> {
        let owners = paths.filter_map(|path| self.facts.owner(path));
        let names: BTreeSet<&str> = owners.map(|owner| owner.name.as_str()).collect();
        self.closure(names.into_iter(), native)
    }

    /// Packages with all that they depend on, without what only installs.
    fn closure<'n>(&self, names: impl Iterator<Item = &'n str>, native: bool) -> BTreeSet<usize> {
        self.installed.closure_but(names, |at, package| {
            let kind = self.kinds.get(at).copied().unwrap_or(Kind::Other);
            TABLE.is_tooling(&package.name) || (native && kind != Kind::Other)
        })
    }

    /// The files that a program or a library cannot start without, and the names that no file answers to.
    pub(super) fn loads(&self, path: &MachinePath) -> (Vec<MachinePath>, Vec<String>) {
        let facts = self.facts;
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        if let Some(elf) = facts.elfs.get(path) {
            for (name, library) in self.loader.libraries(elf) {
                match library {
                    Some(library) => found.push(library),
                    None => missing.push(name.to_owned()),
                }
            }
            let interpreter = elf.interpreter.as_deref().map(MachinePath::new);
            found.extend(interpreter.and_then(|path| facts.tree.resolve(&path)));
        }
        (found, missing)
    }

    /// The files of packages whose headers say what they load.
    pub(in crate::plan) fn code(
        &self,
        chosen: &BTreeSet<usize>,
    ) -> impl Iterator<Item = &'a MachinePath> {
        let paths = chosen.iter().flat_map(|at| self.paths(*at)).copied();
        paths.filter(|path| {
            let entry = self.facts.tree.entry(path);
            let is_code = entry.is_some_and(|entry| {
                entry.is_executable() || (entry.is_file() && is_library(&path.name()))
            });
            is_code && TABLE.class(path).is_none()
        })
    }

    /// Of a package that is there for several processors, the machine's own.
    fn native(&self, chosen: BTreeSet<usize>) -> BTreeSet<usize> {
        let facts = self.facts;
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
        let is_second = |at: &usize| {
            let package = packages(at);
            package.is_some_and(|p| p.arch != own && here.contains(p.name.as_str()))
        };
        chosen.iter().copied().filter(|at| !is_second(at)).collect()
    }

    /// The programs behind these words, with the interpreters of scripts and what those run in turn.
    fn programs(&self, run: &BTreeSet<String>) -> BTreeSet<MachinePath> {
        let facts = self.facts;
        let mut found = BTreeSet::new();
        let mut work: Vec<(String, usize)> = run.iter().map(|word| (word.clone(), 0)).collect();
        while let Some((word, deep)) = work.pop() {
            let path = program::locate(&word, facts).and_then(|path| facts.tree.resolve(&path));
            let Some(path) = path.filter(|path| !found.contains(path)) else {
                continue;
            };
            let entry = facts.tree.entry(&path);
            if !entry.is_some_and(crate::walk::Entry::is_executable) {
                continue;
            }
            if let Some(script) = facts.scripts.get(&path).filter(|_| deep < DEEP) {
                let words = script.interpreter.iter();
                let words = words.flat_map(|word| word.split_whitespace());
                work.extend(words.map(|word| (word.to_owned(), deep + 1)));
                let called = script.references.iter();
                work.extend(called.map(|called| (called.word.clone(), deep + 1)));
            }
            found.insert(path);
        }
        found
    }
}

impl Kind {
    fn of(package: &Package, paths: &[&MachinePath], facts: &Facts) -> Self {
        let tree = &facts.tree;
        let is_name = |path: &&MachinePath| tree.entry(path).is_some_and(|entry| !entry.is_dir());
        let names = paths.iter().copied().filter(is_name);
        let (mut libraries, mut programs, mut others) = (0, 0, 0);
        for path in names.filter(|path| TABLE.class(path).is_none()) {
            let above = path.parent().unwrap_or_else(MachinePath::root);
            let text = path.text();
            if text.starts_with("/usr/share/doc/") || text.starts_with("/usr/share/licenses/") {
                continue;
            }
            match &*above.name() {
                "bin" | "sbin" => programs += 1,
                _ if is_library(&path.name()) => libraries += 1,
                _ => others += 1,
            }
        }
        let any = matches!(package.arch.as_str(), "all" | "noarch" | "any");
        match (libraries, programs, others) {
            (1.., 0, 0) => Self::Libraries,
            (_, 1.., _) if any => Self::Scripts,
            _ => Self::Other,
        }
    }
}
