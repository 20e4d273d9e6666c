//! Conditions that the disk decides: `ConditionPathExists=` and its kin, and the same asserted (systemd.unit(5),
//! "Conditions and Asserts").
//!
//! A unit whose conditions do not hold is enabled and never runs. Those about the hardware, the kernel or the boot are
//! taken to hold: the disk does not tell.

use super::command::Context;
use super::unit::Unit;
use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::words;

/// What a path is tested for.
type Test = fn(&Facts, &str) -> bool;

const TESTS: &[(&str, Test)] = &[
    ("PathExists", |facts, path| entry(facts, path).is_some()),
    ("PathExistsGlob", |facts, pattern| {
        !facts.tree.glob(pattern).is_empty()
    }),
    ("PathIsDirectory", |facts, path| {
        entry(facts, path).is_some_and(Entry::is_dir)
    }),
    ("PathIsSymbolicLink", |facts, path| {
        let named = facts.tree.canonical(&MachinePath::new(path));
        let entry = facts.tree.entry(&named);
        entry.is_some_and(|entry| entry.target.is_some())
    }),
    ("DirectoryNotEmpty", |facts, path| {
        !facts.tree.children(&MachinePath::new(path)).is_empty()
    }),
    ("FileNotEmpty", |facts, path| {
        entry(facts, path).is_some_and(|entry| entry.is_file() && entry.size > 0)
    }),
    ("FileIsExecutable", |facts, path| {
        entry(facts, path).is_some_and(Entry::is_executable)
    }),
];

/// What only a running machine has below it.
const LIVE: &[&str] = &["/run", "/var/run", "/proc", "/sys", "/dev", "/tmp"];

fn entry<'a>(facts: &'a Facts, path: &str) -> Option<&'a Entry> {
    facts.tree.get(&MachinePath::new(path))
}

/// The first condition that keeps the unit from running.
pub(super) fn unmet(facts: &Facts, unit: &Unit, context: &Context<'_>) -> Option<Evidence> {
    ["Condition", "Assert"]
        .into_iter()
        .find_map(|kind| unmet_of(facts, unit, context, kind))
}

fn unmet_of(facts: &Facts, unit: &Unit, context: &Context<'_>, kind: &str) -> Option<Evidence> {
    let (mut triggers, mut triggered) = (None, false);
    for (file, entry) in unit
        .entries
        .iter()
        .filter(|(_, entry)| entry.section == "Unit")
    {
        let Some(test) = entry.key.strip_prefix(kind) else {
            continue;
        };
        // An empty assignment takes back what was said before, of every kind.
        let taken_back = unit
            .all("Unit", &entry.key)
            .any(|(_, later)| later.value.is_empty());
        if entry.value.is_empty() || taken_back {
            continue;
        }
        let value = entry.value.trim_start_matches(words::is_blank);
        let (trigger, value) = stripped(value, '|');
        let (negated, value) = stripped(value, '!');
        let holds = known(facts, test, &context.expand(value)).is_none_or(|found| found != negated);
        if trigger {
            triggered |= holds;
        } else if holds {
            continue;
        }
        let text = format!("{}={}", entry.key, entry.value);
        let evidence = Evidence::line(file, entry.line, &text);
        if !trigger {
            return Some(evidence);
        }
        triggers = triggers.or(Some(evidence));
    }
    triggers.filter(|_| !triggered)
}

fn stripped(text: &str, mark: char) -> (bool, &str) {
    text.strip_prefix(mark).map_or((false, text), |rest| {
        (true, rest.trim_start_matches(words::is_blank))
    })
}

/// What the disk says of a test; `None` where it cannot tell.
fn known(facts: &Facts, test: &str, path: &str) -> Option<bool> {
    let (_, test) = TESTS.iter().find(|(name, _)| *name == test)?;
    let live = LIVE.iter().any(|dir| {
        path.strip_prefix(dir)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let told = path.starts_with('/') && !path.contains('%') && !live;
    told.then(|| test(facts, path))
}
