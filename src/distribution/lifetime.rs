//! How long releases are supported: `detectors/lifetime/`, one distribution a file, each with the day it was read.

use crate::fact::OsRelease;
use crate::walk::glob;
use serde::Deserialize;
use std::sync::LazyLock;

// Name below `detectors/` and text of each distribution.
include!(concat!(env!("OUT_DIR"), "/lifetimes.rs"));

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifetime {
    id: String,
    /// The distribution whose id and versions it shares, and the pattern of PRETTY_NAME that tells them apart.
    of: Option<String>,
    pretty: Option<String>,
    /// The day a release is judged on.
    as_of: String,
    release: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    version: String,
    /// ISO 8601 date, so that text order is time's order.
    end: String,
}

static TABLE: LazyLock<Result<Vec<Lifetime>, String>> = LazyLock::new(|| {
    let read = |(name, text): &(&str, &str)| {
        toml::from_str(text).map_err(|error: toml::de::Error| format!("{name}: {error}"))
    };
    LIFETIMES.iter().map(read).collect()
});

fn lifetime(id: &str) -> Option<&'static Lifetime> {
    let table = TABLE.as_ref().ok()?;
    table.iter().find(|lifetime| lifetime.id == id)
}

/// The last day of support of a release; `None` where it is unknown.
pub fn end_of_life(os: &OsRelease) -> Option<&'static str> {
    end_of_life_of(id(os), &os.version_id)
}

/// The same, where it is past.
pub fn is_past(os: &OsRelease) -> Option<&'static str> {
    ended(id(os), &os.version_id)
}

/// Under which id a release stands in the table.
fn id(os: &OsRelease) -> &str {
    let table = TABLE.as_ref().map(Vec::as_slice).unwrap_or_default();
    let is_apart = |lifetime: &&Lifetime| {
        let pretty = lifetime.pretty.as_deref();
        lifetime.of.as_ref() == Some(&os.id)
            && pretty.is_some_and(|pretty| glob::matches(pretty, &os.pretty_name))
    };
    let apart = table.iter().find(is_apart);
    apart.map_or(&os.id, |lifetime| &lifetime.id)
}

/// The same by id and version as os-release(5) has them.
pub fn end_of_life_of(id: &str, version: &str) -> Option<&'static str> {
    let releases = &lifetime(id)?.release;
    let mut versions = std::iter::successors(Some(version), shorter);
    let release = versions.find_map(|version| releases.iter().find(|r| r.version == version));
    release.map(|release| release.end.as_str())
}

/// `3.10.9` is of 3.10, and `8.9` of 8.
fn shorter<'v>(version: &&'v str) -> Option<&'v str> {
    version.rsplit_once('.').map(|(shorter, _)| shorter)
}

/// The last day of support, where it is past.
pub fn ended(id: &str, version: &str) -> Option<&'static str> {
    let as_of = lifetime(id)?.as_of.as_str();
    end_of_life_of(id, version).filter(|end| *end < as_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_end_when_their_own_long_term_support_does() {
        TABLE.as_ref().expect("detectors/lifetime/*.toml parse");
        assert!(ended("debian", "10").is_some());
        assert!(ended("debian", "12").is_none());
        assert!(
            ended("rocky", "8.9").is_none(),
            "the major release stands in the table"
        );
        assert!(ended("centos", "7").is_some());
        assert!(ended("nobody", "1").is_none());
        assert_eq!(end_of_life_of("alpine", "3.10.9"), Some("2021-05-01"));
    }
}
