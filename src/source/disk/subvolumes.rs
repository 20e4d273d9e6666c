//! Subvolumes: which one a line of fstab mounts, and which ones are not walked where they hang, because they are walked
//! elsewhere or are copies of what is.

use super::fstab::Line;
use super::mounts::Mount;
use crate::disk::{FileKind, FileSystem, NodeId, Subvolume};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// A subvolume by its path, which begins with a slash. A file system that has none is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub root: NodeId,
    pub path: String,
    pub is_snapshot: bool,
    pub read_only: bool,
}

/// What is said of a copy that is not walked.
pub(super) const COPY: &str =
    "a snapshot of another subvolume, which may have changed since; it was not walked";
/// What is said of a subvolume that no walk reaches.
pub(super) const UNMOUNTED: &str =
    "a subvolume that no line of the machine's fstab mounts; it was not walked";
/// Directories that are looked into for a file before it is taken for granted that there is one.
const MOST_LOOKS: usize = 1000;

pub(super) fn all(fs: &dyn FileSystem) -> Vec<Named> {
    let subvolumes = fs.subvolumes();
    if subvolumes.is_empty() {
        return vec![Named {
            root: fs.root(),
            path: "/".to_owned(),
            is_snapshot: false,
            read_only: false,
        }];
    }
    let named = subvolumes.into_iter().map(|subvolume| Named {
        root: subvolume.root,
        path: path(&subvolume),
        is_snapshot: subvolume.origin != [0; 16],
        read_only: subvolume.read_only,
    });
    named.collect()
}

fn path(subvolume: &Subvolume) -> String {
    format!("/{}", String::from_utf8_lossy(&subvolume.path))
}

/// The directory that a line of fstab mounts, or why there is none.
pub(super) fn mounted_by(fs: &dyn FileSystem, line: &Line) -> Result<NodeId, String> {
    let subvolumes = fs.subvolumes();
    let wanted = |key: &str| line.options.iter().find_map(|text| text.strip_prefix(key));
    let (path, number) = (wanted("subvol="), wanted("subvolid="));
    let found = if subvolumes.is_empty() {
        Some(fs.root())
    } else if let Some(path) = path {
        let path = path.trim_matches('/').as_bytes();
        let mut with_path = subvolumes.iter().filter(|one| one.path == path);
        with_path.next().map(|one| one.root)
    } else if let Some(number) = number {
        // The top is 5, and may be written 0.
        let number = match number {
            "0" => Some(5),
            digits => digits.parse::<u64>().ok(),
        };
        let mut with_number = subvolumes
            .iter()
            .filter(|one| Some(one.root.subvolume) == number);
        with_number.next().map(|one| one.root)
    } else {
        Some(fs.root())
    };
    let name = path.or(number).unwrap_or_default();
    found.ok_or_else(|| format!("there is no subvolume {name} on {}", line.device))
}

/// Subvolumes that a walk does not go into where they hang, each with what is to be said of it.
pub(super) fn left_out(mounts: &[Mount], of: &Mount) -> BTreeMap<NodeId, Option<&'static str>> {
    let subvolumes = of.fs.subvolumes();
    let mounted = mounted(mounts, of);
    let families = Families::of(&subvolumes, &mounted);
    let left_out = subvolumes.iter().filter_map(|one| {
        if mounted.contains(&one.root) {
            return Some((one.root, None));
        }
        let copy = families.is_copy(one)?;
        // What the machine itself keeps from being changed is its past.
        let said = (!copy.of_mounted && !one.read_only).then_some(COPY);
        Some((one.root, said))
    });
    left_out.collect()
}

/// The paths of subvolumes that hold files and that no walk reaches: neither mounted, nor below one that is, nor a copy.
pub(super) fn unreached(mounts: &[Mount], of: &Mount) -> Vec<String> {
    let subvolumes = of.fs.subvolumes();
    let mounted = mounted(mounts, of);
    let families = Families::of(&subvolumes, &mounted);
    let tops: Vec<&[u8]> = subvolumes
        .iter()
        .filter(|one| mounted.contains(&one.root))
        .map(|one| one.path.as_slice())
        .collect();
    let is_below = |path: &[u8], top: &[u8]| {
        let rest = path.strip_prefix(top);
        top.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    let unreached = subvolumes.iter().filter(|one| {
        !tops.iter().any(|top| is_below(&one.path, top))
            && families.is_copy(one).is_none()
            && holds_files(of.fs.as_ref(), one.root)
    });
    unreached.map(path).collect()
}

/// Top directories of subvolumes of one device that stand at a mount point.
fn mounted(mounts: &[Mount], of: &Mount) -> BTreeSet<NodeId> {
    let same = mounts.iter().filter(|mount| mount.device == of.device);
    same.map(|mount| mount.root).collect()
}

/// Why a subvolume is not walked.
struct Copy {
    /// The one it is a copy of, or that is a copy of it, is mounted.
    of_mounted: bool,
}

/// Subvolumes that are snapshots of one another, by whatever way: one of each family is walked.
struct Families {
    /// Of each UUID another one of its family, or itself.
    leads: BTreeMap<[u8; 16], [u8; 16]>,
    /// By family: those that are mounted, or the one that comes nearest to the first.
    walked: BTreeMap<[u8; 16], (bool, BTreeSet<NodeId>)>,
}

impl Families {
    fn of(subvolumes: &[Subvolume], mounted: &BTreeSet<NodeId>) -> Self {
        let (leads, walked) = (BTreeMap::new(), BTreeMap::new());
        let mut families = Self { leads, walked };
        for one in subvolumes.iter().filter(|one| one.origin != [0; 16]) {
            let (family, other) = (families.family(one.uuid), families.family(one.origin));
            families.leads.insert(family, other);
        }
        let uuids: BTreeSet<[u8; 16]> = subvolumes.iter().map(|one| one.uuid).collect();
        let mut heads = BTreeMap::new();
        for one in subvolumes.iter().filter(|one| one.uuid != [0; 16]) {
            let family = families.family(one.uuid);
            if mounted.contains(&one.root) {
                let entry = families.walked.entry(family);
                entry.or_insert((true, BTreeSet::new())).1.insert(one.root);
            }
            let rank = (uuids.contains(&one.origin), one.read_only, one.root);
            let head = heads.entry(family).or_insert(rank);
            *head = rank.min(*head);
        }
        for (family, (_, _, head)) in heads {
            let entry = families.walked.entry(family);
            entry.or_insert((false, BTreeSet::from([head])));
        }
        families
    }

    /// What stands for all of a family. Each step takes half of the way out, so that long rows of snapshots stay quick.
    fn family(&mut self, uuid: [u8; 16]) -> [u8; 16] {
        let mut at = uuid;
        while let Some(next) = self.leads.get(&at).copied().filter(|next| *next != at) {
            let behind = self.leads.get(&next).copied().unwrap_or(next);
            self.leads.insert(at, behind);
            at = next;
        }
        at
    }

    fn is_copy(&self, one: &Subvolume) -> Option<Copy> {
        let mut at = one.uuid;
        while let Some(next) = self.leads.get(&at).filter(|next| **next != at) {
            at = *next;
        }
        let (of_mounted, walked) = self.walked.get(&at)?;
        let of_mounted = *of_mounted;
        (!walked.contains(&one.root)).then_some(Copy { of_mounted })
    }
}

/// Whether there is any file in a subvolume, those below it aside: some hold nothing but other subvolumes.
fn holds_files(fs: &dyn FileSystem, top: NodeId) -> bool {
    let (mut open, mut looks, mut seen) = (vec![top], 0, BTreeSet::new());
    while let Some(node) = open.pop() {
        looks += 1;
        if looks > MOST_LOOKS {
            return true;
        }
        let mut holds = false;
        let read = fs.read_dir(node, &mut |entry| {
            if entry.node.subvolume != top.subvolume || !seen.insert(entry.node) {
                return ControlFlow::Continue(());
            }
            match fs.stat(entry.node) {
                Ok(stat) if stat.kind == FileKind::Directory => open.push(entry.node),
                _ => holds = true,
            }
            if holds {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if holds || read.is_err() {
            return true;
        }
    }
    false
}
