//! Subcommands, one file each: they open, call, and write; nothing is worked out here.

mod definitions;
mod detectors;
mod explain;
pub mod files;
mod inspect;
pub mod interrupt;
mod kernel;
mod migrate;
mod nearest;
mod record;
mod report;
mod scan;
mod verify;

use crate::answer;
use crate::assess::Place;
use crate::cli::{Cli, Command, Gates, Global, Source};
use crate::error::Error;
use crate::examine::{self, Examined};
use crate::exit::ExitStatus;
use crate::fact::{Answers, Fact, Facts};
use crate::plan::PlanOptions;
use crate::product::pack::Packs;
use crate::progress::{Progress as _, Total};
use crate::rule::catalogue;
use crate::scan::Scan;
use crate::service::id_of;
use crate::source::{OpenOptions, Root};
use crate::study::{self, Study};
use crate::ui;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Runs what the command line asks for.
pub fn run(cli: &Cli) -> Result<ExitStatus, Error> {
    let global = &cli.global;
    match &cli.command {
        Command::Migrate(args) => migrate::migrate(global, args),
        Command::Generate(args) => migrate::generate(global, args),
        Command::Scan(args) => scan::run(global, args),
        Command::Report(args) => report::run(global, args),
        Command::Record(args) => record::run(global, args),
        Command::Verify(args) => verify::run(global, args),
        Command::Inspect(args) => inspect::run(global, args),
        Command::Kernel(args) => kernel::run(global, args),
        Command::Explain { id } => explain::run(global, id.as_deref()),
        Command::Completions { shell } => definitions::completions(*shell),
        Command::Man { directory } => definitions::man(directory.as_deref()),
        Command::Detectors { action } => detectors::run(global, action.as_ref()),
    }
}

/// The built-in packs with the user's own.
fn packs(global: &Global) -> Result<Packs, Error> {
    let mut packs = Packs::builtin().map_err(Error::Packs)?;
    for directory in &global.detectors {
        files::load(&mut packs, directory).map_err(Error::Packs)?;
    }
    Ok(packs)
}

/// A machine opened and studied.
struct Opened {
    root: Root,
    packs: Packs,
    facts: Facts,
    study: Study,
}

fn open(
    global: &Global,
    source: &Source,
    answers: Option<&Path>,
    target: &Place,
    options: &PlanOptions,
    leave_out: &[PathBuf],
) -> Result<Opened, Error> {
    let packs = packs(global)?;
    let answers = answers.map(files::answers).transpose()?;
    let known = answers.iter().cloned().map(Fact::Answers).collect();
    let progress = ui::progress::Bar::new(global);
    progress.phase("opening", Total::Unknown);
    let root = Root::open(
        &source.source,
        &OpenOptions {
            root: source.root.clone(),
            allow_outside: source.allow_outside,
            leave_out: leave_out.to_vec(),
        },
    )?;
    let registry = examine::registry(&packs).map_err(|error| Error::Other(error.to_string()))?;
    let registry = registry.reading_up_to(global.read_limit.unwrap_or_default());
    let Examined { facts, outline } = threads(global, || {
        examine::examine(&root, &registry, &packs, options, known, &progress)
    })?;
    if let Some(answers) = &answers {
        let is_question =
            |rule: &str| catalogue::rule(rule).is_some_and(|rule| rule.question.is_some());
        answer::check(answers, &facts, id_of, is_question)
            .map_err(|error| Error::Other(error.to_string()))?;
    }
    progress.phase("studying", Total::Unknown);
    let study = study::study(&facts, &packs, outline, root.info().clone(), target);
    progress.finish();
    if let Some(answers) = &answers {
        unheard(answers, &study)?;
    }
    Ok(Opened {
        root,
        packs,
        facts,
        study,
    })
}

/// An answer that is for nothing on the machine is a slip of the pen, and not silently lost.
fn unheard(answers: &Answers, study: &Study) -> Result<(), Error> {
    let workloads = study
        .cut
        .workloads
        .iter()
        .map(|workload| workload.id.clone());
    let services = study
        .scan
        .services
        .iter()
        .map(|service| service.name.clone());
    let ids = study
        .cut
        .services
        .iter()
        .map(|placed| id_of(&placed.service.name));
    let known: BTreeSet<String> = workloads.chain(services).chain(ids).collect();
    let Some(name) = answers.of.keys().find(|name| !known.contains(*name)) else {
        return Ok(());
    };
    let known: Vec<String> = known.into_iter().collect();
    Err(Error::Other(format!(
        "{name:?} was answered (--answers), and no workload or service has that name.{} The ids stand in scan.json",
        nearest::suggestion(name, &known),
    )))
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

/// Gates and coverage as an exit code: what was not examined outranks a gate that was not met. Says what it was, and what
/// changes it.
fn judge(global: &Global, scan: &Scan, gates: &Gates) -> ExitStatus {
    let (score, worst) = (scan.assessment.score, scan.worst());
    let mut said = Vec::new();
    let mut status = ExitStatus::Done;
    if let Some(least) = gates.fail_under.filter(|least| score < *least) {
        status = ExitStatus::Gate;
        said.push(format!("the score is {score}, below --fail-under {least}"));
    }
    if let Some((worst, limit)) = worst
        .zip(gates.fail_on)
        .filter(|(worst, limit)| worst >= limit)
    {
        let [worst, limit] = [worst, limit].map(crate::report::severity);
        status = ExitStatus::Gate;
        said.push(format!(
            "there is a concern of severity {worst}, and --fail-on is {limit}"
        ));
    }
    let parts = scan.coverage.unexamined.len();
    if parts > 0 && !gates.allow_partial {
        status = ExitStatus::Partial;
        said.push(format!(
            "{parts} {} not examined; --allow-partial makes that no matter of the exit code",
            if parts == 1 { "part was" } else { "parts were" }
        ));
    }
    for line in said.iter().filter(|_| !global.quiet) {
        ui::err(&format!("transvase: {line}\n"));
    }
    status
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
