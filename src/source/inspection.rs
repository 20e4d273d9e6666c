//! What a source holds, as `transvase inspect` says it: plain data, and its JSON is this structure.
//!
//! Every text that came from an image is sanitised when it is put in here.

use super::{Root, release};
use crate::path::{MachinePath, sanitise};
use crate::walk::{Entry, Tree};
use schemars::JsonSchema;
use serde::Serialize;

/// A source, from its files to the operating systems in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Inspection {
    /// 1; it grows when a field changes its meaning or goes away.
    pub schema_version: u32,
    /// As the user named them; several are the disks of one machine.
    pub paths: Vec<String>,
    /// `directory`, `tar`, `raw`, `qcow2`, … of the first.
    pub format: String,
    /// What the machine was given to run with; only an appliance says.
    pub hardware: Option<Hardware>,
    /// Disks and arrays, each with its partitions, or with the one volume that it is.
    pub disks: Vec<Disk>,
    pub logical_volumes: Vec<Volume>,
    /// Where `--root` has a choice: several.
    pub systems: Vec<System>,
    /// What may not have been read, or not rightly.
    pub gaps: Vec<String>,
    /// What else is to be said: snapshots besides, a journal that was replayed, … Nothing was lost.
    pub remarks: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hardware {
    pub processors: Option<u32>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// A disk, or an array of several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Disk {
    /// As a kernel would name it: `sda`, `md0`.
    pub device: String,
    /// The file it came from; `null` for an array.
    pub path: Option<String>,
    /// `raw`, `qcow2`, … or `md`.
    pub format: String,
    pub bytes: u64,
    /// `gpt` or `dos`; `null` where there is no partition table.
    pub table: Option<String>,
    pub volumes: Vec<Volume>,
}

/// A partition, a disk as a whole, an array as a whole, or a logical volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Volume {
    /// As a kernel would name it: `sda1`, `mapper/group-volume`.
    pub device: String,
    /// `disk`, `partition`, `array`, or `logical-volume`.
    pub kind: String,
    pub bytes: u64,
    /// As blkid's TYPE; `null` where nothing was recognised.
    pub contents: Option<String>,
    /// `file-system`, `swap`, `part` (of the volume named in `part_of`), `unread` (for the reason in `reason`), or `nothing`.
    pub state: String,
    pub uuid: Option<String>,
    pub label: Option<String>,
    pub partuuid: Option<String>,
    pub partlabel: Option<String>,
    /// Bytes in use, where the file system says so.
    pub used: Option<u64>,
    pub part_of: Option<String>,
    /// Why it is not read.
    pub reason: Option<String>,
    /// Subvolumes by their paths, where the file system has several.
    pub subvolumes: Vec<String>,
    /// What a reader should know of the file system.
    pub notes: Vec<String>,
}

/// An operating system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct System {
    /// What to give to `--root`; `null` where the source is a file tree.
    pub root: Option<String>,
    /// As it calls itself; `null` where it does not.
    pub name: Option<String>,
    pub hostname: Option<String>,
    /// Whether it can be scanned.
    pub readable: bool,
    /// Whether a machine may have been running from it; a snapshot is none such.
    pub likely: bool,
    /// By its own fstab, in the order they are joined.
    pub mounts: Vec<Mount>,
    /// Mounts that cannot be satisfied, volumes that it does not mount, …
    pub unexamined: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mount {
    pub device: String,
    pub point: String,
}

impl Inspection {
    pub const SCHEMA_VERSION: u32 = 1;

    /// Of a directory or an archive: one system and no disks.
    pub(super) fn plain(root: &Root) -> Self {
        let (tree, problems) = root.walk();
        let problems = problems.iter();
        Self {
            schema_version: Self::SCHEMA_VERSION,
            paths: vec![root.info().path.clone()],
            format: root.info().format.clone(),
            systems: vec![System {
                name: name(&|path| text(root, &tree, path), &names(&tree)),
                hostname: text(root, &tree, "/etc/hostname").and_then(|text| host(&text)),
                readable: true,
                likely: true,
                ..System::default()
            }],
            gaps: problems
                .map(|problem| format!("{}: {}", problem.path, sanitise(&problem.reason)))
                .collect(),
            ..Self::default()
        }
    }

    pub fn to_json(&self) -> String {
        // Plain data always serialises.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        crate::quote::json_document(text) + "\n"
    }

    /// Every volume, in the order of the disks, logical volumes last.
    pub fn volumes(&self) -> impl Iterator<Item = &Volume> {
        let disks = self.disks.iter().flat_map(|disk| &disk.volumes);
        disks.chain(&self.logical_volumes)
    }
}

/// The name of a release, from whatever `read` finds; `etc` are the names in `/etc`.
pub(super) fn name(read: &dyn Fn(&str) -> Option<String>, etc: &[Vec<u8>]) -> Option<String> {
    let named = release::NAMED.iter();
    let mut named = named.filter_map(|(path, key)| release::value(&read(path)?, key));
    let old = || {
        let ranked = etc
            .iter()
            .filter_map(|name| Some((release::rank(name)?, name)));
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort();
        ranked.iter().find_map(|(_, name)| {
            let name = std::str::from_utf8(name).ok()?;
            release::line(&read(&format!("/etc/{name}"))?)
        })
    };
    let name = named.next().or_else(old)?;
    Some(sanitise(&name).into_owned())
}

pub(super) fn host(text: &str) -> Option<String> {
    release::host(text).map(|name| sanitise(&name).into_owned())
}

fn text(root: &Root, tree: &Tree, path: &str) -> Option<String> {
    let entry = tree.get(&MachinePath::new(path))?;
    let bytes = root.read(entry, release::LIMIT).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn names(tree: &Tree) -> Vec<Vec<u8>> {
    let name = |entry: &&Entry| entry.path.file_name().to_vec();
    tree.children(&"/etc".into()).iter().map(name).collect()
}
