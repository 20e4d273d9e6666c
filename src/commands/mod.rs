//! Subcommands, one file each: they open, call, and write; nothing is worked out here.

mod definitions;
mod detectors;
mod explain;
pub mod files;
mod inspect;
mod kernel;
mod migrate;
mod nearest;
mod report;
mod scan;

use crate::assess::Target;
use crate::cli::{Cli, Command, Gates, Global, Source};
use crate::detect::pack::Packs;
use crate::detect::{Registry, engine};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::fact::Facts;
use crate::plan::PlanOptions;
use crate::scan::Scan;
use crate::source::{OpenOptions, Root};
use crate::study::{self, Study};
use crate::ui;

/// Runs what the command line asks for.
pub fn run(cli: &Cli) -> Result<ExitStatus, Error> {
    let global = &cli.global;
    match &cli.command {
        Command::Migrate(args) => migrate::migrate(global, args),
        Command::Generate(args) => migrate::generate(global, args),
        Command::Scan(args) => scan::run(global, args),
        Command::Report(args) => report::run(global, args),
        Command::Inspect(args) => inspect::run(global, args),
        Command::Kernel(args) => kernel::run(global, args),
        Command::Explain { id } => explain::run(global, id),
        Command::Completions { shell } => definitions::completions(*shell),
        Command::Man { directory } => definitions::man(directory.as_deref()),
        Command::Detectors { action } => detectors::run(global, action.as_ref()),
    }
}

/// The built-in packs with the user's own.
fn packs(global: &Global) -> Result<Packs, Error> {
    let mut packs = Packs::builtin().map_err(Error::Packs)?;
    for directory in &global.detectors {
        packs.load(directory).map_err(Error::Packs)?;
    }
    Ok(packs)
}

/// A machine opened and studied.
struct Opened {
    root: Root,
    facts: Facts,
    study: Study,
}

fn open(
    global: &Global,
    source: &Source,
    target: Target,
    options: &PlanOptions,
) -> Result<Opened, Error> {
    let packs = packs(global)?;
    let root = Root::open(
        &source.source,
        &OpenOptions {
            root: source.root.clone(),
            allow_outside: source.allow_outside,
        },
    )?;
    let registry = Registry::new(&packs).map_err(|error| Error::Other(error.to_string()))?;
    let progress = ui::progress::Bar::new(global);
    let facts = threads(global, || {
        engine::examine(&root, &registry, &packs, &progress)
    })?;
    progress.finish();
    let study = study::study(&facts, &packs, root.info().clone(), target, options);
    Ok(Opened { root, facts, study })
}

/// Runs with as many threads as the user asks for.
fn threads<T: Send>(global: &Global, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let Some(jobs) = global.jobs else {
        return Ok(work());
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(jobs))
        .build();
    let failed = |error| Error::Other(format!("cannot start {jobs} threads: {error}"));
    Ok(pool.map_err(failed)?.install(work))
}

/// Gates and coverage as an exit code: what was not examined outranks a gate that was not met.
fn judge(scan: &Scan, gates: &Gates) -> ExitStatus {
    let low = gates
        .fail_under
        .is_some_and(|least| scan.assessment.score < least);
    let bad = gates
        .fail_on
        .is_some_and(|severity| scan.worst().is_some_and(|worst| worst >= severity));
    if !scan.coverage.unexamined.is_empty() && !gates.allow_partial {
        ExitStatus::Partial
    } else if low || bad {
        ExitStatus::Gate
    } else {
        ExitStatus::Done
    }
}

/// Writes to a file, or to standard output.
fn deliver(text: &str, output: Option<&std::path::Path>) -> Result<(), Error> {
    if let Some(path) = output {
        std::fs::write(path, text).map_err(|error| Error::Write {
            path: path.to_path_buf(),
            error,
        })
    } else {
        ui::out(text);
        Ok(())
    }
}
