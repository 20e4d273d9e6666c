//! One program with every file it can have loaded, joined into what it reaches: symbols resolve as the loader resolves them,
//! and functions are followed from the entry. Pure.

mod collect;
mod guard;
mod load;
mod names;
mod plug_in;
mod service;
mod symbols;
mod trace;
mod walk;
mod way;

use super::LARGE;
use super::reach::{Reach, Site, Unresolved};
use super::way::Way;
use crate::fact::{Code, Facts};
use crate::path::MachinePath;
use crate::program::configured;
use crate::program::libraries::{Loader, Programs};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::hash::Hasher;
use trace::Trace;
use walk::Walk;

/// For keys that are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u32(&mut self, hash: u32) {
        // The table takes its buckets from the low bits and its tags from the high ones.
        self.0 = u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// All code of the machine that was read, indexed for joining.
pub struct Join<'a> {
    facts: &'a Facts,
    loader: Loader<'a>,
    files: BTreeMap<&'a MachinePath, File<'a>>,
    names: names::Names,
    /// Plug-ins that configuration does not name, by which rule.
    unnamed: BTreeMap<&'a MachinePath, &'static configured::Rule>,
}

/// One file's code, indexed.
struct File<'a> {
    code: &'a Code,
    /// Its place in the order of files.
    place: usize,
    /// Branches that are dead until a name is bound.
    guards: guard::Guards,
    /// What a module of the name service offers.
    offers: service::Offers,
}

impl<'a> Join<'a> {
    pub fn new(facts: &'a Facts, own: &'a Programs) -> Self {
        let codes: Vec<&Code> = facts.codes.values().collect();
        let file = |(place, code): (usize, &&'a Code)| File {
            code,
            place,
            guards: guard::guards(code),
            offers: service::offers(code),
        };
        let files: Vec<File<'_>> = codes.par_iter().enumerate().map(file).collect();
        let unnamed = facts.codes.keys();
        let unnamed = unnamed.filter_map(|path| Some((path, configured::unnamed(facts, path)?)));
        Self {
            facts,
            unnamed: unnamed.collect(),
            loader: Loader::with(facts, own),
            names: names::Names::new(&codes),
            files: facts.codes.keys().zip(files).collect(),
        }
    }

    /// What the program at a path reaches, with everything it loads. Without its code read, the answer says so.
    pub fn program(&self, path: &MachinePath) -> Reach {
        let mut walk = Walk::new(self);
        if walk.start(path).is_some() {
            walk.run();
        }
        walk.finish()
    }

    /// The same, and the most certain way to each of these calls.
    pub fn explained(&self, path: &MachinePath, calls: &[String]) -> (Reach, Vec<Way>) {
        let mut walk = Walk::new(self);
        walk.trace = Some(Trace::default());
        if walk.start(path).is_some() {
            walk.run();
        }
        let ways = walk.ways(calls);
        (walk.finish(), ways)
    }

    /// Libraries that a reached string names: a name the loader looks up, or a pattern that is filled in at run time.
    fn named_libraries(&self, by: &MachinePath, text: &str) -> Vec<MachinePath> {
        self.facts
            .elfs
            .get(by)
            .map(|elf| self.loader.named(elf, text))
            .unwrap_or_default()
    }
}

/// What each of these programs reaches; what is no program of this machine's code is left out.
pub fn programs(facts: &Facts, programs: &Programs) -> BTreeMap<MachinePath, Reach> {
    let join = Join::new(facts, programs);
    each(facts, programs, |path| join.program(path))
}

/// The same, and the ways to these calls.
pub fn explained(
    facts: &Facts,
    programs: &Programs,
    calls: &[String],
) -> BTreeMap<MachinePath, (Reach, Vec<Way>)> {
    let join = Join::new(facts, programs);
    each(facts, programs, |path| match calls {
        [] => (join.program(path), Vec::new()),
        calls => join.explained(path, calls),
    })
}

fn each<T: Send>(
    facts: &Facts,
    programs: &Programs,
    answer: impl Fn(&MachinePath) -> T + Sync,
) -> BTreeMap<MachinePath, T> {
    let paths = programs
        .par_iter()
        .map(|(path, _)| path)
        .filter(|path| facts.elfs.contains_key(*path));
    paths.map(|path| (path.clone(), answer(path))).collect()
}

impl Join<'_> {
    /// Whether a file is a library too large to have been looked at.
    fn is_large(&self, path: &MachinePath) -> bool {
        let entry = self.facts.tree.get(path);
        entry.is_some_and(|entry| entry.size > LARGE)
    }

    fn unread(&self, path: &MachinePath) -> Unresolved {
        let reason = if self.is_large(path) {
            format!(
                "its code was not read, which is larger than {} MiB; --read-limit raises that",
                LARGE >> 20
            )
        } else {
            "its code was not read".to_owned()
        };
        Unresolved {
            site: Site {
                path: path.clone(),
                offset: 0,
            },
            reason,
        }
    }
}
