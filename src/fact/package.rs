//! Packages and who owns which file.

use super::Evidence;
use crate::path::MachinePath;

/// A configuration file as its package recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conffile {
    pub path: MachinePath,
    /// Hexadecimal; its length tells MD5, SHA-1, SHA-256 and the others apart.
    pub digest: String,
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
    /// Files that it only names: whatever is in them was made on the machine, and no package brings it.
    pub ghosts: Vec<MachinePath>,
    /// Who made it, where the database says so.
    pub vendor: String,
    /// The module stream that it is of, as `name:stream`, where its distribution has such.
    pub module: String,
    /// When it was installed, in seconds of Unix time, where the database says so.
    pub installed: Option<i64>,
    pub evidence: Evidence,
}

impl Package {
    /// A package of which only the place in its database is known: readers add what that says.
    pub fn new(evidence: Evidence) -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            arch: String::new(),
            source: String::new(),
            section: String::new(),
            manual: false,
            held: false,
            essential: false,
            depends: Vec::new(),
            provides: Vec::new(),
            conffiles: Vec::new(),
            ghosts: Vec::new(),
            vendor: String::new(),
            module: String::new(),
            installed: None,
            evidence,
        }
    }

    /// What tells it from every other package of the machine: a kernel is installed in several versions, a library for
    /// several architectures. No database allows `=` in a name.
    pub fn identity(&self) -> String {
        format!("{}={}:{}", self.name, self.version, self.arch)
    }
}

/// Which package owns which path. Built once from the databases' file lists, paths canonical (a merged `/usr` resolved).
#[derive(Debug, Default)]
pub struct Ownership {
    /// Sorted by path; index into `Facts::packages`.
    owners: Vec<(MachinePath, u32)>,
    /// Sorted by path; digests as packages recorded them, of a path that two packages have as each did.
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
        recorded.dedup();
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

    /// Every digest that was recorded of a path.
    pub fn recorded(&self, path: &MachinePath) -> impl Iterator<Item = &str> {
        let from = self.recorded.partition_point(|(known, _)| known < path);
        let of = self.recorded.iter().skip(from);
        let of = of.take_while(move |(known, _)| known == path);
        of.map(|(_, digest)| digest.as_str())
    }

    /// Paths with a recorded digest, sorted.
    pub fn recorded_paths(&self) -> impl Iterator<Item = &MachinePath> {
        let mut last = None;
        let paths = self.recorded.iter().map(|(path, _)| path);
        paths.filter(move |path| last.replace(*path) != Some(*path))
    }

    pub fn owned(&self) -> impl Iterator<Item = (&MachinePath, usize)> {
        self.owners
            .iter()
            .map(|(path, index)| (path, usize::try_from(*index).unwrap_or(usize::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Facts, FileState};
    use std::collections::BTreeSet;

    #[test]
    fn a_file_of_two_packages_is_pristine_if_it_is_as_one_of_them_had_it() {
        let path = MachinePath::from("/etc/shared.conf");
        let recorded = ["a".repeat(32), "b".repeat(64)].map(|digest| (path.clone(), digest));
        let ownership = Ownership::new(
            vec![(path.clone(), 1), (path.clone(), 0)],
            recorded.to_vec(),
        );
        assert_eq!(ownership.recorded(&path).count(), 2);
        assert_eq!(ownership.recorded_paths().count(), 1);
        assert_eq!(ownership.recorded(&"/etc/shared".into()).count(), 0);
        let mut facts = Facts {
            ownership,
            ..Facts::default()
        };
        let mut state = |found: &[String]| {
            facts
                .digests
                .insert(path.clone(), found.iter().cloned().collect::<BTreeSet<_>>());
            facts.state(&path)
        };
        assert_eq!(
            state(&["c".repeat(32), "b".repeat(64)]),
            FileState::Pristine
        );
        assert_eq!(
            state(&["c".repeat(32), "c".repeat(64)]),
            FileState::Modified
        );
        // A digest of another kind says nothing.
        assert_eq!(state(&["c".repeat(40)]), FileState::Pristine);
    }
}
