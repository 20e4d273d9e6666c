//! Volumes: state that outlives the container, and directories of sockets that a pod's members share.

use super::file::is_live;
use super::names::{slug, unique};
use super::place::Place;
use crate::fact::Evidence;
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::workload::{self, Workload, claims};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A named volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedVolume {
    /// Unique in OUT: `postgresql-15-main-data`.
    pub name: String,
    pub path: MachinePath,
    pub bytes: u64,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub why: String,
    /// Holds the machine's data (written by `--with-data`), or is only shared or scratch.
    pub carries_data: bool,
    /// The machine's data is written beside the container, which loads it at the first start.
    pub load: bool,
    pub evidence: Evidence,
}

/// Volume names by the directory they hold; one directory, one volume, whoever uses it.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_path: BTreeMap<MachinePath, String>,
    taken: BTreeSet<String>,
}

impl Names {
    pub(super) fn new(workloads: &[Workload], place: &Place<'_>) -> Self {
        let mut names = Self::default();
        for workload in workloads {
            let paths = data_paths(workload, place);
            for path in &paths {
                let name = if paths.len() == 1 {
                    format!("{}-data", workload.id)
                } else {
                    format!("{}-{}", workload.id, slug(path.as_bytes()))
                };
                names.of(path, &name);
            }
        }
        names
    }

    fn of(&mut self, path: &MachinePath, wish: &str) -> String {
        if let Some(name) = self.by_path.get(path) {
            return name.clone();
        }
        let name = unique(wish, &mut self.taken);
        self.by_path.insert(path.clone(), name.clone());
        name
    }

    /// The volumes that a path lies in, or that lie in it.
    fn touching(&self, path: &MachinePath) -> impl Iterator<Item = (&MachinePath, &String)> {
        let touches = |dir: &MachinePath| path.is_within(dir) || dir.is_within(path);
        self.by_path.iter().filter(move |(dir, _)| touches(dir))
    }
}

/// The directories of a workload's data, links followed, nested ones dropped.
fn data_paths(workload: &Workload, place: &Place<'_>) -> Vec<MachinePath> {
    let mut paths: Vec<MachinePath> = Vec::new();
    for data in &workload.data {
        let path = workload::place_of(place.facts, &data.path);
        let Some(directory) = directory_of(&path, place) else {
            continue;
        };
        paths.push(directory);
    }
    claims::outermost(paths)
}

/// The directory that a volume can take the place of: the data's own, or that around a single file, unless packages have
/// files of their own there.
fn directory_of(path: &MachinePath, place: &Place<'_>) -> Option<MachinePath> {
    let entry = place.facts.tree.get(path);
    let directory = if entry.is_none_or(crate::walk::Entry::is_dir) {
        path.clone()
    } else {
        let parent = path.parent()?;
        let shared = parent.components().count() < 2 || place.facts.owner(&parent).is_some();
        (!shared).then_some(parent)?
    };
    (!is_live(&directory)).then_some(directory)
}

/// Data that no volume can hold: single files in directories that are not theirs. They are copied into the image.
pub(super) fn single_files(workload: &Workload, place: &Place<'_>) -> Vec<MachinePath> {
    let paths = workload
        .data
        .iter()
        .filter_map(|data| place.facts.tree.resolve(&data.path));
    paths
        .filter(|path| !is_live(path) && directory_of(path, place).is_none())
        .collect()
}

/// The volumes of one workload: its own data, and others' data that its configuration points into.
pub(super) fn volumes(
    workload: &Workload,
    place: &Place<'_>,
    names: &mut Names,
    with_data: bool,
) -> Vec<PlannedVolume> {
    let mut volumes = Vec::new();
    for path in data_paths(workload, place) {
        let name = names.of(&path, &format!("{}-data", workload.id));
        let within = |data: &&crate::workload::Data| {
            let at = workload::place_of(place.facts, &data.path);
            at.is_within(&path) || path.is_within(&at)
        };
        let Some(data) = workload.data.iter().find(within) else {
            continue;
        };
        let held = place.facts.tree.entry(&path).is_some();
        // What is made at the first start is made for whoever writes there.
        let user = place.facts.user(&workload.user).filter(|_| !held);
        let shaped = shaped(name, &path, place);
        volumes.push(PlannedVolume {
            uid: user.map_or(shaped.uid, |user| user.uid),
            gid: user.map_or(shaped.gid, |user| user.gid),
            bytes: data.bytes,
            why: data.why.clone(),
            carries_data: held,
            load: held && with_data,
            evidence: data.evidence.clone(),
            ..shaped
        });
    }
    let mut visited = Vec::new();
    for claim in &workload.claims {
        let path = place
            .facts
            .tree
            .resolve(claim)
            .unwrap_or_else(|| claim.clone());
        for (dir, name) in names.touching(&path) {
            if volumes.iter().all(|volume| volume.path != *dir) {
                visited.push(PlannedVolume {
                    why: format!("the data of another workload, together with {claim}"),
                    ..shaped(name.clone(), dir, place)
                });
            }
        }
    }
    for (link, target) in led_to(workload, place) {
        for (dir, name) in names.touching(&target) {
            let known = volumes.iter().chain(&visited);
            if known.into_iter().all(|volume| volume.path != *dir) {
                visited.push(PlannedVolume {
                    why: format!("the data of another workload, which {link} leads to"),
                    ..shaped(name.clone(), dir, place)
                });
            }
        }
    }
    volumes.extend(visited);
    volumes.sort_by(|a, b| a.path.cmp(&b.path));
    volumes.dedup_by(|a, b| a.path == b.path);
    volumes
}

/// Links of one workload that are looked at.
const MOST_LINKS: usize = 10_000;

/// Where links among what it carries lead, beyond that itself.
fn led_to(workload: &Workload, place: &Place<'_>) -> Vec<(MachinePath, MachinePath)> {
    let tree = &place.facts.tree;
    let below = workload.claims.iter().flat_map(|claim| tree.below(claim));
    let links = below
        .filter(|entry| entry.target.is_some())
        .take(MOST_LINKS);
    let led = links.filter_map(|link| Some((link.path.clone(), tree.resolve(&link.path)?)));
    let is_beyond = |target: &MachinePath| {
        let mut claims = workload.claims.iter();
        claims.all(|claim| !target.is_within(claim))
    };
    led.filter(|(_, target)| is_beyond(target)).collect()
}

/// A volume with the owner and mode that the machine's directory has.
fn shaped(name: String, path: &MachinePath, place: &Place<'_>) -> PlannedVolume {
    let entry = place.facts.tree.get(path);
    PlannedVolume {
        name,
        path: path.clone(),
        bytes: 0,
        uid: entry.map_or(0, |entry| entry.uid),
        gid: entry.map_or(0, |entry| entry.gid),
        mode: entry.map_or(0o755, |entry| entry.mode),
        why: String::new(),
        carries_data: false,
        load: false,
        evidence: crate::fact::Evidence::file(path),
    }
}

/// A volume for the directory of a socket that members of a pod share.
pub(super) fn socket(
    pod: &str,
    dir: &MachinePath,
    names: &mut Names,
    place: &Place<'_>,
) -> PlannedVolume {
    let name = names.of(dir, &format!("{pod}-{}", slug(dir.as_bytes())));
    PlannedVolume {
        why: "the directory of a Unix socket between containers".to_owned(),
        ..shaped(name, dir, place)
    }
}

/// Every name that a volume's data consists of, the directory itself first.
pub(super) fn contents(volume: &PlannedVolume, place: &Place<'_>) -> Vec<Entry> {
    let tree = &place.facts.tree;
    let Some(real) = tree.resolve(&volume.path) else {
        return Vec::new();
    };
    let mut entries: Vec<Entry> = tree.entry(&real).into_iter().cloned().collect();
    entries.extend(tree.below(&real).cloned());
    entries
}
