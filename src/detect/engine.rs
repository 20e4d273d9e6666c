//! The engine: reads each file once a round, shows it to whoever wants it, and gathers facts in a fixed order.
//!
//! `sorted list → par_iter → map → collect`: no locks, no channels; the order of the list is the order of the facts,
//! whatever the number of threads. A panic in a detector becomes an unexamined entry.

use super::dispatch::{Look, Work, by_interest, by_pattern};
use super::gather::Gather;
use super::pack::Packs;
use super::registry::Registered;
use super::{FileView, Purpose, Registry, Sink, Want, follow};
use crate::fact::{Facts, Unexamined};
use crate::path::MachinePath;
use crate::source::Root;
use crate::walk::Tree;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// An include that includes itself, or a machine made to keep us busy, ends here.
const ROUNDS: usize = 16;

/// The most looks at files because somebody asked.
const MOST_LOOKS: usize = 200_000;

/// Files one pattern may name; a pattern over everything is somebody's mistake or attack.
const MOST_MATCHES: usize = 20_000;

/// How far the work has come; the terminal shows it, tests ignore it.
pub trait Progress: Sync {
    /// A phase begins.
    fn phase(&self, name: &str, total: Total);
    /// One piece of it is done.
    fn step(&self, step: Step<'_>);
}

/// How much a phase has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    Unknown,
    Files(usize),
    Bytes(u64),
}

/// A piece of work that is done.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub bytes: u64,
    /// The file that was read, where one was read whole.
    pub file: Option<&'a MachinePath>,
    /// Who was shown it.
    pub by: &'a [&'a str],
    pub took: Duration,
}

impl Step<'_> {
    /// So much of something.
    pub fn bytes(bytes: u64) -> Self {
        Self {
            bytes,
            file: None,
            by: &[],
            took: Duration::ZERO,
        }
    }
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: &str, _: Total) {}
    fn step(&self, _: Step<'_>) {}
}

/// Examines a machine: walks it, shows files to detectors, follows what they and the facts ask for. Runs in the caller's
/// thread pool.
pub fn examine(root: &Root, registry: &Registry, packs: &Packs, progress: &dyn Progress) -> Facts {
    let named = |facts: &Facts| follow::named(facts, packs);
    let carried = |facts: &Facts| follow::carried(facts, packs);
    let loaded = |facts: &Facts| follow::loaded(facts, packs);
    examine_with(root, registry, &[&named, &carried, &loaded], progress)
}

/// What facts ask for.
pub type Follow<'a> = &'a dyn Fn(&Facts) -> Vec<Want>;

/// The same with other answers to what facts ask for; each is only heard when those before it have nothing new.
pub fn examine_with(
    root: &Root,
    registry: &Registry,
    follow: &[Follow<'_>],
    progress: &dyn Progress,
) -> Facts {
    progress.phase("walking", Total::Unknown);
    let (tree, problems) = root.walk();
    let mut work = by_interest(&tree, registry);
    let mut gather = Gather::new(tree, problems);
    let mut asked = Asked::default();
    for round in 1..=ROUNDS {
        let name = if round == 1 { "reading" } else { "following" };
        progress.phase(name, Total::Files(work.len()));
        let sinks = read_all(root, &gather.facts().tree, registry, &work, progress);
        let mut wants = gather.take(sinks);
        let facts = gather.facts();
        let mut follow = follow.iter();
        loop {
            let next = follow.next();
            wants.extend(next.map(|next| next(facts)).unwrap_or_default());
            work = asked.work(std::mem::take(&mut wants), &facts.tree, registry);
            if !work.is_empty() || next.is_none() {
                break;
            }
        }
        gather.note(&mut asked.problems);
        if work.is_empty() {
            break;
        }
        if round == ROUNDS {
            let reason = format!("more is named after {ROUNDS} rounds of reading; it was not read");
            let more = work.keys().map(|path| engine(path, reason.clone()));
            gather.note(&mut more.collect());
        }
    }
    progress.phase("gathering", Total::Unknown);
    gather.finish()
}

/// Reads every file of a round, in parallel; the results in the list's order.
fn read_all(
    root: &Root,
    tree: &Tree,
    registry: &Registry,
    work: &Work,
    progress: &dyn Progress,
) -> Vec<(Sink, u64)> {
    let mut files: Vec<(usize, (&MachinePath, &Vec<Look>))> = work.iter().enumerate().collect();
    // The largest first and one by one: a library of 20 MB that comes last keeps one core busy and the others waiting.
    files.sort_by_key(|(_, (file, _))| Reverse(tree.entry(file).map_or(0, |entry| entry.size)));
    let mut done: Vec<(usize, (Sink, u64))> = files
        .into_par_iter()
        .with_max_len(1)
        .map(|(place, (file, looks))| {
            let begun = Instant::now();
            let done = inspect(root, tree, registry, file, looks);
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
    tree: &Tree,
    registry: &Registry,
    file: &MachinePath,
    looks: &[Look],
) -> (Sink, u64) {
    let mut sink = Sink::default();
    let chosen: Vec<(&Registered, &Look)> = looks
        .iter()
        .filter_map(|look| Some((registry.get(look.detector)?, look)))
        .collect();
    let largest = chosen
        .iter()
        .map(|(registered, _)| registry.limit(registered))
        .max();
    let (Some(entry), Some(largest)) = (tree.entry(file), largest) else {
        return (sink, 0);
    };
    let bytes = match root.read(entry, largest) {
        Ok(bytes) => bytes,
        Err(reason) => {
            for (registered, look) in chosen {
                sink.unexamined(&look.named, registered.detector.id(), reason.to_string());
            }
            return (sink, 0);
        }
    };
    let wanted = chosen
        .iter()
        .any(|(registered, _)| registered.interest.attributes);
    // A source without attributes, or one that may not tell them, is no damage.
    let attributes = wanted.then(|| root.xattrs(entry).unwrap_or_default());
    let attributes = attributes.unwrap_or_default();
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    for (registered, look) in chosen {
        let limit = registry.limit(registered);
        let detector = registered.detector.as_ref();
        if size > limit {
            let reason = crate::source::ReadError::TooLarge { size, limit };
            sink.unexamined(&look.named, detector.id(), reason.to_string());
            continue;
        }
        let view = FileView::new(&look.named, entry, &bytes, &look.purpose);
        let view = view.with_attributes(&attributes);
        // What a detector had put there before it panicked is half a fact, and goes with it.
        let mut own = Sink::default();
        if catch_unwind(AssertUnwindSafe(|| detector.inspect(&view, &mut own))).is_ok() {
            sink.facts.append(&mut own.facts);
            sink.wants.append(&mut own.wants);
            sink.unexamined.append(&mut own.unexamined);
        } else {
            let reason = "the detector failed on this file; please report it";
            sink.unexamined(&look.named, detector.id(), reason);
        }
    }
    (sink, size)
}

/// What was asked for so far.
#[derive(Default)]
struct Asked {
    wants: BTreeSet<Want>,
    looks: BTreeSet<(MachinePath, Purpose)>,
    problems: Vec<Unexamined>,
}

impl Asked {
    /// The next round: what nobody was shown yet for that purpose.
    fn work(&mut self, wants: Vec<Want>, tree: &Tree, registry: &Registry) -> Work {
        let mut work = Work::new();
        for want in wants {
            if !self.wants.insert(want.clone()) {
                continue;
            }
            let named = MachinePath::new(&want.pattern);
            let Some(detector) = registry.place(&want.purpose.detector) else {
                let reason = format!("no detector is called {}", want.purpose.detector);
                self.problems.push(engine(&named, reason));
                continue;
            };
            let mut found = by_pattern(tree, &want.pattern);
            if found.len() > MOST_MATCHES {
                let reason = format!(
                    "names more than {MOST_MATCHES} files, which is the limit; the rest was not read"
                );
                self.problems.push(engine(&named, reason));
                found.truncate(MOST_MATCHES);
            }
            for named in found {
                let Some(file) = tree.get(&named) else {
                    continue;
                };
                let purpose = want.purpose.clone();
                if !self.looks.insert((named.clone(), purpose.clone())) {
                    continue;
                }
                if self.looks.len() > MOST_LOOKS {
                    let reason = format!(
                        "more than {MOST_LOOKS} files are named by others, which is the limit; the rest was not read"
                    );
                    self.problems.push(engine(&named, reason));
                    return work;
                }
                work.entry(file.path.clone()).or_default().push(Look {
                    named,
                    detector,
                    purpose,
                });
            }
        }
        for looks in work.values_mut() {
            looks.sort();
        }
        work
    }
}

fn engine(path: &MachinePath, reason: impl Into<String>) -> Unexamined {
    Unexamined {
        path: path.clone(),
        detector: "engine".to_owned(),
        reason: reason.into(),
    }
}
