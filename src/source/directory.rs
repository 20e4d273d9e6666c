//! A mounted tree: walked once by its names, its files opened under the kernel's confinement.

use super::budget::Budget;
use super::content::ReadAt;
use super::kernel::{Mounted, mount_points, mounted};
use super::part::Part;
use super::{Backend, Error, ReadError, confine, node, root, unexamined};
use crate::disk::{FileKind, Xattrs};
use crate::fact::Unexamined;
use crate::path::MachinePath;
use crate::walk::Entry;
use rayon::prelude::*;
use rustix::fs::{Mode, OFlags, fgetxattr, flistxattr};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// The kernel's own limit for an attribute's value and for a list of names, in bytes (linux/limits.h).
const XATTR_SIZE: usize = 64 << 10;

pub(super) struct Directory {
    path: PathBuf,
    root: OwnedFd,
    /// Below `path`, links followed.
    left_out: Vec<PathBuf>,
}

impl Directory {
    pub(super) fn open(path: &Path, left_out: &[PathBuf]) -> Result<Self, Error> {
        let io = |error| Error::io(path, error);
        // The user's own path may lead through links; what lies below is the machine's.
        let real = fs::canonicalize(path).map_err(io)?;
        let holds_root =
            |dir: &Path| root::is_root(|name| fs::symlink_metadata(dir.join(name)).is_ok());
        if !holds_root(&real) {
            let (path, hint) = (path.to_path_buf(), hint(&real, holds_root));
            return Err(Error::NotARoot { path, hint });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&real, flags, Mode::empty())
            .map_err(|errno| Error::io(path, errno.into()))?;
        let left_out = left_out.iter().filter_map(|path| real_path(path));
        let left_out = left_out.filter(|path| path.starts_with(&real)).collect();
        Ok(Self {
            path: real,
            root,
            left_out,
        })
    }

    fn inside(&self, path: &Path) -> MachinePath {
        let relative = path.strip_prefix(&self.path).unwrap_or(path);
        MachinePath::new(relative.as_os_str().as_bytes())
    }

    fn entry(found: &DirEntry, path: &MachinePath) -> io::Result<Entry> {
        Self::describe(&found.metadata()?, found.path(), path)
    }

    fn describe(metadata: &Metadata, outside: &Path, path: &MachinePath) -> io::Result<Entry> {
        let kind = kind(metadata.file_type());
        let target = match kind {
            FileKind::Symlink => {
                let target = fs::read_link(outside)?;
                Some(target.into_os_string().into_vec().into_boxed_slice())
            }
            _ => None,
        };
        Ok(Entry {
            path: path.clone(),
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

    fn outside(&self, path: &MachinePath) -> PathBuf {
        let relative = path.as_bytes().get(1..).unwrap_or_default();
        self.path.join(OsStr::from_bytes(relative))
    }

    /// One name, whose directories hold no link.
    pub(super) fn look(&self, path: &MachinePath) -> io::Result<Entry> {
        let outside = self.outside(path);
        Self::describe(&fs::symlink_metadata(&outside)?, &outside, path)
    }

    /// The names in a directory, sorted; none where it cannot be read.
    pub(super) fn names(&self, directory: &MachinePath) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.outside(directory)).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name().into_vec());
        let mut names: Vec<Vec<u8>> = names.collect();
        names.sort();
        names
    }
}

/// A path with its folder's links followed; the last name may not be there yet.
fn real_path(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let real = fs::canonicalize(path);
    real.or_else(|_| fs::canonicalize(folder).map(|folder| folder.join(name)))
        .ok()
}

/// Where the user may have meant to point: an unpacked archive often has one folder too many.
fn hint(path: &Path, holds_root: impl Fn(&Path) -> bool) -> String {
    let mut folders: Vec<PathBuf> = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| holds_root(path))
        .collect();
    folders.sort();
    match folders.first().and_then(|folder| folder.file_name()) {
        Some(name) => {
            let name = crate::path::sanitise(&name.to_string_lossy()).into_owned();
            format!("; its folder {name} does, give that")
        }
        None => String::new(),
    }
}

fn kind(file_type: FileType) -> FileKind {
    if file_type.is_file() {
        FileKind::File
    } else if file_type.is_dir() {
        FileKind::Directory
    } else if file_type.is_symlink() {
        FileKind::Symlink
    } else if file_type.is_char_device() {
        FileKind::CharDevice
    } else if file_type.is_block_device() {
        FileKind::BlockDevice
    } else if file_type.is_fifo() {
        FileKind::Fifo
    } else {
        FileKind::Socket
    }
}

/// Names whose metadata is read together: enough to share among threads, few enough to hold.
const BATCH: usize = 8_192;

/// One pass over the names. Only directories are looked at on the way, since they decide where it goes on; what is in
/// them is looked at by all threads together.
struct Walk<'a> {
    directory: &'a Directory,
    entries: Vec<Entry>,
    names: Vec<(DirEntry, MachinePath)>,
    budget: Budget,
    problems: &'a mut Vec<Unexamined>,
    /// The device of each directory from the root down to the last one.
    devices: Vec<u64>,
    /// Where something is mounted.
    points: HashSet<PathBuf>,
}

/// What is said of a directory that is mounted a second time.
const BOUND: &str = "a directory of the same file system is mounted here (a bind mount): what is below may be seen in two places";

impl Walk<'_> {
    /// Takes a name in; says whether to go on into it.
    fn take(&mut self, found: Result<DirEntry, walkdir::Error>) -> bool {
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let path = error.path().map(|path| self.directory.inside(path));
                let error = error.into_io_error();
                // The only other kind of error is a loop of followed links, and none is followed.
                let error = error.unwrap_or_else(|| io::Error::other("a loop of directories"));
                self.problem(&path.unwrap_or_else(MachinePath::root), error);
                return true;
            }
        };
        if self
            .directory
            .left_out
            .iter()
            .any(|path| path == found.path())
        {
            return false;
        }
        let path = self.directory.inside(found.path());
        if !self.budget.take(&path) {
            return false;
        }
        let into = !found.file_type().is_dir() || self.enter(&found, &path);
        self.names.push((found, path));
        if self.names.len() == BATCH {
            self.look();
        }
        into
    }

    /// Whether a directory is on the machine's own disks.
    fn enter(&mut self, found: &DirEntry, path: &MachinePath) -> bool {
        // What cannot be looked at is told when all are.
        let Ok(metadata) = found.metadata() else {
            return true;
        };
        self.devices.truncate(found.depth());
        let above = self.devices.last().copied();
        self.devices.push(metadata.dev());
        if above.is_none_or(|above| above == metadata.dev()) {
            if above.is_some() && self.points.contains(found.path()) {
                self.problems.push(unexamined(path, BOUND));
            }
            return true;
        }
        match mounted(found.path()) {
            Mounted::Disk => true,
            Mounted::Memory => false,
            Mounted::Remote(kind) => {
                let reason = format!("{kind} is mounted here; it is not the machine's disk");
                self.problems.push(unexamined(path, reason));
                false
            }
        }
    }

    /// Reads the metadata of the names gathered so far, in their order.
    fn look(&mut self) {
        let names = std::mem::take(&mut self.names);
        let looked = names.par_iter();
        let looked = looked.map(|(found, path)| Directory::entry(found, path));
        let looked: Vec<io::Result<Entry>> = looked.collect();
        for ((_, path), entry) in names.iter().zip(looked) {
            match entry {
                Ok(entry) => self.entries.push(entry),
                Err(error) => self.problem(path, error),
            }
        }
    }

    fn problem(&mut self, path: &MachinePath, error: io::Error) {
        let reason = ReadError::Io(error).to_string();
        self.problems.push(unexamined(path, reason));
    }
}

impl Backend for Directory {
    fn entries(&self, problems: &mut Vec<Unexamined>) -> Vec<Entry> {
        let mut names = WalkDir::new(&self.path).sort_by_file_name().into_iter();
        let mut walk = Walk {
            directory: self,
            entries: Vec::new(),
            names: Vec::new(),
            budget: Budget::new(),
            problems,
            devices: Vec::new(),
            points: mount_points(&self.path),
        };
        while let Some(found) = names.next() {
            if !walk.take(found) {
                names.skip_current_dir();
            }
            if walk.budget.left() == 0 {
                let root = MachinePath::root();
                walk.problems.push(unexamined(&root, Budget::SPENT));
                break;
            }
        }
        walk.look();
        walk.entries
    }

    fn part(&self) -> Option<Part<'_>> {
        Some(Part::new(self))
    }

    fn open<'a>(&'a self, entry: &Entry) -> Result<Box<dyn ReadAt + 'a>, ReadError> {
        Ok(Box::new(confine::open_file(&self.root, &entry.path)?))
    }

    fn xattrs(&self, entry: &Entry) -> Result<Xattrs, ReadError> {
        match entry.kind {
            FileKind::File => attributes(&confine::open_file(&self.root, &entry.path)?),
            FileKind::Directory => attributes(&confine::open_directory(&self.root, &entry.path)?),
            // Others cannot be opened without a side effect, and bear nothing that a container could.
            _ => Ok(Vec::new()),
        }
    }
}

impl ReadAt for File {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = u64::try_from(done).unwrap_or(u64::MAX);
            match FileExt::read_at(self, rest, offset.saturating_add(at)) {
                Ok(0) => break,
                Ok(read) => done = done.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(done)
    }

    fn data_from(&self, offset: u64) -> Result<u64, ReadError> {
        match rustix::fs::seek(self, rustix::fs::SeekFrom::Data(offset)) {
            Ok(next) => Ok(next),
            // Nothing is stored behind.
            Err(Errno::NXIO) => Ok(self.metadata()?.len().max(offset)),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Into memory that nobody has to fill with zeros first; a file of this system has the size that it says.
    fn read_first(&self, size: u64, most: u64) -> Result<Vec<u8>, ReadError> {
        let expected = usize::try_from(size.min(most)).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(expected.saturating_add(1))
            .map_err(io::Error::from)?;
        let mut file: &File = self;
        file.seek(SeekFrom::Start(0))?;
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn attributes(file: &impl AsFd) -> Result<Xattrs, ReadError> {
    let mut names = vec![0; XATTR_SIZE];
    let length = match flistxattr(file, &mut *names) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(Vec::new()),
        Err(errno) => return Err(errno.into()),
    };
    let mut found = Vec::new();
    let names = names.get(..length).unwrap_or_default();
    for name in names.split(|b| *b == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; XATTR_SIZE];
        let length = fgetxattr(file, name, &mut *value)?;
        value.truncate(length);
        found.push((name.to_vec(), value));
    }
    found.sort();
    Ok(found)
}
