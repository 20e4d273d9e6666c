//! Packages that every image of their kind has, where no database says it: `detectors/brought.toml`.

use crate::fact::Package;
use crate::walk::glob;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    /// As its reader calls itself.
    database: String,
    /// Shell patterns.
    names: Vec<String>,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        brought: Vec<Kind>,
    }
    let file: Result<File, _> = toml::from_str(include_str!("../../detectors/brought.toml"));
    file.map(|file| file.brought).unwrap_or_default()
});

/// Marks them.
pub(super) fn mark(packages: &mut [Package], database: Option<&str>) {
    let Some(kind) = KINDS.iter().find(|kind| Some(&*kind.database) == database) else {
        return;
    };
    for package in packages {
        let mut names = kind.names.iter();
        package.essential |= names.any(|name| glob::matches(name, &package.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Evidence;

    #[test]
    fn the_table_is_read_and_holds_nothing_that_applications_run() {
        let named = |name: &str| Package {
            name: name.into(),
            ..Package::new(Evidence::file(&"/x".into()))
        };
        let marked = |name: &str, database| {
            let mut all = [named(name)];
            mark(&mut all, database);
            all[0].essential
        };
        assert_eq!(KINDS.len(), 3);
        for (name, database) in [
            ("glibc", "rpm"),
            ("rocky-release", "rpm"),
            ("musl", "apk"),
            ("bash", "pacman"),
        ] {
            assert!(marked(name, Some(database)), "{name}");
            assert!(!marked(name, Some("dpkg")) && !marked(name, None), "{name}");
        }
        for kind in KINDS.iter() {
            for name in [
                "python3",
                "perl",
                "php",
                "nginx",
                "httpd",
                "openssh-server",
                "java-17-openjdk",
                "nodejs",
            ] {
                assert!(!marked(name, Some(&kind.database)), "{name}");
            }
        }
    }
}
