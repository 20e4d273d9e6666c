//! Opening a file of a mounted tree so that nothing outside the tree can be meant.
//!
//! openat2(2) with RESOLVE_IN_ROOT: even a link or directory swapped in while we read leads nowhere else. Kernels before
//! 5.6 lack it and some sandboxes forbid it; there each component is opened by itself, no link followed. Paths from the
//! walk hold no links, so both find the same file.

use super::ReadError;
use crate::path::MachinePath;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

/// A FIFO must not block, a terminal not become ours.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW);

/// Opens what the walk called a regular file, and makes sure that it still is one.
pub(super) fn open_file(root: &OwnedFd, path: &MachinePath) -> Result<File, ReadError> {
    let file = File::from(open(root, path, READ)?);
    // Asked of the open file, not of its name: a device may have taken its place.
    if !file.metadata()?.is_file() {
        return Err(ReadError::NotAFile);
    }
    Ok(file)
}

/// Opens a directory of the tree, for its attributes.
pub(super) fn open_directory(root: &OwnedFd, path: &MachinePath) -> Result<OwnedFd, ReadError> {
    Ok(open(root, path, READ.union(OFlags::DIRECTORY))?)
}

fn open(root: &OwnedFd, path: &MachinePath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let relative = match path.as_bytes().get(1..) {
        None | Some(b"") => b".",
        Some(relative) => relative,
    };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    match openat2(root, relative, flags, Mode::empty(), resolve) {
        Err(Errno::NOSYS | Errno::PERM) => by_component(root, path, flags),
        opened => opened,
    }
}

fn by_component(root: &OwnedFd, path: &MachinePath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at: Option<OwnedFd> = None;
    let mut components = path.components().peekable();
    while let Some(name) = components.next() {
        let directory = at.as_ref().unwrap_or(root).as_fd();
        let flags = match components.peek() {
            Some(_) => through,
            None => flags,
        };
        at = Some(openat(directory, name, flags, Mode::empty())?);
    }
    match at {
        Some(file) => Ok(file),
        None => openat(root, ".", flags, Mode::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A root beside a secret, with every kind of link out of it.
    fn hostile() -> (tempfile::TempDir, OwnedFd) {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("root");
        fs::create_dir_all(root.join("etc/dir")).unwrap();
        fs::write(temp.path().join("secret"), "outside").unwrap();
        fs::write(root.join("etc/dir/file"), "inside").unwrap();
        symlink(temp.path().join("secret"), root.join("absolute")).unwrap();
        symlink("../secret", root.join("dotdot")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("/proc/self/root", root.join("magic")).unwrap();
        symlink(temp.path(), root.join("out")).unwrap();
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&root, flags, Mode::empty()).unwrap();
        (temp, fd)
    }

    #[test]
    fn both_ways_find_files_and_no_way_out() {
        let (temp, root) = hostile();
        let outside = format!("/magic{}/secret", temp.path().display());
        for opener in [open, by_component] {
            let open = |path: &str| opener(&root, &path.into(), READ);
            assert!(open("/etc/dir/file").is_ok());
            assert!(open("/").is_ok());
            let escapes = [
                "/absolute",
                "/dotdot",
                "/up/secret",
                "/out/secret",
                &outside,
            ];
            for path in escapes {
                assert!(open(path).is_err(), "{path}");
            }
        }
    }

    #[test]
    fn devices_and_fifos_are_refused_without_waiting() {
        let (temp, root) = hostile();
        let fifo = temp.path().join("root/fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(matches!(
            open_file(&root, &"/fifo".into()),
            Err(ReadError::NotAFile)
        ));
        assert!(open_file(&root, &"/etc".into()).is_err());
        assert!(open_directory(&root, &"/etc".into()).is_ok());
    }
}
