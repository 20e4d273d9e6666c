//! Environments that a launcher has its command run in: a directory with programs of its own, found by the directory of the
//! project, by a name, or where the launcher keeps all of them. Where each looks is data.

use super::launcher::Launcher;
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::words::budget::Budget;
use crate::words::expand;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Directories above the one that the command is run in which may be the project's.
const ABOVE: usize = 4;

/// What a launcher is run with.
pub(super) struct Asked<'a> {
    pub facts: &'a Facts,
    /// The launcher's own path, where it is known.
    pub program: Option<&'a MachinePath>,
    pub args: &'a [String],
    pub directory: Option<&'a MachinePath>,
    pub home: Option<&'a str>,
    pub variables: &'a BTreeMap<String, String>,
    pub budget: &'a Budget,
}

impl Asked<'_> {
    /// The environment's directory.
    pub(super) fn environment(&self, launcher: &Launcher) -> Option<MachinePath> {
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        let home = self.variables.get("HOME").map(String::as_str);
        if let Some(home) = home.or(self.home).filter(|home| home.starts_with('/')) {
            known.insert("home", home.to_owned());
        }
        // `/opt/conda/bin/conda` keeps what it has below /opt/conda.
        let prefix = self.program.and_then(MachinePath::parent);
        if let Some(prefix) = prefix.and_then(|bin| bin.parent()) {
            known.insert("prefix", prefix.text().into_owned());
        }
        for (name, flags) in &launcher.options {
            if let Some(value) = self.option(flags) {
                known.insert(name, value);
            }
        }
        let here = known.remove("directory").map(MachinePath::new);
        let here = here.as_ref().or(self.directory);
        let above = std::iter::successors(here.cloned(), MachinePath::parent);
        let projects: Vec<MachinePath> = above.take(ABOVE).collect();
        launcher.environments.iter().find_map(|pattern| {
            if !pattern.contains("{directory}") && !pattern.contains("{hash") {
                return self.there(&fill(pattern, &known)?);
            }
            projects.iter().find_map(|project| {
                let mut known = known.clone();
                let real = self.facts.tree.resolve(project)?;
                known.insert("directory", project.text().into_owned());
                known.insert("hash", hash(&real.text()));
                known.insert("hash:Pipfile", hash(&real.join("Pipfile").text()));
                self.there(&fill(pattern, &known)?)
            })
        })
    }

    /// The value of an option before the command.
    fn option(&self, flags: &[String]) -> Option<String> {
        let mut words = self.args.iter();
        while let Some(word) = words.next() {
            if flags.contains(word) {
                return words.next().cloned();
            }
            let assigned = word.split_once('=');
            if let Some((_, value)) = assigned.filter(|(flag, _)| flags.iter().any(|f| f == flag)) {
                return Some(value.to_owned());
            }
        }
        None
    }

    fn there(&self, pattern: &str) -> Option<MachinePath> {
        let pattern = expand::expand(pattern, self.variables, self.budget);
        if pattern.contains('$') || !pattern.starts_with('/') {
            return None;
        }
        let tree = &self.facts.tree;
        let is_one = |path: &MachinePath| tree.get(&path.join("bin")).is_some_and(Entry::is_dir);

        if crate::walk::glob::is_pattern(&pattern) {
            let mut found = tree.glob(&pattern).into_iter().map(|entry| &entry.path);
            found.find(|path| is_one(path)).cloned()
        } else {
            Some(MachinePath::new(&pattern)).filter(is_one)
        }
    }
}

/// The pattern with all of its names filled in; `None` where one is not known.
fn fill(pattern: &str, known: &BTreeMap<&str, String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((head, tail)) = rest.split_once('{') {
        out.push_str(head);
        // `${NAME}` is a variable of the process.
        if head.ends_with('$') {
            out.push('{');
            rest = tail;
            continue;
        }
        let (name, after) = tail.split_once('}')?;
        out.push_str(known.get(name)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// What Poetry and Pipenv put behind the name of an environment: the beginning of a digest of the project's place.
fn hash(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digest = Sha256::digest(text.as_bytes());
    let first = digest
        .iter()
        .take(6)
        .fold(0u64, |all, byte| (all << 8) | u64::from(*byte));
    let letter = |at: u32| {
        let index = usize::try_from((first >> (42 - 6 * at)) & 63).unwrap_or_default();
        LETTERS.get(index).map_or('A', |letter| char::from(*letter))
    };
    (0..8).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_tools() {
        // base64.urlsafe_b64encode(hashlib.sha256(b"/srv/shop").digest())[:8]
        assert_eq!(hash("/srv/shop"), "58fqC6Q1");
    }

    #[test]
    fn what_is_not_known_makes_no_pattern() {
        let known = BTreeMap::from([("home", "/h".to_owned())]);
        assert_eq!(fill("{home}/${W}/x", &known).as_deref(), Some("/h/${W}/x"));
        assert_eq!(fill("{home}/{name}", &known), None);
    }
}
