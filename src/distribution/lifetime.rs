//! How long releases are supported: `detectors/end-of-life.toml`, with the day it was read.

use crate::fact::OsRelease;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    as_of: String,
    release: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    id: String,
    version: String,
    /// ISO 8601 date, so that text order is time's order.
    end: String,
}

static TABLE: LazyLock<Result<Table, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/end-of-life.toml"))
        .map_err(|error| error.to_string())
});

/// The last day of support of a release; `None` where it is unknown.
pub fn end_of_life(os: &OsRelease) -> Option<&'static str> {
    end_of_life_of(&os.id, &os.version_id)
}

/// The same by id and version as os-release(5) has them.
pub fn end_of_life_of(id: &str, version: &str) -> Option<&'static str> {
    let table = TABLE.as_ref().ok()?;
    let major = version.split('.').next().unwrap_or_default();
    let of = |version: &str| {
        table
            .release
            .iter()
            .find(|r| r.id == id && r.version == version)
    };
    of(version)
        .or_else(|| of(major))
        .map(|release| release.end.as_str())
}

/// The last day of support, where it is past.
pub fn ended(id: &str, version: &str) -> Option<&'static str> {
    let as_of = TABLE.as_ref().ok()?.as_of.as_str();
    end_of_life_of(id, version).filter(|end| *end < as_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_end_when_their_own_long_term_support_does() {
        TABLE.as_ref().expect("detectors/end-of-life.toml parses");
        assert!(ended("debian", "10").is_some());
        assert!(ended("debian", "12").is_none());
        assert!(
            ended("rocky", "8.9").is_none(),
            "the major release stands in the table"
        );
        assert!(ended("centos", "7").is_some());
        assert!(ended("nobody", "1").is_none());
    }
}
