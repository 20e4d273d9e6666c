//! Why nothing was written.

use std::path::{Path, PathBuf};

/// An output that could not be written. Nothing half-written stays behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} is not empty; name a directory that is new or empty", .0.display())]
    NotEmpty(PathBuf),
    #[error("{} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    #[error("failed to write {}: {error}", path.display())]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    /// Of a secret that was asked for: a container that names it would not start.
    #[error(
        "cannot write secret {name} of {workload}: {why}; run without --with-secrets and put it in place yourself, or choose other workloads (--workload)"
    )]
    Secret {
        name: String,
        workload: String,
        why: String,
    },
    /// A template and its view disagree: ours to mend.
    #[error("failed to fill template {template}: {reason}")]
    Template {
        template: &'static str,
        reason: String,
    },
}

impl Error {
    /// The same with the user's name for a file that was written aside.
    pub(super) fn of_out(self, aside: &Path, out: &Path) -> Self {
        match self {
            Self::Io { path, error } => Self::Io {
                path: match path.strip_prefix(aside) {
                    Ok(below) => out.join(below),
                    Err(_) => path,
                },
                error,
            },
            other => other,
        }
    }

    /// The same with the file that was being written in the place of the machine's that it was to hold.
    pub(super) fn at(self, path: PathBuf) -> Self {
        match self {
            Self::Io { error, .. } => Self::Io { path, error },
            other => other,
        }
    }

    pub(super) fn io(path: impl AsRef<Path>, error: impl Into<std::io::Error>) -> Self {
        Self::Io {
            path: path.as_ref().to_owned(),
            error: error.into(),
        }
    }
}
