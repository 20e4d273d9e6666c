//! One process being loaded: breadth first from its program, as the loader does it, each name once.

use super::Loader;
use super::search::{Asking, Object};
use crate::fact::{Elf, Libc};
use crate::path::MachinePath;
use std::collections::{BTreeSet, VecDeque};

/// Objects of one process.
const OBJECTS: usize = 2_000;

/// Objects between one and the program; longer than any that was made by people.
const DEPTH: usize = 64;

/// What a process is started with, and what it has loaded by now.
#[derive(Debug, Clone, Default)]
pub(super) struct Process<'a> {
    /// LD_LIBRARY_PATH, split.
    pub library_path: Vec<MachinePath>,
    pub libc: Option<Libc>,
    /// Who opens what is opened at run time: its DT_RPATH counts for that too.
    pub opener: Option<&'a Elf>,
    /// Names that are not searched for again: as they were asked for, and by DT_SONAME.
    pub names: BTreeSet<String>,
}

/// What came of loading one object with all that it needs.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub files: BTreeSet<MachinePath>,
    /// Who needs what, and it was found.
    pub found: BTreeSet<(MachinePath, String)>,
    pub missing: BTreeSet<(MachinePath, String)>,
}

impl<'a> Loader<'a> {
    /// Loads an object into a process.
    pub(super) fn load(&self, root: &'a Elf, process: &mut Process<'a>) -> Loaded {
        let mut loaded = Loaded::default();
        let first = std::iter::once(root).chain(process.opener);
        let first: Vec<Object<'_>> = first.map(Object::new).collect();
        process.names.extend(names_of(root));
        let mut waiting = VecDeque::from([first]);
        while let Some(chain) = waiting.pop_front() {
            let Some(elf) = chain.first().map(|object| object.elf) else {
                continue;
            };
            if loaded.files.len() > OBJECTS || !loaded.files.insert(elf.path.clone()) {
                continue;
            }
            for name in &elf.needed {
                let entry = (elf.path.clone(), name.clone());
                if process.names.contains(name) {
                    loaded.found.insert(entry);
                    continue;
                }
                let asking = Asking {
                    chain: &chain,
                    library_path: &process.library_path,
                    libc: process.libc,
                };
                let Some((opened, path)) = self.search(asking, name) else {
                    loaded.missing.insert(entry);
                    continue;
                };
                loaded.found.insert(entry);
                process.names.insert(name.clone());
                if let Some(elf) = self.facts.elfs.get(&path) {
                    process.names.extend(elf.soname.clone());
                    let above = chain.iter().take(DEPTH).cloned();
                    let next = Object { elf, opened };
                    waiting.push_back(std::iter::once(next).chain(above).collect());
                }
            }
        }
        loaded
    }
}

/// What a library answers to.
pub(super) fn names_of(elf: &Elf) -> impl Iterator<Item = String> {
    elf.soname
        .clone()
        .into_iter()
        .chain([elf.path.name().into_owned()])
}
