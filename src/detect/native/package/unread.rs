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

/// The first file of each database that nothing read, with the database's name.
pub fn unread(facts: &Facts) -> Vec<(&'static str, MachinePath)> {
    let is_read = |name: &str| facts.package_database.as_deref() == Some(name);
    let unread = DATABASES.iter().filter(|database| !is_read(&database.name));
    let found = unread.filter_map(|database| Some((&*database.name, database.first(facts)?)));
    found.collect()
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
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&facts(Some("dpkg"))), ["pacman"]);
        assert_eq!(names(&facts(None)), ["dpkg", "pacman"]);
    }
}
