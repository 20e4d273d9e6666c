//! Parses, dispatches, and turns the outcome into an exit code.

use clap::Parser;
use std::process::ExitCode;
use transvase::cli::Cli;
use transvase::exit::ExitStatus;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match transvase::commands::run(&cli) {
        Ok(status) => status.into(),
        Err(error) => {
            transvase::ui::fail(&error.to_string());
            ExitStatus::Error.into()
        }
    }
}
