//! Mounts: each line of fstab with the volume it means.

use super::choice::Choice;
use super::fstab::{self, Line};
use super::{names, subvolumes, unexamined};
use crate::disk::contents::Contents;
use crate::disk::open::{Disk, Volume};
use crate::disk::{FileSystem, NodeId};
use crate::fact::Unexamined;
use crate::path::MachinePath;
use std::collections::HashSet;
use std::sync::Arc;

/// A file system, or a directory of one, at its place.
pub(super) struct Mount {
    pub point: MachinePath,
    pub fs: Arc<dyn FileSystem>,
    /// The directory that stands at the mount point.
    pub root: NodeId,
    pub device: String,
}

/// Mounts of one machine. A build server has a hundred.
const MOST: usize = 1000;
const TOO_MANY: &str = "the machine's fstab has more than 1,000 mounts, which is the limit; this one and those after it were not walked";

/// The root and everything its fstab adds.
pub(super) fn join(disk: &Disk, root: &Choice, problems: &mut Vec<Unexamined>) -> Vec<Mount> {
    let Some((volume, fs)) = disk
        .volumes
        .get(root.volume)
        .and_then(|volume| Some((volume, file_system(volume)?)))
    else {
        return Vec::new();
    };
    let lines = fstab::read(fs.as_ref(), root.root);
    let mut mounts = vec![Mount {
        point: MachinePath::root(),
        root: root.root,
        fs,
        device: volume.device.clone(),
    }];
    for line in lines.iter().filter(|line| line.point.starts_with('/')) {
        let point = MachinePath::new(&line.point);
        if mounts.len() == MOST {
            problems.push(unexamined(&point, TOO_MANY));
            break;
        }
        // A bound directory's type is `none`, so this is asked before what has no device.
        if line.has("bind") || line.has("rbind") {
            bind(&mut mounts, line, point, problems);
        } else if line.is_network() {
            let from = &line.device;
            let reason = format!("mounted over the network from {from}; not on this disk");
            problems.push(unexamined(&point, reason));
        } else if !line.is_virtual() && point != MachinePath::root() {
            mount(disk, &mut mounts, line, point, problems);
        }
    }
    // Of two mounts at one place the later hides the earlier.
    let mut taken: HashSet<MachinePath> = HashSet::new();
    mounts.reverse();
    mounts.retain(|mount| taken.insert(mount.point.clone()));
    mounts.reverse();
    mounts
}

fn mount(
    disk: &Disk,
    mounts: &mut Vec<Mount>,
    line: &Line,
    point: MachinePath,
    problems: &mut Vec<Unexamined>,
) {
    let boot = ["/boot", "/efi"]
        .iter()
        .any(|dir| point.is_within(&MachinePath::new(dir)));
    let Some(volume) = disk
        .volumes
        .iter()
        .find(|volume| names_volume(&line.device, volume, disk))
        .map(|volume| whole(volume, disk))
    else {
        // A CD drive (noauto) that is not there, or the boot loader's partition, hides no application.
        if !boot && !line.has("noauto") {
            problems.push(unexamined(
                &point,
                format!(
                    "{} is on none of the disks that were handed over",
                    line.device
                ),
            ));
        }
        return;
    };
    match &volume.contents {
        Contents::FileSystem(fs) => match subvolumes::mounted_by(fs.as_ref(), line) {
            Ok(root) => mounts.push(Mount {
                point,
                fs: Arc::clone(fs),
                root,
                device: volume.device.clone(),
            }),
            Err(reason) => problems.push(unexamined(&point, reason)),
        },
        Contents::Recognised { kind, why, .. } if !boot => {
            problems.push(unexamined(
                &point,
                format!("{} on {}: {why}", kind, volume.device),
            ));
        }
        _ => {}
    }
}

/// The volume that stands for all parts of a file system, where this one is a part.
fn whole<'a>(volume: &'a Volume, disk: &'a Disk) -> &'a Volume {
    let Contents::Part { of, .. } = &volume.contents else {
        return volume;
    };
    let mut volumes = disk.volumes.iter();
    volumes.find(|other| other.device == *of).unwrap_or(volume)
}

/// A directory that is seen a second time elsewhere.
fn bind(mounts: &mut Vec<Mount>, line: &Line, point: MachinePath, problems: &mut Vec<Unexamined>) {
    let from = MachinePath::new(&line.device);
    let under = mounts.iter().filter(|mount| from.is_within(&mount.point));
    let Some(mount) = under.max_by_key(|mount| mount.point.as_bytes().len()) else {
        return;
    };
    let skip = mount.point.components().count();
    let inner: Vec<String> = from
        .components()
        .skip(skip)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    match names::find(mount.fs.as_ref(), mount.root, &inner.join("/")) {
        Some(root) => {
            let (fs, device) = (Arc::clone(&mount.fs), mount.device.clone());
            mounts.push(Mount {
                point,
                fs,
                root,
                device,
            });
        }
        None => problems.push(unexamined(
            &point,
            format!("bound from {from}, which is not there"),
        )),
    }
}

fn file_system(volume: &Volume) -> Option<Arc<dyn FileSystem>> {
    match &volume.contents {
        Contents::FileSystem(fs) => Some(Arc::clone(fs)),
        _ => None,
    }
}

/// Whether a device of fstab is this volume.
fn names_volume(device: &str, volume: &Volume, disk: &Disk) -> bool {
    let (uuid, label) = match &volume.contents {
        Contents::FileSystem(fs) => {
            let info = fs.info();
            (info.uuid, info.label)
        }
        Contents::Recognised { uuid, label, .. } | Contents::Swap { uuid, label } => {
            (uuid.clone(), label.clone())
        }
        Contents::Part { uuid, .. } => (uuid.clone(), String::new()),
        Contents::Empty => (String::new(), String::new()),
    };
    let same = |a: &str, b: &str| !b.is_empty() && a.eq_ignore_ascii_case(b);
    for (prefix, own) in [
        ("UUID=", uuid.as_str()),
        ("LABEL=", label.as_str()),
        ("PARTUUID=", volume.partuuid.as_str()),
        ("PARTLABEL=", volume.partlabel.as_str()),
        ("/dev/disk/by-uuid/", uuid.as_str()),
        ("/dev/disk/by-label/", label.as_str()),
        ("/dev/disk/by-partuuid/", volume.partuuid.as_str()),
        ("/dev/disk/by-partlabel/", volume.partlabel.as_str()),
    ] {
        if let Some(wanted) = device.strip_prefix(prefix) {
            return same(wanted, own);
        }
    }
    let Some(name) = device.strip_prefix("/dev/") else {
        return false;
    };
    if name == volume.device || same_logical(name, &volume.device) {
        return true;
    }
    // Hypervisors name disks differently (sda, vda, xvda, nvme0n1): with one disk the partition's number tells.
    let disks = disk
        .volumes
        .iter()
        .filter_map(|volume| place(&volume.device))
        .map(|(disk, _)| disk)
        .max()
        .unwrap_or(0);
    match (place(name), place(&volume.device)) {
        (Some((a, x)), Some((b, y))) => x == y && (a == b || disks == 0),
        _ => false,
    }
}

/// `mapper/vg-lv`, `vg/lv`: a dash in a name is doubled by the mapper.
fn same_logical(name: &str, device: &str) -> bool {
    let plain = |text: &str| {
        text.strip_prefix("mapper/").map(|mapped| {
            mapped
                .replace("--", "\u{0}")
                .replace('-', "/")
                .replace('\u{0}', "-")
        })
    };
    let (a, b) = (plain(name), plain(device));
    a.as_deref().unwrap_or(name) == b.as_deref().unwrap_or(device) && name.contains('/')
}

/// Number of the disk and of the partition, 0 for the whole disk: `vdb3` → (1, 3), `nvme0n1p2` → (0, 2), `xvdc` → (2, 0).
fn place(device: &str) -> Option<(u32, u32)> {
    let numbered = device.strip_prefix("nvme");
    if let Some(rest) = numbered.or_else(|| device.strip_prefix("mmcblk")) {
        let (disk, partition) = rest.split_once('p').unwrap_or((rest, "0"));
        let disk = disk.split('n').next()?;
        return Some((disk.parse().ok()?, partition.parse().ok()?));
    }
    let rest = ["xvd", "sd", "vd", "hd"]
        .iter()
        .find_map(|prefix| device.strip_prefix(prefix))?;
    let letter = rest.bytes().next().filter(u8::is_ascii_lowercase)?;
    let partition = match rest.get(1..)? {
        "" => 0,
        digits => digits.parse().ok()?,
    };
    Some((u32::from(letter - b'a'), partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_by_any_name() {
        assert_eq!(place("vdb3"), Some((1, 3)));
        assert_eq!(place("nvme0n1p2"), Some((0, 2)));
        assert_eq!(place("sda"), Some((0, 0)));
        assert_eq!(place("nvme1n1"), Some((1, 0)));
        assert_eq!(place("sr0"), None);
        assert_eq!(place("sdx1y"), None);
        assert!(
            same_logical("mapper/rhel-root", "rhel/root")
                && same_logical("rhel/root", "mapper/rhel-root")
        );
        assert!(same_logical("mapper/my--vg-root", "my-vg/root") && !same_logical("sda1", "sda1"));
    }
}
