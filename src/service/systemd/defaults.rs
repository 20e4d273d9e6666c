//! What the manager's own configuration gives every service (systemd-system.conf(5)): variables, limits, times.
//!
//! Each becomes the assignment that a unit would have made, before those of the unit, so that nothing else has to know.

use crate::fact::unit::MANAGER;
use crate::fact::{Facts, UnitEntry, UnitFile};
use crate::path::MachinePath;
use std::collections::BTreeMap;

/// Keys of the manager, and what they are called in a unit.
const KEYS: &[(&str, &str)] = &[
    ("DefaultEnvironment", "Environment"),
    ("DefaultTimeoutStopSec", "TimeoutStopSec"),
    ("DefaultTasksMax", "TasksMax"),
    ("DefaultRestartSec", "RestartSec"),
];

const LIMIT: &str = "DefaultLimit";

/// Assignments for every service, the weakest first.
pub(super) fn of(facts: &Facts) -> Vec<(MachinePath, UnitEntry)> {
    let files = files(facts);
    let entries = files.into_iter().flat_map(|file| {
        let entries = file.entries.iter();
        let own = entries.filter(|entry| entry.section == "Manager");
        own.map(|entry| (&file.path, entry))
    });
    let as_unit = entries.filter_map(|(path, entry)| {
        Some((
            path.clone(),
            UnitEntry {
                section: "Service".to_owned(),
                key: key_of(&entry.key)?,
                ..entry.clone()
            },
        ))
    });
    as_unit.collect()
}

fn key_of(key: &str) -> Option<String> {
    if let Some(limit) = key.strip_prefix(LIMIT) {
        return Some(format!("Limit{limit}"));
    }
    let known = KEYS.iter().find(|(own, _)| *own == key);
    known.map(|(_, unit)| (*unit).to_owned())
}

/// The strongest system.conf, then the drop-ins by file name: of one name the strongest counts.
fn files(facts: &Facts) -> Vec<&UnitFile> {
    let mut main = None;
    let mut more: BTreeMap<Vec<u8>, &UnitFile> = BTreeMap::new();
    for directory in MANAGER {
        let find = |path: &MachinePath| facts.units.iter().find(|unit| unit.path == *path);
        main = main.or_else(|| find(&MachinePath::new(format!("{directory}/system.conf"))));
        let below = MachinePath::new(format!("{directory}/system.conf.d"));
        let inside = facts
            .units
            .iter()
            .filter(|unit| unit.path.is_within(&below));
        for file in inside {
            more.entry(file.path.file_name().to_vec()).or_insert(file);
        }
    }
    main.into_iter().chain(more.into_values()).collect()
}
