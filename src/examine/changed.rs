//! Packaged files outside /etc that somebody changed: a patched script, a replaced program. Pure.
//!
//! Hashing every packaged file would cost most of a scan. A package unpacks its files with the times of their making and
//! its database writes its record last, so a file that is not older than the record was changed since; only those are compared.

use crate::detect::Want;
use crate::detect::native::package;
use crate::fact::Facts;
use crate::path::MachinePath;
use std::collections::BTreeSet;

/// Files that are not older than the installation of their package.
pub struct Changed {
    pub files: BTreeSet<MachinePath>,
    /// The digests that their packages recorded.
    digests: Vec<Want>,
}

impl Changed {
    pub fn find(facts: &Facts) -> Self {
        let packages = facts.packages.iter();
        let installed: Vec<Option<i64>> = packages
            .map(|package| package::installed(package, &facts.tree))
            .collect();
        let mut files = BTreeSet::new();
        let mut owners = BTreeSet::new();
        for (path, owner) in facts.ownership.owned() {
            let Some(Some(installed)) = installed.get(owner) else {
                continue;
            };
            let younger = |entry: &crate::walk::Entry| entry.is_file() && entry.mtime >= *installed;
            if facts.tree.entry(path).is_some_and(younger) {
                files.insert(path.clone());
                owners.insert(owner);
            }
        }
        let owners = owners.iter().filter_map(|at| facts.packages.get(*at));
        Self {
            files,
            digests: package::digests(owners, &facts.tree),
        }
    }

    /// The digests that their packages recorded.
    pub fn wants(&self) -> impl Iterator<Item = Want> + use<'_> {
        self.digests.iter().cloned()
    }
}
