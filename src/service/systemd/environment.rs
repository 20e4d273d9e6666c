//! A unit's environment: Environment=, the files after it, and what is taken away again (systemd.exec(5)).

use super::command::Context;
use super::unit::{self, Unit};
use crate::fact::{Document, Evidence, Facts, Setting, Syntax};
use crate::path::MachinePath;
use crate::secret::MASK;
use crate::service::Environment;
use crate::words;
use crate::words::budget::Budget;
use std::collections::BTreeMap;

/// What the manager itself sets (systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager").
const OF_THE_MANAGER: &[&str] = &[
    "PATH",
    "LANG",
    "USER",
    "LOGNAME",
    "HOME",
    "SHELL",
    "TERM",
    "INVOCATION_ID",
    "MAINPID",
    "MANAGERPID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "JOURNAL_STREAM",
    "SERVICE_RESULT",
    "EXIT_CODE",
    "EXIT_STATUS",
    "PIDFILE",
    "CREDENTIALS_DIRECTORY",
    "SYSTEMD_EXEC_PID",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "TRIGGER_UNIT",
    "TRIGGER_PATH",
];

/// A unit's environment, and the variables that nothing on the disk sets but that the run may: `None` where any may be,
/// since a file that sets some was not read or is made at boot.
pub(super) fn read(
    facts: &Facts,
    unit: &Unit,
    context: &Context<'_>,
) -> (Environment, Option<Vec<String>>) {
    let mut found = Environment {
        files: files(unit, context),
        ..Environment::default()
    };
    assignments(&mut found, unit, context);
    of_files(&mut found, facts, context.budget);
    take_away(&mut found, unit, context);
    found.set_by = set_by(&found, unit);
    let mut files = found.files.iter();
    let is_open = files.any(|(file, optional)| is_open(facts, file, *optional));
    (found, (!is_open).then(|| open(unit)))
}

/// Environment=.
fn assignments(found: &mut Environment, unit: &Unit, context: &Context<'_>) {
    for (path, entry) in unit.list("Service", "Environment") {
        for word in words::split(&context.expand(&entry.value)) {
            let Some((name, value)) = word.split_once('=') else {
                continue;
            };
            if !has_room(found, &word, context.budget) {
                return;
            }
            let evidence = Evidence::line(path, entry.line, &word);
            set(found, name, value.to_owned(), evidence);
        }
    }
}

/// Files come after, and later ones win.
fn of_files(found: &mut Environment, facts: &Facts, budget: &Budget) {
    for (pattern, _) in found.files.clone() {
        for document in named(facts, &pattern) {
            let own = document.settings.iter();
            for setting in own.filter(|setting| setting.block != Setting::EXPORTED) {
                let value = setting.args.first().cloned().unwrap_or_default();
                if !has_room(found, &value, budget) {
                    return;
                }
                set(found, &setting.key, value, document.evidence(setting));
            }
        }
    }
}

/// Documents that a pattern names. They are sorted by path: all of them begin as it begins.
fn named<'a>(facts: &'a Facts, pattern: &MachinePath) -> impl Iterator<Item = &'a Document> {
    let pattern = pattern.text().into_owned();
    let literal = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    let directory = literal
        .rsplit_once('/')
        .map_or("", |(directory, _)| directory);
    let (prefix, is_file) = if literal.len() == pattern.len() {
        (literal.to_owned(), true)
    } else {
        (directory.to_owned(), false)
    };
    let from = (MachinePath::new(&prefix), Syntax::Blocks);
    let near = facts.documents.range(from..);
    let near = near.take_while(move |((path, _), _)| {
        let path = path.as_bytes();
        path.starts_with(prefix.as_bytes()) && (!is_file || path.len() == prefix.len())
    });
    let matching = near.filter(move |((path, syntax), _)| {
        *syntax == Syntax::Environment && crate::walk::glob::matches_path(&pattern, &path.text())
    });
    matching.map(|(_, document)| document)
}

/// UnsetEnvironment=.
fn take_away(found: &mut Environment, unit: &Unit, context: &Context<'_>) {
    for (_, entry) in unit.list("Service", "UnsetEnvironment") {
        for word in words::split(&context.expand(&entry.value)) {
            match word.split_once('=') {
                Some((name, value)) => unset(found, name, Some(value)),
                None => unset(found, &word, None),
            }
        }
    }
}

/// The line of the unit that a variable stands in, or else the first file of variables.
fn set_by(found: &Environment, unit: &Unit) -> BTreeMap<String, Evidence> {
    let file = found.files.first().map(|(path, _)| Evidence::file(path));
    let mut lines: BTreeMap<String, Evidence> = BTreeMap::new();
    let entries = unit.entries.iter();
    for (path, entry) in entries.filter(|(_, entry)| entry.key == "Environment") {
        for word in words::split(&entry.value) {
            if let Some((name, _)) = word.split_once('=') {
                let line = || unit::evidence(path, entry);
                lines.entry(name.to_owned()).or_insert_with(line);
            }
        }
    }
    let of = |name: &str| lines.get(name).cloned().or_else(|| file.clone());
    let names = found.variables.iter().map(|(name, _)| name);
    names
        .filter_map(|name| Some((name.clone(), of(name)?)))
        .collect()
}

/// Variables of one unit.
const MOST: usize = 1_024;

/// Room for one more variable, and what its value costs.
fn has_room(found: &Environment, text: &str, budget: &Budget) -> bool {
    let is_full = found.variables.len() >= MOST;
    if is_full {
        budget.refuse();
    }
    !is_full && budget.take(text.len().saturating_add(COST))
}

/// A variable costs more than its letters: its name, its evidence, and going through those before it.
const COST: usize = 128;

fn set(found: &mut Environment, name: &str, value: String, evidence: Evidence) {
    unset(found, name, None);
    if value.contains(MASK) {
        found.secrets.push((name.to_owned(), evidence));
    }
    found.variables.push((name.to_owned(), value));
}

/// Takes a variable away; with a value, only where it has that one.
fn unset(found: &mut Environment, name: &str, value: Option<&str>) {
    let goes = |known: &str, held: &str| known == name && value.is_none_or(|v| v == held);
    let before = found.variables.len();
    found.variables.retain(|(known, held)| !goes(known, held));
    if found.variables.len() < before {
        found.secrets.retain(|(known, _)| known != name);
    }
}

/// What the manager sets itself, and what it passes on of its own (PassEnvironment=).
fn open(unit: &Unit) -> Vec<String> {
    let passed = unit.list("Service", "PassEnvironment").into_iter();
    let passed = passed.flat_map(|(_, entry)| words::split(&entry.value));
    let own = OF_THE_MANAGER.iter().map(|name| (*name).to_owned());
    own.chain(passed).collect()
}

/// Whether a file may set what the disk does not tell: it was not read, is made at boot, or should be there and is not.
fn is_open(facts: &Facts, file: &MachinePath, optional: bool) -> bool {
    let at_boot = ["/run", "/var/run"].map(MachinePath::from);
    if at_boot.iter().any(|dir| file.is_within(dir)) {
        return true;
    }
    let text = file.text();
    let there: Vec<&MachinePath> = if text.contains(['*', '?', '[']) {
        let found = facts.tree.glob(&text).into_iter();
        found.map(|found| &found.path).collect()
    } else {
        facts.tree.get(file).map(|_| file).into_iter().collect()
    };
    let is_read = |path: &&MachinePath| {
        facts
            .documents
            .contains_key(&((*path).clone(), Syntax::Environment))
    };
    (there.is_empty() && !optional) || !there.iter().all(is_read)
}

/// Files of variables of one unit.
const MOST_FILES: usize = 64;

/// EnvironmentFile=: path or pattern, and whether it may be absent.
fn files(unit: &Unit, context: &Context<'_>) -> Vec<(MachinePath, bool)> {
    let entries = unit.list("Service", "EnvironmentFile");
    let file = |value: &str| {
        let value = context.expand(value);
        let optional = value.starts_with('-');
        (MachinePath::new(value.trim_start_matches('-')), optional)
    };
    if entries.len() > MOST_FILES {
        context.budget.refuse();
    }
    let entries = entries.iter().take(MOST_FILES);
    entries.map(|(_, entry)| file(&entry.value)).collect()
}
