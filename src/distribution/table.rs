//! Tables of base images, as `detectors/base/` has them.

use super::family::Family;
use super::kin;
use crate::fact::OsRelease;
use crate::path::MachinePath;
use crate::walk::glob;
use serde::Deserialize;
use std::sync::LazyLock;

// Name below `detectors/` and text of each distribution.
include!(concat!(env!("OUT_DIR"), "/bases.rs"));

pub(super) static DISTRIBUTIONS: LazyLock<Vec<Distribution>> = LazyLock::new(|| {
    let parsed = BASES.iter().map(|(_, text)| toml::from_str(text));
    parsed.filter_map(Result::ok).collect()
});

/// One distribution's base images.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    pub id: String,
    /// Other names of it in os-release, whose releases and images are the same.
    #[serde(default)]
    pub(super) also: Vec<String>,
    /// Stands in where a machine's own is in no table.
    #[serde(default)]
    pub(super) fallback: bool,
    /// Highest number of the accounts that every machine and image agree on.
    pub static_accounts: u32,
    /// Patterns of paths that installing packages makes anew.
    pub generated: Vec<String>,
    /// Patterns of names that are never carried, with what is below them.
    pub never: Vec<String>,
    pub archive: OwnArchive,
    pub packages: Helpers,
    pub scheduler: Scheduler,
    pub activator: Activator,
    pub(super) release: Vec<Release>,
    #[serde(default)]
    pub(super) account: Vec<Account>,
    #[serde(default)]
    pub moving: Vec<Moving>,
}

/// The distribution's own archives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnArchive {
    /// As they call themselves.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Shell patterns of what its packages say of who made them; none where packages do not say it.
    #[serde(default)]
    pub vendors: Vec<String>,
    /// Shell patterns.
    pub hosts: Vec<String>,
    /// Shell patterns of addresses on them that are somebody else's.
    #[serde(default)]
    pub others: Vec<String>,
    /// Of others' archives, which move as they like: how many parts of a version stay. Where this is not said, as many as of its own.
    #[serde(default)]
    pub others_keep: Option<usize>,
    /// Shell patterns of the names of files of their keys.
    #[serde(default)]
    pub keyrings: Vec<String>,
    /// Where anybody reaches it.
    #[serde(default)]
    pub uri: String,
    /// What stands behind the code name in the names of suites.
    #[serde(default)]
    pub(super) suites: Vec<String>,
    /// Of those, what every image installs from.
    #[serde(default)]
    pub(super) base_suites: Vec<String>,
    /// Parts of a suite, or the archives themselves where they have names.
    #[serde(default)]
    pub components: Vec<String>,
    /// Of those, what every image installs from.
    #[serde(default)]
    pub base_components: Vec<String>,
}

/// Names of packages that an image may need beside the workload's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Helpers {
    /// `{language}` stands for each language that is needed; empty where the base has all there is.
    pub locales: String,
    pub timezones: String,
    /// Images have BusyBox's shell and tools, and no bash.
    #[serde(default)]
    pub busybox: bool,
    /// What entry points and the image's making call, and not every image of the distribution holds.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Directories that maintainer scripts link into and that the image leaves out.
    #[serde(default)]
    pub directories: Vec<String>,
}

/// What opens sockets and hands them over, where socket units did.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activator {
    pub package: String,
    /// systemd-socket-activate(1).
    pub program: String,
}

/// What runs scheduled jobs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduler {
    /// Empty where every image has it.
    pub package: String,
    pub command: Vec<String>,
    /// Directory of job tables; emptied first.
    pub tables: String,
    pub removals: Vec<String>,
    /// Where the output of jobs is handed over; empty where it goes to the scheduler's own.
    #[serde(default)]
    pub mailer: String,
    /// Its tables are named by users, and their lines name none.
    #[serde(default)]
    pub by_user: bool,
}

/// Its texts may hold `{version}`, `{major}`, `{minor}` and `{day}`, the day of the newest package.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    /// A shell pattern.
    pub(super) version: String,
    #[serde(default)]
    pub(super) codename: String,
    /// A pattern of PRETTY_NAME, where several share a version.
    #[serde(default)]
    pub(super) pretty: Option<String>,
    pub(super) image: String,
    /// Where its archive went when its time was over, as its installer is told it.
    #[serde(default)]
    pub(super) moved: Vec<String>,
    /// Archives of what the release's own no longer has, in the same way; they may not be there.
    #[serde(default)]
    pub(super) past: Vec<String>,
    /// How the image calls the installer, where it is not the usual name.
    #[serde(default)]
    pub(super) program: String,
    /// How an entry point becomes somebody else, where it is not by setpriv.
    #[serde(default)]
    pub(super) dropper: String,
    /// In the place of `[packages] locales`.
    #[serde(default)]
    pub(super) locales: Option<String>,
    /// Why nothing can be installed in it.
    #[serde(default)]
    pub(super) closed: Option<String>,
    /// What a person must know of the image.
    #[serde(default)]
    pub(super) note: Option<String>,
}

/// An account of the base image above the static ones.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) releases: Vec<String>,
}

/// A source package whose upstream version moves within a release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moving {
    /// Shell pattern.
    pub source: String,
    /// Parts of the version that stay; 0: any version.
    pub keep: usize,
}

impl Release {
    pub(super) fn is(&self, os: &OsRelease) -> bool {
        let pretty = self.pretty.as_ref();
        if !pretty.is_none_or(|pretty| glob::matches(pretty, &os.pretty_name)) {
            return false;
        }
        if self.version.is_empty() || os.version_id.is_empty() {
            // Testing and unstable name no version, only (at times) a code name.
            return os.version_id.is_empty()
                && (self.codename == os.codename || self.version == "*");
        }
        glob::matches(&self.version, &os.version_id)
    }
}

impl Distribution {
    pub(super) fn is(&self, id: &str) -> bool {
        self.id == id || self.also.iter().any(|other| other == id)
    }

    pub(super) fn family(&self) -> Option<&'static dyn Family> {
        kin::named(&self.id)?.installer()
    }

    pub fn is_generated(&self, path: &MachinePath) -> bool {
        let text = path.text();
        let mut patterns = self.generated.iter();
        patterns.any(|pattern| glob::matches_path(pattern, &text))
    }

    pub fn is_never_carried(&self, path: &MachinePath) -> bool {
        path.components().any(|name| self.is_never_named(name))
    }

    /// For whoever comes down a tree and has asked about the directories above.
    pub fn is_never_named(&self, name: &[u8]) -> bool {
        let name = String::from_utf8_lossy(name);
        let mut patterns = self.never.iter();
        patterns.any(|pattern| glob::matches(pattern, &name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_read() {
        for (_, text) in BASES {
            let table: Distribution = toml::from_str(text).unwrap();
            assert!(!table.release.is_empty());
            assert!(table.family().is_some(), "{}", table.id);
        }
        assert_eq!(DISTRIBUTIONS.len(), BASES.len());
    }
}
