//! The machine as a plan looks at it: facts with the indexes that every workload's plan asks.

use crate::distribution::base::{Base, Scheduler};
use crate::distribution::closure::Installed;
use crate::distribution::origin::Origins;
use crate::distribution::scheduler;
use crate::fact::{Facts, SecretRef};
use crate::path::MachinePath;
use std::collections::{BTreeMap, BTreeSet};

/// Facts, the base they call for, and what is asked of them again and again.
pub(super) struct Place<'a> {
    pub facts: &'a Facts,
    pub base: &'a Base,
    /// Images are made of the machine's own files.
    pub lifts: bool,
    /// What runs jobs in an image.
    pub scheduler: Scheduler,
    pub installed: Installed<'a>,
    /// Where its packages came from.
    pub origins: Origins<'a>,
    /// Owned paths below /etc with the owner's index, sorted.
    pub owned_configuration: BTreeMap<&'a MachinePath, usize>,
    /// Files that hold a secret, links in their directories followed.
    pub secrets: BTreeMap<MachinePath, Vec<SecretRef>>,
}

/// Who brings files into an image.
pub(super) struct Brought<'a> {
    /// Names of packages.
    pub packages: BTreeSet<&'a str>,
    /// A base image, with what every one of its kind has.
    pub base: bool,
}

impl<'a> Place<'a> {
    pub(super) fn new(facts: &'a Facts, base: &'a Base) -> Self {
        let etc = MachinePath::from("/etc");
        let owned = facts.ownership.owned();
        let mut secrets: BTreeMap<MachinePath, Vec<SecretRef>> = BTreeMap::new();
        for secret in &facts.secrets {
            let path = facts.tree.resolve(&secret.evidence.path);
            let path = path.unwrap_or_else(|| secret.evidence.path.clone());
            secrets.entry(path).or_default().push(secret.clone());
        }
        Self {
            facts,
            base,
            lifts: false,
            scheduler: base.distribution.scheduler.clone(),
            installed: Installed::new(&facts.packages),
            origins: Origins::new(facts, base),
            owned_configuration: owned.filter(|(path, _)| path.is_within(&etc)).collect(),
            secrets,
        }
    }

    /// Images are made of what the machine has.
    pub(super) fn lift(&mut self) {
        self.lifts = true;
        if let Some(own) = scheduler::of(self.facts) {
            self.scheduler = own;
        }
    }

    /// Whether packages know something below a directory, the directory itself aside.
    pub(super) fn owns_below(&self, directory: &MachinePath) -> bool {
        let mut from = self
            .owned_configuration
            .range::<&MachinePath, _>(directory..);
        from.find(|(path, _)| **path != directory)
            .is_some_and(|(path, _)| self.after(directory, path))
    }

    /// Siblings such as `/etc/a-b` sort before `/etc/a/x`: the first name at or after `directory/` decides.
    fn after(&self, directory: &MachinePath, first: &MachinePath) -> bool {
        if first.is_within(directory) {
            return true;
        }
        let below = directory.join("\u{1}");
        let mut from = self.owned_configuration.range::<&MachinePath, _>(&below..);
        from.next()
            .is_some_and(|(path, _)| path.is_within(directory))
    }

    /// The name of the package that owns a path, where the image will have that package.
    pub(super) fn provided(&self, path: &MachinePath, brought: &Brought<'_>) -> bool {
        self.facts.owner(path).is_some_and(|owner| {
            (brought.base && owner.essential) || brought.packages.contains(owner.name.as_str())
        })
    }

    pub(super) fn uid_name(&self, uid: u32) -> Option<&'a str> {
        let user = self.facts.user_of(uid)?;
        Some(&user.name)
    }

    pub(super) fn gid_name(&self, gid: u32) -> Option<&'a str> {
        let group = self.facts.group_of(gid)?;
        Some(&group.name)
    }
}
