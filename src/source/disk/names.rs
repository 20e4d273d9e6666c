//! Looking a path up in one file system, links not followed: enough to find a root and its fstab.

use crate::disk::{FileKind, FileSystem, NodeId};
use std::ops::ControlFlow;

/// The node at a path of plain names below the directory `top`.
pub(super) fn find(fs: &dyn FileSystem, top: NodeId, path: &str) -> Option<NodeId> {
    follow(fs, top, path, <[u8]>::eq)
}

/// Whether there is something at a path whose letters may be large or small, as Windows sees it.
pub(super) fn exists_in_any_case(fs: &dyn FileSystem, path: &str) -> bool {
    follow(fs, fs.root(), path, <[u8]>::eq_ignore_ascii_case).is_some()
}

fn follow(
    fs: &dyn FileSystem,
    top: NodeId,
    path: &str,
    same: fn(&[u8], &[u8]) -> bool,
) -> Option<NodeId> {
    let mut at = top;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let mut found = None;
        // Damage after the name we look for does not matter; before it, the name is not there for us.
        let _ = fs.read_dir(at, &mut |entry| {
            if same(&entry.name, part.as_bytes()) {
                found = Some(entry.node);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        at = found?;
    }
    Some(at)
}

pub(super) fn exists(fs: &dyn FileSystem, top: NodeId, path: &str) -> bool {
    find(fs, top, path).is_some()
}

/// A small text file's content; `None` where there is none, or it is no regular file, or larger than `limit` bytes.
pub(super) fn text(fs: &dyn FileSystem, top: NodeId, path: &str, limit: usize) -> Option<String> {
    text_of(fs, find(fs, top, path)?, limit)
}

/// The same of a node.
pub(super) fn text_of(fs: &dyn FileSystem, node: NodeId, limit: usize) -> Option<String> {
    let stat = fs
        .stat(node)
        .ok()
        .filter(|stat| stat.kind == FileKind::File)?;
    let size = usize::try_from(stat.size)
        .ok()
        .filter(|size| *size <= limit)?;
    let mut bytes = vec![0; size];
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match fs.read_at(node, u64::try_from(done).ok()?, rest) {
            Ok(0) | Err(_) => break,
            Ok(read) => done += read,
        }
    }
    bytes.truncate(done);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
