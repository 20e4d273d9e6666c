//! Packaged files outside /etc that somebody changed: a patched script, a replaced program. Pure.
//!
//! Hashing every packaged file would cost most of a scan. A package unpacks its files with the times of their making and
//! writes its own file list last, so a file that is not older than the list was changed since; only those are compared.

use crate::detect::native::Digests;
use crate::detect::{Purpose, Want};
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::walk::literal;
use std::collections::BTreeSet;

/// Files that are not older than the installation of their package.
pub struct Changed {
    pub files: BTreeSet<MachinePath>,
    /// The packages' lists of digests, without their ending.
    lists: BTreeSet<MachinePath>,
}

impl Changed {
    pub fn find(facts: &Facts) -> Self {
        let lists: Vec<Option<(MachinePath, i64)>> = facts
            .packages
            .iter()
            .map(|package| {
                let names = [
                    package.name.clone(),
                    format!("{}:{}", package.name, package.arch),
                ];
                names.iter().find_map(|name| {
                    let base = format!("/var/lib/dpkg/info/{name}");
                    let list = MachinePath::new(format!("{base}.list").as_str());
                    let entry = facts.tree.get(&list)?;
                    Some((MachinePath::new(base.as_str()), entry.mtime))
                })
            })
            .collect();
        let mut found = Self {
            files: BTreeSet::new(),
            lists: BTreeSet::new(),
        };
        for (path, owner) in facts.ownership.owned() {
            let Some(Some((base, installed))) = lists.get(owner) else {
                continue;
            };
            let younger = |entry: &crate::walk::Entry| entry.is_file() && entry.mtime >= *installed;
            if facts.tree.entry(path).is_some_and(younger) {
                found.files.insert(path.clone());
                found.lists.insert(base.clone());
            }
        }
        found
    }

    /// The digests that their packages recorded.
    pub fn wants(&self) -> impl Iterator<Item = Want> + use<'_> {
        self.lists.iter().map(|base| Want {
            pattern: format!("{}.md5sums", literal(base)),
            purpose: Purpose {
                detector: Digests::ID.into(),
                context: Digests::ALL.to_owned(),
            },
        })
    }
}
