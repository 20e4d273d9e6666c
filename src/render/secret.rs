//! Contents of secrets' files: whole files as they are read, and what a service was asked for again (`Values`).

use super::staging::Staging;
use super::{Error, Machine};
use crate::fact::masking;
use crate::path::MachinePath;
use crate::plan::{Plan, PlannedSecret};
use crate::quote::shell;
use crate::walk::Entry;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::Path;

/// Read and written at once, in bytes.
const PIECE: usize = 1 << 20;

/// What is in the files of secrets that are no whole files of the machine, by their names. It is written to these files,
/// and says itself nowhere.
#[derive(Default)]
pub struct Values {
    known: BTreeMap<String, Vec<u8>>,
    /// Those that could not be told, and why.
    lost: BTreeMap<String, String>,
}

impl Values {
    /// Content as text that `fact::masking::text` made.
    pub fn put(&mut self, name: &str, text: &str) {
        self.known.insert(name.to_owned(), masking::bytes(text));
    }

    /// A secret whose value could not be told: it is left to the reader, and everything else is written.
    pub fn lose(&mut self, name: &str, why: String) {
        self.lost.insert(name.to_owned(), why);
    }

    /// Why a secret could not be told; the reason names places and no values.
    pub fn reason(&self, name: &str) -> Option<&str> {
        self.lost.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

/// An assignment that a shell reads as this value.
pub fn assignment(name: &str, value: &str) -> String {
    format!("{name}={}\n", shell(value))
}

/// Whether its file is a whole file of the machine, and which.
pub fn whole(secret: &PlannedSecret) -> Option<&MachinePath> {
    let own = secret.file.as_ref().filter(|_| secret.service.is_none());
    secret.from.as_ref().or(own.map(|file| &file.path))
}

/// Writes a secret's file.
pub(super) fn write(
    staging: &Staging,
    path: &Path,
    secret: &PlannedSecret,
    plan: &Plan,
    machine: &Machine<'_>,
) -> Result<(), Error> {
    let failed = |why: String| Error::Secret {
        name: secret.name.clone(),
        workload: plan.id.clone(),
        why,
    };
    let Some(source) = whole(secret) else {
        let value = machine.values.known.get(&secret.name);
        let value = value.ok_or_else(|| failed("its value was not read".to_owned()))?;
        return staging.file(path, 0o600, value);
    };
    let entries = &plan.state.secret_entries;
    let entry = entries.iter().find(|entry| entry.path == *source);
    let entry = entry
        .or_else(|| machine.tree.get(source))
        .filter(|entry| entry.is_file())
        .ok_or_else(|| failed(format!("{source} is not in the tree")))?;
    let mut file = staging.create(path, 0o600)?;
    copy(entry, machine, |piece| {
        file.write_all(piece)
            .map_err(|error| Error::io(path, error))
    })
    .map_err(|error| match error {
        Broken::Read(why) => failed(format!("{source}: {why}")),
        Broken::Write(error) => error,
    })
}

enum Broken {
    Read(String),
    Write(Error),
}

/// All of a file, piece by piece.
fn copy(
    entry: &Entry,
    machine: &Machine<'_>,
    mut write: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Broken> {
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    while done < entry.size {
        let got = machine
            .content
            .read_at(entry, done, &mut piece)
            .map_err(Broken::Read)?;
        let Some(read) = piece.get(..got).filter(|read| !read.is_empty()) else {
            return Err(Broken::Read(format!(
                "it ends after {done} of {} bytes",
                entry.size
            )));
        };
        write(read).map_err(Broken::Write)?;
        done += got as u64;
    }
    Ok(())
}
