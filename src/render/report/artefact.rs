//! Files that were written, as the report shows them. Never a secret, the machine's data, or a file of the machine's own.

use crate::render::{Staging, Written};
use std::path::{Component, Path};

/// A written text file, shown with a button that copies it.
#[derive(Debug, Clone)]
pub struct Artefact {
    /// Relative to OUT.
    pub path: String,
    pub text: String,
}

/// Longest file that is shown, and how much is shown of all together; bytes.
const LONGEST: u64 = 96 << 10;
const TOGETHER: usize = 512 << 10;

/// The text files among what was written, in the order of their paths, those of OUT itself first.
pub fn artefacts(staging: &Staging, written: &Written) -> Vec<Artefact> {
    let mut paths: Vec<&Path> = written
        .paths
        .iter()
        .map(AsRef::as_ref)
        .filter(|path| shown(path))
        .collect();
    paths.sort_by_key(|path| {
        (
            path.components().count() > 1,
            path.parent(),
            rank(path),
            *path,
        )
    });
    let mut left = TOGETHER;
    let mut found = Vec::new();
    for path in paths {
        let whole = staging.path().join(path);
        let fits = whole
            .symlink_metadata()
            .is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST);
        // What was written a moment ago can be read; what cannot be shown stands beside the report all the same.
        let Some(text) = std::fs::read_to_string(whole)
            .ok()
            .filter(|text| fits && text.len() <= left)
        else {
            continue;
        };
        left -= text.len();
        found.push(Artefact {
            path: path.display().to_string(),
            text,
        });
    }
    found
}

/// What one reads first stands first.
fn rank(path: &Path) -> usize {
    const FIRST: [&str; 5] = [
        "compose.yaml",
        "README.md",
        "Dockerfile",
        "entrypoint.sh",
        ".env",
    ];
    let name = path.file_name().unwrap_or_default();
    let found = FIRST.iter().position(|first| name == *first);
    found.unwrap_or(FIRST.len())
}

/// Whether a file is ours to show: what copies the machine's own content is not.
fn shown(path: &Path) -> bool {
    let mut parts = path.components().map(Component::as_os_str);
    let first = parts.next().unwrap_or_default();
    let private = ["secrets", "data"].iter().any(|name| first == *name);
    !private && parts.all(|part| part != "rootfs" && part != "oci")
}
