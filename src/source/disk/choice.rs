//! The root file system among all that were handed over: a volume's, or one of its subvolumes.

use super::fstab::{self, Line};
use super::subvolumes::{self, Named};
use super::{hint, is_root, names};
use crate::disk::contents::Contents;
use crate::disk::open::Disk;
use crate::disk::{FileSystem, NodeId};
use crate::path::sanitise;
use crate::source::Error;
use std::path::Path;

/// A directory that is a machine's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// The volume's place on the disks.
    pub volume: usize,
    pub root: NodeId,
    /// The volume's device, and behind it its subvolume where there are several: `sda2[/@]`, as findmnt(8) writes it.
    pub name: String,
}

/// The root asked for, or the only one there is.
pub(super) fn choose(path: &Path, disk: &Disk, wanted: Option<&str>) -> Result<Choice, Error> {
    let likely = roots(disk, subvolumes_likely);
    let found = |choices: &[Choice]| {
        let names = choices.iter().map(|choice| choice.name.as_str());
        sanitise(&names.collect::<Vec<_>>().join(", ")).into_owned()
    };
    let path = path.to_path_buf();
    if let Some(wanted) = wanted {
        let name = wanted.strip_prefix("/dev/").unwrap_or(wanted);
        // A snapshot is nobody's guess, and may be asked for.
        let all = roots(disk, subvolumes_all);
        let hit = all.iter().chain(&likely).find(|choice| choice.name == name);
        let (found, wanted) = (found(&all), wanted.to_owned());
        return hit.cloned().ok_or(Error::NoSuchRoot {
            path,
            wanted,
            found,
        });
    }
    match likely.as_slice() {
        [choice] => Ok(choice.clone()),
        [] => Err(Error::NotARoot {
            path,
            hint: hint(disk),
        }),
        _ => Err(Error::Several {
            path,
            found: found(&likely),
        }),
    }
}

/// Every root there is, snapshots too, and whether a machine may have been running from it.
pub(super) fn every(disk: &Disk) -> Vec<(Choice, bool)> {
    let likely = roots(disk, subvolumes_likely);
    let is_likely = |one: &Choice| {
        likely
            .iter()
            .any(|other| (other.volume, other.root) == (one.volume, one.root))
    };
    let all = roots(disk, subvolumes_all).into_iter();
    all.map(|choice| {
        let likely = is_likely(&choice);
        (choice, likely)
    })
    .collect()
}

/// The roots of each file system, as `of` finds them in one; named by the volume alone where there is one of them.
fn roots(disk: &Disk, of: fn(&dyn FileSystem) -> Vec<Named>) -> Vec<Choice> {
    let mut choices = Vec::new();
    for (number, volume) in disk.volumes.iter().enumerate() {
        let Contents::FileSystem(fs) = &volume.contents else {
            continue;
        };
        let roots = of(fs.as_ref());
        let alone = roots.len() == 1;
        choices.extend(roots.into_iter().map(|named| Choice {
            volume: number,
            root: named.root,
            name: if alone {
                volume.device.clone()
            } else {
                format!("{}[{}]", volume.device, named.path)
            },
        }));
    }
    choices
}

fn subvolumes_all(fs: &dyn FileSystem) -> Vec<Named> {
    let mut all = subvolumes::all(fs);
    all.retain(|named| is_root(|name| names::exists(fs, named.root, name)));
    all
}

/// Those that the machine may have been running from: what names itself as the root in its own fstab, else what is mounted
/// when nothing is named, else what is no snapshot.
fn subvolumes_likely(fs: &dyn FileSystem) -> Vec<Named> {
    let all = subvolumes_all(fs);
    if all.len() < 2 {
        return all;
    }
    let by = |test: &dyn Fn(&Named) -> bool| -> Option<Vec<Named>> {
        let kept: Vec<Named> = all.iter().filter(|named| test(named)).cloned().collect();
        (kept.len() == 1).then_some(kept)
    };
    by(&|named| says_so_itself(fs, named))
        .or_else(|| by(&|named| named.root == fs.root()))
        .or_else(|| by(&|named| !named.is_snapshot && !named.read_only))
        .unwrap_or(all)
}

fn says_so_itself(fs: &dyn FileSystem, named: &Named) -> bool {
    let is_root = |line: &&Line| line.point == "/" && !line.has("bind");
    let lines = fstab::read(fs, named.root);
    let line = lines.iter().find(is_root);
    line.is_some_and(|line| subvolumes::mounted_by(fs, line) == Ok(named.root))
}
