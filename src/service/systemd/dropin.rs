//! Directories beside a unit that add to it: `.d`, `.wants`, `.requires` and `.upholds`, of its own name, its aliases,
//! its template and its dash prefixes (systemd.unit(5), "Description").

use super::search::{UnitPath, is_mask};
use super::unit::{Unit, template};
use crate::path::MachinePath;
use crate::walk::Entry;
use std::collections::BTreeMap;

impl UnitPath<'_> {
    /// Drop-ins by file name: of one name the first counts, a mask included.
    pub(super) fn drop_ins(&self, unit: &Unit) -> Vec<MachinePath> {
        let mut entries = self.beside(unit, "d");
        if let Some((_, kind)) = unit.name.rsplit_once('.') {
            // For all units of a type: the weakest.
            entries.extend(self.in_tiers(&[format!("{kind}.d")]));
        }
        entries.retain(|entry| entry.path.name().ends_with(".conf") && !entry.is_dir());
        first_of_each_name(entries)
    }

    /// Names linked into the unit's dependency directories, with the link.
    pub fn links(&self, unit: &Unit) -> Vec<(String, MachinePath)> {
        let mut found = Vec::new();
        for kind in ["requires", "upholds", "wants"] {
            let links = first_of_each_name(self.beside(unit, kind));
            // What is no link there counts for nothing.
            found.extend(
                links
                    .into_iter()
                    .filter(|path| {
                        self.facts
                            .tree
                            .entry(path)
                            .is_some_and(|entry| entry.target.is_some())
                    })
                    .map(|path| (unit.dependency(&path.name()), path)),
            );
        }
        found
    }

    /// Entries of all directories of a kind, strongest first: the unit's own name before its aliases, then by tier, and
    /// in a tier the more specific name first.
    fn beside(&self, unit: &Unit, kind: &str) -> Vec<&crate::walk::Entry> {
        let names = std::iter::once(&unit.name).chain(&unit.aliases);
        names
            .flat_map(|name| self.in_tiers(&directories(name, kind)))
            .collect()
    }

    fn in_tiers(&self, directories: &[String]) -> Vec<&Entry> {
        let mut found = Vec::new();
        for tier in &self.tiers {
            for directory in directories {
                found.extend(self.below(tier, directory));
            }
        }
        found
    }
}

/// Sorted by file name; masked names are left out.
fn first_of_each_name(entries: Vec<&Entry>) -> Vec<MachinePath> {
    let mut chosen: BTreeMap<Vec<u8>, Option<MachinePath>> = BTreeMap::new();
    for entry in entries {
        chosen
            .entry(entry.path.file_name().to_vec())
            .or_insert_with(|| (!is_mask(entry)).then(|| entry.path.clone()));
    }
    chosen.into_values().flatten().collect()
}

/// `a-b@c.service` → itself, its template, its dash prefixes; each with `.KIND`.
fn directories(name: &str, kind: &str) -> Vec<String> {
    let mut found = vec![format!("{name}.{kind}")];
    let (template, instance) = template(name).unzip();
    found.extend(template.map(|template| format!("{template}.{kind}")));
    if let Some((stem, suffix)) = name.rsplit_once('.') {
        let stem = stem.split('@').next().unwrap_or(stem);
        let dashes: Vec<usize> = stem.match_indices('-').map(|(at, _)| at).collect();
        for at in dashes.into_iter().rev() {
            let prefix = stem.get(..at).unwrap_or_default();
            if let Some(instance) = &instance {
                found.push(format!("{prefix}-@{instance}.{suffix}.{kind}"));
                found.push(format!("{prefix}-@.{suffix}.{kind}"));
            }
            found.push(format!("{prefix}-.{suffix}.{kind}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_a_name() {
        assert_eq!(
            directories("a-b@c.service", "d"),
            [
                "a-b@c.service.d",
                "a-b@.service.d",
                "a-@c.service.d",
                "a-@.service.d",
                "a-.service.d"
            ]
        );
        assert_eq!(
            directories("a-b-c.target", "wants"),
            ["a-b-c.target.wants", "a-b-.target.wants", "a-.target.wants"]
        );
    }
}
