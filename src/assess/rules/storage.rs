//! State, and the file systems it is on.

use super::Seen;
use super::network::documents;
use crate::fact::{Document, Evidence, Setting, Syntax};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::walk::Entry;
use crate::workload::mount::{self, Mount, MountKind};

/// From this size on, data wants a plan of its own, in bytes.
const LARGE: u64 = 10 << 30;

/// Set-user-id or set-group-id.
const SET_ID: u32 = 0o6000;

const UNSUPPORTED: &[&str] = &["gfs2", "ocfs2", "zfs", "lustre", "gpfs", "vxfs", "ecryptfs"];

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = data(seen);
    found.extend(mounts(seen));
    found.extend(set_id_files(seen));
    found
}

fn data(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for workload in seen.workloads {
        for data in workload.data.iter().filter(|data| !data.is_supposed) {
            let id = Some(workload.id.as_str());
            let size = crate::text::bytes(data.bytes);
            let detail = format!("{} ({size}): {}", data.path, data.why);
            let evidence = vec![data.evidence.clone()];
            found.extend(concern(
                "storage/persistent-state",
                id,
                detail,
                evidence.clone(),
            ));
            if data.bytes >= LARGE {
                let detail = format!("{} holds {size}", data.path);
                found.extend(concern("storage/large-data", id, detail, evidence));
            }
        }
    }
    found
}

/// fstab(5): device, mount point, type, options.
fn mounts(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for mount in mount::of_machine(seen.facts) {
        found.extend(shared(&mount));
    }
    for document in documents(seen.facts, Syntax::Columns, |path| path == "/etc/fstab") {
        for setting in &document.settings {
            found.extend(unsupported(document, setting));
        }
    }
    for document in documents(seen.facts, Syntax::Columns, |path| path == "/etc/crypttab") {
        for setting in &document.settings {
            let detail = format!("{} is encrypted", setting.key);
            let evidence = vec![document.evidence(setting)];
            found.extend(concern(
                "storage/unsupported-filesystem",
                None,
                detail,
                evidence,
            ));
        }
    }
    found
}

/// What is of another machine, or gone at the next start.
fn shared(mount: &Mount) -> Option<Concern> {
    let evidence = vec![mount.evidence.clone()];
    let (point, filesystem) = (&mount.path, &mount.filesystem);
    match mount.kind {
        MountKind::Share => {
            let detail = format!("{point} is {filesystem} from {}", mount.source);
            concern("storage/network-mount", None, detail, evidence)
        }
        MountKind::Memory if mount.options.contains("size=") || point.text() == "/dev/shm" => {
            let detail = format!("{point} is a memory file system: {}", mount.options);
            concern("storage/shared-memory", None, detail, evidence)
        }
        _ => None,
    }
}

fn unsupported(document: &Document, setting: &Setting) -> Option<Concern> {
    let [point, kind, ..] = setting.args.as_slice() else {
        return None;
    };
    let is_share = mount::is_share(kind);
    let is_one = UNSUPPORTED.contains(&kind.as_str()) || kind.starts_with("fuse.");
    let evidence = vec![document.evidence(setting)];
    let detail = format!("{point} is {kind}");
    (is_one && !is_share)
        .then(|| concern("storage/unsupported-filesystem", None, detail, evidence))
        .flatten()
}

/// Set-user-id files that no package brings along.
fn set_id_files(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for workload in seen.workloads {
        let below = workload.claims.iter().flat_map(|claim| {
            seen.facts
                .tree
                .below(claim)
                .chain(seen.facts.tree.entry(claim))
        });
        for entry in below.filter(|entry: &&Entry| entry.is_file() && entry.mode & SET_ID != 0) {
            let detail = format!("mode {:04o}, owner {}", entry.mode, entry.uid);
            let evidence = vec![Evidence::file(&entry.path).with_excerpt(&detail)];
            found.extend(concern(
                "storage/extended-attributes",
                Some(&workload.id),
                detail,
                evidence,
            ));
        }
    }
    found
}
