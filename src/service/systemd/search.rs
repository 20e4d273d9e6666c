//! The unit search path: which file stands behind a name (systemd.unit(5), "Unit File Load Path").

use super::defaults;
use super::owner::Owner;
use super::unit::{Unit, is_alias, is_template, is_valid, template};
use crate::disk::FileKind;
use crate::fact::{Facts, UnitEntry, UnitFile};
use crate::path::MachinePath;
use crate::walk::Entry;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// The search path of one manager.
pub struct UnitPath<'a> {
    pub(super) facts: &'a Facts,
    pub(super) owner: Arc<Owner>,
    files: BTreeMap<&'a MachinePath, &'a UnitFile>,
    /// Tiers that exist, links resolved, doubles dropped (`/lib` is `/usr/lib` on most machines).
    pub(super) tiers: Vec<MachinePath>,
    /// Names of the directories in all tiers: most that are asked for are nowhere.
    directories: HashSet<&'a [u8]>,
    /// What each unit is also called, templates by their own names.
    aliases: BTreeMap<String, Vec<String>>,
    /// What the manager gives every service.
    defaults: Vec<(MachinePath, UnitEntry)>,
}

/// What stands in the search path under a name.
enum Fragment {
    Masked,
    Alias(String),
    File(MachinePath),
}

/// Assignments of one unit, drop-ins included.
const MOST_ENTRIES: usize = 4_096;

/// Aliases of aliases end soon, or they are a loop.
const MOST_ALIASES: usize = 8;

impl<'a> UnitPath<'a> {
    pub fn new(facts: &'a Facts, owner: Owner) -> Self {
        let mut tiers: Vec<MachinePath> = Vec::new();
        for tier in &owner.tiers {
            let real = facts.tree.resolve(tier);
            if let Some(dir) = real.filter(|dir| !tiers.contains(dir)) {
                tiers.push(dir);
            }
        }
        let entries = tiers.iter().flat_map(|tier| facts.tree.children(tier));
        let directories =
            entries.filter(|entry| facts.tree.get(&entry.path).is_some_and(Entry::is_dir));
        let mut path = Self {
            directories: directories.map(|entry| entry.path.file_name()).collect(),
            facts,
            owner: Arc::new(owner),
            files: facts.units.iter().map(|unit| (&unit.path, unit)).collect(),
            tiers,
            aliases: BTreeMap::new(),
            defaults: defaults::of(facts),
        };
        let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in path.names("") {
            if let Some((target, _)) = path.follow(&name).filter(|(target, _)| *target != name) {
                aliases.entry(target).or_default().push(name);
            }
        }
        path.aliases = aliases;
        path
    }

    /// Loads a unit; `None` where the search path has none of that name, or a template is asked for.
    pub fn load(&self, name: &str) -> Option<Unit> {
        if !is_valid(name) || is_template(name) {
            return None;
        }
        let (name, fragment) = self.follow(name)?;
        let mut unit = Unit {
            aliases: self.aliases(&name),
            name,
            owner: Arc::clone(&self.owner),
            ..Unit::default()
        };
        let Some(fragment) = fragment else {
            unit.masked = true;
            return Some(unit);
        };
        if unit.name.ends_with(".service") {
            unit.entries.clone_from(&self.defaults);
        }
        for path in std::iter::once(fragment).chain(self.drop_ins(&unit)) {
            if let Some(file) = self.files.get(&path) {
                let room = MOST_ENTRIES.saturating_sub(unit.entries.len());
                unit.is_cut |= file.entries.len() > room;
                let entries = file.entries.iter().take(room);
                unit.entries
                    .extend(entries.map(|entry| (path.clone(), entry.clone())));
            }
            unit.files.push(path);
        }
        Some(unit)
    }

    /// The name behind an alias with its fragment; no fragment where it is masked.
    fn follow(&self, name: &str) -> Option<(String, Option<MachinePath>)> {
        let mut name = name.to_owned();
        for _ in 0..MOST_ALIASES {
            let own = self.fragment(&name);
            let found = own.or_else(|| match self.fragment(&template(&name)?.0)? {
                // An instance of an alias is an instance of what it is an alias of.
                Fragment::Alias(target) => {
                    let (_, instance) = template(&name)?;
                    let (stem, suffix) = target.split_once("@.")?;
                    Some(Fragment::Alias(format!("{stem}@{instance}.{suffix}")))
                }
                other => Some(other),
            });
            match found? {
                Fragment::Masked => return Some((name, None)),
                Fragment::File(path) => return Some((name, Some(path))),
                // `foo@bar.service` may be a link to the template `foo@.service`: the instance stays.
                Fragment::Alias(target) if template(&name).is_some_and(|(t, _)| t == target) => {
                    return match self.fragment(&target)? {
                        Fragment::File(path) => Some((name, Some(path))),
                        Fragment::Masked => Some((name, None)),
                        Fragment::Alias(_) => None,
                    };
                }
                Fragment::Alias(target) => name = target,
            }
        }
        None
    }

    /// Entries of the directories of a name in all tiers.
    pub(super) fn below(&self, tier: &MachinePath, directory: &str) -> Vec<&'a Entry> {
        if self.directories.contains(directory.as_bytes()) {
            self.facts.tree.children(&tier.join(directory))
        } else {
            Vec::new()
        }
    }

    /// What the strongest tier that knows a name has under it.
    fn fragment(&self, name: &str) -> Option<Fragment> {
        self.tiers.iter().find_map(|tier| {
            let entry = self.facts.tree.entry(&tier.join(name))?;
            self.fragment_in(tier, name, entry)
        })
    }

    fn fragment_in(&self, tier: &MachinePath, name: &str, entry: &Entry) -> Option<Fragment> {
        if entry.is_dir() {
            return None;
        }
        if is_mask(entry) {
            return Some(Fragment::Masked);
        }
        let file = Fragment::File(entry.path.clone());
        let Some(target) = &entry.target else {
            return Some(file);
        };
        let target = self.facts.tree.canonical(&tier.join(target));
        let inside = target.parent().is_some_and(|dir| self.tiers.contains(&dir));
        let other = target.name().into_owned();
        // A link that leads out of the search path brings a file in under the link's own name.
        if !inside || other == name {
            return self.facts.tree.resolve(&target).map(|_| file);
        }
        is_alias(name, &other).then_some(Fragment::Alias(other))
    }

    /// What else a unit is called; for an instance also the instances of its template's aliases.
    fn aliases(&self, name: &str) -> Vec<String> {
        let mut found = self.aliases.get(name).cloned().unwrap_or_default();
        if let Some((template, instance)) = template(name) {
            let others = self.aliases.get(&template).into_iter().flatten();
            found.extend(others.filter_map(|other| {
                let (stem, suffix) = other.split_once("@.")?;
                Some(format!("{stem}@{instance}.{suffix}"))
            }));
        }
        found.retain(|alias| alias != name);
        found.sort();
        found.dedup();
        found
    }

    /// Names of all units of a kind in the search path, templates included, sorted.
    pub fn names(&self, suffix: &str) -> Vec<String> {
        let entries = self
            .tiers
            .iter()
            .flat_map(|tier| self.facts.tree.children(tier))
            .filter(|entry| matches!(entry.kind, FileKind::File | FileKind::Symlink));
        let mut names: Vec<String> = entries
            .map(|entry| entry.path.name().into_owned())
            .filter(|name| name.ends_with(suffix) && is_valid(name))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// A link to /dev/null, or an empty file.
pub(super) fn is_mask(entry: &Entry) -> bool {
    match &entry.target {
        Some(target) => MachinePath::new(target).as_bytes() == b"/dev/null",
        None => entry.is_file() && entry.size == 0,
    }
}
