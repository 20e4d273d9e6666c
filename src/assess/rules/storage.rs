//! State, and the file systems it is on.

use super::Seen;
use super::network::documents;
use crate::fact::{Document, Evidence, Setting, Syntax};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::walk::Entry;

/// From this size on, data wants a plan of its own, in bytes.
const LARGE: u64 = 10 << 30;

/// Set-user-id or set-group-id.
const SET_ID: u32 = 0o6000;

const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "glusterfs",
    "fuse.glusterfs",
    "ceph",
    "fuse.sshfs",
    "davfs",
    "afs",
    "9p",
];
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
        for data in &workload.data {
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
    for document in documents(seen.facts, Syntax::Columns, |path| path == "/etc/fstab") {
        for setting in &document.settings {
            found.extend(mount(document, setting));
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

fn mount(document: &Document, setting: &Setting) -> Option<Concern> {
    let [point, kind, options @ ..] = setting.args.as_slice() else {
        return None;
    };
    let evidence = vec![document.evidence(setting)];
    if NETWORK.contains(&kind.as_str()) {
        let detail = format!("{point} is {kind} from {}", setting.key);
        return concern("storage/network-mount", None, detail, evidence);
    }
    if UNSUPPORTED.contains(&kind.as_str()) || kind.starts_with("fuse.") {
        return concern(
            "storage/unsupported-filesystem",
            None,
            format!("{point} is {kind}"),
            evidence,
        );
    }
    let sized = options
        .first()
        .is_some_and(|options| options.contains("size="));
    if kind == "tmpfs" && (sized || point == "/dev/shm") {
        let detail = format!("{point} is a memory file system: {}", options.join(" "));
        return concern("storage/shared-memory", None, detail, evidence);
    }
    None
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
