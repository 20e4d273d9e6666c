//! Why a source could not be opened, or a file of it not read: the path, what was expected, what to do.

use crate::disk::DiskError;
use crate::disk::image::OpenError;
use crate::path::sanitise;
use std::io;
use std::path::{Path, PathBuf};

/// What a user may name, as every message says it.
const EXPECTED: &str = "a directory, a tar archive, or a disk image";

/// A source that cannot be opened. Each message is one sentence that names the path.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no source was named; give {EXPECTED}")]
    Nothing,
    #[error("{} does not exist; give {EXPECTED}", shown(.0))]
    NotFound(PathBuf),
    #[error("cannot read {}: {error}", shown(.path))]
    Io { path: PathBuf, error: io::Error },
    #[error("{} is empty; give {EXPECTED}", shown(.0))]
    Empty(PathBuf),
    #[error("{} is {what}; give {EXPECTED}", shown(.path))]
    WrongKind { path: PathBuf, what: &'static str },
    #[error(
        "{} holds no machine's root file system: expected /etc/os-release, /usr/lib/os-release, or /etc beside /usr or \
         /bin{hint}", shown(.path)
    )]
    NotARoot { path: PathBuf, hint: String },
    #[error("{} is compressed with {with}; decompress it first, for example: {command}", shown(.path))]
    Compressed {
        path: PathBuf,
        with: &'static str,
        command: String,
    },
    #[error("{}: {what}", shown(.path))]
    Damaged { path: PathBuf, what: String },
    #[error("{}: {error}", shown(.path))]
    Disk { path: PathBuf, error: DiskError },
    /// The disk room's own sentence names the path.
    #[error("{0}")]
    Image(String),
    #[error("{} holds several root file systems ({found}); choose one with --root", shown(.path))]
    Several { path: PathBuf, found: String },
    #[error("{} has no root file system on {wanted}; there are: {found}", shown(.path))]
    NoSuchRoot {
        path: PathBuf,
        wanted: String,
        found: String,
    },
    #[error("{} and {} are not disks of one machine: only disk images can be given together", shown(.first), shown(.other))]
    Mixed { first: PathBuf, other: PathBuf },
}

impl Error {
    /// The operating system's answer about a path of the user's.
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        let path = path.to_path_buf();
        if error.kind() == io::ErrorKind::NotFound {
            return Self::NotFound(path);
        }
        Self::Io { path, error }
    }

    /// The disk room's answer, with the option of ours that changes it.
    pub(super) fn image(error: &OpenError) -> Self {
        let option = match error {
            OpenError::Outside { .. } | OpenError::NoDisk { .. } => " (--allow-outside)",
            _ => "",
        };
        Self::Image(format!("{error}{option}"))
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        let (path, what) = (path.to_path_buf(), what.into());
        Self::Damaged { path, what }
    }
}

/// A path of the user's own system, safe for a terminal.
fn shown(path: &Path) -> String {
    sanitise(&path.to_string_lossy()).into_owned()
}

/// Why one file could not be read; becomes an unexamined entry's reason.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("not a regular file")]
    NotAFile,
    #[error("{size} bytes, more than the limit of {limit}; --read-limit raises it")]
    TooLarge { size: u64, limit: u64 },
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("{0}")]
    Unsupported(&'static str),
}

impl From<rustix::io::Errno> for ReadError {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Io(errno.into())
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error,
            other => Self::other(other.to_string()),
        }
    }
}
