//! What of the compose file is storage: volumes, directories that the host lends, memory.

use crate::plan::{Plan, PlannedVolume};
use crate::render::value::archive_mount;
use crate::workload::MountKind;
use serde::Serialize;
use std::cmp::Reverse;

#[derive(Debug, Serialize)]
pub(super) struct Mount {
    kind: &'static str,
    source: String,
    target: String,
    read_only: bool,
    /// A directory of the host, made where it is missing.
    lent: bool,
    why: String,
}

pub(super) fn mounts(plan: &Plan) -> Vec<Mount> {
    let mut mounts = Vec::new();
    // What lies in another's place comes before it, as one looks for a path.
    let mut volumes: Vec<&PlannedVolume> = plan.state.volumes.iter().collect();
    volumes.sort_by_key(|volume| Reverse(volume.path.components().count()));
    for volume in volumes {
        mounts.push(Mount {
            kind: "volume",
            source: volume.name.clone(),
            target: volume.path.text().into_owned(),
            read_only: false,
            lent: false,
            why: format!("{}; from {}", volume.why, volume.evidence.place()),
        });
        if volume.load {
            mounts.push(Mount {
                kind: "bind",
                source: format!("./data/{}.tar", volume.name),
                target: archive_mount(&volume.name),
                read_only: true,
                lent: false,
                why: "the machine's data, loaded at the first start".to_owned(),
            });
        }
    }
    let shares = plan.state.mounts.iter();
    let shares = shares.filter(|mount| mount.kind == MountKind::Share);
    mounts.extend(shares.map(|mount| Mount {
        kind: "bind",
        source: mount.path.text().into_owned(),
        target: mount.path.text().into_owned(),
        read_only: false,
        lent: true,
        why: format!(
            "{}, which the host has to mount there first; from {}",
            mount.what,
            mount.evidence.place()
        ),
    }));
    mounts
}

/// Memory file systems, as engines write them.
pub(super) fn memory(plan: &Plan) -> Vec<String> {
    let memory = plan.state.mounts.iter();
    let memory = memory.filter(|mount| mount.kind == MountKind::Memory);
    let shown = memory.map(|mount| match mount.options.as_str() {
        "" => mount.path.text().into_owned(),
        options => format!("{}:{options}", mount.path),
    });
    shown.collect()
}
