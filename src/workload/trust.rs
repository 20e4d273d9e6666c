//! Authorities that the machine trusts beyond its distribution's: whoever connects to their servers needs them, and the
//! stores that are made of them.

use crate::fact::Facts;
use crate::path::MachinePath;
use crate::program::Program;
use crate::walk::glob;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    trust: Vec<Trust>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trust {
    anchors: Vec<String>,
    stores: Vec<String>,
    #[serde(default)]
    programs: Vec<String>,
}

static TRUST: LazyLock<Vec<Trust>> = LazyLock::new(|| {
    let file: Result<File, _> = toml::from_str(include_str!("../../detectors/trust.toml"));
    file.map(|file| file.trust).unwrap_or_default()
});

/// Where links to authorities stand, named after what is in them.
const LINKS: &str = "/etc/ssl/certs";

/// Authorities, links to them, and stores; nothing where no authority was added.
pub(super) fn files(facts: &Facts, program: &Program) -> BTreeSet<MachinePath> {
    let mut found = BTreeSet::new();
    for trust in TRUST.iter() {
        let anchors = of_hand(facts, &trust.anchors);
        let reads = trust.programs.is_empty() || trust.programs.iter().any(|name| program.is(name));
        if anchors.is_empty() || !reads {
            continue;
        }
        let stores = trust.stores.iter().flat_map(|store| facts.tree.find(store));
        let stores = stores.map(|store| store.named.clone());
        found.extend(stores.filter(|path| {
            let entry = facts.tree.entry(path);
            entry.is_some_and(|entry| !entry.is_dir())
        }));
        found.extend(links(facts, &anchors));
        found.extend(anchors);
    }
    found
}

/// Certificates that no package put there.
fn of_hand(facts: &Facts, patterns: &[String]) -> BTreeSet<MachinePath> {
    let entries = patterns.iter().flat_map(|pattern| facts.tree.glob(pattern));
    let files = entries.filter(|entry| entry.is_file() && facts.owner(&entry.path).is_none());
    files.map(|entry| entry.path.clone()).collect()
}

/// All authorities that no package put on the machine.
pub fn authorities(facts: &Facts) -> BTreeSet<MachinePath> {
    let all = TRUST.iter();
    all.flat_map(|trust| of_hand(facts, &trust.anchors))
        .collect()
}

/// Whether a file is where machines keep authorities, or what is made of them.
pub fn is_authority(path: &MachinePath) -> bool {
    let text = path.text();
    let mut patterns = TRUST
        .iter()
        .flat_map(|trust| trust.anchors.iter().chain(&trust.stores));
    patterns.any(|pattern| glob::matches_path(pattern, &text))
        || path.is_within(&MachinePath::new(LINKS))
}

/// Links by which programs find an authority, and links to these.
fn links(facts: &Facts, anchors: &BTreeSet<MachinePath>) -> Vec<MachinePath> {
    let entries = facts.tree.below(&MachinePath::new(LINKS));
    let links = entries.filter(|entry| entry.target.is_some());
    let leads = |path: &MachinePath| {
        let real = facts.tree.resolve(path);
        real.is_some_and(|real| anchors.contains(&real))
    };
    let links = links.map(|entry| entry.path.clone());
    links.filter(leads).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        assert!(TRUST.iter().any(|trust| trust.programs.is_empty()));
    }
}
