//! Which distributions belong together: by the names that os-release(5) has. Data under `detectors/family/`.

use super::family::{self, Family};
use crate::fact::OsRelease;
use serde::Deserialize;
use std::sync::LazyLock;

// Name below `detectors/` and text of each family.
include!(concat!(env!("OUT_DIR"), "/families.rs"));

/// Distributions that are made from one another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kin {
    pub id: String,
    /// Names of releases, their own or of what they are like.
    names: Vec<String>,
    /// Who installs their packages: a file of `src/distribution/family`. Absent where this version has none.
    installer: Option<String>,
    /// Files whose variables every session gets, those of scheduled jobs too.
    #[serde(default)]
    pub session_environment: Vec<String>,
}

static KINS: LazyLock<Vec<Kin>> = LazyLock::new(|| {
    let parsed = FAMILIES.iter().map(|(_, text)| toml::from_str(text));
    parsed.filter_map(Result::ok).collect()
});

impl Kin {
    pub fn installer(&self) -> Option<&'static dyn Family> {
        family::named(self.installer.as_deref()?)
    }
}

/// The kin of a release: by its own name before those it says it is like.
pub fn of(os: &OsRelease) -> Option<&'static Kin> {
    let mut names = std::iter::once(&os.id).chain(&os.id_like);
    names.find_map(|name| named(name))
}

/// The kin that a distribution belongs to.
pub(super) fn named(name: &str) -> Option<&'static Kin> {
    let mut all = KINS.iter();
    all.find(|kin| kin.names.iter().any(|own| own == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_table_is_read_and_names_an_installer_that_is_there() {
        let mut names = BTreeSet::new();
        for (file, text) in FAMILIES {
            let kin: Kin = toml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(kin.installer.is_some(), kin.installer().is_some(), "{file}");
            for name in kin.names {
                assert!(
                    names.insert(name.clone()),
                    "{file}: {name} is in two families"
                );
            }
        }
        for family in family::FAMILIES {
            let id = Some(family.id());
            assert!(
                KINS.iter().any(|kin| kin.installer.as_deref() == id),
                "{id:?} installs for nobody"
            );
        }
    }
}
