//! Unit files merged as systemd loads them: tiers, masks, aliases, templates, drop-ins (systemd.unit(5)).

use crate::disk::FileKind;
use crate::fact::{Facts, UnitEntry, UnitFile};
use crate::path::MachinePath;
use std::collections::BTreeMap;

/// Directories of system units, strongest first (systemd.unit(5), table 1).
pub const TIERS: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// A unit as loaded: every assignment in force, in merge order.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    /// The name it was asked for under, alias resolved: `postgresql@15-main.service`.
    pub name: String,
    pub masked: bool,
    pub entries: Vec<(MachinePath, UnitEntry)>,
    /// Fragment first, then drop-ins.
    pub files: Vec<MachinePath>,
    /// Other names that are links to it.
    pub aliases: Vec<String>,
}

impl Unit {
    /// Values of a list setting: an empty assignment drops those before it.
    pub fn list<'a>(&'a self, section: &'a str, key: &'a str) -> Vec<&'a (MachinePath, UnitEntry)> {
        let mut found = Vec::new();
        for item in self
            .entries
            .iter()
            .filter(|(_, e)| e.section == section && e.key == key)
        {
            if item.1.value.is_empty() {
                found.clear();
            } else {
                found.push(item);
            }
        }
        found
    }

    /// The last value of a plain setting; empty counts as unset.
    pub fn value<'a>(
        &'a self,
        section: &'a str,
        key: &'a str,
    ) -> Option<&'a (MachinePath, UnitEntry)> {
        let last = self
            .entries
            .iter()
            .rfind(|(_, e)| e.section == section && e.key == key)?;
        Some(last).filter(|(_, entry)| !entry.value.is_empty())
    }

    /// Names in a dependency setting.
    pub fn names(&self, key: &str) -> Vec<String> {
        let lists = self.list("Unit", key);
        lists
            .iter()
            .flat_map(|(_, entry)| entry.value.split_whitespace())
            .map(str::to_owned)
            .collect()
    }
}

/// The search path of one machine.
pub struct UnitPath<'a> {
    facts: &'a Facts,
    files: BTreeMap<&'a MachinePath, &'a UnitFile>,
    /// Tiers that exist, links resolved, doubles dropped (`/lib` is `/usr/lib` on most machines).
    tiers: Vec<MachinePath>,
}

/// What stands in the search path under a name.
enum Fragment {
    Masked,
    Alias(String),
    File(MachinePath),
}

impl<'a> UnitPath<'a> {
    pub fn new(facts: &'a Facts) -> Self {
        let mut tiers: Vec<MachinePath> = Vec::new();
        for tier in TIERS {
            if let Some(dir) = facts
                .tree
                .resolve(&MachinePath::new(tier))
                .filter(|dir| !tiers.contains(dir))
            {
                tiers.push(dir);
            }
        }
        Self {
            facts,
            files: facts.units.iter().map(|unit| (&unit.path, unit)).collect(),
            tiers,
        }
    }

    /// Loads a unit; `None` where the search path has none of that name.
    pub fn load(&self, name: &str) -> Option<Unit> {
        let mut name = name.to_owned();
        let mut aliases = Vec::new();
        // Aliases of aliases end soon, or they are a loop.
        for _ in 0..8 {
            match self.fragment(&name)? {
                Fragment::Masked => {
                    return Some(Unit {
                        name,
                        masked: true,
                        aliases,
                        ..Unit::default()
                    });
                }
                Fragment::Alias(target) => {
                    // `foo@bar.service` may be a link to the template `foo@.service`: the instance stays.
                    let (template, instance) = template(&name).unzip();
                    let keeps = template.as_deref() == Some(target.as_str());
                    let next = match (keeps, instance, target.split_once('@')) {
                        (true, ..) => None,
                        (false, Some(instance), Some((stem, rest))) if rest.starts_with('.') => {
                            Some(format!("{stem}@{instance}{rest}"))
                        }
                        _ => Some(target),
                    };
                    match next {
                        Some(next) => aliases.push(std::mem::replace(&mut name, next)),
                        None => return self.merge(name, aliases),
                    }
                }
                Fragment::File(_) => return self.merge(name, aliases),
            }
        }
        None
    }

    fn fragment(&self, name: &str) -> Option<Fragment> {
        if name.contains('/') {
            return None;
        }
        for tier in &self.tiers {
            let path = tier.join(name);
            let Some(entry) = self.facts.tree.entry(&path) else {
                continue;
            };
            if entry.kind == FileKind::Symlink {
                let target = entry.target.as_deref().unwrap_or_default();
                if target.ends_with(b"/dev/null") {
                    return Some(Fragment::Masked);
                }
                let Some(real) = self.facts.tree.resolve(&path) else {
                    continue;
                };
                let own = real.name().into_owned();
                return Some(if own == name {
                    Fragment::File(path)
                } else {
                    Fragment::Alias(own)
                });
            }
            let is_empty = entry.is_file() && entry.size == 0;
            return Some(if is_empty {
                Fragment::Masked
            } else {
                Fragment::File(path)
            });
        }
        let (template, _) = template(name)?;
        match self.fragment(&template)? {
            Fragment::File(path) => Some(Fragment::File(path)),
            Fragment::Masked => Some(Fragment::Masked),
            Fragment::Alias(other) => Some(Fragment::Alias(other)),
        }
    }

    fn merge(&self, name: String, aliases: Vec<String>) -> Option<Unit> {
        let fragment = match self.fragment(&name)? {
            Fragment::File(path) => path,
            Fragment::Alias(target) => match self.fragment(&target)? {
                Fragment::File(path) => path,
                _ => return None,
            },
            Fragment::Masked => return None,
        };
        let mut unit = Unit {
            name,
            aliases,
            ..Unit::default()
        };
        for path in std::iter::once(fragment).chain(self.drop_ins(&unit.name)) {
            if let Some(file) = self.files.get(&path) {
                unit.entries.extend(
                    file.entries
                        .iter()
                        .map(|entry| (path.clone(), entry.clone())),
                );
            }
            unit.files.push(path);
        }
        Some(unit)
    }

    /// Drop-ins by file name: of one name the most specific directory's, and in it the strongest tier's, counts.
    fn drop_ins(&self, name: &str) -> Vec<MachinePath> {
        let mut chosen: BTreeMap<String, Option<MachinePath>> = BTreeMap::new();
        for directory in drop_in_directories(name) {
            for tier in &self.tiers {
                for entry in self.facts.tree.children(&tier.join(&directory)) {
                    let file = entry.path.name().into_owned();
                    if !file.ends_with(".conf") {
                        continue;
                    }
                    let masked = entry
                        .target
                        .as_deref()
                        .is_some_and(|target| target.ends_with(b"/dev/null"));
                    chosen
                        .entry(file)
                        .or_insert_with(|| (!masked).then(|| entry.path.clone()));
                }
            }
        }
        chosen.into_values().flatten().collect()
    }

    /// Names linked into `UNIT.wants` and `UNIT.requires` of every tier, with the link.
    pub fn links(&self, unit: &str) -> Vec<(String, MachinePath)> {
        let mut found = Vec::new();
        let template = template(unit).map(|(template, _)| template);
        for owner in std::iter::once(unit).chain(template.as_deref()) {
            for kind in ["wants", "requires"] {
                for tier in &self.tiers {
                    let directory = tier.join(format!("{owner}.{kind}"));
                    for entry in self.facts.tree.children(&directory) {
                        // A link to /dev/null masks the same link of a weaker tier.
                        let masked = entry
                            .target
                            .as_deref()
                            .is_some_and(|target| target.ends_with(b"/dev/null"));
                        if !masked {
                            found.push((entry.path.name().into_owned(), entry.path.clone()));
                        }
                    }
                }
            }
        }
        found
    }

    /// Names of all units of a kind in the search path, templates included, sorted.
    pub fn names(&self, suffix: &str) -> Vec<String> {
        let entries = self
            .tiers
            .iter()
            .flat_map(|tier| self.facts.tree.children(tier));
        let mut names: Vec<String> = entries
            .map(|entry| entry.path.name().into_owned())
            .filter(|name| name.ends_with(suffix))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// `a@b.service` → (`a@.service`, `b`).
pub fn template(name: &str) -> Option<(String, String)> {
    let (stem, rest) = name.split_once('@')?;
    let (instance, suffix) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| (format!("{stem}@.{suffix}"), instance.to_owned()))
}

/// `a-b@c.service` → itself, its template, its dash prefixes, its type; each with `.d`.
fn drop_in_directories(name: &str) -> Vec<String> {
    let mut found = vec![format!("{name}.d")];
    found.extend(template(name).map(|(template, _)| format!("{template}.d")));
    if let Some((stem, suffix)) = name.rsplit_once('.') {
        let stem = stem.split('@').next().unwrap_or(stem);
        let dashes: Vec<usize> = stem.match_indices('-').map(|(at, _)| at).collect();
        for at in dashes.into_iter().rev() {
            found.push(format!(
                "{}-.{suffix}.d",
                stem.get(..at).unwrap_or_default()
            ));
        }
        found.push(format!("{suffix}.d"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_taken_apart() {
        assert_eq!(
            template("a@b.service"),
            Some(("a@.service".into(), "b".into()))
        );
        assert_eq!(template("a@.service"), None);
        assert_eq!(template("a.service"), None);
        assert_eq!(
            drop_in_directories("a-b@c.service"),
            [
                "a-b@c.service.d",
                "a-b@.service.d",
                "a-.service.d",
                "service.d"
            ]
        );
    }
}
