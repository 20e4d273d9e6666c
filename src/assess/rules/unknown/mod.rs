//! What the program could not tell, as concerns like any other: so that a service nobody's pack knows never scores as well as
//! one that is understood. Each asks a question that a person can answer (`--answers`), and is gone once it is answered.
//!
//! What a program's code can do is the witness: a question that the code rules out is not asked.

mod command;
mod index;
mod listener;
mod peer;
mod state;
mod witness;

use self::index::Index;
use super::Seen;
use crate::detect::native::package;
use crate::fact::{Answered, Evidence};
use crate::path::MachinePath;
use crate::plan::Unclaimed;
use crate::program::is_shell;
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::text::{bytes, list};
use crate::workload::Workload;
use foldhash::HashSet;
use std::collections::BTreeSet;

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let index = Index::new(seen);
    let mut found = packages(seen);
    for workload in seen.workloads {
        let of_workload = [
            product(workload),
            listener::concern_of(seen, &index, workload),
            state::concern_of(seen, &index, workload),
            files(seen, workload),
        ];
        found.extend(of_workload.into_iter().flatten());
        found.extend(command::concerns(seen, workload));
        found.extend(peer::concerns(&index, workload));
    }
    let accepted: HashSet<(&str, &str)> = (seen.workloads.iter())
        .flat_map(|workload| {
            let rules = workload.answer.accepted.iter();
            rules.map(|rule| (workload.id.as_str(), rule.as_str()))
        })
        .collect();
    found.retain(|concern| {
        let workload = concern.workload.as_deref();
        !workload.is_some_and(|id| accepted.contains(&(id, concern.rule.as_str())))
    });
    found
}

/// A program that no pack knows. Who has said what it listens on and what it keeps has said what a pack would.
fn product(workload: &Workload) -> Option<Concern> {
    let service = workload.services.first()?;
    let answer = &workload.answer;
    if workload.product.is_some() || (answer.ports.is_some() && answer.state.is_some()) {
        return None;
    }
    let program = program(workload);
    let detail = format!(
        "no pack knows {program}: its ports, data and files are told from {} and its code alone",
        service.name
    );
    let evidence = vec![service.evidence.clone()];
    concern("unknown/product", Some(&workload.id), detail, evidence)
}

/// What a workload runs: the first of its programs that is more than a shell, an interpreter's script before the interpreter.
fn program(workload: &Workload) -> String {
    let mut programs = workload.executables.iter();
    let own = programs
        .find(|path| !is_shell(&path.text()))
        .or(workload.executables.first());
    let service = workload.services.first();
    own.map(ToString::to_string)
        .or_else(|| service.map(|service| service.name.clone()))
        .unwrap_or_else(|| workload.id.clone())
}

/// A database of packages that is there and was not read.
fn packages(seen: &Seen<'_>) -> Vec<Concern> {
    let unread = package::unread(seen.facts).into_iter();
    unread
        .filter_map(|unread| {
            let name = unread.name;
            let detail = if unread.is_damaged {
                format!(
                    "the {name} database was not read whole: packages may be missing, and what they own counts as nobody's"
                )
            } else {
                format!(
                    "the {name} database was not read: which packages are installed, and what they own, is not known"
                )
            };
            let evidence = vec![Evidence::file(&unread.path)];
            concern("unknown/packages", None, detail, evidence)
        })
        .collect()
}

/// Directories that are named in one concern.
const NAMED: usize = 5;

/// What was made or changed near a workload and nothing carries.
fn files(seen: &Seen<'_>, workload: &Workload) -> Option<Concern> {
    if let Some(answered) = &workload.answer.files {
        return absent(seen, workload, "unknown/files", answered);
    }
    let near = Near::new(seen, workload);
    let found: Vec<&Unclaimed> = seen.unclaimed.iter().filter(|left| near.is(left)).collect();
    let shown = found.iter().map(|left| {
        let size = bytes(left.bytes);
        let names = if left.names == 1 {
            "1 file"
        } else {
            &format!("{} files", left.names)
        };
        format!(
            "{} ({names}, {size}, last changed {})",
            left.path, left.changed
        )
    });
    let shown: Vec<String> = shown.collect();
    let detail = format!("nothing carries {}", list(&shown, NAMED));
    let evidence = found
        .iter()
        .map(|left| Evidence::file(&left.path))
        .collect();
    let likely = found.iter().map(|left| left.path.text().into_owned());
    let concern = concern("unknown/files", Some(&workload.id), detail, evidence)?;
    Some(concern.likely(likely))
}

/// Answered paths that the disk does not have: the answer has a slip, or the disk is not the whole machine.
fn absent(
    seen: &Seen<'_>,
    workload: &Workload,
    rule: &str,
    answered: &Answered<Vec<MachinePath>>,
) -> Option<Concern> {
    let tree = &seen.facts.tree;
    let absent = answered
        .value
        .iter()
        .filter(|path| tree.entry(path).is_none());
    let absent: Vec<String> = absent.map(ToString::to_string).collect();
    if absent.is_empty() {
        return None;
    }
    let detail = format!(
        "{} was answered, and is not on this disk",
        list(&absent, NAMED)
    );
    let evidence = vec![answered.evidence.clone()];
    let found = concern(rule, Some(&workload.id), detail, evidence)?;
    let likely = answered.value.iter().map(|path| path.text().into_owned());
    Some(found.likely(likely))
}

/// What is near a workload: files of its user, files by its name, files beside what it carries.
struct Near<'a> {
    user: Option<u32>,
    names: BTreeSet<&'a str>,
    beside: BTreeSet<MachinePath>,
}

impl<'a> Near<'a> {
    fn new(seen: &Seen<'_>, workload: &'a Workload) -> Self {
        let users = [&workload.user];
        let user = users.into_iter().find_map(|name| seen.facts.user(name));
        let packages = workload.packages.iter().map(String::as_str);
        let programs = workload.executables.iter().filter_map(|path| {
            let name = path.as_str()?.rsplit('/').next()?;
            // An interpreter's name is no application's.
            seen.facts
                .elfs
                .get(path)
                .filter(|elf| seen.facts.owner(&elf.path).is_none())?;
            Some(name)
        });
        let beside = workload.claims.iter().filter_map(MachinePath::parent);
        Self {
            user: user.map(|user| user.uid).filter(|uid| *uid != 0),
            names: packages
                .chain(programs)
                .chain([workload.id.as_str()])
                .collect(),
            beside: beside
                .filter(|directory| !crate::workload::claims::is_shelf(directory))
                .collect(),
        }
    }

    fn is(&self, left: &Unclaimed) -> bool {
        let names = || {
            left.path
                .components()
                .filter_map(|name| std::str::from_utf8(name).ok())
        };
        self.user.is_some_and(|user| left.owners.contains(&user))
            || names().any(|name| self.names.contains(name))
            || self
                .beside
                .iter()
                .any(|directory| left.path.is_within(directory))
    }
}
