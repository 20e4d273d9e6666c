//! The engine: reads each file once a round, shows it to whoever wants it, and gathers facts in a fixed order.
//!
//! `sorted list → par_iter → map → collect`: no locks, no channels; the order of the list is the order of the facts,
//! whatever the number of threads. A panic in a detector becomes an unexamined entry.

use super::dispatch::{self, DEFAULT_LIMIT, Work};
use super::gather::Gather;
use super::{Detector, FileView, Purpose, Sink, Want, follow};
use crate::detect::pack::Packs;
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::source::Root;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An include that includes itself, or a machine made to keep us busy, ends here.
const ROUNDS: usize = 24;

/// The most files read because somebody asked.
const WANTS: usize = 200_000;

/// How far the work has come; the terminal shows it, tests ignore it.
pub trait Progress: Sync {
    fn phase(&self, name: &str, files: usize);
    fn step(&self);
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: &str, _: usize) {}
    fn step(&self) {}
}

/// Examines a machine: walks it, shows files to detectors, follows what they ask for.
pub fn examine(
    root: &Root,
    detectors: &[Box<dyn Detector>],
    packs: &Packs,
    progress: &dyn Progress,
) -> Facts {
    progress.phase("walking", 0);
    let (tree, problems) = root.walk();
    let index: BTreeMap<&str, usize> = detectors
        .iter()
        .enumerate()
        .map(|(i, d)| (d.id(), i))
        .collect();
    let mut work = dispatch::by_interest(&tree, detectors);
    let mut gather = Gather::new(tree, problems);
    let mut asked: BTreeSet<Want> = BTreeSet::new();
    let mut shown: BTreeSet<(MachinePath, Purpose)> = BTreeSet::new();
    for round in 1..=ROUNDS {
        progress.phase(if round == 1 { "reading" } else { "following" }, work.len());
        let sinks: Vec<(Sink, u64)> = work
            .par_iter()
            .map(|item| {
                let done = inspect(root, gather.facts(), detectors, item);
                progress.step();
                done
            })
            .collect();
        let mut wants: Vec<Want> = gather.take(sinks);
        wants.extend(follow::follow(gather.facts(), packs));
        work = gather.work(wants, &index, &mut asked, &mut shown);
        if work.is_empty() || shown.len() > WANTS {
            break;
        }
        if round == ROUNDS {
            gather.note(
                &MachinePath::root(),
                "engine",
                "files are included more than 24 deep; the rest was not read",
            );
        }
    }
    gather.finish()
}

fn inspect(
    root: &Root,
    facts: &Facts,
    detectors: &[Box<dyn Detector>],
    item: &Work,
) -> (Sink, u64) {
    let mut sink = Sink::default();
    let Some(entry) = facts.tree.get(&item.path) else {
        return (sink, 0);
    };
    let chosen = || {
        item.shown
            .iter()
            .filter_map(|(index, why)| Some((detectors.get(*index)?, why)))
    };
    let limit = chosen()
        .map(|(detector, _)| limit_of(detector.as_ref()))
        .max()
        .unwrap_or(DEFAULT_LIMIT);
    let bytes = match root.read(entry, limit) {
        Ok(bytes) => bytes,
        Err(reason) => {
            for (detector, _) in chosen() {
                sink.unexamined(&item.path, detector.id(), reason.to_string());
            }
            return (sink, 0);
        }
    };
    for (detector, purpose) in chosen() {
        let own_limit = limit_of(detector.as_ref());
        if bytes.len() as u64 > own_limit {
            sink.unexamined(
                &item.path,
                detector.id(),
                format!("{} bytes, more than the limit of {own_limit}", bytes.len()),
            );
            continue;
        }
        let view = FileView::new(&item.path, entry, &bytes, purpose);
        let mut own = Sink::default();
        // The sink of a detector that panicked is dropped with whatever half a fact it holds.
        if catch_unwind(AssertUnwindSafe(|| detector.inspect(&view, &mut own))).is_ok() {
            sink.facts.append(&mut own.facts);
            sink.wants.append(&mut own.wants);
            sink.unexamined.append(&mut own.unexamined);
        } else {
            sink.unexamined(
                &item.path,
                detector.id(),
                "the detector failed on this file; please report it",
            );
        }
    }
    (sink, bytes.len() as u64)
}

fn limit_of(detector: &dyn Detector) -> u64 {
    match detector.interest().limit {
        0 => DEFAULT_LIMIT,
        limit => limit,
    }
}
