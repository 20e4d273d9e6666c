//! Parses, dispatches, and turns the outcome into an exit code.

use clap::Parser;
use std::process::ExitCode;
use transvase::cli::Cli;
use transvase::exit::ExitStatus;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = transvase::commands::interrupt::watch() {
        transvase::ui::fail(&format!("signals cannot be watched: {error}"));
        return ExitStatus::Error.into();
    }
    let done = transvase::commands::run(&cli);
    transvase::commands::interrupt::wait();
    // What could not be written is nobody's success.
    let done = done.and_then(|status| transvase::ui::written().map(|()| status));
    match done {
        Ok(status) => status.into(),
        Err(error) => {
            transvase::ui::fail(&error.to_string());
            ExitStatus::Error.into()
        }
    }
}
