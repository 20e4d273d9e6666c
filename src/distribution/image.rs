//! Base images of releases that nobody here installs packages in: `detectors/images.toml`. A name made from the machine's id
//! would be an invention: half of those do not exist.

use crate::fact::OsRelease;
use crate::walk::glob;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    /// A pattern of PRETTY_NAME; any where it is absent.
    pretty: Option<String>,
    /// Patterns of versions; any where there are none.
    #[serde(default)]
    versions: Vec<String>,
    image: String,
}

static IMAGES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        image: Vec<Entry>,
    }
    let file: Result<File, _> = toml::from_str(include_str!("../../detectors/images.toml"));
    file.map(|file| file.image).unwrap_or_default()
});

/// The image of a release that is known to exist.
pub(super) fn image(os: &OsRelease) -> Option<String> {
    let found = IMAGES.iter().find(|image| image.is_of(os))?;
    let mut parts = os.version_id.split('.');
    let (major, minor) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let is_version = os
        .version_id
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '.');
    let named = found.image.replace("{version}", &os.version_id);
    let named = named.replace("{major}", major).replace("{minor}", minor);
    is_version.then_some(named)
}

impl Entry {
    fn is_of(&self, os: &OsRelease) -> bool {
        let versions = &self.versions;
        self.id == os.id
            && self
                .pretty
                .as_ref()
                .is_none_or(|pretty| glob::matches(pretty, &os.pretty_name))
            && (versions.is_empty() || versions.iter().any(|v| glob::matches(v, &os.version_id)))
            && (!os.version_id.is_empty() || !self.image.contains('{'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Evidence;

    #[test]
    fn releases_have_the_image_that_exists() {
        let named = |id: &str, version: &str, pretty: &str| {
            image(&OsRelease {
                id: id.into(),
                id_like: Vec::new(),
                version_id: version.into(),
                codename: String::new(),
                parent: String::new(),
                pretty_name: pretty.into(),
                evidence: Evidence::file(&"/etc/os-release".into()),
            })
        };
        for (id, version, pretty, expected) in [
            (
                "rocky",
                "8.9",
                "Rocky Linux 8.9",
                Some("docker.io/rockylinux/rockylinux:8"),
            ),
            (
                "alpine",
                "3.10.9",
                "Alpine Linux v3.10",
                Some("docker.io/library/alpine:3.10"),
            ),
            (
                "centos",
                "8",
                "CentOS Linux 8",
                Some("docker.io/library/centos:8"),
            ),
            (
                "centos",
                "8",
                "CentOS Stream 8",
                Some("quay.io/centos/centos:stream8"),
            ),
            ("centos", "9", "CentOS Linux 9", None),
            (
                "sles",
                "12.5",
                "SLES 12 SP5",
                Some("registry.suse.com/suse/sles12sp5:latest"),
            ),
            (
                "arch",
                "",
                "Arch Linux",
                Some("docker.io/library/archlinux:latest"),
            ),
            ("rocky", "", "Rocky Linux", None),
            ("rocky", "8;x", "Rocky Linux", None),
            ("odd", "1", "Odd", None),
        ] {
            assert_eq!(
                named(id, version, pretty).as_deref(),
                expected,
                "{id} {version}"
            );
        }
    }
}
