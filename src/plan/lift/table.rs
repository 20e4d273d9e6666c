//! What stays behind and what comes along when files are lifted: `detectors/lift.toml`.

use crate::fact::Facts;
use crate::path::MachinePath;
use crate::walk::glob;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    tooling: Vec<String>,
    always: Vec<String>,
    pub carried: Vec<String>,
    made: Vec<String>,
    unmade: Vec<String>,
    pub locales: Vec<String>,
    pub skeleton: Vec<String>,
    accounts: Vec<String>,
    engine: Vec<String>,
    #[serde(rename = "class")]
    pub classes: Vec<Class>,
    #[serde(rename = "record")]
    pub records: Vec<Kept>,
}

/// Files of packages that an image leaves out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Class {
    pub name: String,
    paths: Vec<String>,
    #[serde(default)]
    keep: Vec<String>,
}

/// A record of packages that scanners read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub database: String,
    pub file: Option<String>,
    pub name: Option<String>,
    pub directory: Option<String>,
}

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../detectors/lift.toml")).unwrap_or_default()
});

fn any(patterns: &[String], path: &str) -> bool {
    let mut patterns = patterns.iter();
    patterns.any(|pattern| glob::matches_path(pattern, path))
}

impl Table {
    /// Whether only installing, or a whole machine, needs the package.
    pub(super) fn is_tooling(&self, package: &str) -> bool {
        let mut names = self.tooling.iter();
        names.any(|pattern| glob::matches(pattern, package))
    }

    pub(super) fn is_always(&self, package: &str) -> bool {
        let mut names = self.always.iter();
        names.any(|pattern| glob::matches(pattern, package))
    }

    /// Whether scripts of packages make such a file from what they brought.
    pub(super) fn is_made(&self, path: &MachinePath) -> bool {
        let path = path.text();
        any(&self.made, &path) && !any(&self.unmade, &path)
    }

    /// Written anew, or by the engine.
    pub(super) fn is_replaced(&self, path: &MachinePath) -> bool {
        let path = path.text();
        let mut all = self.accounts.iter().chain(&self.engine);
        all.any(|own| **own == *path)
    }

    /// Whether the machine's record of packages has a directory for each.
    pub(super) fn has_directories(&self, facts: &Facts) -> bool {
        let database = facts.package_database.as_deref();
        let mut records = self.records.iter();
        records.any(|record| record.directory.is_some() && Some(&*record.database) == database)
    }

    /// The class that a package's file stays behind with.
    pub(super) fn class(&self, path: &MachinePath) -> Option<usize> {
        let path = path.text();
        let mut classes = self.classes.iter();
        classes.position(|class| any(&class.paths, &path) && !any(&class.keep, &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let table: Result<Table, _> = toml::from_str(include_str!("../../../detectors/lift.toml"));
        let table = table.unwrap_or_else(|error| panic!("{error}"));
        assert!(table.is_tooling("openssh-openrc") && !table.is_tooling("openssl"));
        let class = |path: &str| {
            let class = table.class(&path.into())?;
            table.classes.get(class).map(|class| class.name.as_str())
        };
        assert_eq!(class("/usr/share/doc/x/README.gz"), Some("documentation"));
        assert_eq!(class("/usr/share/doc/x/copyright"), None);
        assert_eq!(
            class("/usr/lib/x86_64-linux-gnu/libz.a"),
            Some("static libraries")
        );
        assert_eq!(class("/usr/lib/x86_64-linux-gnu/libz.so.1"), None);
        assert_eq!(class("/usr/lib/systemd/libsystemd-shared-252.so"), None);
    }
}
