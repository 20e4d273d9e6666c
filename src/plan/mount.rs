//! Mounts that are no volume: shares that the host mounts and the container is lent, and memory.

use crate::fact::Evidence;
use crate::path::MachinePath;
use crate::workload::{Mount, MountKind, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Options of a memory file system that engines know.
const OF_MEMORY: &[&str] = &["size", "mode"];

/// Something that is mounted where the machine had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedMount {
    pub path: MachinePath,
    pub kind: MountKind,
    /// `nas:/export (nfs4)`.
    pub what: String,
    /// Of memory, in the engine's words: `size=512m,mode=1777`.
    pub options: String,
    pub evidence: Evidence,
}

pub(super) fn mounts(workload: &Workload) -> Vec<PlannedMount> {
    workload.mounts.iter().map(planned).collect()
}

fn planned(mount: &Mount) -> PlannedMount {
    let options = mount.options.split(',').filter(|option| {
        let named = option.split_once('=');
        let is_plain = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric());
        named.is_some_and(|(name, value)| OF_MEMORY.contains(&name) && is_plain(value))
    });
    let options = match mount.kind {
        MountKind::Memory => options.collect::<Vec<_>>().join(","),
        _ => String::new(),
    };
    PlannedMount {
        path: mount.path.clone(),
        kind: mount.kind,
        what: format!("{} ({})", mount.source, mount.filesystem),
        options,
        evidence: mount.evidence.clone(),
    }
}

/// What the reader has to do for a share; what it is mounted with stays on the host.
pub(super) fn notes(workload: &Workload) -> Vec<String> {
    let shares = workload.mounts.iter();
    let shares = shares.filter(|mount| mount.kind == MountKind::Share);
    let notes = shares.map(|mount| {
        let mut options = mount.options.split(',');
        let file = options.find_map(|option| option.strip_prefix("credentials="));
        let credentials = file.map_or_else(String::new, |file| {
            format!(" Its credentials are in {file} on the machine; they go to the host, not into an image.")
        });
        format!(
            "{} is {} from {}: mount it on the host at the same place first ({}). The container is lent that directory, whatever is in it.{credentials}",
            mount.path,
            mount.filesystem,
            mount.source,
            mount.evidence.place()
        )
    });
    notes.collect()
}
