//! What is written of plans by formats: texts of our own making. Trees, secrets and data come from the machine, and the one that
//! writes all (`write`) puts them beside.

use super::{Error, Formats, compose, dockerfile, readme};
use crate::plan::Plan;
use std::path::{Path, PathBuf};

/// A file of our own making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Below OUT.
    pub path: PathBuf,
    pub mode: u32,
    pub text: String,
}

impl Artefact {
    /// One that nobody executes.
    pub fn new(path: impl Into<PathBuf>, text: String) -> Self {
        Self {
            path: path.into(),
            mode: 0o644,
            text,
        }
    }

    /// One of a workload's own folder.
    pub fn of(plan: &Plan, name: &str, text: String) -> Self {
        Self::new(Path::new("workloads").join(&plan.id).join(name), text)
    }

    /// A program.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.mode = 0o755;
        self
    }
}

/// Whether a file is read by those alone who build or compose.
pub(super) fn is_built(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let names = [
        "Dockerfile",
        ".dockerignore",
        "entrypoint.sh",
        "compose.yaml",
        ".env",
    ];
    name.is_some_and(|name| names.contains(&name))
}

/// What came of reading the machine for these plans, for pages that tell it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Names of secrets that the user has to put in place.
    pub missing: Vec<String>,
    /// Files and secrets that could not be written as they are, one sentence each.
    pub left_out: Vec<String>,
    /// What else is written.
    pub formats: Formats,
}

/// A format that plans are written in. It reads plans and nothing else.
pub trait Writer: Sync {
    /// Its file or folder here.
    fn id(&self) -> &'static str;

    /// All files of the plans in this format.
    fn files(&self, plans: &[Plan], outcome: &Outcome) -> Result<Vec<Artefact>, Error>;
}

/// The formats, in the order in which they are written.
pub const WRITERS: &[&dyn Writer] = &[
    &dockerfile::Dockerfiles,
    &compose::ComposeFile,
    &readme::Pages,
];

/// Everything that all formats have to say.
pub fn all(plans: &[Plan], outcome: &Outcome) -> Result<Vec<Artefact>, Error> {
    let mut found = Vec::new();
    for writer in WRITERS {
        found.append(&mut writer.files(plans, outcome)?);
    }
    Ok(found)
}
