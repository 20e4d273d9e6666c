//! Plans written out: build contexts, compose file, secrets, data, and the pages that explain them.
//!
//! Nothing here re-derives anything: what a container is, the plan says. Every value of the machine goes through a quoting
//! helper (`quote/`), every name through a directory that cannot be left (`confined`), and the whole output appears at
//! once or not at all (`staging`).

mod archive;
pub mod artefact;
pub(super) mod compose;
mod confined;
pub(super) mod dockerfile;
pub(super) mod entrypoint;
mod error;
mod hole;
mod inventory;
mod layer;
mod lifted;
mod oci;
pub(super) mod readme;
mod record;
mod rootfs;
pub mod schedule;
pub mod secret;
mod staging;
pub(crate) mod templates;
mod value;
mod write;

pub use error::Error;
pub use staging::{Staging, abandon};

use crate::plan::Plan;
use crate::walk::{Entry, Tree};
use std::path::{Path, PathBuf};

/// Where the content of the machine's files comes from.
pub trait Content: Sync {
    /// Positioned read; short only at the end of the file. The error is a reason for the reader.
    fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String>;
    /// Where the next byte stands that is stored: behind a hole, or at the end.
    fn data_from(&self, entry: &Entry, offset: u64) -> Result<u64, String>;
    /// The file's extended attributes by name; none where they cannot be read.
    fn attributes(&self, entry: &Entry) -> Vec<(Vec<u8>, Vec<u8>)>;
}

impl Content for crate::source::Root {
    fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String> {
        crate::source::Root::read_at(self, entry, offset, buf).map_err(|error| error.to_string())
    }

    fn data_from(&self, entry: &Entry, offset: u64) -> Result<u64, String> {
        let content = self.content(entry);
        let next = content.and_then(|content| content.data_from(offset));
        next.map_err(|error| error.to_string())
    }

    fn attributes(&self, entry: &Entry) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.xattrs(entry).unwrap_or_default()
    }
}

/// The machine as the writer needs it.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    pub tree: &'a Tree,
    pub content: &'a dyn Content,
    /// Of the secrets that are no whole files; empty where they are not asked for.
    pub values: &'a secret::Values,
}

/// What is written beside the containers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub with_secrets: bool,
    /// The plans were made with the same wish.
    pub with_data: bool,
    pub formats: Formats,
}

/// The forms in which containers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    /// Dockerfiles, and the compose file that builds and runs them.
    pub compose: bool,
    /// OCI image layouts of lifted workloads.
    pub oci: bool,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            compose: true,
            oci: false,
        }
    }
}

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    /// Relative to OUT, sorted; a tree of carried files is one.
    pub paths: Vec<PathBuf>,
    /// Files that could not be written as they are, one sentence each.
    pub left_out: Vec<String>,
}

/// Writes all artefacts of the plans into an OUT that does not exist or is empty.
pub fn write(
    out: &Path,
    plans: &[Plan],
    machine: &Machine<'_>,
    options: Options,
) -> Result<Written, Error> {
    let staging = Staging::new(out)?;
    let written = write_into(&staging, plans, machine, options)?;
    staging.commit()?;
    Ok(written)
}

/// The same into a staging directory that the caller adds to (a report) and commits.
pub fn write_into(
    staging: &Staging,
    plans: &[Plan],
    machine: &Machine<'_>,
    options: Options,
) -> Result<Written, Error> {
    write::all(staging, plans, machine, options).map_err(|error| staging.named(error))
}

/// What would be written for these plans, without the machine: paths relative to OUT, and texts.
pub fn preview(plans: &[Plan]) -> Result<Vec<(PathBuf, String)>, Error> {
    write::preview(plans)
}
