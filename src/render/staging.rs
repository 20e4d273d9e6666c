//! The output as a whole: written aside, and put in place when it is complete.

use super::Error;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A directory beside (or, where OUT exists already, inside) OUT. Dropped without [`Staging::commit`], it is removed.
#[derive(Debug)]
pub struct Staging {
    out: PathBuf,
    aside: PathBuf,
    inside: bool,
    done: bool,
}

/// Not through the mode that something is made with: that is cut by the umask.
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

impl Staging {
    /// Refuses an OUT that holds something already.
    pub fn new(out: &Path) -> Result<Self, Error> {
        let inside = match fs::read_dir(out) {
            Ok(mut names) => match names.next() {
                Some(_) => return Err(Error::NotEmpty(out.to_owned())),
                None => true,
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                return Err(Error::NotADirectory(out.to_owned()));
            }
            Err(error) => return Err(Error::io(out, error)),
        };
        let name = format!(".transvase-{}", std::process::id());
        let aside = if inside {
            out.join(name)
        } else {
            out.with_file_name(name)
        };
        if let Some(parent) = aside
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
        }
        fs::DirBuilder::new()
            .mode(0o755)
            .create(&aside)
            .and_then(|()| set_mode(&aside, 0o755))
            .map_err(|error| Error::io(out, error))?;
        Ok(Self {
            out: out.to_owned(),
            aside,
            inside,
            done: false,
        })
    }

    /// Where the output stands until it is complete.
    pub fn path(&self) -> &Path {
        &self.aside
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

    /// A new file with this content.
    pub fn file(&self, relative: &Path, mode: u32, content: &[u8]) -> Result<(), Error> {
        let mut file = self.create(relative, mode)?;
        file.write_all(content)
            .map_err(|error| Error::io(self.out.join(relative), error))
    }

    /// Puts everything in place.
    pub fn commit(mut self) -> Result<(), Error> {
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
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.done {
            // Directories carried with little permission would keep the rest from being removed: nothing more can be
            // done here than to try.
            let _ = fs::remove_dir_all(&self.aside);
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
}
