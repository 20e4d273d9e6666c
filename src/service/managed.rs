//! What managers have in common whose programs stand in configurations of their own: how one is recognised among the
//! services that others start, what it asks to be read, and what its programs are given.

use super::{Command, Environment, Service, Services};
use crate::fact::{Dialect, Evidence, Facts};
use crate::path::MachinePath;
use crate::secret::MASK;
use crate::words;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A file that a manager wants to be read before it can say what it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// A path or a pattern, absolute in the machine.
    pub pattern: String,
    pub reading: Reading,
}

/// How a wanted file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Managed(Dialect),
    /// A unit of systemd.
    Unit,
    /// Variables.
    Environment,
}

impl Wanted {
    /// One file.
    pub(super) fn file(path: &MachinePath, dialect: Dialect) -> Self {
        Self {
            pattern: crate::walk::literal(path),
            reading: Reading::Managed(dialect),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Supervisors {
    unread: Vec<String>,
    read: BTreeMap<String, Vec<String>>,
    told: BTreeMap<String, Vec<String>>,
}

static SUPERVISORS: LazyLock<Supervisors> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/supervisors.toml")).unwrap_or_default()
});

/// Patterns of the names of programs that start and watch others, whether their configuration is read or not.
pub fn supervisors() -> impl Iterator<Item = &'static str> {
    let read = SUPERVISORS.read.values().flatten();
    let all = SUPERVISORS.unread.iter().chain(read);
    all.map(String::as_str)
}

/// Words in front of a program: interpreters, wrappers and what they are told.
const MOST_BEFORE: usize = 12;

/// The words behind a manager's program, where a service starts it: of its command line, or of the line that a shell is
/// handed in it.
pub(super) fn arguments(service: &Service, manager: &str) -> Option<Vec<String>> {
    let read = SUPERVISORS.read.get(manager);
    let names = read.or_else(|| SUPERVISORS.told.get(manager))?;
    let is_it = |word: &String| names.iter().any(|name| name == base(word));
    let of = |command: &Command| {
        let mut words = Vec::new();
        for word in &command.argv {
            if word.contains(words::is_blank) && words.len() < MOST_BEFORE {
                words.extend(words::shell(word));
            } else {
                words.push(word.clone());
            }
        }
        let at = words.iter().take(MOST_BEFORE).position(is_it)?;
        Some(words.split_off(at + 1))
    };
    service.commands.start.iter().find_map(of)
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The value of an option: `-c FILE`, `-cFILE`, `--configuration FILE`, `--configuration=FILE`.
pub(super) fn option(args: &[String], short: &str, long: &[&str]) -> Option<String> {
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        if word == short || long.contains(&word.as_str()) {
            return rest.next().cloned();
        }
        let assigned = word.split_once('=');
        if let Some((_, value)) = assigned.filter(|(name, _)| long.contains(name)) {
            return Some(value.to_owned());
        }
        let glued = word.strip_prefix(short).filter(|_| !short.is_empty());
        if let Some(value) = glued.filter(|value| !value.is_empty() && !word.starts_with("--")) {
            return Some(value.to_owned());
        }
    }
    None
}

impl Environment {
    /// Sets a variable over what was set before.
    pub(super) fn put(&mut self, name: &str, value: String, evidence: Evidence) {
        self.variables.retain(|(known, _)| known != name);
        self.secrets.retain(|(known, _)| known != name);
        if value.contains(MASK) {
            self.secrets.push((name.to_owned(), evidence.clone()));
        }
        self.set_by.insert(name.to_owned(), evidence);
        self.variables.push((name.to_owned(), value));
    }
}

/// Names of services that are taken, so that two managers' programs of one name stay two.
pub(super) struct Names(BTreeSet<String>);

impl Names {
    pub(super) fn of(found: &Services) -> Self {
        let services = found.services.iter();
        let names = services.flat_map(|known| std::iter::once(&known.name).chain(&known.aliases));
        Self(names.cloned().collect())
    }

    /// The name as its manager spells it; behind the manager's own (a user, a file) where another service has it.
    pub(super) fn free(&mut self, name: &str, of: &str) -> String {
        let longer = (1u32..).map(|number| match number {
            1 => format!("{of}/{name}"),
            number => format!("{of}/{name} ({number})"),
        });
        let mut all = std::iter::once(name.to_owned()).chain(longer);
        let free = all.find(|name| !self.0.contains(name)).unwrap_or_default();
        self.0.insert(free.clone());
        free
    }
}

/// The group that a user's processes have, by name.
pub(super) fn group_of(facts: &Facts, user: &str) -> String {
    let gid = facts.user(user).map(|user| user.gid);
    let group = gid.and_then(|gid| facts.group_of(gid));
    group.map_or_else(|| user.to_owned(), |group| group.name.clone())
}

/// The home that a program is started in where nobody says a directory: it counts where its command names something in it.
/// Else all of somebody's home would be the program's.
pub(super) fn at_home(
    facts: &Facts,
    home: &MachinePath,
    commands: &[Command],
) -> Option<MachinePath> {
    let mut words = commands.iter().flat_map(|command| &command.argv);
    let is_there = |word: &String| {
        let is_relative = !word.is_empty() && !word.starts_with(['/', '-']);
        is_relative && facts.tree.exists(&home.join(word))
    };
    words.any(is_there).then(|| home.clone())
}

/// A user as it is written: by name or number.
pub(super) fn user_of(facts: &Facts, written: &str) -> String {
    let known = written.parse().ok().and_then(|uid| facts.user_of(uid));
    known.map_or_else(|| written.to_owned(), |user| user.name.clone())
}

/// Why a manager is no workload: what it starts is listed by itself.
pub(super) fn handed_over(programs: &[String]) -> String {
    const SHOWN: usize = 8;
    let named = programs.get(..SHOWN).unwrap_or(programs).join(", ");
    let more = programs.len().saturating_sub(SHOWN);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("starts and watches {named}{rest}, each a service of its own here")
}
