//! Sources: a directory, a tar archive, or a disk image becomes one read-only root.
//!
//! What belongs here: opening what the user named, and reading it in place. Nothing of the machine is executed, and nothing
//! outside its root is read: [`Tree`] resolves links against its own entries, and a directory's files are opened under
//! the kernel's confinement besides.

mod budget;
mod confine;
mod content;
mod directory;
mod disk;
mod error;
mod inspection;
mod kernel;
mod kind;
mod memory;
mod part;
mod release;
mod root;
mod tar;

use crate::disk::image::RawFile;
use crate::disk::{NodeId, Stat, Xattrs};
use crate::fact::Unexamined;
use crate::path::sanitise;
use crate::walk::{Entry, Tree};
use kind::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub use content::Content;
pub use error::{Error, ReadError};
pub use inspection::{
    Disk as InspectedDisk, Hardware, Inspection, Mount, System, Volume as InspectedVolume,
};
pub use part::Part;

/// A volume of a disk image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// As a kernel would name it, the disk's letter by the order of the images: `sda1`.
    pub device: String,
    /// `disk`, `partition`, `array`, or `logical-volume`.
    pub kind: String,
    /// `ext4`, `swap`, … or what was recognised and cannot be read; `null` where nothing was.
    pub filesystem: Option<String>,
    /// Where the machine mounts it.
    pub mount: Option<String>,
    pub bytes: u64,
    /// Bytes in use, where the file system says so.
    pub used: Option<u64>,
}

/// What was handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceInfo {
    /// As the user named it; several images are joined by `, `.
    pub path: String,
    /// `directory`, `tar`, `raw`, `qcow2`, …
    pub format: String,
    /// Files that were read besides, since an image names them or goes on in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    pub volumes: Vec<Volume>,
}

/// How to open a source.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The device of the root file system, where an image holds several.
    pub root: Option<String>,
    /// Whether an image may name files outside its own folder: only for images that are trusted.
    pub allow_outside: bool,
    /// Directories of this system that are not the machine's, though they may lie in its tree: what is being written.
    pub leave_out: Vec<PathBuf>,
}

/// What each kind of source does: list its entries once, and find the content of one again.
trait Backend: Send + Sync {
    fn entries(&self, problems: &mut Vec<Unexamined>) -> Vec<Entry>;
    /// Piece by piece, where that is quicker than everything.
    fn part(&self) -> Option<Part<'_>> {
        None
    }
    /// The content of a regular file.
    fn open<'a>(&'a self, entry: &Entry) -> Result<Box<dyn content::ReadAt + 'a>, ReadError>;
    fn xattrs(&self, entry: &Entry) -> Result<Xattrs, ReadError>;
    /// What a walk does not gather, because only an archive needs it; only a disk image says.
    fn stat(&self, _: &Entry) -> Result<Option<Stat>, ReadError> {
        Ok(None)
    }
}

/// A machine's file tree, read-only; threads share it.
pub struct Root {
    backend: Box<dyn Backend>,
    info: SourceInfo,
}

impl Root {
    /// Opens what the user named; several paths are the disks of one machine, in order.
    pub fn open(paths: &[PathBuf], options: &OpenOptions) -> Result<Self, Error> {
        let (first, others) = paths.split_first().ok_or(Error::Nothing)?;
        let kind = kind::kind(first)?;
        for other in others {
            if kind != Kind::Disk || kind::kind(other)? != Kind::Disk {
                let (first, other) = (first.clone(), other.clone());
                return Err(Error::Mixed { first, other });
            }
        }
        match kind {
            Kind::Directory => {
                let backend = Box::new(directory::Directory::open(first, &options.leave_out)?);
                Ok(Self::plain(backend, first, "directory"))
            }
            Kind::Tar => {
                let backend = Box::new(tar::Archive::open(first)?);
                Ok(Self::plain(backend, first, "tar"))
            }
            Kind::Disk => {
                let (disks, info) = disk::Disks::open(paths, options)?;
                Ok(Self {
                    backend: Box::new(disks),
                    info,
                })
            }
        }
    }

    /// Opens an archive that is in no folder of this system, under a name for messages.
    pub fn of_archive(archive: RawFile, name: &Path) -> Result<Self, Error> {
        let backend = Box::new(tar::Archive::read(archive, name)?);
        Ok(Self::plain(backend, name, "tar"))
    }

    /// What is in a source, without walking it. Unlike [`Self::open`], nothing need be a machine's root.
    pub fn inspect(paths: &[PathBuf], options: &OpenOptions) -> Result<Inspection, Error> {
        let first = paths.first().ok_or(Error::Nothing)?;
        if kind::kind(first)? == Kind::Disk {
            for other in paths {
                if kind::kind(other)? != Kind::Disk {
                    let (first, other) = (first.clone(), other.clone());
                    return Err(Error::Mixed { first, other });
                }
            }
            return disk::survey(paths, options);
        }
        Ok(Inspection::plain(&Self::open(paths, options)?))
    }

    fn plain(backend: Box<dyn Backend>, path: &Path, format: &str) -> Self {
        let path = sanitise(&path.to_string_lossy()).into_owned();
        let format = format.to_owned();
        let info = SourceInfo {
            path,
            format,
            ..SourceInfo::default()
        };
        Self { backend, info }
    }

    /// The one metadata pass, and what it could not see.
    pub fn walk(&self) -> (Tree, Vec<Unexamined>) {
        let mut problems = Vec::new();
        let entries = self.backend.entries(&mut problems);
        (Tree::new(entries), problems)
    }

    /// The tree seen piece by piece; `None` where a source gives everything as quickly.
    pub fn part(&self) -> Option<Part<'_>> {
        self.backend.part()
    }

    pub fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// The whole content of a regular file of at most `limit` bytes.
    pub fn read(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>, ReadError> {
        if entry.is_file() && entry.size > limit {
            let size = entry.size;
            return Err(ReadError::TooLarge { size, limit });
        }
        self.content(entry)?.read_whole(limit)
    }

    /// A regular file's content, for reading piece by piece.
    pub fn content(&self, entry: &Entry) -> Result<Content<'_>, ReadError> {
        if !entry.is_file() {
            return Err(ReadError::NotAFile);
        }
        Ok(Content::new(self.backend.open(entry)?, entry.size))
    }

    /// Fills `buf` from `offset` (bytes); short only at the end of the file. For more than one piece of a file,
    /// [`Self::content`] opens it once.
    pub fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        self.content(entry)?.read_at(offset, buf)
    }

    /// Extended attributes of a file or directory by full name, sorted. A directory source gives those the caller may see.
    pub fn xattrs(&self, entry: &Entry) -> Result<Xattrs, ReadError> {
        self.backend.xattrs(entry)
    }

    /// A node's whole metadata: device numbers, nanoseconds, bytes allocated, links. Only disk images say.
    pub fn stat(&self, entry: &Entry) -> Result<Option<Stat>, ReadError> {
        self.backend.stat(entry)
    }
}

/// An unexamined entry of this room.
fn unexamined(path: &crate::path::MachinePath, reason: impl Into<String>) -> Unexamined {
    Unexamined {
        path: path.clone(),
        detector: "source".to_owned(),
        reason: reason.into(),
    }
}

/// Archives and directories have one volume.
fn node(inode: u64) -> NodeId {
    let subvolume = 0;
    NodeId { subvolume, inode }
}
