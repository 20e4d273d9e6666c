//! `transvase detectors`: list, check, and test packs.

use super::packs;
use crate::cli::{Detectors, Global};
use crate::error::Error;
use crate::examine::case;
use crate::exit::ExitStatus;
use crate::product::pack::Packs;
use crate::ui;
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn run(global: &Global, action: Option<&Detectors>) -> Result<ExitStatus, Error> {
    match action {
        None | Some(Detectors::List) => list(global),
        Some(Detectors::Check { file }) => check(file),
        Some(Detectors::Test { directory }) => test(directory),
    }
}

fn list(global: &Global) -> Result<ExitStatus, Error> {
    let packs = packs(global)?;
    let mut text = String::new();
    let width = packs
        .iter()
        .map(|pack| pack.file.id.len())
        .max()
        .unwrap_or_default();
    for pack in packs.iter() {
        let file = &pack.file;
        let disposition = file
            .disposition
            .map_or_else(|| "rules".to_owned(), |d| format!("{d:?}").to_lowercase());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {disposition:12}  {}", file.id, file.title);
    }
    ui::show(&text);
    Ok(ExitStatus::Done)
}

fn check(file: &Path) -> Result<ExitStatus, Error> {
    let failed = |error| {
        Error::Other(format!(
            "cannot read {}: {error}; expected a pack, which is a TOML file",
            file.display()
        ))
    };
    let text = std::fs::read_to_string(file).map_err(failed)?;
    let mut packs = Packs::default();
    packs
        .add(&file.display().to_string(), &text)
        .map_err(Error::Packs)?;
    ui::show(&format!("{}: a sound pack\n", file.display()));
    Ok(ExitStatus::Done)
}

/// Runs the cases of a directory's packs, with the built-in ones beside them, as they would be in a scan.
fn test(directory: &Path) -> Result<ExitStatus, Error> {
    let mut own = Packs::default();
    super::files::load(&mut own, directory).map_err(Error::Packs)?;
    let mut packs = Packs::builtin().map_err(Error::Packs)?;
    super::files::load(&mut packs, directory).map_err(Error::Packs)?;
    let (mut passed, mut failed) = (0u32, 0u32);
    let mut text = String::new();
    for pack in own.iter() {
        for one in &pack.file.case {
            let differences = case::run(pack, &packs, one);
            if differences.is_empty() {
                passed += 1;
            } else {
                failed += 1;
                // Writing to a String cannot fail.
                let _ = writeln!(
                    text,
                    "{}: {}\n  {}",
                    pack.file.id,
                    one.name,
                    differences.join("\n  ")
                );
            }
        }
    }
    let _ = writeln!(text, "{passed} cases passed, {failed} failed");
    ui::show(&text);
    Ok(if failed == 0 {
        ExitStatus::Done
    } else {
        ExitStatus::Gate
    })
}
