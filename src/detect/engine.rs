//! The engine: reads each file once a round, shows it to whoever wants it, and gathers facts in a fixed order.
//!
//! `sorted list → par_iter → map → collect`: no locks, no channels; the order of the list is the order of the facts,
//! whatever the number of threads. A panic in a detector becomes an unexamined entry.

use super::asked::Asked;
use super::dispatch::{Look, Work};
use super::gather::Gather;
use super::registry::Registered;
use super::{Detector, FileView, Registry, Sink, Want};
use crate::fact::{Fact, Facts, Unexamined};
use crate::path::MachinePath;
use crate::progress::{Progress, Step, Total};
use crate::source::{Part, ReadError, Root};
use crate::walk::{Entry, Tree};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// An include that includes itself, or a machine made to keep us busy, ends here.
const ROUNDS: usize = 16;

/// Of a machine seen piece by piece: libraries name directories, which hold libraries.
const ROUNDS_OF_PART: usize = 64;

/// What facts ask for.
#[derive(Debug, Default)]
pub struct Asks {
    pub wants: Vec<Want>,
    /// Directories to look into, where a machine is seen piece by piece.
    pub directories: BTreeSet<MachinePath>,
    /// Those to look into with everything below.
    pub below: BTreeSet<MachinePath>,
}

impl From<Vec<Want>> for Asks {
    fn from(wants: Vec<Want>) -> Self {
        Self {
            wants,
            ..Self::default()
        }
    }
}

/// Asked after each round.
pub type Follow<'a> = &'a mut dyn FnMut(&Facts) -> Asks;

/// Examines a machine of which something is `known` before anything is read. Of those who follow, each is only heard when
/// those before it have nothing new.
pub fn examine_with(
    root: &Root,
    registry: &Registry,
    known: Vec<Fact>,
    follow: &mut [Follow<'_>],
    progress: &dyn Progress,
) -> Facts {
    progress.phase("walking", Total::Unknown);
    let (tree, problems) = root.walk();
    let examination = Examination {
        root,
        registry,
        part: None,
        gather: Gather::new(tree, problems, known),
        asked: Asked::default(),
        progress,
    };
    examination.run(follow, ROUNDS)
}

/// The same of a machine of which only those directories are seen that somebody asks for, where that is quicker: for
/// questions about a few programs.
pub fn examine_part(
    root: &Root,
    registry: &Registry,
    follow: &mut [Follow<'_>],
    progress: &dyn Progress,
) -> Facts {
    let Some(part) = root.part() else {
        return examine_with(root, registry, Vec::new(), follow, progress);
    };
    let examination = Examination {
        root,
        registry,
        gather: Gather::new(part.tree(), Vec::new(), Vec::new()),
        part: Some(part),
        asked: Asked::default(),
        progress,
    };
    examination.run(follow, ROUNDS_OF_PART)
}

/// A machine under examination.
struct Examination<'a> {
    root: &'a Root,
    registry: &'a Registry,
    part: Option<Part<'a>>,
    gather: Gather,
    asked: Asked,
    progress: &'a dyn Progress,
}

impl Examination<'_> {
    fn run(mut self, follow: &mut [Follow<'_>], rounds: usize) -> Facts {
        let mut work = self
            .asked
            .interests(&self.gather.facts().tree, self.registry);
        for round in 1..=rounds {
            let name = if round == 1 { "reading" } else { "following" };
            self.progress.phase(name, Total::Files(work.len()));
            let facts = self.gather.facts();
            let sinks = read_all(self.root, facts, self.registry, &work, self.progress);
            let wants = self.gather.take(sinks);
            work = self.next(wants, follow);
            self.gather.note(&mut self.asked.problems);
            if work.is_empty() {
                break;
            }
            if round == rounds {
                let reason =
                    format!("more is named after {rounds} rounds of reading; it was not read");
                let more = work.keys().map(|path| engine(path, reason.clone()));
                self.gather.note(&mut more.collect());
            }
        }
        self.progress.phase("gathering", Total::Unknown);
        self.gather.finish()
    }

    /// What to read next: what detectors want, and what the first of those who follow that has anything new asks for.
    fn next(&mut self, mut wants: Vec<Want>, follow: &mut [Follow<'_>]) -> Work {
        let mut work = Work::new();
        for follow in follow {
            let mut asks = follow(self.gather.facts());
            while self.look_into(&asks) {
                // Names that were asked for before may be there now.
                let tree = &self.gather.facts().tree;
                wants.append(&mut self.asked.again());
                join(&mut work, self.asked.interests(tree, self.registry));
                asks = follow(self.gather.facts());
            }
            wants.append(&mut asks.wants);
            let tree = &self.gather.facts().tree;
            let more = self
                .asked
                .work(std::mem::take(&mut wants), tree, self.registry);
            join(&mut work, more);
            if !work.is_empty() {
                return work;
            }
        }
        // Nobody follows, or nobody has anything to ask.
        self.asked
            .work(wants, &self.gather.facts().tree, self.registry)
    }

    /// Looks into directories; whether that brought new names.
    fn look_into(&mut self, asks: &Asks) -> bool {
        let Some(part) = &mut self.part else {
            return false;
        };
        let is_new = part.look_into(&asks.directories, &asks.below);
        if is_new {
            self.gather.see(part.tree());
        }
        is_new
    }
}

/// More looks at files, some of which may be known already.
fn join(work: &mut Work, more: Work) {
    for (file, mut looks) in more {
        let known = work.entry(file).or_default();
        known.append(&mut looks);
        known.sort();
    }
}

/// Reads every file of a round, in parallel; the results in the list's order.
fn read_all(
    root: &Root,
    facts: &Facts,
    registry: &Registry,
    work: &Work,
    progress: &dyn Progress,
) -> Vec<(Sink, u64)> {
    let mut files: Vec<(usize, (&MachinePath, &Vec<Look>))> = work.iter().enumerate().collect();
    // The largest first and one by one: a library of 20 MB that comes last keeps one core busy and the others waiting.
    let tree = &facts.tree;
    files.sort_by_key(|(_, (file, _))| Reverse(tree.entry(file).map_or(0, |entry| entry.size)));
    let mut done: Vec<(usize, (Sink, u64))> = files
        .into_par_iter()
        .with_max_len(1)
        .map(|(place, (file, looks))| {
            let begun = Instant::now();
            let done = inspect(root, facts, registry, file, looks);
            let by = looks.iter().filter_map(|look| registry.get(look.detector));
            let mut by: Vec<&str> = by.map(|registered| registered.detector.id()).collect();
            by.dedup();
            progress.step(Step {
                bytes: done.1,
                file: Some(file),
                by: &by,
                took: begun.elapsed(),
            });
            (place, done)
        })
        .collect();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, done)| done).collect()
}

/// Reads one file and shows it to everybody who wants it.
fn inspect(
    root: &Root,
    facts: &Facts,
    registry: &Registry,
    file: &MachinePath,
    looks: &[Look],
) -> (Sink, u64) {
    let mut sink = Sink::default();
    let (streamed, chosen): (Vec<Chosen<'_>>, Vec<Chosen<'_>>) = looks
        .iter()
        .filter_map(|look| Some((registry.get(look.detector)?, look)))
        .partition(|(registered, _)| registered.interest.streamed);
    let entry = facts.tree.entry(file);
    let passed = entry.map_or(0, |entry| {
        streamed
            .into_iter()
            .map(|chosen| stream(root, facts, registry, entry, chosen, &mut sink))
            .sum()
    });
    let largest = chosen
        .iter()
        .map(|(registered, _)| registry.limit(registered))
        .max();
    let (Some(entry), Some(largest)) = (entry, largest) else {
        return (sink, passed);
    };
    let bytes = match root.read(entry, largest) {
        Ok(bytes) => bytes,
        Err(reason) => {
            for (registered, look) in chosen {
                sink.unexamined(&look.named, registered.detector.id(), reason.to_string());
            }
            return (sink, passed);
        }
    };
    let wanted = chosen
        .iter()
        .any(|(registered, _)| registered.interest.attributes);
    // A source without attributes, or one that may not tell them, is no damage.
    let attributes = wanted.then(|| root.xattrs(entry).unwrap_or_default());
    let attributes = attributes.unwrap_or_default();
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let beside = beside(root, &facts.tree, entry, &chosen, largest, &mut sink);
    let more: usize = beside.iter().map(|(_, bytes)| bytes.len()).sum();
    for (registered, look) in chosen {
        let limit = registry.limit(registered);
        let detector = registered.detector.as_ref();
        if size > limit {
            let reason = ReadError::TooLarge { size, limit };
            sink.unexamined(&look.named, detector.id(), reason.to_string());
            continue;
        }
        let view = FileView::new(&look.named, entry, &bytes, &look.purpose);
        let view = view.with_attributes(&attributes).with_beside(&beside);
        guarded(&look.named, detector, &mut sink, |own| {
            detector.inspect(&view, own);
        });
    }
    let more = u64::try_from(more).unwrap_or(u64::MAX);
    (sink, size.saturating_add(more).saturating_add(passed))
}

/// The files beside one that belong to it. What cannot be read of them is told, and the file is read without.
fn beside(
    root: &Root,
    tree: &Tree,
    entry: &Entry,
    chosen: &[Chosen<'_>],
    largest: u64,
    sink: &mut Sink,
) -> Vec<(&'static str, Vec<u8>)> {
    let mut found = Vec::new();
    for (registered, _) in chosen {
        for ending in registered.interest.beside {
            let name = [entry.path.as_bytes(), ending.as_bytes()].concat();
            let Some(other) = tree.get(&MachinePath::new(name)) else {
                continue;
            };
            match root.read(other, largest) {
                Ok(bytes) => found.push((*ending, bytes)),
                Err(reason) => {
                    sink.unexamined(&other.path, registered.detector.id(), reason.to_string());
                }
            }
        }
    }
    found
}

/// A look, and the detector that it is for.
type Chosen<'a> = (&'a Registered, &'a Look);

/// Lets a detector look. What it had put into its sink before it panicked is half a fact, and goes with it.
fn guarded(
    named: &MachinePath,
    detector: &dyn Detector,
    sink: &mut Sink,
    look: impl FnOnce(&mut Sink),
) {
    let mut own = Sink::default();
    if catch_unwind(AssertUnwindSafe(|| look(&mut own))).is_ok() {
        sink.facts.append(&mut own.facts);
        sink.wants.append(&mut own.wants);
        sink.unexamined.append(&mut own.unexamined);
    } else {
        let reason = "the detector failed on this file; please report it";
        sink.unexamined(named, detector.id(), reason);
    }
}

/// Shows a file piece by piece; how many bytes went by.
fn stream(
    root: &Root,
    facts: &Facts,
    registry: &Registry,
    entry: &Entry,
    (registered, look): Chosen<'_>,
    sink: &mut Sink,
) -> u64 {
    let (detector, limit) = (registered.detector.as_ref(), registry.limit(registered));
    let content = match root.content(entry) {
        Ok(_) if entry.size > limit => Err(ReadError::TooLarge {
            size: entry.size,
            limit,
        }),
        other => other,
    };
    let content = match content {
        Ok(content) => content,
        Err(reason) => {
            sink.unexamined(&look.named, detector.id(), reason.to_string());
            return 0;
        }
    };
    let view = FileView::new(&look.named, entry, &[], &look.purpose);
    let mut content = content.take(limit);
    guarded(&look.named, detector, sink, |own| {
        detector.stream(&view, &mut content, facts, own);
    });
    limit.saturating_sub(content.limit())
}

pub(super) fn engine(path: &MachinePath, reason: impl Into<String>) -> Unexamined {
    Unexamined {
        path: path.clone(),
        detector: "engine".to_owned(),
        reason: reason.into(),
    }
}
