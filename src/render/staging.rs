//! The output as a whole: written aside, and put in place when it is complete.

use super::Error;
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What the names of directories aside begin with; the process's number follows.
const ASIDE: &str = ".transvase-";

/// Directories aside that one number may need: in containers that share a folder, processes have the same numbers.
const MOST: usize = 100;

/// The directory aside that a signal has to remove, if there is one.
static OPEN: Mutex<Option<PathBuf>> = Mutex::new(None);

/// A directory beside (or, where OUT exists already, inside) OUT. Dropped without [`Staging::commit`], it is removed.
#[derive(Debug)]
pub struct Staging {
    out: PathBuf,
    aside: PathBuf,
    inside: bool,
    done: bool,
    /// Held as long as this process works in it, so that others tell it from a leftover.
    _held: OwnedFd,
}

/// Not through the mode that something is made with: that is cut by the umask.
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

impl Staging {
    /// Refuses an OUT that holds something already.
    pub fn new(out: &Path) -> Result<Self, Error> {
        let inside = match fs::read_dir(out) {
            Ok(names) => {
                for name in names {
                    let name = name.map_err(|error| Error::io(out, error))?.path();
                    if !is_leftover(&name) {
                        return Err(Error::NotEmpty(out.to_owned()));
                    }
                    fs::remove_dir_all(&name).map_err(|error| Error::io(out, error))?;
                }
                true
            }
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                return Err(Error::NotADirectory(out.to_owned()));
            }
            Err(error) => return Err(Error::io(out, error)),
        };
        let folder = if inside {
            Some(out)
        } else {
            out.parent().filter(|parent| !parent.as_os_str().is_empty())
        };
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        let folder = folder.unwrap_or_else(|| Path::new("."));
        // A signal between the two would leave it.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let (aside, held) = make(folder).map_err(|error| Error::io(out, error))?;
        *open = Some(aside.clone());
        drop(open);
        Ok(Self {
            out: out.to_owned(),
            aside,
            inside,
            done: false,
            _held: held,
        })
    }

    /// Where the output stands until it is complete.
    pub fn path(&self) -> &Path {
        &self.aside
    }

    /// An error with the name that its file has in OUT.
    pub(super) fn named(&self, error: Error) -> Error {
        error.of_out(&self.aside, &self.out)
    }

    /// A directory below the output, and those above it.
    pub fn directory(&self, relative: &Path, mode: u32) -> Result<PathBuf, Error> {
        let failed = |error| Error::io(self.out.join(relative), error);
        let mut path = self.aside.clone();
        for name in relative.components() {
            path.push(name);
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let is_last = path == self.aside.join(relative);
                    let mode = if is_last { mode } else { 0o755 };
                    set_mode(&path, mode).map_err(failed)?;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(path)
    }

    /// A new file; its directory is made where it is missing.
    pub fn create(&self, relative: &Path, mode: u32) -> Result<fs::File, Error> {
        if let Some(parent) = relative.parent() {
            self.directory(parent, 0o755)?;
        }
        let path = self.aside.join(relative);
        let made = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        made.and_then(|made| set_mode(&path, mode).map(|()| made))
            .map_err(|error| Error::io(self.out.join(relative), error))
    }

    /// A second name of a file that was written, or a copy where the disk has no such names.
    pub(super) fn link(&self, first: &Path, second: &Path) -> Result<(), Error> {
        let (from, to) = (self.path().join(first), self.path().join(second));
        if fs::hard_link(&from, &to).is_ok() {
            return Ok(());
        }
        let copied = fs::copy(&from, &to).map(|_| ());
        copied.map_err(|error| Error::io(second, error))
    }

    /// A new file with this content.
    pub fn file(&self, relative: &Path, mode: u32, content: &[u8]) -> Result<(), Error> {
        let mut file = self.create(relative, mode)?;
        file.write_all(content)
            .map_err(|error| Error::io(self.out.join(relative), error))
    }

    /// Puts everything in place.
    pub fn commit(mut self) -> Result<(), Error> {
        // A signal waits until all is in place, or comes before and leaves nothing to put there.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if self.inside {
            // OUT may be a mount point, which cannot be renamed over; its names can be filled one by one.
            let names = fs::read_dir(&self.aside).map_err(|error| Error::io(&self.out, error))?;
            for name in names {
                let name = name
                    .map_err(|error| Error::io(&self.out, error))?
                    .file_name();
                fs::rename(self.aside.join(&name), self.out.join(&name))
                    .map_err(|error| Error::io(self.out.join(&name), error))?;
            }
            fs::remove_dir(&self.aside).map_err(|error| Error::io(&self.out, error))?;
        } else {
            fs::rename(&self.aside, &self.out).map_err(|error| Error::io(&self.out, error))?;
        }
        self.done = true;
        *open = None;
        Ok(())
    }
}

/// Removes what an unfinished run has written, for a process that is about to end by a signal.
///
/// Nothing is put in place any more: the lock stays with whoever calls this.
pub fn abandon() {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(aside) = &*open {
        // Other threads may still be writing into it; without their directory they soon cannot.
        for _ in 0..100 {
            match fs::remove_dir_all(aside) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                _ => break,
            }
        }
    }
    std::mem::forget(open);
}

/// Makes a new directory aside and holds it.
fn make(folder: &Path) -> std::io::Result<(PathBuf, OwnedFd)> {
    let mut last = ErrorKind::AlreadyExists.into();
    for number in 0..MOST {
        let more = match number {
            0 => String::new(),
            number => format!("-{number}"),
        };
        let aside = folder.join(format!("{ASIDE}{}{more}", std::process::id()));
        if is_leftover(&aside) {
            fs::remove_dir_all(&aside)?;
        }
        match fs::DirBuilder::new().mode(0o755).create(&aside) {
            Ok(()) => {
                set_mode(&aside, 0o755)?;
                let (held, locked) = hold(&aside)?;
                // Where file systems know no locks, nobody takes it for a leftover either.
                if !matches!(locked, Err(Errno::WOULDBLOCK)) {
                    return Ok((aside, held));
                }
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Opens a directory aside and tries to lock it.
fn hold(aside: &Path) -> std::io::Result<(OwnedFd, Result<(), Errno>)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::open(aside, flags, Mode::empty())?;
    let locked = flock(&held, FlockOperation::NonBlockingLockExclusive);
    Ok((held, locked))
}

/// Whether this is a directory aside that nobody works in: that of a run which was killed.
fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = name.strip_prefix(ASIDE).unwrap_or_default();
    let is_ours = number.starts_with(|first: char| first.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '-');
    is_ours && hold(path).is_ok_and(|(_, locked)| locked.is_ok())
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.done {
            // Directories carried with little permission would keep the rest from being removed: nothing more can be
            // done here than to try.
            let _ = fs::remove_dir_all(&self.aside);
            *OPEN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_half_written_stays() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("a/out");
        let staging = Staging::new(&out).unwrap();
        staging.file(Path::new("x/y"), 0o600, b"1").unwrap();
        drop(staging);
        assert!(!out.exists());
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 0);
    }

    #[test]
    fn a_new_and_an_empty_directory_are_filled_and_a_full_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        for _ in 0..2 {
            let staging = Staging::new(&out).unwrap();
            staging.file(Path::new("x/y"), 0o600, b"1").unwrap();
            staging.commit().unwrap();
            assert_eq!(fs::read(out.join("x/y")).unwrap(), b"1");
            assert!(matches!(Staging::new(&out), Err(Error::NotEmpty(_))));
            fs::remove_dir_all(out.join("x")).unwrap();
        }
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(matches!(
            Staging::new(&dir.path().join("file")),
            Err(Error::NotADirectory(_))
        ));
    }
    #[test]
    fn a_leftover_is_no_reason_to_refuse_and_who_works_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let own = format!(".transvase-{}", std::process::id());
        for leftover in [
            dir.path().join(&own),
            out.join(".transvase-1"),
            out.join(&own),
        ] {
            fs::create_dir_all(leftover.join("half")).unwrap();
        }
        let staging = Staging::new(&out).unwrap();
        assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
        assert!(matches!(Staging::new(&out), Err(Error::NotEmpty(_))));
        // The same number in another container.
        let other = Staging::new(&dir.path().join("other")).unwrap();
        let third = Staging::new(&dir.path().join("third")).unwrap();
        assert!(other.path() != third.path() && other.path().exists());
        drop(staging);
        // What only looks like one is somebody's.
        fs::create_dir(out.join(".transvase-1.old")).unwrap();
        assert!(matches!(Staging::new(&out), Err(Error::NotEmpty(_))));
    }
}
