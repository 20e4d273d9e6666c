//! Archives: opened as a machine's root, walked, and read.

use super::{folder, input};
use transvase::source::{OpenOptions, Root};

/// Reads the first part as an archive.
pub fn read(data: &[u8]) {
    let Some(path) = folder::write(&input::parts(data), &["root.tar"]) else {
        return;
    };
    let Ok(root) = Root::open(&[path], &OpenOptions::default()) else {
        return;
    };
    let (tree, _) = root.walk();
    let mut buf = vec![0; 9000];
    for entry in tree.entries().iter().take(200) {
        let _ = root.xattrs(entry);
        for at in [0, entry.size / 2, u64::MAX - 5] {
            if let Ok(read) = root.read_at(entry, at, &mut buf) {
                assert!(read <= buf.len());
            }
        }
    }
}
