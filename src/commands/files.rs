//! Files of the user's own that a command reads: packs of a directory, answers.

use crate::answer;
use crate::error::Error;
use crate::fact::Answers;
use crate::product::pack::{PackError, Packs};
use crate::proof::Proof;
use crate::scan::Scan;
use std::io;
use std::path::Path;

/// Adds every `*.toml` below a directory to the packs, in the order of names.
pub fn load(packs: &mut Packs, directory: &Path) -> Result<(), Vec<PackError>> {
    let texts = texts_below(directory, "toml").map_err(|error| vec![error])?;
    let added = texts.iter().map(|(name, text)| packs.add(name, text));
    let errors: Vec<PackError> = added.filter_map(Result::err).flatten().collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Texts of the files with an ending below a directory, by name, sorted.
pub fn texts_below(directory: &Path, ending: &str) -> Result<Vec<(String, String)>, PackError> {
    let failed = |path: &Path, what: String| PackError {
        file: path.display().to_string(),
        line: 0,
        what,
    };
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(directory).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(directory).to_owned();
            let why = error
                .io_error()
                .map_or("a link in a circle".to_owned(), io::Error::to_string);
            failed(
                &path,
                format!("cannot be read: {why}; expected a directory of packs ({ending} files)"),
            )
        })?;
        if !entry.file_type().is_file() || entry.path().extension().is_none_or(|e| e != ending) {
            continue;
        }
        let text = std::fs::read_to_string(entry.path())
            .map_err(|error| failed(entry.path(), format!("cannot be read: {error}")))?;
        found.push((entry.path().display().to_string(), text));
    }
    Ok(found)
}

/// Largest file of answers: ten thousand machines' would fit.
const LARGEST: u64 = 16 << 20;

/// A whole text file, if it is no longer than said.
pub fn text(path: &Path, most: u64, expected: &str) -> Result<String, Error> {
    use std::io::Read;
    let name = path.display();
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_string(&mut text))
        .map_err(|error| {
            Error::Other(format!("cannot read {name}: {error}; expected {expected}"))
        })?;
    if text.len() as u64 > most {
        let most = crate::text::bytes(most);
        return Err(Error::Other(format!(
            "{name} is larger than {most}; expected {expected}"
        )));
    }
    Ok(text)
}

/// Longest scan.json.
const LONGEST_SCAN: u64 = 2 << 30;

/// The scan that `migrate` wrote into OUT.
pub fn scan_of(out: &Path) -> Result<Scan, Error> {
    let path = out.join("scan.json");
    let text = text(&path, LONGEST_SCAN, "OUT of `transvase migrate`")?;
    Scan::read(&text).map_err(|error| {
        Error::Other(format!(
            "{} is no scan that this version reads: {error}; migrate the source again",
            path.display()
        ))
    })
}

/// Whether a directory is an OUT of `migrate`.
pub fn is_out(path: &Path) -> bool {
    path.join("scan.json").is_file() && path.join("workloads").is_dir()
}

/// What `verify` wrote into OUT, where it did.
pub fn proof_of(out: &Path) -> Result<Option<Proof>, Error> {
    let path = out.join("verify.json");
    if !path.exists() {
        return Ok(None);
    }
    let text = text(&path, 256 << 20, "what `transvase verify` wrote")?;
    let read = Proof::read(&text).map_err(|error| {
        Error::Other(format!(
            "{} is no proof that this version reads: {error}; verify again",
            path.display()
        ))
    })?;
    Ok(Some(read))
}

/// Reads a file of answers.
pub fn answers(path: &Path) -> Result<Answers, Error> {
    use std::io::Read;
    let name = path.display();
    let expected = "expected answers as in OUT/questions.toml, TOML with a table for each workload";
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
        .map_err(|error| Error::Other(format!("cannot read {name}: {error}; {expected}")))?;
    if text.len() as u64 > LARGEST {
        let most = crate::text::bytes(LARGEST);
        return Err(Error::Other(format!(
            "{name} is larger than {most}; {expected}"
        )));
    }
    let shown = path.file_name().unwrap_or_default().to_string_lossy();
    answer::read(&shown, &text).map_err(|error| Error::Other(error.to_string()))
}

/// Whether a file begins with these bytes.
pub fn starts_with(path: &Path, magic: &[u8]) -> bool {
    use std::io::Read;
    let mut head = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(magic.len() as u64).read_to_end(&mut head));
    read.is_ok() && head == magic
}
