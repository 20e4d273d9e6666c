//! A mounted tree: walked once by its names, opened through the kernel's own confinement.
//!
//! Every open goes through openat2(2) with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, so that a link swapped in while we
//! read leads nowhere else either. Kernels before 5.6 lack it; there each component is opened by itself without following
//! links, which our resolved paths do not need.

use super::{Backend, Error, node};
use crate::disk::FileKind;
use crate::fact::Unexamined;
use crate::path::MachinePath;
use crate::walk::Entry;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Mount points of the running system that are not part of a disk, when `/` itself is the source.
const PSEUDO: &[&str] = &["proc", "sys", "dev", "run"];

pub(super) struct Directory {
    path: PathBuf,
    root: OwnedFd,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let has = |name: &str| std::fs::symlink_metadata(path.join(name)).is_ok();
        if !has("etc") || !(has("usr") || has("bin")) {
            let what = "not the root of a file system".to_owned();
            return Err(Error::NotAMachine {
                path: path.to_path_buf(),
                what,
            });
        }
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let root = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| Error::io(path, errno.into()))?;
        Ok(Self {
            path: path.to_path_buf(),
            root,
        })
    }

    fn open_file(&self, entry: &Entry) -> Result<File, String> {
        let relative = entry.path.as_bytes().get(1..).unwrap_or_default();
        let relative = Path::new(std::ffi::OsStr::from_bytes(relative));
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let opened = match rustix::fs::openat2(&self.root, relative, flags, Mode::empty(), resolve)
        {
            Err(Errno::NOSYS) => self.open_by_component(relative, flags),
            other => other,
        };
        let file = File::from(opened.map_err(|errno| errno.to_string())?);
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        // Asked again of the open file: a FIFO put in its place since the walk must not be read.
        if metadata.is_file() {
            Ok(file)
        } else {
            Err("not a regular file".into())
        }
    }

    fn open_by_component(&self, relative: &Path, last: OFlags) -> Result<OwnedFd, Errno> {
        let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut parts: Vec<_> = relative.components().collect();
        let name = parts.pop().ok_or(Errno::NOENT)?;
        let mut at = self
            .root
            .as_fd()
            .try_clone_to_owned()
            .map_err(|_| Errno::MFILE)?;
        for part in parts {
            at = rustix::fs::openat(&at, part.as_os_str(), through, Mode::empty())?;
        }
        rustix::fs::openat(&at, name.as_os_str(), last, Mode::empty())
    }

    /// A directory of the running system that lies on another device than the root.
    fn is_pseudo(entry: &walkdir::DirEntry, device: u64) -> bool {
        entry.depth() == 1
            && PSEUDO.iter().any(|name| entry.file_name() == *name)
            && entry
                .metadata()
                .is_ok_and(|metadata| metadata.dev() != device)
    }
}

impl Backend for Directory {
    fn entries(&self, problems: &mut Vec<Unexamined>) -> Vec<Entry> {
        let device = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.dev());
        let walk = walkdir::WalkDir::new(&self.path)
            .follow_links(false)
            .sort_by_file_name();
        let mut entries = Vec::new();
        let all = walk
            .into_iter()
            .filter_entry(|entry| !Self::is_pseudo(entry, device));
        for found in all {
            match found {
                Ok(found) => entries.extend(entry(&self.path, &found, problems)),
                Err(error) => {
                    let path = error
                        .path()
                        .map_or_else(MachinePath::root, |path| inside(&self.path, path));
                    let reason = error
                        .io_error()
                        .map_or_else(|| error.to_string(), ToString::to_string);
                    problems.push(Unexamined {
                        path,
                        detector: "source".into(),
                        reason,
                    });
                }
            }
        }
        entries
    }

    fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String> {
        let file = self.open_file(entry)?;
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(done)
    }

    fn xattrs(&self, entry: &Entry) -> Result<crate::disk::Xattrs, String> {
        let file = self.open_file(entry)?;
        let mut names = vec![0u8; 64 << 10];
        let length =
            rustix::fs::flistxattr(&file, &mut names[..]).map_err(|errno| errno.to_string())?;
        let mut found = Vec::new();
        for name in names
            .get(..length)
            .unwrap_or_default()
            .split(|b| *b == 0)
            .filter(|n| !n.is_empty())
        {
            let mut value = vec![0u8; 64 << 10];
            let length = rustix::fs::fgetxattr(&file, name, &mut value[..])
                .map_err(|errno| errno.to_string())?;
            value.truncate(length);
            found.push((name.to_vec(), value));
        }
        found.sort();
        Ok(found)
    }
}

fn inside(root: &Path, path: &Path) -> MachinePath {
    MachinePath::new(
        path.strip_prefix(root)
            .unwrap_or(path)
            .as_os_str()
            .as_bytes(),
    )
}

fn entry(root: &Path, found: &walkdir::DirEntry, problems: &mut Vec<Unexamined>) -> Option<Entry> {
    let path = inside(root, found.path());
    let metadata = match found.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            problems.push(Unexamined {
                path,
                detector: "source".into(),
                reason: error.to_string(),
            });
            return None;
        }
    };
    let kind = metadata.file_type();
    let kind = if kind.is_file() {
        FileKind::File
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        FileKind::Symlink
    } else if kind.is_char_device() {
        FileKind::CharDevice
    } else if kind.is_block_device() {
        FileKind::BlockDevice
    } else if kind.is_fifo() {
        FileKind::Fifo
    } else {
        FileKind::Socket
    };
    let target = (kind == FileKind::Symlink)
        .then(|| std::fs::read_link(found.path()).ok())
        .flatten()
        .map(|target| target.into_os_string().into_vec().into_boxed_slice());
    Some(Entry {
        path,
        kind,
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        size: metadata.size(),
        mtime: metadata.mtime(),
        target,
        volume: 0,
        node: node(metadata.ino()),
    })
}
