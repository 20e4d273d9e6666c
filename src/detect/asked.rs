//! What was asked for so far, so that nothing is shown twice for one purpose.

use super::dispatch::{Look, Work, by_interest, by_pattern, compared};
use super::engine::engine;
use super::{Interest, Registry, Want};
use crate::fact::Unexamined;
use crate::path::MachinePath;
use crate::walk::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// Files one pattern may name; a pattern over everything is somebody's mistake or attack.
const MOST_MATCHES: usize = 20_000;

/// The most looks at files because somebody asked.
const MOST_LOOKS: usize = 200_000;

/// Names that patterns may be compared with, all together: each include may be a pattern over the whole machine.
const MOST_COMPARED: usize = 30_000_000;

/// What was asked for so far.
#[derive(Default)]
pub(super) struct Asked {
    wants: BTreeSet<Want>,
    looks: BTreeSet<Look>,
    compared: usize,
    pub(super) problems: Vec<Unexamined>,
    /// What each detector that has a limit for all files was shown, in bytes.
    shown: BTreeMap<usize, u64>,
}

impl Asked {
    /// What interests name that was not shown yet.
    pub(super) fn interests(&mut self, tree: &Tree, registry: &Registry) -> Work {
        let mut work = by_interest(tree, registry);
        for looks in work.values_mut() {
            looks.retain(|look| self.looks.insert(look.clone()));
        }
        work.retain(|_, looks| !looks.is_empty());
        work
    }

    /// Everything that was asked for, to be asked again.
    pub(super) fn again(&mut self) -> Vec<Want> {
        std::mem::take(&mut self.wants).into_iter().collect()
    }

    /// Whether one more file of this size may be shown to a detector.
    fn affords(&mut self, detector: usize, size: u64, registry: &Registry) -> bool {
        let total = registry
            .get(detector)
            .map_or(0, |known| known.interest.total);
        let shown = self.shown.entry(detector).or_default();
        *shown = shown.saturating_add(size).saturating_add(Interest::EACH);
        total == 0 || *shown <= total
    }

    /// The next round: what nobody was shown yet for that purpose.
    pub(super) fn work(&mut self, wants: Vec<Want>, tree: &Tree, registry: &Registry) -> Work {
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
            self.compared = self.compared.saturating_add(compared(tree, &want.pattern));
            if self.compared > MOST_COMPARED {
                let reason = "patterns over more names than the limit; what this one and those after it name was not read";
                self.problems.push(engine(&named, reason));
                break;
            }
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
                let look = Look {
                    named: named.clone(),
                    detector,
                    purpose: want.purpose.clone(),
                };
                if !self.looks.insert(look.clone()) {
                    continue;
                }
                if self.looks.len() > MOST_LOOKS {
                    let reason = format!(
                        "more than {MOST_LOOKS} files are named by others, which is the limit; the rest was not read"
                    );
                    self.problems.push(engine(&named, reason));
                    return work;
                }
                if !self.affords(detector, file.size, registry) {
                    let reason = "more is to be read than is read of one machine; it was not read";
                    let detector = want.purpose.detector.clone().into_owned();
                    self.problems.push(Unexamined {
                        detector,
                        ..engine(&named, reason)
                    });
                    continue;
                }
                work.entry(file.path.clone()).or_default().push(look);
            }
        }
        for looks in work.values_mut() {
            looks.sort();
        }
        work
    }
}
