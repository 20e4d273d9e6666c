//! `transvase completions` and `man`: what the definitions of the command line say, for shells and for man(1).

use super::deliver;
use crate::cli::Cli;
use crate::error::Error;
use crate::exit::ExitStatus;
use clap::CommandFactory;
use std::path::Path;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<ExitStatus, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "transvase", &mut script);
    deliver(&String::from_utf8_lossy(&script), None)?;
    Ok(ExitStatus::Done)
}

/// One page for the program and one for each subcommand, into a directory; the program's own page without one. No page has
/// a date: the same program is the same pages.
pub(super) fn man(directory: Option<&Path>) -> Result<ExitStatus, Error> {
    if let Some(directory) = directory {
        let write = || {
            std::fs::create_dir_all(directory)?;
            clap_mangen::generate_to(Cli::command(), directory)
        };
        write().map_err(|error| Error::Write {
            path: directory.to_path_buf(),
            error,
        })?;
    } else {
        let mut page = Vec::new();
        let man = clap_mangen::Man::new(Cli::command());
        man.render(&mut page)
            .map_err(|error| Error::Other(format!("cannot make the manual page: {error}")))?;
        deliver(&String::from_utf8_lossy(&page), None)?;
    }
    Ok(ExitStatus::Done)
}
