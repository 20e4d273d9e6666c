//! Why a source could not be opened: the path, what was expected, what to do.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no source was named; give a directory, a tar archive, or a disk image")]
    Nothing,
    #[error("cannot read {path}: {error}", path = .path.display())]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{path} is empty; expected a directory, a tar archive, or a disk image", path = .0.display())]
    Empty(PathBuf),
    #[error(
        "{path} is {what}; expected the root of a machine's file tree (with /etc and /usr or /bin), a tar archive of one, or a disk image",
        path = .path.display()
    )]
    NotAMachine { path: PathBuf, what: String },
    #[error("{path} is compressed ({with}); decompress it first: {hint}", path = .path.display())]
    Compressed {
        path: PathBuf,
        with: &'static str,
        hint: &'static str,
    },
    #[error("{path}: {what}", path = .path.display())]
    Disk { path: PathBuf, what: String },
    #[error("{path} holds several operating systems ({found}); choose one with --root DEVICE", path = .path.display())]
    Several { path: PathBuf, found: String },
}

impl Error {
    pub fn io(path: &Path, error: std::io::Error) -> Self {
        Self::Io {
            path: path.to_path_buf(),
            error,
        }
    }
}
