//! Which units start at boot: what the default target pulls in, as systemd would.

use super::search::UnitPath;
use super::unit::Unit;
use crate::fact::Evidence;
use crate::path::MachinePath;
use crate::service::GeneratedUnit;
use crate::words;
use std::collections::{BTreeMap, VecDeque};

/// Units pulled in, by name, and by what.
pub(super) struct Reached {
    pub units: BTreeMap<String, Unit>,
    pub by: BTreeMap<String, Evidence>,
    /// Services that an enabled socket unit starts: service, socket unit.
    pub sockets: Vec<(String, Unit)>,
    /// The last one, where there are more than anybody has.
    pub cut: Option<Unit>,
}

/// The most units followed; a machine has some hundreds.
pub(super) const MOST: usize = 20_000;

pub(super) fn reach(path: &UnitPath<'_>, generated: &[GeneratedUnit]) -> Reached {
    let mut reached = Reached {
        units: BTreeMap::new(),
        by: BTreeMap::new(),
        sockets: Vec::new(),
        cut: None,
    };
    let mut wanted: BTreeMap<&str, Vec<&GeneratedUnit>> = BTreeMap::new();
    for unit in generated {
        wanted.entry(&unit.wanted_by).or_default().push(unit);
    }
    let mut queue: VecDeque<(String, Option<Evidence>)> = VecDeque::new();
    // Default dependencies pull these in for every service; default.target may be missing on a stripped machine.
    let targets: &[&str] = if path.owner.is_user {
        &["default.target", "basic.target"]
    } else {
        &[
            "default.target",
            "multi-user.target",
            "sysinit.target",
            "basic.target",
        ]
    };
    for &target in targets {
        if target != "multi-user.target" || path.load("default.target").is_none() {
            queue.push_back((target.to_owned(), None));
        }
    }
    while let Some((name, by)) = queue.pop_front() {
        if reached.units.contains_key(&name) {
            continue;
        }
        if reached.units.len() >= MOST {
            reached.cut = path.load(&name);
            break;
        }
        let Some(unit) = path.load(&name) else {
            continue;
        };
        if unit.masked || reached.units.contains_key(&unit.name) {
            continue;
        }
        if let Some(by) = by {
            reached.by.entry(unit.name.clone()).or_insert(by);
        }
        queue.extend(next(path, &unit, &wanted));
        if unit.name.ends_with(".socket") && !accepts(&unit) {
            let service = triggered(&unit, "Socket", "Service");
            queue.push_back((service.clone(), unit.files.first().map(Evidence::file)));
            reached.sockets.push((service, unit.clone()));
        }
        if unit.name.ends_with(".path") {
            queue.push_back((
                triggered(&unit, "Path", "Unit"),
                unit.files.first().map(Evidence::file),
            ));
        }
        reached.units.insert(unit.name.clone(), unit);
    }
    reached
}

fn next(
    path: &UnitPath<'_>,
    unit: &Unit,
    generated: &BTreeMap<&str, Vec<&GeneratedUnit>>,
) -> Vec<(String, Option<Evidence>)> {
    let mut found = Vec::new();
    for key in ["Requires", "Wants", "BindsTo", "Upholds"] {
        for (file, entry) in unit.dependencies(key) {
            let evidence = Evidence::line(file, entry.line, &format!("{key}={}", entry.value));
            let names = words::parts(&entry.value);
            found.extend(names.map(|name| (unit.dependency(name), Some(evidence.clone()))));
        }
    }
    // A service wants the sockets it is to be handed.
    for (file, entry) in unit.list("Service", "Sockets") {
        let evidence = Evidence::line(file, entry.line, &format!("Sockets={}", entry.value));
        let names = words::parts(&entry.value);
        found.extend(names.map(|name| (unit.dependency(name), Some(evidence.clone()))));
    }
    let link = |(name, path): (String, MachinePath)| (name, Some(Evidence::file(&path)));
    found.extend(path.links(unit).into_iter().map(link));
    let mine = generated.get(unit.name.as_str()).into_iter().flatten();
    found.extend(mine.map(|generated| (generated.name.clone(), Some(generated.evidence.clone()))));
    found
}

/// Accept=yes: one instance a connection, as inetd did; nothing runs until somebody calls.
fn accepts(unit: &Unit) -> bool {
    unit.value("Socket", "Accept")
        .is_some_and(|(_, entry)| matches!(entry.value.as_str(), "yes" | "true" | "1" | "on"))
}

/// The unit another one starts: named, or of the same name.
pub(super) fn triggered(unit: &Unit, section: &str, key: &str) -> String {
    let named = unit
        .value(section, key)
        .map(|(_, entry)| unit.expand(&entry.value));
    named.unwrap_or_else(|| {
        let stem = unit
            .name
            .rsplit_once('.')
            .map_or(unit.name.as_str(), |(stem, _)| stem);
        format!("{stem}.service")
    })
}
