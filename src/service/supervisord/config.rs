//! A configuration with all that it includes, section by section.

use crate::fact::{Dialect, Facts, Managed, UnitEntry, VARIABLES};
use crate::path::MachinePath;
use crate::words;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that stands in a configuration and what it includes, by section.
pub(super) struct Config<'a> {
    pub sections: BTreeMap<&'a str, Vec<Entry<'a>>>,
    /// The group that programs were put into.
    pub groups: BTreeMap<String, String>,
}

pub(super) type Entry<'a> = (&'a Managed, &'a UnitEntry);

impl<'a> Config<'a> {
    /// `None` where the file was not read: what it starts is not known.
    pub(super) fn read(facts: &'a Facts, file: &MachinePath) -> Option<Self> {
        let main = facts.managed.get(&(file.clone(), Dialect::Supervisor))?;
        let mut files = vec![main];
        for pattern in &main.includes {
            let named = facts.managed.iter().filter(|((path, dialect), _)| {
                *dialect == Dialect::Supervisor
                    && crate::walk::glob::matches_path(pattern, &path.text())
            });
            files.extend(named.map(|(_, file)| file));
        }
        let mut sections: BTreeMap<&str, Vec<Entry<'_>>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for file in files {
            if seen.insert(&file.path) {
                for entry in &file.entries {
                    sections
                        .entry(&entry.section)
                        .or_default()
                        .push((file, entry));
                }
            }
        }
        let groups = groups(&sections);
        Some(Self { sections, groups })
    }

    /// The last value of a setting.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<Entry<'a>> {
        let mut entries = self.sections.get(section)?.iter();
        entries.rfind(|(_, entry)| entry.key == key).copied()
    }

    /// The words of the last `environment=`.
    pub(super) fn variables(&self, section: &str) -> Vec<Entry<'a>> {
        let Some((file, last)) = self.value(section, VARIABLES) else {
            return Vec::new();
        };
        let all = self.sections.get(section).into_iter().flatten();
        let own = all.filter(|(other, entry)| {
            entry.key == VARIABLES && other.path == file.path && entry.line == last.line
        });
        own.copied().collect()
    }
}

fn groups(sections: &BTreeMap<&str, Vec<Entry<'_>>>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (section, entries) in sections {
        let Some(group) = section.strip_prefix("group:") else {
            continue;
        };
        let programs = entries.iter().rfind(|(_, entry)| entry.key == "programs");
        let programs = programs.map_or("", |(_, entry)| entry.value.as_str());
        let names = programs.split(',').map(words::trim);
        found.extend(names.map(|name| (name.to_owned(), group.to_owned())));
    }
    found
}
