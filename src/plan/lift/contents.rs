//! Which files of the disk a lifted image has, and in which layer.

use super::layers::{layers, shared};
use super::packages::{Asked, Disk, optional};
use super::table::TABLE;
use super::{LeftOut, Lift, LiftedPackage, Record};
use crate::disk::FileKind;
use crate::distribution::{family, machine};
use crate::fact::{Facts, FileState};
use crate::path::MachinePath;
use crate::plan::file::is_live;
use crate::plan::{Image, Plan, PlannedRemoval, locale};
use crate::product::Optional;
use crate::program::closure::Closure;
use crate::program::libraries::Programs;
use crate::walk::Entry;
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Entries<'a> = BTreeMap<&'a MachinePath, &'a Entry>;

/// Fills the layers of lifted plans; `programs` are those of all workloads. Nothing is done for others.
pub fn fill(plans: &mut [Plan], facts: &Facts, programs: &Programs) {
    if !plans.iter().any(|plan| plan.image.lift.is_some()) {
        return;
    }
    let disk = Files::new(facts, programs);
    let mut found: Vec<(&mut Plan, Lift, Entries<'_>)> = Vec::new();
    for plan in plans {
        let Some(mut lift) = plan.image.lift.take() else {
            continue;
        };
        let entries = disk.entries(plan, &mut lift);
        found.push((plan, lift, entries));
    }
    let shared = shared(found.iter().map(|(_, _, entries)| entries));
    for (plan, mut lift, entries) in found {
        let (image, schedule) = (&mut plan.image, &plan.schedule);
        layers(&mut lift, image, &entries, &shared, schedule, facts);
        image.lift = Some(lift);
    }
}

/// The machine's files as every lifted image looks at them.
struct Files<'a> {
    disk: Disk<'a>,
    facts: &'a Facts,
    closure: Closure<'a>,
    /// Files and links that packages' scripts made.
    made: Vec<&'a Entry>,
    secrets: BTreeSet<MachinePath>,
}

impl<'a> Files<'a> {
    fn new(facts: &'a Facts, programs: &'a Programs) -> Self {
        let made = facts.tree.entries().iter().filter(|entry| {
            facts.ownership.owner(&entry.path).is_none()
                && TABLE.is_made(&entry.path)
                && TABLE.class(&entry.path).is_none()
        });
        let secrets = facts.secrets.iter().map(|secret| {
            let path = &secret.evidence.path;
            facts.tree.resolve(path).unwrap_or_else(|| path.clone())
        });
        Self {
            disk: Disk::new(facts),
            facts,
            closure: Closure::new(facts, programs),
            made: made.collect(),
            secrets: secrets.collect(),
        }
    }

    /// Everything below the machine's own additions, which `image.entries` has.
    fn entries(&self, plan: &Plan, lift: &mut Lift) -> Entries<'a> {
        let image = &plan.image;
        let carried: BTreeSet<&MachinePath> = (image.entries.iter())
            .filter(|entry| !entry.is_dir())
            .chain(&plan.state.secret_entries)
            .map(|entry| &entry.path)
            .collect();
        let out = std::mem::take(&mut lift.out);
        let spare = std::mem::take(&mut lift.optional);
        let mut taking = Taking {
            disk: self,
            out: &out,
            optional: &spare,
            carried: &carried,
            entries: Entries::new(),
            left: BTreeMap::new(),
        };
        self.packages(plan, lift, &mut taking);
        taking.named(image);
        taking.made();
        for volume in &plan.state.volumes {
            taking.directory(&volume.path);
        }
        taking.removed(&plan.image.removals);
        taking.directories_of(lift);
        taking.above();
        lift.left_out = taking.left_out();
        let entries = taking.entries;
        lift.missing = self.missing(plan, &entries);
        lift.broken = self.broken(plan, &entries, &out);
        lift.out = out;
        lift.optional = spare;
        entries
    }

    /// The files of the chosen packages, and of those that what is in them turns out to load.
    fn packages(&self, plan: &Plan, lift: &mut Lift, taking: &mut Taking<'_, 'a>) {
        let is_left = |path: &MachinePath| optional(taking.optional, path).is_some();
        let loaded = self.closure.files_but(&plan.process.programs, is_left);
        let own = plan.image.entries.iter();
        let of_own: Vec<MachinePath> = own
            .flat_map(|entry| self.disk.loads(&entry.path).0)
            .collect();
        let all = loaded.iter().chain(&of_own);
        let mut chosen = std::mem::take(&mut lift.chosen);
        chosen.extend(self.disk.owners(all, lift.native));
        let none = BTreeSet::new();
        let asked = Asked {
            names: &none,
            run: &none,
            native: lift.native,
            optional: taking.optional,
        };
        lift.chosen = self.disk.settle(chosen, asked);
        for at in &lift.chosen {
            for path in self.disk.paths(*at) {
                taking.owned(path);
            }
        }
        let names = lift
            .chosen
            .iter()
            .filter_map(|at| self.facts.packages.get(*at));
        let packages = names.map(|package| LiftedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            arch: package.arch.clone(),
        });
        lift.packages = packages.collect();
        lift.packages.sort();
        lift.record = self.record();
        let family = family::of(self.facts);
        lift.architecture = machine::architecture(self.facts, family).unwrap_or_default();
    }

    /// What files of the image name and nothing on the machine answers to.
    fn missing(&self, plan: &Plan, entries: &Entries<'a>) -> Vec<(MachinePath, String)> {
        let own = plan.image.entries.iter().map(|entry| &entry.path);
        let all = entries.keys().copied().chain(own);
        let missing = all.flat_map(|path| {
            let (_, missing) = self.disk.loads(path);
            missing.into_iter().map(|name| (path.clone(), name))
        });
        missing.collect()
    }

    /// Links to what is on the machine and stays behind. What a start makes, or a volume holds, is there in time.
    fn broken(
        &self,
        plan: &Plan,
        entries: &Entries<'a>,
        out: &[MachinePath],
    ) -> Vec<(MachinePath, MachinePath)> {
        let tree = &self.facts.tree;
        let own: BTreeSet<&MachinePath> = (plan.image.entries.iter())
            .chain(&plan.state.secret_entries)
            .map(|entry| &entry.path)
            .collect();
        let all = entries.values().copied().chain(&plan.image.entries);
        let links = all.filter(|entry| entry.kind == FileKind::Symlink);
        let led = links.filter_map(|link| Some((link.path.clone(), tree.resolve(&link.path)?)));
        led.filter(|(_, real)| {
            let is_there = entries.contains_key(real) || own.contains(real);
            let is_later = is_live(real) || out.iter().any(|out| real.is_within(out));
            !is_there && !is_later && !TABLE.is_replaced(real)
        })
        .collect()
    }

    /// The record of packages, where scanners read the machine's.
    fn record(&self) -> Option<Record> {
        let database = self.facts.package_database.as_deref()?;
        let of = TABLE
            .records
            .iter()
            .filter(|record| record.database == database);
        let mut texts = of.filter_map(|record| {
            let path = MachinePath::new(record.file.as_ref()?);
            let entry = self.facts.tree.get(&path)?;
            let name = record.name.clone()?;
            Some(Record {
                path: entry.path.clone(),
                name,
            })
        });
        texts.next()
    }
}

/// Why a package's file stays behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// It is of a class of the table.
    Of(usize),
    /// Its product does without.
    Optional(usize),
}

/// One image's files while they are collected.
struct Taking<'t, 'a> {
    disk: &'t Files<'a>,
    out: &'t [MachinePath],
    optional: &'t [Optional],
    carried: &'t BTreeSet<&'t MachinePath>,
    entries: Entries<'a>,
    /// Names and bytes by class.
    left: BTreeMap<Class, (u64, u64)>,
}

impl<'a> Taking<'_, 'a> {
    /// A file of a package; its path where it was taken.
    fn owned(&mut self, path: &'a MachinePath) -> Option<&'a MachinePath> {
        let facts = self.disk.facts;
        let entry = facts.tree.entry(path)?;
        let optional = || optional(self.optional, path).map(Class::Optional);
        if let Some(class) = TABLE.class(path).map(Class::Of).or_else(optional) {
            if !entry.is_dir() {
                let (names, bytes) = self.left.entry(class).or_default();
                *names = names.saturating_add(1);
                *bytes = bytes.saturating_add(if entry.is_file() { entry.size } else { 0 });
            }
            return None;
        }
        self.one(entry).then_some(path)
    }

    /// Whether it was taken.
    fn one(&mut self, entry: &'a Entry) -> bool {
        let path = &entry.path;
        let is_kind = matches!(
            entry.kind,
            FileKind::File | FileKind::Directory | FileKind::Symlink
        );
        let is_out = self
            .out
            .iter()
            .any(|out| path.is_within(out) && (path != out || !entry.is_dir()));
        // A secret that a package brought is none.
        let is_secret = || {
            self.disk.secrets.contains(path) && self.disk.facts.state(path) != FileState::Pristine
        };
        let is_replaced = is_live(path) || TABLE.is_replaced(path) || self.carried.contains(path);
        if !is_kind || is_out || is_replaced || (entry.is_file() && is_secret()) {
            return false;
        }
        self.entries.insert(path, entry);
        true
    }

    /// What programs of any kind read, whoever made it.
    fn named(&mut self, image: &Image) {
        let has_locale = image.locale.as_deref().is_some_and(locale::is_made);
        let locales = TABLE
            .locales
            .iter()
            .filter(|_| has_locale || !image.locales.is_empty());
        for path in TABLE.carried.iter().chain(locales) {
            let path = MachinePath::new(path);
            self.with_target(&path);
            let Some(real) = self.disk.facts.tree.resolve(&path) else {
                continue;
            };
            for entry in self.disk.facts.tree.below(&real) {
                self.one(entry);
            }
        }
        for path in &TABLE.skeleton {
            self.directory(&MachinePath::new(path));
        }
    }

    /// Names that packages have and this image does not: what a scheduler of the machine did beside the workload's jobs.
    fn removed(&mut self, removals: &[PlannedRemoval]) {
        for removal in removals {
            let path = &removal.path;
            self.entries.retain(|own, _| {
                let is_gone = own.is_within(path) && (!removal.content || *own != path);
                !is_gone || self.carried.contains(own)
            });
        }
    }

    /// A directory, or a link in the place of one, by itself.
    fn directory(&mut self, path: &MachinePath) {
        let tree = &self.disk.facts.tree;
        let path = tree.canonical(path);
        if let Some(entry) = tree.entry(&path).filter(|entry| !entry.is_file()) {
            self.entries.insert(&entry.path, entry);
        }
    }

    /// A name, the links behind it, and what those lead to.
    fn with_target(&mut self, path: &MachinePath) {
        const MAX_LINKS: usize = 40;
        let tree = &self.disk.facts.tree;
        let mut path = tree.canonical(path);
        for _ in 0..MAX_LINKS {
            let Some(entry) = tree.entry(&path) else {
                return;
            };
            self.one(entry);
            let Some(target) = entry
                .target
                .as_deref()
                .filter(|_| entry.kind == FileKind::Symlink)
            else {
                return;
            };
            let parent = path.parent().unwrap_or_else(MachinePath::root);
            path = tree.canonical(&parent.join(target));
        }
    }

    /// What packages' scripts made of what is in the image: links to it, and files in its directories.
    fn made(&mut self) {
        let disk = self.disk;
        let links = |entry: &&&Entry| entry.kind == FileKind::Symlink;
        for entry in disk.made.iter().filter(|entry| !links(entry)) {
            let parent = entry.path.parent();
            if parent.is_some_and(|parent| self.entries.contains_key(&parent)) && !entry.is_dir() {
                self.one(entry);
            }
        }
        for entry in disk.made.iter().filter(links) {
            let real = disk.facts.tree.resolve(&entry.path);
            if real.is_some_and(|real| self.entries.contains_key(&real)) {
                self.one(entry);
            }
        }
    }

    /// The directories above all of it, as the machine has them.
    fn above(&mut self) {
        let tree = &self.disk.facts.tree;
        let mut found = BTreeSet::new();
        for path in self.entries.keys() {
            let mut up = path.parent();
            while let Some(dir) = up.filter(|dir| dir.as_bytes() != b"/" && !found.contains(dir)) {
                up = dir.parent();
                found.insert(dir);
            }
        }
        for path in found {
            if let Some(entry) = tree.entry(&path) {
                self.entries.entry(&entry.path).or_insert(entry);
            }
        }
    }

    /// The record of packages, where each has a directory of its own.
    fn directories_of(&mut self, lift: &Lift) {
        let facts = self.disk.facts;
        let database = facts.package_database.as_deref();
        let of = TABLE.records.iter();
        let of = of.filter(|record| Some(record.database.as_str()) == database);
        for directory in of.filter_map(|record| record.directory.as_ref()) {
            for package in &lift.packages {
                let path = MachinePath::new(directory);
                let path = path.join(format!("{}-{}", package.name, package.version));
                for entry in facts.tree.below(&path) {
                    self.one(entry);
                }
            }
        }
    }

    fn left_out(&self) -> Vec<LeftOut> {
        let left = self.left.iter().filter_map(|(class, (names, bytes))| {
            let class = match class {
                Class::Of(at) => &TABLE.classes.get(*at)?.name,
                Class::Optional(at) => &self.optional.get(*at)?.what,
            };
            Some(LeftOut {
                class: class.clone(),
                names: *names,
                bytes: *bytes,
            })
        });
        left.collect()
    }
}
