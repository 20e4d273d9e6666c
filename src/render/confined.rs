//! A directory that is written into by the machine's names and never left: each component is opened from the one above
//! without following links (openat(2), O_NOFOLLOW), so that a carried link cannot lead a later name out.

use super::Error;
use crate::path::MachinePath;
use rustix::fs::{
    AtFlags, Mode, OFlags, Timespec, Timestamps, mkdirat, openat, symlinkat, utimensat,
};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

pub(super) struct Confined {
    base: OwnedFd,
    /// For messages.
    path: PathBuf,
    /// The directory written into last: names come sorted, so it is nearly always the same.
    last: Option<(MachinePath, OwnedFd)>,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl Confined {
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let base = rustix::fs::open(path, DIRECTORY | OFlags::RDONLY, Mode::empty());
        let base = base.map_err(|error| Error::io(path, error))?;
        Ok(Self {
            base,
            path: path.to_owned(),
            last: None,
        })
    }

    /// Makes a directory and those above it.
    pub(super) fn directory(&mut self, path: &MachinePath) -> Result<(), Error> {
        self.open(path).map(|_| ())
    }

    /// Makes a new regular file.
    pub(super) fn file(&mut self, path: &MachinePath, mode: u32) -> Result<File, Error> {
        let parent = path.parent().unwrap_or_else(MachinePath::root);
        let at = self.open(&parent)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(at, path.file_name(), flags, Mode::from_raw_mode(0o600))
            .map_err(|error| self.failed(path, error))?;
        // Not through open's mode: that is cut by the umask.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))
            .map_err(|error| self.failed(path, error))?;
        Ok(file.into())
    }

    /// Takes a file away again.
    pub(super) fn remove(&mut self, path: &MachinePath) -> Result<(), Error> {
        let parent = path.parent().unwrap_or_else(MachinePath::root);
        let at = self.open(&parent)?;
        let gone = rustix::fs::unlinkat(at, path.file_name(), AtFlags::empty());
        gone.map_err(|error| self.failed(path, error))
    }

    /// Makes a new symbolic link.
    pub(super) fn link(
        &mut self,
        path: &MachinePath,
        target: &[u8],
        mtime: i64,
    ) -> Result<(), Error> {
        let parent = path.parent().unwrap_or_else(MachinePath::root);
        let at = self.open(&parent)?;
        let made = symlinkat(target, at, path.file_name()).and_then(|()| {
            utimensat(
                at,
                path.file_name(),
                &times(mtime),
                AtFlags::SYMLINK_NOFOLLOW,
            )
        });
        made.map_err(|error| self.failed(path, error))
    }

    /// Gives a directory its mode and time, after everything in it was written.
    pub(super) fn settle(
        &mut self,
        path: &MachinePath,
        mode: u32,
        mtime: i64,
    ) -> Result<(), Error> {
        let at = self.open(path)?;
        let done = rustix::fs::fchmod(at, Mode::from_raw_mode(mode))
            .and_then(|()| rustix::fs::futimens(at, &times(mtime)));
        done.map_err(|error| self.failed(path, error))
    }

    fn open(&mut self, path: &MachinePath) -> Result<&OwnedFd, Error> {
        if path.as_bytes() == b"/" {
            return Ok(&self.base);
        }
        if self.last.as_ref().is_none_or(|(last, _)| last != path) {
            let opened = self.descend(path)?;
            self.last = Some((path.clone(), opened));
        }
        Ok(self.last.as_ref().map_or(&self.base, |(_, fd)| fd))
    }

    fn descend(&self, path: &MachinePath) -> Result<OwnedFd, Error> {
        let mut at: Option<OwnedFd> = None;
        for name in path.components() {
            let from = at.as_ref().unwrap_or(&self.base);
            let made = match mkdirat(from, name, Mode::from_raw_mode(0o755)) {
                // Not through mkdirat's mode: that is cut by the umask.
                Ok(()) => {
                    openat(from, name, DIRECTORY | OFlags::RDONLY, Mode::empty()).and_then(|made| {
                        rustix::fs::fchmod(&made, Mode::from_raw_mode(0o755)).map(|()| made)
                    })
                }
                Err(rustix::io::Errno::EXIST) => {
                    openat(from, name, DIRECTORY | OFlags::RDONLY, Mode::empty())
                }
                Err(error) => Err(error),
            };
            at = Some(made.map_err(|error| self.failed(path, error))?);
        }
        at.ok_or_else(|| self.failed(path, rustix::io::Errno::INVAL))
    }

    fn failed(&self, path: &MachinePath, error: rustix::io::Errno) -> Error {
        Error::io(
            self.path.join(path.to_string().trim_start_matches('/')),
            error,
        )
    }
}

/// Access and modification time; a time the kernel does not know becomes 1970.
pub(super) fn times(mtime: i64) -> Timestamps {
    let time = Timespec {
        tv_sec: mtime.max(0),
        tv_nsec: 0,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carried_link_leads_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::create_dir(&outside).unwrap();
        let mut confined = Confined::new(&inside).unwrap();
        let target = outside.to_str().unwrap().as_bytes().to_vec();
        confined.link(&"/a".into(), &target, 0).unwrap();
        assert!(confined.file(&"/a/x".into(), 0o644).is_err());
        assert!(confined.directory(&"/a/b".into()).is_err());
        confined.file(&"/b/x".into(), 0o644).unwrap();
        assert!(confined.file(&"/b/x".into(), 0o644).is_err());
        assert_eq!(std::fs::read_dir(outside).unwrap().count(), 0);
    }
}
