//! What a program can have loaded: its libraries as the loader finds them, its interpreter, what strings in its code name.
//! Each is asked for by its headers and its code. Pure.

use super::configured;
use super::libraries::{Loader, Programs, above_searched};
use crate::fact::{Elf, Facts};
use crate::path::MachinePath;
use crate::program;
use foldhash::HashMap;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Files of one machine's programs.
const FILES: usize = 20_000;

/// What each file that was looked into leads to, worked out once for all programs.
pub struct Closure<'a> {
    facts: &'a Facts,
    loader: Loader<'a>,
    own: &'a Programs,
    files: HashMap<&'a MachinePath, File>,
}

/// What one file names.
#[derive(Default)]
struct File {
    /// Its interpreter, its libraries, and libraries in its code's strings; links followed.
    loads: Vec<MachinePath>,
    /// Libraries that it needs and that are not there.
    lacks: Vec<String>,
    /// Directories in its code's strings where plug-ins may be; none need be there.
    directories: BTreeSet<MachinePath>,
    /// It opens a library by a name that only the run knows.
    opens_any: bool,
}

impl<'a> Closure<'a> {
    /// Of programs that may open what is of their workloads' own.
    pub fn new(facts: &'a Facts, own: &'a Programs) -> Self {
        let loader = Loader::with(facts, own);
        let known: BTreeSet<&MachinePath> = facts.elfs.keys().chain(facts.scripts.keys()).collect();
        let known: Vec<&MachinePath> = known.into_iter().collect();
        let files = known
            .into_par_iter()
            .map(|path| (path, File::new(facts, &loader, path)));
        let files = files.collect();
        Self {
            facts,
            loader,
            own,
            files,
        }
    }

    /// The files that these programs can load, as far as is known by now.
    pub fn files<'p>(
        &self,
        programs: impl IntoIterator<Item = &'p MachinePath>,
    ) -> BTreeSet<MachinePath> {
        self.files_but(programs, |_| false)
    }

    /// The same where some are not there to be loaded.
    pub fn files_but<'p>(
        &self,
        programs: impl IntoIterator<Item = &'p MachinePath>,
        is_left: impl Fn(&MachinePath) -> bool + Sync,
    ) -> BTreeSet<MachinePath> {
        let programs: Vec<&MachinePath> = programs.into_iter().collect();
        let each = programs.into_par_iter();
        let each: Vec<_> = each
            .map(|program| self.of_program(program, &is_left))
            .collect();
        let mut found = BTreeSet::new();
        for mut files in each {
            if found.len() > FILES {
                break;
            }
            found.append(&mut files);
        }
        found
    }

    fn of_program(
        &self,
        program: &MachinePath,
        is_left: &impl Fn(&MachinePath) -> bool,
    ) -> BTreeSet<MachinePath> {
        let mut found = BTreeSet::new();
        let mut work = vec![program.clone()];
        let mut known = None;
        loop {
            while let Some(path) = work.pop() {
                if found.len() < FILES && !is_left(&path) && found.insert(path.clone()) {
                    let file = self.files.get(&path).into_iter();
                    work.extend(file.flat_map(|file| &file.loads).cloned());
                }
            }
            let files = || found.iter().filter_map(|path| self.files.get(path));
            let opens_any = files().any(|file| file.opens_any);
            let Some(elf) = self.facts.elfs.get(program).filter(|_| opens_any) else {
                return found;
            };
            let named: BTreeSet<&MachinePath> =
                files().flat_map(|file| &file.directories).collect();
            // What plug-ins name in turn is searched as well.
            if known.replace(named.len()) == Some(named.len()) {
                return found;
            }
            let own = self.loader.own_plug_in_directories(elf).into_iter();
            let all = own.chain(named.into_iter().cloned());
            work.extend(self.loader.plug_ins(elf, all));
        }
    }

    /// What a program and its libraries need and the machine does not have: who needs it, and its name.
    pub fn missing(&self, program: &MachinePath) -> BTreeSet<(MachinePath, String)> {
        let files = self.of_program(program, &|_| false);
        let known = files
            .iter()
            .filter_map(|path| Some((path, self.files.get(path)?)));
        let lacks = known.flat_map(|(path, file)| file.lacks.iter().map(move |name| (path, name)));
        lacks
            .map(|(path, name)| (path.clone(), name.clone()))
            .collect()
    }

    pub fn facts(&self) -> &'a Facts {
        self.facts
    }

    /// Directories that have to be known for these files: theirs, and the loader's.
    pub fn directories(&self, files: &BTreeSet<MachinePath>) -> BTreeSet<MachinePath> {
        let mut found = BTreeSet::from([
            MachinePath::new("/etc"),
            MachinePath::new("/etc/ld.so.conf.d"),
        ]);
        found.extend(self.loader.directories(&Elf::default()));
        let configuration = configured::configuration(files).into_iter();
        found.extend(configuration.filter_map(|pattern| MachinePath::new(pattern).parent()));
        for path in files {
            found.extend(path.parent());
            found.extend(above_searched(path));
            if let Some(elf) = self.facts.elfs.get(path) {
                found.extend(self.loader.directories(elf));
                let interpreter = elf.interpreter.as_deref().map(MachinePath::new);
                found.extend(interpreter.and_then(|path| path.parent()));
            }
            let script = self.facts.scripts.get(path);
            found.extend(script.into_iter().flat_map(program::places));
        }
        found
    }

    /// Directories of plug-ins that have to be known with all below, if these files open any.
    pub fn plug_in_directories(&self, files: &BTreeSet<MachinePath>) -> BTreeSet<MachinePath> {
        let known = || files.iter().filter_map(|path| self.files.get(path));
        if !known().any(|file| file.opens_any) {
            return BTreeSet::new();
        }
        let elfs = files.iter().filter_map(|path| self.facts.elfs.get(path));
        let programs = elfs.filter(|elf| elf.interpreter.is_some());
        let own = programs.flat_map(|elf| self.loader.own_plug_in_directories(elf));
        let named = known().flat_map(|file| &file.directories).cloned();
        let of_workloads = self.own.values().flatten().cloned();
        own.chain(named).chain(of_workloads).collect()
    }
}

impl File {
    fn new(facts: &Facts, loader: &Loader<'_>, path: &MachinePath) -> Self {
        let resolve = |name: &String| facts.tree.resolve(&MachinePath::new(name));
        let script = facts.scripts.get(path);
        let mut file = Self::default();
        let first = script.and_then(|script| script.interpreter.first());
        file.loads.extend(first.and_then(resolve));
        let runs = script.and_then(|script| program::interpreter(script, facts));
        file.loads
            .extend(runs.and_then(|path| facts.tree.resolve(&path)));
        let Some(elf) = facts.elfs.get(path) else {
            return file;
        };
        for (name, library) in loader.libraries(elf) {
            match library {
                Some(path) => file.loads.push(path),
                None => file.lacks.push(name.to_owned()),
            }
        }
        file.loads
            .extend(elf.interpreter.as_ref().and_then(resolve));
        let opened = elf.opens.iter().flat_map(|opened| &opened.sonames);
        file.loads
            .extend(opened.flat_map(|name| loader.named(elf, name)));
        let Some(code) = facts.codes.get(path) else {
            return file;
        };
        for (_, text) in &code.strings {
            if text.contains(".so") {
                file.loads.extend(loader.named(elf, text));
            }
            file.directories.extend(loader.directories_named(elf, text));
        }
        file.directories.extend(loader.directories_searched(path));
        let mut arguments = code.arguments.iter();
        file.opens_any = arguments.any(|site| site.via == Some("dlopen") && site.value.is_none());
        file
    }
}
