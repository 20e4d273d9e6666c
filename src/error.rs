//! What ends a command early: always a sentence with a path, what was expected, and what to do.

use crate::product::pack::PackError;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Source(#[from] crate::source::Error),
    #[error(transparent)]
    Render(#[from] crate::render::Error),
    #[error("{}", list(.0))]
    Packs(Vec<PackError>),
    #[error("cannot write {path}: {error}", path = .path.display())]
    Write {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{0}")]
    Other(String),
}

fn list(errors: &[PackError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
