//! Sources: a directory, a tar archive, or a disk image becomes one read-only root.
//!
//! What belongs here: opening what the user named, and reading it in place. Nothing of the machine is executed and nothing
//! outside its root is read: links are resolved by [`crate::walk::Tree`], and directories are opened under
//! `RESOLVE_IN_ROOT` besides.

mod detect;
mod directory;
mod error;
mod tar;

use crate::disk::NodeId;
use crate::fact::Unexamined;
use crate::walk::{Entry, Tree};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub use error::Error;

/// A volume of a disk image, as `scan.json` lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// As the machine's kernel would name it, the disk's letter guessed: `sda1`.
    pub device: String,
    /// `partition`, `logical-volume`, `disk`.
    pub kind: String,
    /// `ext4`, `swap`, … or what was recognised and cannot be read.
    pub filesystem: String,
    /// Where it is mounted; empty if it is not.
    pub mount: String,
    pub bytes: u64,
    pub used: u64,
}

/// What was handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceInfo {
    pub path: String,
    /// `directory`, `tar`, `raw`, `qcow2`, …
    pub format: String,
    pub volumes: Vec<Volume>,
}

/// How to open a source.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The device of the root file system, where there are several.
    pub root: Option<String>,
    /// Lets an image name backing files and extents outside its own folder.
    pub allow_outside: bool,
}

/// What each kind of source does: list its entries once, and read a file by the entry's own numbers.
pub(crate) trait Backend: Send + Sync {
    fn entries(&self, problems: &mut Vec<Unexamined>) -> Vec<Entry>;
    /// Fills `buf` from `offset`; short only at the end of the file.
    fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String>;
    fn xattrs(&self, entry: &Entry) -> Result<crate::disk::Xattrs, String>;
}

/// The machine's file tree, read-only.
pub struct Root {
    backend: Box<dyn Backend>,
    info: SourceInfo,
}

/// Content is read in pieces of this size, so that no file's claimed length is allocated before it is there.
const CHUNK: usize = 1 << 20;

impl Root {
    /// Opens what the user named; several paths are the disks of one machine.
    pub fn open(paths: &[PathBuf], _options: &OpenOptions) -> Result<Self, Error> {
        let first = paths.first().ok_or(Error::Nothing)?;
        let (backend, info): (Box<dyn Backend>, SourceInfo) = match detect::kind(first)? {
            detect::Kind::Directory => {
                let directory = directory::Directory::open(first)?;
                (Box::new(directory), describe(first, "directory"))
            }
            detect::Kind::Tar => {
                let archive = tar::Archive::open(first)?;
                (Box::new(archive), describe(first, "tar"))
            }
            detect::Kind::Disk => {
                let what = "neither a directory nor a tar archive".to_owned();
                return Err(Error::Disk {
                    path: first.clone(),
                    what,
                });
            }
        };
        Ok(Self { backend, info })
    }

    /// The one metadata pass, and what it could not see.
    pub fn walk(&self) -> (Tree, Vec<Unexamined>) {
        let mut problems = Vec::new();
        let entries = self.backend.entries(&mut problems);
        (Tree::new(entries), problems)
    }

    pub fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// The whole content of a regular file of at most `limit` bytes.
    pub fn read(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>, String> {
        if !entry.is_file() {
            return Err("not a regular file".into());
        }
        if entry.size > limit {
            return Err(format!(
                "{} bytes, more than the limit of {limit}",
                entry.size
            ));
        }
        let mut content = Vec::new();
        loop {
            let start = content.len();
            let left = limit.saturating_add(1).saturating_sub(start as u64);
            let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK).min(
                // One byte more than expected, so that a file that has grown shows.
                usize::try_from(entry.size.saturating_sub(start as u64))
                    .unwrap_or(CHUNK)
                    .saturating_add(1),
            );
            content.resize(start.saturating_add(want), 0);
            let piece = content.get_mut(start..).unwrap_or_default();
            let got = self.backend.read_at(entry, start as u64, piece)?;
            content.truncate(start.saturating_add(got));
            if got < want {
                return Ok(content);
            }
            if content.len() as u64 > limit {
                return Err(format!("grew beyond the limit of {limit} bytes"));
            }
        }
    }

    /// Positioned read; short only at the end of the file.
    pub fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String> {
        self.backend.read_at(entry, offset, buf)
    }

    /// Extended attributes of an entry, by full name.
    pub fn xattrs(&self, entry: &Entry) -> Result<crate::disk::Xattrs, String> {
        self.backend.xattrs(entry)
    }
}

fn describe(path: &Path, format: &str) -> SourceInfo {
    SourceInfo {
        path: path.display().to_string(),
        format: format.to_owned(),
        volumes: Vec::new(),
    }
}

/// Archives and directories have one volume and need no node numbers beyond their own index.
pub(crate) fn node(index: u64) -> NodeId {
    NodeId {
        subvolume: 0,
        inode: index,
    }
}
