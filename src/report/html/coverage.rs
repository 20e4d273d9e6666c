//! What was looked at, and what was not.

use super::words::count;
use crate::scan::Scan;
use crate::text::bytes;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct CoverageView {
    files: String,
    read: String,
    source: String,
    format: String,
    volumes: Vec<VolumeRow>,
    unexamined: Vec<[String; 3]>,
    more: usize,
    complete: bool,
}

#[derive(Serialize)]
struct VolumeRow {
    device: String,
    kind: String,
    filesystem: String,
    mount: String,
    size: String,
    used: String,
}

/// Parts not examined that are listed; scan.json has them all.
const LISTED: usize = 300;

/// What was handed over, and the files that it led to.
fn source(scan: &Scan) -> String {
    let path = scan.source.path.as_str();
    let files = scan.source.files.iter().map(String::as_str);
    std::iter::once(path)
        .chain(files)
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn coverage(scan: &Scan) -> CoverageView {
    let coverage = &scan.coverage;
    let parts = coverage.unexamined.iter().take(LISTED);
    let volumes = scan.source.volumes.iter().map(|volume| VolumeRow {
        device: volume.device.clone(),
        kind: volume.kind.clone(),
        filesystem: volume.filesystem.clone().unwrap_or_default(),
        mount: volume.mount.clone().unwrap_or_default(),
        size: bytes(volume.bytes),
        used: volume.used.map(bytes).unwrap_or_default(),
    });
    CoverageView {
        files: count(coverage.files_seen),
        read: bytes(coverage.bytes_read),
        source: source(scan),
        format: scan.source.format.clone(),
        volumes: volumes.collect(),
        unexamined: parts
            .map(|part| {
                [
                    part.path.to_string(),
                    part.reason.clone(),
                    part.detector.clone(),
                ]
            })
            .collect(),
        more: coverage.unexamined.len().saturating_sub(LISTED),
        complete: coverage.unexamined.is_empty(),
    }
}
