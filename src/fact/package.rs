//! Packages and who owns which file.

use super::Evidence;
use crate::path::MachinePath;

/// A configuration file as its package recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conffile {
    pub path: MachinePath,
    /// Hexadecimal MD5.
    pub md5: String,
}

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub arch: String,
    /// Source package.
    pub source: String,
    pub section: String,
    /// Asked for by an administrator, not pulled in as a dependency.
    pub manual: bool,
    /// Held back by an administrator.
    pub held: bool,
    /// Essential or of priority required: every base image has it.
    pub essential: bool,
    /// Depends and Pre-Depends: groups of alternatives, names only.
    pub depends: Vec<Vec<String>>,
    pub provides: Vec<String>,
    pub conffiles: Vec<Conffile>,
    pub evidence: Evidence,
}

/// Which package owns which path. Built once from the databases' file lists, paths canonical (a merged `/usr` resolved).
#[derive(Debug, Default)]
pub struct Ownership {
    /// Sorted by path; index into `Facts::packages`.
    owners: Vec<(MachinePath, u32)>,
    /// Sorted by path; MD5 as recorded by the package.
    recorded: Vec<(MachinePath, String)>,
}

impl Ownership {
    pub fn new(
        mut owners: Vec<(MachinePath, u32)>,
        mut recorded: Vec<(MachinePath, String)>,
    ) -> Self {
        owners.sort();
        owners.dedup_by(|a, b| a.0 == b.0);
        recorded.sort();
        recorded.dedup_by(|a, b| a.0 == b.0);
        Self { owners, recorded }
    }

    pub fn owner(&self, path: &MachinePath) -> Option<usize> {
        let at = self
            .owners
            .binary_search_by(|(owned, _)| owned.cmp(path))
            .ok()?;
        self.owners
            .get(at)
            .and_then(|(_, index)| usize::try_from(*index).ok())
    }

    pub fn recorded(&self, path: &MachinePath) -> Option<&str> {
        let at = self
            .recorded
            .binary_search_by(|(known, _)| known.cmp(path))
            .ok()?;
        self.recorded.get(at).map(|(_, md5)| md5.as_str())
    }

    /// Paths with a recorded digest, sorted.
    pub fn recorded_paths(&self) -> impl Iterator<Item = &MachinePath> {
        self.recorded.iter().map(|(path, _)| path)
    }

    pub fn owned(&self) -> impl Iterator<Item = (&MachinePath, usize)> {
        self.owners
            .iter()
            .map(|(path, index)| (path, usize::try_from(*index).unwrap_or(usize::MAX)))
    }
}
