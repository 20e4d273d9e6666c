//! File systems: opened, walked, and read as far as a share of work goes.

use super::input;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use transvase::disk::{BlockDevice, DiskError, FileSystem, NodeId};

/// Nodes that are looked at, entries of one directory that are taken, and bytes that are read at once.
const NODES: usize = 20;
const ENTRIES: usize = 80;
const WINDOW: usize = 4500;

/// Opens the first part as this file system and reads it.
pub fn read<F: FileSystem>(data: &[u8], open: fn(Arc<dyn BlockDevice>) -> Result<F, DiskError>) {
    let device = input::devices(data).into_iter().next();
    if let Some(Ok(fs)) = device.map(open) {
        walk(&fs);
    }
}

/// Reads nodes once each, from the root and from every subvolume's.
fn walk(fs: &dyn FileSystem) {
    fs.info();
    let tops = fs.subvolumes().into_iter().map(|volume| volume.root);
    let mut open: Vec<NodeId> = tops.take(8).collect();
    open.push(fs.root());
    let mut seen = HashSet::new();
    let mut buf = vec![0; WINDOW];
    while let Some(node) = open.pop()
        && seen.len() < NODES
    {
        if seen.insert(node) {
            look(fs, node, &mut open, &mut buf);
        }
    }
}

fn look(fs: &dyn FileSystem, node: NodeId, open: &mut Vec<NodeId>, buf: &mut [u8]) {
    let mut entries = 0;
    let _ = fs.read_dir(node, &mut |entry| {
        let name = entry.name.as_slice();
        assert!(!matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0));
        open.push(entry.node);
        entries += 1;
        if entries < ENTRIES {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    if let Ok(target) = fs.read_link(node) {
        assert!(target.len() <= 4096);
    }
    if let Ok(found) = fs.xattrs(node) {
        assert!(found.is_sorted());
    }
    if let Ok(stat) = fs.stat(node) {
        assert!(stat.mode <= 0o7777 && stat.mtime.1 < 1_000_000_000);
        let middle = stat.size / 2;
        for at in [0, middle, stat.size.saturating_sub(5), u64::MAX - 5] {
            if let Ok(read) = fs.read_at(node, at, buf) {
                assert!(read <= buf.len());
            }
        }
    }
}
