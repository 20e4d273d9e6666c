//! Directories made for a service before it starts: RuntimeDirectory= and its kin (systemd.exec(5), table 2), and lines
//! of tmpfiles.d(5) that come with it.

use super::command::Context;
use super::unit::Unit;
use crate::fact::{Document, Facts, Syntax};
use crate::path::MachinePath;
use crate::service::{DirectoryKind, ManagedDirectory};
use crate::words;
use crate::words::budget::WORDS;
use std::collections::BTreeSet;

/// Setting, and what becomes of it; where it is, the manager says.
const SETTINGS: &[(&str, DirectoryKind)] = &[
    ("RuntimeDirectory", DirectoryKind::Runtime),
    ("StateDirectory", DirectoryKind::State),
    ("CacheDirectory", DirectoryKind::Cache),
    ("LogsDirectory", DirectoryKind::Logs),
    ("ConfigurationDirectory", DirectoryKind::Configuration),
];

/// Directories of tmpfiles.d(5), strongest first.
const TMPFILES: &[&str] = &["/etc/tmpfiles.d", "/usr/lib/tmpfiles.d"];

pub(super) fn all(
    facts: &Facts,
    (unit, user): (&Unit, &str),
    context: &Context<'_>,
    tmpfiles_in_force: &[&Document],
) -> Vec<ManagedDirectory> {
    let mut found = settings(unit, context);
    let mut known: BTreeSet<MachinePath> = found.iter().map(|made| made.path.clone()).collect();
    let mut made = tmpfiles(facts, (unit, user), context, tmpfiles_in_force);
    made.retain(|made| known.insert(made.path.clone()));
    found.extend(made);
    found
}

fn settings(unit: &Unit, context: &Context<'_>) -> Vec<ManagedDirectory> {
    let mut found = Vec::new();
    for (key, kind) in SETTINGS {
        let base = unit.owner.root_of(*kind);
        let mode = unit
            .value("Service", &format!("{key}Mode"))
            .and_then(|(_, entry)| octal(&entry.value))
            .unwrap_or(0o755);
        for (_, entry) in unit.list("Service", key) {
            for name in words::split(&context.expand(&entry.value)) {
                if found.len() >= WORDS {
                    context.budget.refuse();
                    return found;
                }
                // `name:link` also makes a link, since systemd 250.
                let name = name.split(':').next().unwrap_or_default();
                found.push(ManagedDirectory {
                    path: base.join(name.trim_start_matches('/')),
                    mode,
                    user: String::new(),
                    group: String::new(),
                    kind: *kind,
                });
            }
        }
    }
    found
}

/// What the manager tells the service of them: RUNTIME_DIRECTORY and its kin.
pub(super) fn variables(made: &[ManagedDirectory]) -> Vec<(String, String)> {
    let of = |kind: DirectoryKind| {
        let paths = made
            .iter()
            .filter(|made| made.kind == kind && made.user.is_empty())
            .map(|made| made.path.text().into_owned());
        paths.collect::<Vec<_>>().join(":")
    };
    let named = [
        ("RUNTIME_DIRECTORY", DirectoryKind::Runtime),
        ("STATE_DIRECTORY", DirectoryKind::State),
        ("CACHE_DIRECTORY", DirectoryKind::Cache),
        ("LOGS_DIRECTORY", DirectoryKind::Logs),
        ("CONFIGURATION_DIRECTORY", DirectoryKind::Configuration),
    ];
    named
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), of(kind)))
        .filter(|(_, paths)| !paths.is_empty())
        .collect()
}

/// Lines of the package that brings the unit, and lines an administrator wrote for the service's own user: other
/// packages' directories are for their own services, though they may share an account.
fn tmpfiles(
    facts: &Facts,
    (unit, user): (&Unit, &str),
    context: &Context<'_>,
    in_force: &[&Document],
) -> Vec<ManagedDirectory> {
    let package = unit.files.first().and_then(|file| facts.owner(file));
    let mut found = Vec::new();
    for document in in_force {
        let owner = facts.owner(&document.path);
        for setting in &document.settings {
            // Every unit goes through all of them.
            if !context.budget.take(0) {
                return found;
            }
            let Some(made) = line(&setting.key, &setting.args, context) else {
                continue;
            };
            let is_own = match owner {
                Some(owner) => package.is_some_and(|package| package.name == owner.name),
                None => user != "root" && made.user == user,
            };
            if is_own {
                found.push(made);
            }
        }
    }
    found
}

/// Of one name the file of the strongest directory counts, a mask included.
pub(super) fn in_force(facts: &Facts) -> impl Iterator<Item = &Document> {
    let columns = facts.documents.values();
    let columns = columns.filter(|document| document.syntax == Syntax::Columns);
    columns.filter(|document| {
        let is_in = |dir: &&str| {
            let below = document.path.as_bytes().strip_prefix(dir.as_bytes());
            below.is_some_and(|rest| rest.iter().rposition(|b| *b == b'/') == Some(0))
        };
        let rank = TMPFILES.iter().position(is_in);
        let Some(stronger) = rank.and_then(|rank| TMPFILES.get(..rank)) else {
            return false;
        };
        stronger.iter().all(|dir| {
            let path = MachinePath::new(dir).join(document.path.file_name());
            facts.tree.entry(&path).is_none()
        })
    })
}

/// A line that makes a directory, with an owner said.
fn line(kind: &str, args: &[String], context: &Context<'_>) -> Option<ManagedDirectory> {
    if !matches!(kind.chars().next()?, 'd' | 'D' | 'v' | 'q' | 'Q') {
        return None;
    }
    let [path, mode, user, rest @ ..] = args else {
        return None;
    };
    let group = rest.first().map_or("-", String::as_str);
    let named = |name: &str| match name.trim_start_matches(':') {
        "-" => "root".to_owned(),
        name => name.to_owned(),
    };
    let path = context.expand(path);
    let path = MachinePath::new(path);
    let kind = kept(&path.text());
    // What root owns on the disk is there already, and nobody's in particular.
    let is_root = |name: &str| matches!(name.trim_start_matches(':'), "-" | "root");
    if user == "-" || is_root(user) && is_root(group) && kind != DirectoryKind::Temporary {
        return None;
    }
    Some(ManagedDirectory {
        mode: octal(mode.trim_start_matches(['~', ':'])).unwrap_or(0o755),
        user: named(user),
        group: named(group),
        kind,
        path,
    })
}

fn kept(path: &str) -> DirectoryKind {
    let is_in = |dir: &str| {
        path.strip_prefix(dir)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    match path {
        _ if ["/run", "/var/run", "/tmp", "/var/tmp", "/dev"]
            .into_iter()
            .any(is_in) =>
        {
            DirectoryKind::Temporary
        }
        _ if is_in("/var/cache") => DirectoryKind::Cache,
        _ if is_in("/var/log") => DirectoryKind::Logs,
        _ if is_in("/etc") => DirectoryKind::Configuration,
        _ => DirectoryKind::State,
    }
}

fn octal(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim(), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::systemd::owner::Owner;
    use crate::words::budget::Budget;

    #[test]
    fn tmpfiles_lines() {
        let context = Context {
            name: "a.service",
            hostname: "h",
            owner: &Owner::default(),
            environment: &[],
            open: None,
            budget: &Budget::of(1 << 10),
        };
        let of = |text: &str| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let (kind, args) = words.split_first().unwrap();
            line(kind, args, &context)
        };
        let made = of("d /run/x 2775 a b - -").unwrap();
        assert_eq!(
            (made.mode, made.user.as_str(), made.group.as_str()),
            (0o2775, "a", "b")
        );
        assert_eq!(made.kind, DirectoryKind::Temporary);
        let made = of("d! %S/x :0750 :a -").unwrap();
        assert_eq!(made.path, "/var/lib/x".into());
        assert_eq!(
            (made.mode, made.group.as_str(), made.kind),
            (0o750, "root", DirectoryKind::State)
        );
        for other in [
            "L /run/x - - - - /y",
            "d /srv 0755 - - -",
            "d /x",
            "d /var/lib/private 0700 root -",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
