//! How a product runs in a container: its command, variables, directories, and how to ask whether it works.

use super::file;
use super::instance;
use super::settings::{Configured, key_matches};
use crate::path::MachinePath;
use crate::product::Listen;
use crate::product::{Directory, Probe};
use crate::secret::MASK;
use crate::service::{self, Limit};
use crate::walk::glob;
use crate::words;

/// The pack's variables; where the machine's own files define one, their value stands.
pub(super) fn environment(asked: &Configured<'_>) -> Vec<(String, String)> {
    let own = asked.pack.file.run.environment.iter();
    own.map(|(name, value)| {
        let value = asked
            .names
            .get(name)
            .cloned()
            .unwrap_or_else(|| instance::fill(value, &asked.variables));
        (name.clone(), value)
    })
    .chain(exports(asked))
    .collect()
}

/// What its shell files set beyond what the pack knows; a secret is none of the pack's to hand on.
fn exports(asked: &Configured<'_>) -> Vec<(String, String)> {
    let run = &asked.pack.file.run;
    if !run.exports {
        return Vec::new();
    }
    let all = asked.assigned.iter().filter(|assigned| {
        !run.environment.contains_key(&assigned.name)
            && !assigned.value.is_empty()
            && !assigned.value.contains(MASK)
            && !assigned.value.contains('$')
    });
    all.map(|assigned| (assigned.name.clone(), assigned.value.clone()))
        .collect()
}

/// Limits that its shell files hand to the start script as a command: `ulimit -n 65536`.
pub(super) fn limits(asked: &Configured<'_>) -> Vec<Limit> {
    let all = asked.assigned.iter();
    let told = all.flat_map(|assigned| {
        let words = words::shell(&assigned.value);
        match words.split_first() {
            Some((first, rest)) if first == "ulimit" => service::told(rest, &assigned.evidence),
            _ => Vec::new(),
        }
    });
    told.collect()
}

/// The pack's command with everything filled in; `{args}` is the unit's own arguments, less what sends it away.
pub(super) fn command(asked: &Configured<'_>) -> Option<Vec<String>> {
    let run = &asked.pack.file.run;
    let argv = asked
        .service
        .commands
        .start
        .first()
        .map(|command| command.argv.as_slice())
        .unwrap_or_default();
    let dropped = |arg: &&String| !run.drop.iter().any(|pattern| glob::matches(pattern, arg));
    if run.command.is_empty() {
        let kept = argv.iter().filter(dropped);
        let kept = kept.map(|word| run.replace.get(word).unwrap_or(word).clone());
        let kept: Vec<String> = kept.collect();
        return (kept != argv).then_some(kept);
    }
    let mut found = Vec::new();
    for word in &run.command {
        match word.as_str() {
            "{args}" => found.extend(argv.iter().skip(1).filter(dropped).cloned()),
            "{program}" => found.extend(argv.first().cloned()),
            "{executable}" => found.push(executable(asked)?),
            "{arguments}" => found.extend(asked.args.iter().filter(dropped).cloned()),
            // The flags of a configuration file that is a command line in pieces.
            "{settings}" => {
                for placed in &asked.settings {
                    let flag = placed.key.clone().into_owned();
                    // Words that are no flags speak to the wrapper that reads the file.
                    if flag.starts_with('-') && !run.drop.contains(&flag) {
                        found.push(flag);
                        found.extend(placed.args.iter().cloned());
                    }
                }
            }
            word => found.push(filled(asked, word)),
        }
    }
    // A variable nobody set makes no command; the unit's own is better than a wrong one.
    let whole = run
        .command
        .iter()
        .all(|word| !instance::is_open(&filled(asked, word)));
    for append in &run.append {
        let said = |key: &str| {
            append
                .unless
                .iter()
                .any(|pattern| key_matches(pattern, key))
        };
        if !asked.settings.iter().any(|placed| said(&placed.key)) {
            found.extend(append.words.iter().cloned());
        }
    }
    whole.then_some(found)
}

/// The service's own variables, and then those of the files that its start script reads.
fn filled(asked: &Configured<'_>, word: &str) -> String {
    instance::fill(&instance::fill(word, &asked.variables), &asked.names)
}

/// The recognised program's own path, behind wrappers and shells.
fn executable(asked: &Configured<'_>) -> Option<String> {
    let patterns = &asked.pack.file.recognise.as_ref()?.executables;
    let mut named = asked
        .program
        .names
        .iter()
        .filter(|name| name.starts_with('/'));
    let hit = |name: &&String| {
        let base = name.rsplit('/').next().unwrap_or(name);
        patterns.iter().any(|pattern| {
            if pattern.contains('/') {
                glob::matches_path(pattern, name)
            } else {
                glob::matches(pattern, base)
            }
        })
    };
    named.find(hit).cloned()
}

/// Whether all that a pack's word has in braces is known of this service.
fn is_filled(word: &str, asked: &Configured<'_>) -> bool {
    let names = word.split('{').skip(1);
    let mut names = names.filter_map(|rest| Some(rest.split_once('}')?.0));
    names.all(|name| asked.variables.contains_key(name))
}

pub(super) fn probe(asked: &Configured<'_>, listens: &[Listen]) -> Option<Probe> {
    let probe = asked.pack.file.probe.as_ref()?;
    let port = listens
        .iter()
        .find(|listen| listen.protocol == "tcp")
        .map(|listen| listen.port);
    if !probe.command.is_empty() {
        let words = probe.command.iter();
        if words.clone().all(|word| is_filled(word, asked)) {
            let words = words.map(|word| instance::fill(word, &asked.variables));
            return Some(Probe::Command(words.collect()));
        }
    }
    match (&probe.http, port) {
        (Some(path), Some(port)) => Some(Probe::Http {
            port,
            path: path.clone(),
        }),
        (None, Some(port)) if probe.tcp => Some(Probe::Tcp { port }),
        _ => None,
    }
}

pub(super) fn directories(asked: &Configured<'_>) -> Vec<Directory> {
    let own = |name: &Option<String>, or: &str| name.clone().unwrap_or_else(|| or.to_owned());
    let user = asked
        .pack
        .file
        .run
        .user
        .as_deref()
        .unwrap_or(&asked.service.user);
    let make = |directory: &file::Directory| {
        let group = asked.facts.user(user).and_then(|user| {
            asked
                .facts
                .groups
                .iter()
                .find(|group| group.gid == user.gid)
        });
        Directory {
            path: MachinePath::new(instance::fill(&directory.path, &asked.variables)),
            user: own(&directory.user, user),
            group: own(&directory.group, group.map_or(user, |group| &group.name)),
            mode: directory
                .mode
                .as_deref()
                .and_then(|mode| u32::from_str_radix(mode, 8).ok())
                .unwrap_or(0o755),
        }
    };
    asked
        .pack
        .file
        .run
        .directories
        .iter()
        .map(make)
        .filter(|directory| !directory.path.text().contains('{'))
        .collect()
}
