//! Whose code it is: the program's own, or what others put at its disposal.

use super::table;
use crate::fact::{Elf, Facts};
use crate::kernel::{Reach, Site};
use crate::path::MachinePath;
use std::collections::BTreeSet;

/// One program as it is judged.
#[derive(Debug)]
pub struct Program<'a> {
    pub reach: &'a Reach,
    /// Files whose code is its own: the program, what its source package brings, and what no package owns.
    own: BTreeSet<MachinePath>,
    /// Names of C functions that its own files import.
    imports: BTreeSet<&'a str>,
    /// Sonames that its own files are linked with.
    links: BTreeSet<&'a str>,
    /// It does what a script tells it.
    interprets: bool,
    /// The language whose runtime is linked into it.
    runtime: Option<&'a str>,
}

/// Directories of the loader's own (ld.so(8)).
fn is_systems(file: &MachinePath) -> bool {
    [
        "/lib",
        "/lib64",
        "/lib32",
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib32",
    ]
    .iter()
    .any(|directory| file.is_within(&MachinePath::new(directory)))
}

/// Every file that something reached is in.
fn files(reach: &Reach) -> BTreeSet<&MachinePath> {
    let calls = reach.calls.values().flatten();
    let arguments = reach.arguments.iter().map(|argument| &argument.site);
    let references = reach.references.iter().map(|reference| &reference.site);
    calls
        .chain(arguments)
        .chain(references)
        .map(|site| &site.path)
        .collect()
}

impl<'a> Program<'a> {
    /// A program of a machine, by what is known of its file and of those that its reach names.
    pub fn new(path: &MachinePath, reach: &'a Reach, facts: &'a Facts) -> Self {
        let mut own = BTreeSet::from([path.clone()]);
        let source = facts.owner(path).map(|package| package.source.as_str());
        let is_own = |file: &MachinePath| match facts.owner(file) {
            Some(owner) => source == Some(owner.source.as_str()),
            // What no package brought came with the program; but where packages are not known, not the system's libraries.
            None => !is_systems(file),
        };
        own.extend(
            files(reach)
                .into_iter()
                .filter(|file| is_own(file))
                .cloned(),
        );
        let elfs: Vec<&Elf> = own.iter().filter_map(|file| facts.elfs.get(file)).collect();
        let interprets = table::matches(&table::origins().interpreters, &path.name());
        Self {
            reach,
            imports: elfs
                .iter()
                .flat_map(|elf| elf.imports.iter().map(String::as_str))
                .collect(),
            links: elfs
                .iter()
                .flat_map(|elf| elf.needed.iter().map(String::as_str))
                .collect(),
            interprets,
            runtime: facts.elfs.get(path).and_then(|elf| elf.runtime.as_deref()),
            own,
        }
    }

    pub(super) fn owns(&self, file: &MachinePath) -> bool {
        self.own.contains(file)
    }

    /// It does what a script tells it.
    pub fn interprets(&self) -> bool {
        self.interprets
    }

    /// Whether a call is one that its own code makes: at a place of its own, or through the C function of that name, or
    /// through a library that exists for nothing else.
    pub fn calls_itself(&self, name: &str, sites: &[Site]) -> bool {
        let runtimes = table::origins().runtime.iter();
        let mut own = runtimes.filter(|runtime| self.runtime == Some(runtime.name.as_str()));
        if self.interprets || own.any(|runtime| runtime.calls.iter().any(|call| call == name)) {
            return false;
        }
        sites.iter().any(|site| self.owns(&site.path))
            || self.imports.contains(name)
            || self.is_carried_by_vehicle(name)
    }

    /// Whether it is linked with a library that exists for this call.
    pub(super) fn is_carried_by_vehicle(&self, call: &str) -> bool {
        let mut vehicles = table::origins().vehicle.iter();
        vehicles.any(|vehicle| {
            vehicle.calls.iter().any(|name| name == call)
                && self
                    .links
                    .iter()
                    .any(|link| table::matches(&vehicle.libraries, link))
        })
    }

    /// What the libraries it is linked with need of a process that is root.
    pub fn of_libraries(&self) -> BTreeSet<&'static str> {
        let vehicles = table::origins().vehicle.iter();
        let linked = vehicles.filter(|vehicle| {
            let mut links = self.links.iter();
            links.any(|link| table::matches(&vehicle.libraries, link))
        });
        linked
            .flat_map(|vehicle| vehicle.capabilities.iter().map(String::as_str))
            .collect()
    }
}
