//! Disk images: the machine's root file system found, its fstab read, and the other file systems joined to it.
//!
//! What cannot be joined (a volume that is not there, encrypted, or of the network) is an unexamined entry that names the
//! mount point: a `/var/www` on a second disk is never lost silently.

mod choice;
mod fstab;
mod mounts;
mod names;
mod subvolumes;
mod survey;
mod view;
mod walk;

use super::budget::Budget;
use super::content::ReadAt;
use super::root::is_root;
use super::{Backend, Error, OpenOptions, ReadError, SourceInfo, Volume, unexamined};
use crate::disk::contents::Contents;
use crate::disk::open::{Disk, Volume as DiskVolume};
use crate::disk::{FileSystem, NodeId, Stat, Xattrs};
use crate::fact::Unexamined;
use crate::path::{MachinePath, sanitise};
use crate::walk::Entry;
use mounts::Mount;
use std::collections::BTreeSet;
use std::path::PathBuf;
use walk::{Walk, Walked};

pub(super) use survey::survey;

/// What the boot loader reads, by the names the disk room gives.
const BOOT: [&str; 4] = ["vfat", "fat", "exfat", "bios-boot"];

/// Where every Windows since NT keeps its registry.
const WINDOWS: &str = "Windows/System32/config";

/// The file systems of a machine's disks, joined.
pub(super) struct Disks {
    /// Where each is mounted, the root first; an entry's `volume` is the index here.
    mounts: Vec<Mount>,
    problems: Vec<Unexamined>,
}

impl Disks {
    pub(super) fn open(
        paths: &[PathBuf],
        options: &OpenOptions,
    ) -> Result<(Self, SourceInfo), Error> {
        let path = paths.first().cloned().unwrap_or_default();
        let disk_options = crate::disk::open::OpenOptions {
            allow_outside: options.allow_outside,
        };
        let disk = Disk::open(paths, &disk_options).map_err(|error| Error::image(&error))?;
        let root = choice::choose(&path, &disk, options.root.as_deref())?;
        let mut problems: Vec<Unexamined> = disk
            .notes
            .iter()
            .map(|note| unexamined(&MachinePath::root(), note.as_str()))
            .collect();
        let mounts = mounts::join(&disk, &root, &mut problems);
        problems.extend(left_over(&disk, &mounts));
        let info = describe(paths, &disk, &mounts);
        Ok((Self { mounts, problems }, info))
    }

    fn mount(&self, entry: &Entry) -> Result<&Mount, ReadError> {
        let index = usize::try_from(entry.volume).unwrap_or(usize::MAX);
        self.mounts.get(index).ok_or(ReadError::NotAFile)
    }
}

/// What the image does hold, for somebody who wonders where their machine is.
fn hint(disk: &Disk) -> String {
    let shown: Vec<String> = disk
        .volumes
        .iter()
        .filter_map(|volume| match &volume.contents {
            Contents::FileSystem(fs) if names::exists_in_any_case(fs.as_ref(), WINDOWS) => {
                Some(format!(
                    "{} is {} and holds Windows: only Linux machines are examined",
                    volume.device,
                    fs.info().kind
                ))
            }
            Contents::FileSystem(fs) => Some(format!("{} is {}", volume.device, fs.info().kind)),
            Contents::Recognised { kind, why, .. } => {
                Some(format!("{} is {kind}: {why}", volume.device))
            }
            Contents::Part { of, .. } => Some(format!("{} is a part of {of}", volume.device)),
            Contents::Swap { .. } => Some(format!("{} is swap", volume.device)),
            Contents::Empty => None,
        })
        .collect();
    if shown.is_empty() {
        String::new()
    } else {
        format!("; {}", sanitise(&shown.join("; ")))
    }
}

/// Volumes that no mount took in: what could not be read, and file systems that the machine mounts by other means than its
/// fstab, or not at all.
fn left_over(disk: &Disk, mounts: &[Mount]) -> Vec<Unexamined> {
    let mut found = Vec::new();
    for volume in &disk.volumes {
        if mounts.iter().any(|mount| mount.device == volume.device) {
            continue;
        }
        let reason = match &volume.contents {
            // The boot loader's partition holds no application; naming it would make every scan partial.
            Contents::Recognised { kind, .. } if BOOT.contains(kind) => continue,
            Contents::Recognised { kind, why, .. } => format!("{kind}: {why}"),
            Contents::FileSystem(fs) if is_boot(fs.as_ref()) => continue,
            Contents::FileSystem(fs) => {
                let kind = fs.info().kind;
                format!("{kind} that no line of the machine's fstab mounts; it was not walked")
            }
            Contents::Part { .. } | Contents::Swap { .. } | Contents::Empty => continue,
        };
        let path = MachinePath::new("/dev").join(&volume.device);
        found.push(unexamined(&path, reason));
    }
    found.extend(unreached(mounts));
    found
}

/// Subvolumes of mounted file systems that no mount took in.
fn unreached(mounts: &[Mount]) -> Vec<Unexamined> {
    let mut seen = BTreeSet::new();
    let each = mounts.iter().filter(|mount| seen.insert(&mount.device));
    each.flat_map(|mount| {
        let paths = subvolumes::unreached(mounts, mount).into_iter();
        paths.map(|path| {
            let path = MachinePath::new("/dev").join(format!("{}[{path}]", mount.device));
            unexamined(&path, subvolumes::UNMOUNTED)
        })
    })
    .collect()
}

/// A boot loader's file system, which many machines mount by its partition's type and not by their fstab.
fn is_boot(fs: &dyn FileSystem) -> bool {
    let has = |name| names::exists(fs, fs.root(), name);
    BOOT.contains(&fs.info().kind) && ["EFI", "efi", "loader"].into_iter().any(has)
}

fn describe(paths: &[PathBuf], disk: &Disk, mounts: &[Mount]) -> SourceInfo {
    let volume = |volume: &DiskVolume| {
        let (filesystem, used) = match &volume.contents {
            Contents::FileSystem(fs) => {
                let info = fs.info();
                (Some(info.kind.to_owned()), Some(info.used))
            }
            Contents::Recognised { kind, .. } | Contents::Part { kind, .. } => {
                (Some((*kind).to_owned()), None)
            }
            Contents::Swap { .. } => (Some("swap".to_owned()), None),
            Contents::Empty => (None, None),
        };
        let mount = mounts.iter().find(|mount| mount.device == volume.device);
        Volume {
            device: volume.device.clone(),
            kind: volume.kind.name().to_owned(),
            filesystem,
            mount: mount.map(|mount| mount.point.to_string()),
            bytes: volume.size,
            used,
        }
    };
    SourceInfo {
        path: shown(paths).join(", "),
        format: disk.format.to_owned(),
        files: shown(&disk.files),
        volumes: disk.volumes.iter().map(volume).collect(),
    }
}

/// Paths of this system, safe for a terminal.
fn shown(paths: &[PathBuf]) -> Vec<String> {
    let shown = paths
        .iter()
        .map(|path| sanitise(&path.to_string_lossy()).into_owned());
    shown.collect()
}

struct File<'a> {
    fs: &'a dyn FileSystem,
    node: NodeId,
}

impl ReadAt for File<'_> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        Ok(self.fs.read_at(self.node, offset, buf)?)
    }

    fn data_from(&self, offset: u64) -> Result<u64, ReadError> {
        Ok(self.fs.data_from(self.node, offset)?)
    }
}

impl Backend for Disks {
    fn entries(&self, problems: &mut Vec<Unexamined>) -> Vec<Entry> {
        problems.extend(self.problems.iter().cloned());
        let (mut entries, mut budget) = (Vec::new(), Budget::new());
        let mut walked = Walked::new();
        for (number, mount) in (0u32..).zip(&self.mounts) {
            let first = |mount: &Mount| {
                let mut all = self.mounts.iter();
                all.position(|other| other.device == mount.device)
                    .unwrap_or_default()
            };
            let points = self.mounts.iter().map(|other| &other.point);
            let hidden = points.filter(|point| **point != mount.point);
            let mut walk = Walk {
                mount,
                number,
                hidden: hidden.cloned().collect(),
                left_out: subvolumes::left_out(&self.mounts, mount),
                budget: &mut budget,
                file_system: first(mount),
                walked: &mut walked,
                entries: &mut entries,
                problems,
            };
            walk.run();
        }
        entries
    }

    fn open<'a>(&'a self, entry: &Entry) -> Result<Box<dyn ReadAt + 'a>, ReadError> {
        let mount = self.mount(entry)?;
        Ok(Box::new(File {
            fs: mount.fs.as_ref(),
            node: entry.node,
        }))
    }

    fn xattrs(&self, entry: &Entry) -> Result<Xattrs, ReadError> {
        Ok(self.mount(entry)?.fs.xattrs(entry.node)?)
    }

    fn stat(&self, entry: &Entry) -> Result<Option<Stat>, ReadError> {
        Ok(Some(self.mount(entry)?.fs.stat(entry.node)?))
    }
}
