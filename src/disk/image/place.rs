//! Where an image lies, and the only way to another file that it names: its own folder.
//!
//! A name inside an image is an attacker's: `/etc/shadow` as a backing file would hand its content to whoever reads the
//! report, and so would `.bash_history` where the image lies in somebody's home. So a named file must lie in the image's
//! folder, not below it, not hidden, be a regular file and no link; and every file that was opened is told.

use super::{Image, OpenError, RawFile, Said, likeness, open_file};
use crate::disk::BlockDevice;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Images in one chain at most.
const DEPTH: usize = 16;

/// A FIFO must not block, a terminal not become ours.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// What stands beside an image where that is no folder: the members of an archive, or whatever a caller has.
pub trait Beside: Send + Sync {
    /// The file of a name.
    fn file(&self, named: &[u8]) -> io::Result<RawFile>;
    /// How messages name it.
    fn path(&self, named: &[u8]) -> PathBuf;
    fn names(&self) -> Vec<Vec<u8>>;
}

/// An image's path, and the images that led to it.
pub struct Place {
    path: PathBuf,
    allow_outside: bool,
    /// The files of the chain from the one the user named to this one.
    chain: Vec<(u64, u64, u64)>,
    /// Where the image is in no folder: what it names is looked for here, and never among files.
    beside: Option<Arc<dyn Beside>>,
    /// Files that the images of the chain, and those beside it, led to.
    led_to: Arc<Mutex<Vec<PathBuf>>>,
}

impl Place {
    /// Opens what the user named: a regular file or a block device, through links too.
    pub(super) fn named_by_user(
        path: &Path,
        allow_outside: bool,
    ) -> Result<(RawFile, Self), OpenError> {
        let failed = |error| OpenError::Io {
            path: path.to_path_buf(),
            error,
        };
        let kind = std::fs::metadata(path).map_err(failed)?.file_type();
        // Opening a FIFO or a terminal would wait for ever.
        if !kind.is_file() && !kind.is_block_device() {
            return Err(OpenError::WrongKind {
                path: path.to_path_buf(),
                what: "neither a file nor a block device",
            });
        }
        let file = File::open(path).map_err(failed)?;
        let file = RawFile::new(file).map_err(OpenError::disk(path))?;
        if file.size() == 0 {
            return Err(OpenError::WrongKind {
                path: path.to_path_buf(),
                what: "empty",
            });
        }
        let place = Self {
            path: path.to_path_buf(),
            allow_outside,
            chain: vec![file.identity()],
            beside: None,
            led_to: Arc::default(),
        };
        Ok((file, place))
    }

    /// Opens a file that is in no folder.
    pub(super) fn among(
        named: &[u8],
        beside: Arc<dyn Beside>,
    ) -> Result<(RawFile, Self), OpenError> {
        let path = beside.path(named);
        let opened = beside.file(named);
        let file = opened.map_err(|error| OpenError::Io {
            path: path.clone(),
            error,
        })?;
        let place = Self {
            path,
            allow_outside: false,
            chain: vec![file.identity()],
            beside: Some(beside),
            led_to: Arc::default(),
        };
        Ok((file, place))
    }

    /// The same, with the members of an archive in the folder's stead.
    pub(super) fn in_archive(&self, archive: Arc<dyn Beside>) -> Self {
        Self {
            path: self.path.clone(),
            allow_outside: self.allow_outside,
            chain: self.chain.clone(),
            beside: Some(archive),
            led_to: Arc::clone(&self.led_to),
        }
    }

    /// Of the image itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file that the image names, whatever is in it.
    pub fn file(&self, named: &[u8], role: &'static str) -> Result<(RawFile, Self), OpenError> {
        if let Some(place) = self.forbidden(named) {
            return Err(OpenError::Outside {
                path: self.path.clone(),
                named: String::from_utf8_lossy(named).into_owned(),
                role,
                place,
            });
        }
        self.part(named, role)
    }

    /// Why an image may not name this file; `None` where it may.
    fn forbidden(&self, named: &[u8]) -> Option<&'static str> {
        // The members of an archive are all its maker's own.
        if self.allow_outside || self.beside.is_some() {
            return None;
        }
        let Some(inside) = self.inside(Path::new(OsStr::from_bytes(named))) else {
            return Some("not in the image's own folder");
        };
        if inside.components().count() > 1 {
            return Some("in a folder below the image's own folder");
        }
        let is_hidden = inside.as_os_str().as_bytes().starts_with(b".");
        is_hidden.then_some("hidden, since its name begins with a dot")
    }

    /// The same where the name is made from the one that the user gave.
    pub fn part(&self, named: &[u8], role: &'static str) -> Result<(RawFile, Self), OpenError> {
        if let Some(beside) = &self.beside {
            return self.member(&**beside, named, role);
        }
        let name = Path::new(OsStr::from_bytes(named));
        let folder = self.folder();
        let inside = self.inside(name);
        let path = folder.join(inside.as_deref().unwrap_or(name));
        let opened = match inside {
            Some(inside) => beneath(&folder, &inside),
            None => openat(CWD, &path, READ, Mode::empty()).map(File::from),
        };
        let file = opened
            .map_err(no_link)
            .and_then(regular)
            .and_then(|file| RawFile::new(file).map_err(io::Error::other))
            .map_err(|error| OpenError::Missing {
                path: self.path.clone(),
                named: String::from_utf8_lossy(named).into_owned(),
                role,
                error,
            })?;
        let mut led_to = self.led_to.lock().unwrap_or_else(PoisonError::into_inner);
        if !led_to.contains(&path) {
            led_to.push(path.clone());
        }
        drop(led_to);
        Ok((file, self.of(path)))
    }

    /// The files that this image, and whatever it led to, led to so far.
    pub(super) fn led_to(&self) -> Vec<PathBuf> {
        let led_to = self.led_to.lock().unwrap_or_else(PoisonError::into_inner);
        led_to.clone()
    }

    /// Refuses what an image named as a piece of a disk and what is certainly none. The user's own file may be anything.
    pub(super) fn must_be_disk(&self, file: &RawFile, is_first: bool) -> Result<(), OpenError> {
        let is_users_own = self.chain.first() == Some(&file.identity());
        if self.allow_outside || self.beside.is_some() || is_users_own {
            return Ok(());
        }
        match likeness::other(file, is_first).map_err(OpenError::disk(&self.path))? {
            Some(what) => Err(OpenError::NoDisk {
                path: self.path.clone(),
                what,
            }),
            None => Ok(()),
        }
    }

    /// Opens what stands beside an image that is in no folder.
    fn member(
        &self,
        others: &dyn Beside,
        named: &[u8],
        role: &'static str,
    ) -> Result<(RawFile, Self), OpenError> {
        let file = others.file(named).map_err(|error| OpenError::Missing {
            path: self.path.clone(),
            named: String::from_utf8_lossy(named).into_owned(),
            role,
            error,
        })?;
        Ok((file, self.of(others.path(named))))
    }

    /// The place of another file of the same chain.
    fn of(&self, path: PathBuf) -> Self {
        Self {
            path,
            allow_outside: self.allow_outside,
            chain: self.chain.clone(),
            beside: self.beside.clone(),
            led_to: Arc::clone(&self.led_to),
        }
    }

    /// Opens an image that the image names, as the next in its chain.
    pub fn image(
        &self,
        named: &[u8],
        role: &'static str,
        said: Said<'_>,
    ) -> Result<Image, OpenError> {
        let (file, mut place) = self.file(named, role)?;
        if self.chain.contains(&file.identity()) {
            return Err(OpenError::Cycle {
                path: self.path.clone(),
                named: String::from_utf8_lossy(named).into_owned(),
                role,
            });
        }
        place.chain.push(file.identity());
        if place.chain.len() > DEPTH {
            let (path, depth) = (place.path, place.chain.len());
            return Err(OpenError::TooDeep { path, depth });
        }
        open_file(file, &place, said)
    }

    /// The names of all that is beside the image.
    pub(super) fn names(&self) -> Result<Vec<Vec<u8>>, OpenError> {
        if let Some(beside) = &self.beside {
            return Ok(beside.names());
        }
        let path = self.folder();
        let names = || {
            let entries = std::fs::read_dir(&path)?;
            entries
                .map(|entry| Ok(entry?.file_name().into_vec()))
                .collect()
        };
        let found: io::Result<_> = names();
        found.map_err(|error| OpenError::Io { path, error })
    }

    /// Where the image lies.
    fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        }
    }

    /// The name relative to the image's folder, if it lies there. Managers of machines write absolute names.
    fn inside(&self, name: &Path) -> Option<PathBuf> {
        let relative = if name.is_absolute() {
            let folder = self.folder();
            let real = folder.canonicalize().ok();
            let within = |folder: &Path| name.strip_prefix(folder).map(Path::to_path_buf).ok();
            within(&folder).or_else(|| within(&real?))?
        } else {
            name.to_path_buf()
        };
        let mut plain = PathBuf::new();
        for component in relative.components() {
            match component {
                Component::Normal(part) => plain.push(part),
                Component::CurDir => {}
                _ => return None,
            }
        }
        (!plain.as_os_str().is_empty()).then_some(plain)
    }
}

/// Opens a file below a folder, no link on the way.
fn beneath(folder: &Path, name: &Path) -> Result<File, Errno> {
    let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at: OwnedFd = openat(CWD, folder, through, Mode::empty())?;
    let mut components = name.components().peekable();
    while let Some(component) = components.next() {
        let flags = if components.peek().is_some() {
            through
        } else {
            READ
        };
        at = openat(
            &at,
            component.as_os_str(),
            flags | OFlags::NOFOLLOW,
            Mode::empty(),
        )?;
    }
    Ok(File::from(at))
}

/// The kernel's words for a link where none may be would puzzle: "too many levels of symbolic links".
fn no_link(error: Errno) -> io::Error {
    match error {
        Errno::LOOP => io::Error::other("a symbolic link, and none is followed"),
        error => error.into(),
    }
}

/// The file, if it is a regular one: asked of what was opened, not of its name.
fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("not a regular file"))
    }
}
