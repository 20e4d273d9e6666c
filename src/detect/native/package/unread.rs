//! Package databases that are on the disk and that nothing read: of another kind than this version knows, or damaged.

use crate::fact::Facts;
use crate::path::MachinePath;
use crate::walk::glob;
use serde::Deserialize;
use std::sync::LazyLock;

/// One kind of database.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    /// What its reader calls itself.
    name: String,
    /// Path patterns of the files it is kept in.
    files: Vec<String>,
}

static DATABASES: LazyLock<Vec<Database>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        database: Vec<Database>,
    }
    let file: Result<File, _> = toml::from_str(include_str!("../../../../detectors/packages.toml"));
    file.map(|file| file.database).unwrap_or_default()
});

/// A database that is there and was not read, or not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    pub name: &'static str,
    pub path: MachinePath,
    /// Some of it was read.
    pub is_damaged: bool,
}

/// The first file of each database that nothing read, or that is damaged. One without packages counts as read where
/// another has some: a tool for another distribution's packages makes its own when it is installed.
pub fn unread(facts: &Facts) -> Vec<Unread> {
    let is_read = |name: &str| {
        let first = facts.package_database.as_deref();
        first == Some(name) || first.is_some() && facts.read_databases.contains(name)
    };
    let damaged = |name: &str| {
        let empty = facts.empty_databases.iter();
        let empty = empty.filter(|_| facts.package_database.is_none());
        let mut damaged = facts.damaged_databases.iter().chain(empty);
        damaged
            .find(|(own, _)| *own == name)
            .map(|(_, path)| path.clone())
    };
    let of = DATABASES.iter().filter_map(|database| {
        let name = &*database.name;
        let path = match damaged(name) {
            Some(path) => path,
            None if is_read(name) => return None,
            None => database.first(facts)?,
        };
        let is_damaged = is_read(name);
        Some(Unread {
            name,
            path,
            is_damaged,
        })
    });
    of.collect()
}

impl Database {
    fn first(&self, facts: &Facts) -> Option<MachinePath> {
        self.files.iter().find_map(|pattern| {
            if !glob::is_pattern(pattern) {
                let entry = facts.tree.get(&MachinePath::new(pattern));
                let entry = entry.filter(|entry| entry.is_file() && entry.size > 0);
                return entry.map(|entry| entry.path.clone());
            }
            let fixed = pattern.split('*').next().unwrap_or_default();
            let below = MachinePath::new(fixed.rsplit_once('/').map_or("/", |(above, _)| above));
            let mut below = facts.tree.below(&below);
            let found = below.find(|entry| {
                entry.is_file() && entry.size > 0 && glob::matches_path(pattern, &entry.path.text())
            });
            found.map(|entry| entry.path.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{Entry, Tree};

    #[test]
    fn what_is_there_and_was_not_read_is_named() {
        let file = |path: &str| Entry {
            size: 1,
            ..Entry::file(&path.into(), 0o644)
        };
        let facts = |read: Option<&str>| Facts {
            tree: Tree::new(vec![
                file("/var/lib/dpkg/status"),
                file("/var/lib/pacman/local/a-1/desc"),
                Entry::file(&"/var/lib/rpm/rpmdb.sqlite".into(), 0o644),
            ]),
            package_database: read.map(str::to_owned),
            ..Facts::default()
        };
        let names = |facts: &Facts| {
            unread(facts)
                .into_iter()
                .map(|unread| unread.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&facts(Some("dpkg"))), ["pacman"]);
        assert_eq!(names(&facts(None)), ["dpkg", "pacman"]);
    }

    #[test]
    fn one_that_is_damaged_is_named_and_one_without_packages_beside_another_is_not() {
        let path = MachinePath::from("/var/lib/dpkg/status");
        let mut facts = Facts {
            tree: Tree::new(vec![Entry {
                size: 1,
                ..Entry::file(&path, 0o644)
            }]),
            read_databases: ["dpkg", "rpm"].into_iter().collect(),
            ..Facts::default()
        };
        // It has no packages, and no other has: that is no machine's whole truth.
        assert_eq!(unread(&facts).len(), 1);
        facts.empty_databases.insert(("dpkg", path.clone()));
        assert_eq!(unread(&facts).len(), 1);
        facts.package_database = Some("rpm".to_owned());
        assert!(unread(&facts).is_empty());
        facts.damaged_databases.insert(("dpkg", path.clone()));
        let told = Unread {
            name: "dpkg",
            path,
            is_damaged: true,
        };
        assert_eq!(unread(&facts), [told]);
    }
}
