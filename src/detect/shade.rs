//! Masks the values of variables that are secrets by reference: the reference stands in one file (a command line, a
//! script), the value in another (a drop-in, a file of variables).
//!
//! What belongs here: facts that are in, and what they hide of one another. What a single file tells is masked where it
//! is read.

use super::native::reference::{is_hidden, secret_names};
use crate::fact::{Dialect, Document, Evidence, Facts, Managed, SecretRef, Syntax, UnitFile};
use crate::path::MachinePath;
use crate::secret::MASK;
use crate::walk::glob;
use crate::words;
use std::collections::{BTreeMap, BTreeSet};

/// Names of variables with secrets, and the files of variables they are looked for in.
type Names = BTreeSet<String>;

/// Goes over all facts; what was masked before stays so.
pub(super) fn shade(facts: &mut Facts) {
    let mut found = Vec::new();
    units(facts, &mut found);
    init_scripts(facts, &mut found);
    scripts(facts, &mut found);
    // The places themselves must not be carried as they are.
    if !found.is_empty() {
        facts.secrets.extend(found);
    }
}

fn units(facts: &mut Facts, found: &mut Vec<SecretRef>) {
    // By fragment: every file that adds to a unit of its name, or to all instances of it.
    let stems: Vec<Option<String>> = facts.units.iter().map(|unit| stem(&unit.path)).collect();
    let mut asked: BTreeMap<&str, Names> = BTreeMap::new();
    let mut said: Vec<Names> = Vec::new();
    for unit in &facts.units {
        said.push(of_unit(unit, facts));
    }
    let all: BTreeSet<&str> = stems.iter().flatten().map(String::as_str).collect();
    for (own, names) in stems.iter().zip(&said) {
        let Some(own) = own.as_deref().filter(|_| !names.is_empty()) else {
            continue;
        };
        for stem in all.iter().filter(|stem| covers(own, stem)) {
            asked.entry(stem).or_default().extend(names.iter().cloned());
        }
    }
    let mut patterns: Vec<(String, Names)> = Vec::new();
    for (stem, names) in &asked {
        for (own, unit) in stems.iter().zip(&mut facts.units) {
            if own.as_deref().is_some_and(|own| covers(own, stem)) {
                patterns.extend(files(unit).map(|pattern| (pattern, names.clone())));
                hide_in_unit(unit, names, found);
            }
        }
    }
    for (pattern, names) in patterns {
        for ((path, syntax), document) in &mut facts.documents {
            if *syntax == Syntax::Environment && glob::matches_path(&pattern, &path.text()) {
                hide_in_document(document, &names, found);
            }
        }
    }
}

/// The name that a unit file adds to, up to its instance: `a` of a.service, a@b.service and a@.service.d/x.conf. Empty for
/// what adds to every service.
fn stem(path: &MachinePath) -> Option<String> {
    let name = path.name().into_owned();
    let name = if name.ends_with(".conf") {
        path.parent()?.name().strip_suffix(".d")?.to_owned()
    } else {
        name
    };
    let stem = name.strip_suffix("service")?.trim_end_matches('.');
    Some(stem.split('@').next().unwrap_or_default().to_owned())
}

/// systemd.unit(5): `foo-.service.d` adds to every unit whose name begins so, `service.d` to all.
fn covers(own: &str, stem: &str) -> bool {
    own == stem || own.is_empty() || (own.ends_with('-') && stem.starts_with(own))
}

/// What a unit file's command lines, variables and scripts have as secrets.
fn of_unit(unit: &UnitFile, facts: &Facts) -> Names {
    let mut names = Names::new();
    for entry in &unit.entries {
        names.extend(entry.references.iter().cloned());
        if entry.key.starts_with("Exec") {
            for word in words::split(&entry.value) {
                let path = word.trim_start_matches(|c| "@-:+!|".contains(c));
                let real = facts.tree.resolve(&MachinePath::new(path));
                let script = real
                    .filter(|_| path.starts_with('/'))
                    .and_then(|path| facts.scripts.get(&path));
                names.extend(script.iter().flat_map(|script| script.secrets.clone()));
            }
        }
    }
    names
}

/// Patterns of its files of variables; what a specifier stands for may be anything.
fn files(unit: &UnitFile) -> impl Iterator<Item = String> {
    let entries = unit.entries.iter();
    let files = entries.filter(|entry| entry.key == "EnvironmentFile" && !entry.value.is_empty());
    files.map(|entry| {
        let mut pattern = String::new();
        let mut chars = entry.value.trim_start_matches('-').chars();
        while let Some(c) = chars.next() {
            let is_specifier = c == '%' && chars.next().is_some_and(|c| c != '%');
            pattern.push(if is_specifier { '*' } else { c });
        }
        pattern
    })
}

fn hide_in_unit(unit: &mut UnitFile, names: &Names, found: &mut Vec<SecretRef>) {
    for entry in &mut unit.entries {
        if entry.key != "Environment" {
            continue;
        }
        let words = words::split(&entry.value);
        let hidden = |word: &str| {
            let (name, value) = word.split_once('=')?;
            is_hidden(names, name, value).then(|| name.to_owned())
        };
        if !words.iter().any(|word| hidden(word).is_some()) {
            continue;
        }
        let masked = words.iter().map(|word| match hidden(word) {
            Some(name) => {
                found.push(secret(&unit.path, Some(entry.line), &name));
                words::quote(&format!("{name}={MASK}"))
            }
            None => words::quote(word),
        });
        entry.value = masked.collect::<Vec<_>>().join(" ");
        entry.secret = true;
    }
}

fn hide_in_document(document: &mut Document, names: &Names, found: &mut Vec<SecretRef>) {
    for setting in &mut document.settings {
        for arg in &mut setting.args {
            if is_hidden(names, &setting.key, arg) {
                MASK.clone_into(arg);
                setting.secret = true;
                found.push(secret(&document.path, Some(setting.line), &setting.key));
            }
        }
    }
}

fn secret(path: &MachinePath, line: Option<u32>, name: &str) -> SecretRef {
    let evidence = match line {
        Some(line) => Evidence::line(path, line, &format!("{name}={MASK}")),
        None => Evidence::file(path),
    };
    SecretRef {
        kind: "password".to_owned(),
        key: name.to_owned(),
        evidence,
    }
}

/// A script's own variables, and those of the files of settings it reads in.
fn init_scripts(facts: &mut Facts, found: &mut Vec<SecretRef>) {
    for script in &mut facts.init_scripts {
        let mut names = script.secrets.clone();
        for path in &script.sources {
            let document = facts.documents.get(&(path.clone(), Syntax::Environment));
            for setting in document.iter().flat_map(|document| &document.settings) {
                let args = setting.args.iter();
                names.extend(args.flat_map(|arg| secret_names(Some(&setting.key), arg)));
            }
        }
        if names.is_empty() {
            continue;
        }
        for (name, value) in &mut script.variables {
            if is_hidden(&names, name, value) {
                MASK.clone_into(value);
                found.push(secret(&script.path, None, name));
            }
        }
        for path in &script.sources {
            if let Some(document) = facts
                .documents
                .get_mut(&(path.clone(), Syntax::Environment))
            {
                hide_in_document(document, &names, found);
            }
        }
    }
}

/// Scripts that a manager goes through, and the files of settings that go by the same name: the reference stands in
/// /etc/init.d/NAME, the value in /etc/conf.d/NAME.
fn scripts(facts: &mut Facts, found: &mut Vec<SecretRef>) {
    let mut asked: BTreeMap<String, Names> = BTreeMap::new();
    let read = |file: &&Managed| matches!(file.dialect, Dialect::Shell | Dialect::Upstart);
    for file in facts.managed.values().filter(read) {
        let lines = file
            .entries
            .iter()
            .filter(|entry| entry.value.contains('$'));
        let names: Names = lines
            .flat_map(|entry| secret_names(None, &entry.value))
            .collect();
        if !names.is_empty() {
            asked.entry(stem_of(&file.path)).or_default().extend(names);
        }
    }
    let shell = |file: &&mut Managed| file.dialect == Dialect::Shell;
    for file in facts.managed.values_mut().filter(shell) {
        let Some(names) = asked.get(&stem_of(&file.path)) else {
            continue;
        };
        for entry in &mut file.entries {
            let body = entry.value.trim_start();
            let body = body.strip_prefix("export ").unwrap_or(body);
            let Some((name, value)) = body.split_once('=') else {
                continue;
            };
            let value = words::shell(value).into_iter().next().unwrap_or_default();
            if is_hidden(names, name, &value) {
                let name = name.to_owned();
                let before = entry.value.split_once('=').map_or("", |(before, _)| before);
                entry.value = format!("{before}='{MASK}'");
                entry.secret = true;
                found.push(secret(&file.path, Some(entry.line), &name));
            }
        }
    }
}

/// `worker` of worker.mail, worker.conf and worker.
fn stem_of(path: &MachinePath) -> String {
    let name = path.name();
    let stem = name.split('.').find(|part| !part.is_empty());
    stem.unwrap_or_default().to_owned()
}
