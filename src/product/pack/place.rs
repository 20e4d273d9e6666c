//! Where a product keeps what has to outlive it, and the directories that it expects to find.

use super::evaluate::path;
use super::file::{Place, PlaceForm};
use super::instance;
use super::settings::{Configured, Value};
use crate::fact::Evidence;
use crate::path::MachinePath;
use crate::product::Directory;
use crate::walk::Entry;
use crate::words::script;

/// A directory (or file) of data, why it is data, and what says so.
type Data = (MachinePath, String, Evidence);

pub(super) fn data(asked: &Configured<'_>) -> Vec<Data> {
    let mut found: Vec<Data> = Vec::new();
    for place in &asked.pack.file.data {
        let own = match &place.links {
            Some(links) => led_to(asked, links, &found),
            None => named(asked, place),
        };
        for (path, evidence) in own {
            if !found.iter().any(|(known, ..)| *known == path) {
                found.push((path, place.why.clone(), evidence));
            }
        }
    }
    found
}

fn named(asked: &Configured<'_>, place: &Place) -> Vec<(MachinePath, Evidence)> {
    let values = asked.values(&place.from).into_iter();
    let paths = values.flat_map(|value| {
        let texts = if place.form == PlaceForm::Command {
            script::words(&value.text, false)
        } else {
            let parts = value
                .text
                .split(|c| c == ',' && place.form == PlaceForm::List);
            parts.map(str::to_owned).collect()
        };
        let paths = texts
            .into_iter()
            .filter_map(|text| one(asked, place, &text));
        let with = paths.map(|path| (path, value.clone()));
        with.collect::<Vec<_>>()
    });
    let kept = paths.filter(|(path, value)| is_data(asked, place, path, value));
    kept.map(|(path, value)| (path, value.evidence)).collect()
}

/// The directory that one value means. `%` and `{` begin what the product puts in: `maildir:/var/vmail/%d/%n`.
fn one(asked: &Configured<'_>, place: &Place, text: &str) -> Option<MachinePath> {
    // `maildir:`, `mbox:` and the like say how, not where; what follows a path behind `:` are options.
    let text = match text.split_once(":/") {
        Some((how, rest)) if how.chars().all(|c| c.is_ascii_alphabetic()) => {
            let rest = rest.split(':').next().unwrap_or(rest);
            format!("/{rest}")
        }
        _ => text.to_owned(),
    };
    let literal = text.split('%').next().unwrap_or_default();
    let is_pattern = literal.len() < text.len();
    let path = path(asked, literal)?;
    if is_pattern {
        return if literal.ends_with('/') {
            Some(path)
        } else {
            path.parent()
        };
    }
    let is_file = || asked.facts.tree.get(&path).is_some_and(Entry::is_file);
    if place.form == PlaceForm::Prefix || place.form == PlaceForm::Command && !is_file() {
        return path.parent();
    }
    Some(path)
}

fn is_data(asked: &Configured<'_>, place: &Place, path: &MachinePath, value: &Value) -> bool {
    let tree = &asked.facts.tree;
    let is_derived = matches!(place.form, PlaceForm::Prefix | PlaceForm::Command);
    if path.components().count() < 2 && is_derived {
        return false;
    }
    // A command names programs too, and directories that packages brought.
    if place.form == PlaceForm::Command {
        let is_dir = tree.get(path).is_none_or(Entry::is_dir);
        return is_dir && asked.facts.owner(path).is_none();
    }
    if place.written {
        return tree.get(path).is_some() && is_written(asked, &value.text, path);
    }
    // What is named and not there lies on a disk that was not handed over; a default that is not there is not used.
    let is_absolute = value.text.trim_start().starts_with('/') || value.text.contains(":/");
    value.via != "default" && is_absolute || tree.get(path).is_some()
}

/// Whether it is a directory of the service's own user, and none that a package or everybody has.
fn is_written(asked: &Configured<'_>, text: &str, path: &MachinePath) -> bool {
    let facts = asked.facts;
    let user = asked.pack.file.run.user.as_deref();
    let user = user.filter(|_| asked.service.user == "root");
    let user = facts.user(user.unwrap_or(&asked.service.user));
    let entry = facts.tree.get(path).filter(|entry| entry.is_dir());
    let is_own =
        entry.is_some_and(|entry| user.is_some_and(|user| user.uid != 0 && entry.uid == user.uid));
    let is_product = asked.variables.get("root").is_some_and(|root| {
        let real = facts.tree.resolve(&MachinePath::new(root));
        real.is_some_and(|root| {
            facts
                .tree
                .resolve(path)
                .is_some_and(|path| root.is_within(&path))
        })
    });
    let is_logs = path.is_within(&MachinePath::new("/var/log"));
    text.trim().starts_with('/') && is_own && facts.owner(path).is_none() && !is_product && !is_logs
}

/// What links lead to, out of the data that is known already.
fn led_to(asked: &Configured<'_>, links: &str, known: &[Data]) -> Vec<(MachinePath, Evidence)> {
    let tree = &asked.facts.tree;
    let mut variables = asked.variables.clone();
    if let Some((data, ..)) = known.first() {
        variables.insert("data".into(), data.text().into_owned());
    }
    let pattern = instance::fill(links, &variables);
    if instance::is_open(&pattern) {
        return Vec::new();
    }
    let found = tree.find(&pattern).into_iter().filter_map(|found| {
        let entry = tree.entry(&found.named)?;
        let target = entry.target.as_deref()?;
        let base = found.named.parent()?;
        let path = tree
            .resolve(&found.named)
            .unwrap_or_else(|| base.join(target));
        let evidence = Evidence::file(&found.named).with_excerpt(&format!("leads to {path}"));
        Some((path, evidence))
    });
    found.collect()
}

/// Directories that settings name. One that is there keeps its owner; one that is not is the product's own user's.
pub(super) fn made(asked: &Configured<'_>) -> Vec<Directory> {
    let facts = asked.facts;
    let own = asked.pack.file.run.user.as_deref();
    let user = own.unwrap_or(&asked.service.user);
    let sources = asked.pack.file.make.iter().map(|made| &made.from);
    let values = sources.flat_map(|source| asked.values(source));
    let paths = values.filter_map(|value| path(asked, &value.text));
    let made = paths.filter_map(|path| {
        let entry = facts.tree.get(&path);
        if entry.is_some_and(|entry| !entry.is_dir()) || path.components().count() < 2 {
            return None;
        }
        let owner = entry.and_then(|entry| facts.user_of(entry.uid));
        let group = entry.and_then(|entry| facts.group_of(entry.gid));
        let user = owner.map_or(user, |owner| owner.name.as_str());
        let own_group = facts.user(user).and_then(|user| facts.group_of(user.gid));
        let group = group.or(own_group);
        Some(Directory {
            user: user.to_owned(),
            group: group.map_or(user, |group| &group.name).to_owned(),
            mode: entry.map_or(0o755, |entry| entry.mode & 0o7777),
            path,
        })
    });
    made.collect()
}
