//! What is mounted beside the root, and what of it a workload uses: shares of other machines, memory, disks of their own.

use super::{Data, Workload, claims};
use crate::fact::{Evidence, Facts, Syntax};
use crate::path::MachinePath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// File systems of other machines.
const SHARES: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "glusterfs",
    "fuse.glusterfs",
    "ceph",
    "fuse.ceph",
    "fuse.sshfs",
    "sshfs",
    "davfs",
    "fuse.davfs",
    "afs",
    "9p",
    "virtiofs",
    "fuse.s3fs",
    "s3fs",
    "beegfs",
    "moosefs",
];

const MEMORY: &[&str] = &["tmpfs", "ramfs"];

/// Mounts looked at.
const MOST: usize = 1_000;

/// Where administrators put mount units.
const UNITS: &str = "/etc/systemd/system";

/// What a mount is to a container.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum MountKind {
    /// Of another machine.
    Share,
    /// Gone with the process.
    Memory,
    /// A disk, or a part of one.
    Disk,
}

/// A line of fstab(5), or a mount unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    pub path: MachinePath,
    pub kind: MountKind,
    /// `nas:/export`, `/dev/sdb1`.
    pub source: String,
    pub filesystem: String,
    pub options: String,
    pub evidence: Evidence,
}

/// All mounts of the machine beside its root.
pub fn of_machine(facts: &Facts) -> Vec<Mount> {
    let key = (MachinePath::new("/etc/fstab"), Syntax::Columns);
    let table = facts.documents.get(&key);
    let lines = table.iter().flat_map(|table| {
        let settings = table.settings.iter();
        settings.filter_map(|setting| {
            let (point, rest) = setting.args.split_first()?;
            let (filesystem, rest) = rest.split_first()?;
            let options = rest.first().map_or("", String::as_str);
            mount(
                (point, &setting.key),
                (filesystem, options),
                table.evidence(setting),
            )
        })
    });
    let units = facts.units.iter().filter(|unit| {
        unit.path.is_within(&MachinePath::new(UNITS)) && unit.path.file_name().ends_with(b".mount")
    });
    let units = units.filter_map(|unit| {
        let value = |key: &str| {
            let mut entries = unit.entries.iter().filter(|entry| entry.section == "Mount");
            entries.rfind(|entry| entry.key == key)
        };
        let text = |key: &str| value(key).map_or("", |entry| entry.value.as_str());
        let point = value("Where")?;
        let evidence = Evidence::line(&unit.path, point.line, &format!("Where={}", point.value));
        mount(
            (&point.value, text("What")),
            (text("Type"), text("Options")),
            evidence,
        )
    });
    let mut found: Vec<Mount> = lines.chain(units).take(MOST).collect();
    found.sort();
    found.dedup_by(|a, b| a.path == b.path);
    found
}

/// Whether a file system is of another machine.
pub fn is_share(filesystem: &str) -> bool {
    SHARES.contains(&filesystem)
}

fn mount(
    (point, source): (&str, &str),
    (filesystem, options): (&str, &str),
    evidence: Evidence,
) -> Option<Mount> {
    let kind = if is_share(filesystem) {
        MountKind::Share
    } else if MEMORY.contains(&filesystem) {
        MountKind::Memory
    } else if source.starts_with("/dev/") || source.contains('=') {
        MountKind::Disk
    } else {
        return None;
    };
    let point = point.replace("\\040", " ");
    let is_place = point.starts_with('/') && point.len() > 1 && filesystem != "swap";
    is_place.then(|| Mount {
        path: MachinePath::new(point),
        kind,
        source: source.to_owned(),
        filesystem: filesystem.to_owned(),
        options: options.to_owned(),
        evidence,
    })
}

/// Gives a workload the mounts that it uses: by the paths that it names, and by what lies below its files. A disk of its
/// own holds data, unless the application itself lies there.
pub(super) fn take(workload: &mut Workload, facts: &Facts, all: &[Mount], named: &[MachinePath]) {
    for mount in all {
        let touches =
            |path: &MachinePath| path.is_within(&mount.path) || mount.path.is_within(path);
        let is_named = named.iter().any(|path| path.is_within(&mount.path));
        let holds = workload.claims.iter().any(&touches)
            || workload
                .data
                .iter()
                .any(|data| data.path.is_within(&mount.path));
        if !is_named && !holds {
            continue;
        }
        match mount.kind {
            MountKind::Disk => disk(workload, facts, mount, named),
            MountKind::Share | MountKind::Memory => {
                workload
                    .claims
                    .retain(|claim| !claim.is_within(&mount.path));
                workload
                    .data
                    .retain(|data| !data.path.is_within(&mount.path));
                workload.mounts.push(mount.clone());
            }
        }
    }
}

fn disk(workload: &mut Workload, facts: &Facts, mount: &Mount, named: &[MachinePath]) {
    let own = workload
        .executables
        .iter()
        .chain((workload.services.iter()).filter_map(|service| service.working_directory.as_ref()));
    let is_application = own.into_iter().any(|path| path.is_within(&mount.path));
    let is_kept = workload
        .data
        .iter()
        .any(|data| data.path.is_within(&mount.path));
    let is_named = named.iter().any(|path| path.is_within(&mount.path));
    if is_application || is_kept || !is_named || claims::is_shelf(&mount.path) {
        return;
    }
    workload
        .claims
        .retain(|claim| !claim.is_within(&mount.path));
    workload.data.push(Data {
        bytes: claims::files(facts, &mount.path)
            .map(|entry| entry.size)
            .sum(),
        path: mount.path.clone(),
        why: "a disk of its own".to_owned(),
        evidence: mount.evidence.clone(),
        link: None,
        is_inner: false,
        is_supposed: false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let kind = |source: &str, filesystem: &str| {
            let evidence = Evidence::file(&MachinePath::root());
            mount(("/srv/a", source), (filesystem, "rw"), evidence).map(|mount| mount.kind)
        };
        assert_eq!(kind("nas:/x", "nfs4"), Some(MountKind::Share));
        assert_eq!(kind("tmpfs", "tmpfs"), Some(MountKind::Memory));
        assert_eq!(kind("UUID=1", "xfs"), Some(MountKind::Disk));
        assert_eq!(kind("/dev/sdb", "swap"), None);
        assert_eq!(kind("proc", "proc"), None);
    }
}
