//! Archives: opened as a machine's root, walked, and read.

use super::{folder, input};
use std::path::Path;
use std::sync::Arc;
use transvase::disk::image::RawFile;
use transvase::source::{OpenOptions, Root};

/// Reads the first part as an archive.
pub fn read(data: &[u8]) {
    let parts = input::parts(data);
    // Files of the system cost too much for a fuzzer; the tests look through them too.
    if !cfg!(fuzzing)
        && let Some(path) = folder::write(&parts, &["root.tar"])
        && let Ok(root) = Root::open(&[path], &OpenOptions::default())
    {
        walk(&root);
    }
    if let Some(part) = parts.into_iter().next() {
        let file = RawFile::elsewhere(Arc::new(part), 0);
        if let Ok(root) = Root::of_archive(file, Path::new("root.tar")) {
            walk(&root);
        }
    }
}

fn walk(root: &Root) {
    let (tree, _) = root.walk();
    let mut buf = vec![0; 9000];
    for entry in tree.entries().iter().take(24) {
        let _ = root.xattrs(entry);
        for at in [0, entry.size / 2, u64::MAX - 5] {
            if let Ok(read) = root.read_at(entry, at, &mut buf) {
                assert!(read <= buf.len());
            }
        }
    }
}
