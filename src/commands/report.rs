//! `transvase report`: a scan for people.

use super::{deliver, open};
use crate::assess;
use crate::cli::{Format, Global, Report, Rows};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::plan::{Plan, PlanOptions};
use crate::proof::Proof;
use crate::report::{self, Artefacts};
use crate::scan::Scan;
use crate::study;
use crate::ui;
use crate::verify::Recorded;
use std::path::{Path, PathBuf};

pub(super) fn run(global: &Global, args: &Report) -> Result<ExitStatus, Error> {
    let schema = match args.format {
        Format::Schema => Some(Scan::schema()),
        Format::SchemaRecorded => Some(Recorded::schema()),
        Format::SchemaVerify => Some(Proof::schema()),
        _ => None,
    };
    if let Some(schema) = schema {
        deliver(&schema, args.output.as_deref())?;
        return Ok(ExitStatus::Done);
    }
    let (scan, files) = if let Some(scan) = saved(args) {
        let mut scan = scan?;
        if let Some(target) = args.target {
            study::weigh(&mut scan, target);
        }
        if let Some(out) = out_of(args)
            && let Some(proof) = super::files::proof_of(out)?
        {
            study::prove(&mut scan, proof);
        }
        let files = of_saved(args, &scan)?;
        (scan, files)
    } else {
        let options = PlanOptions::default();
        let study = open(
            global,
            &args.source,
            args.known.answers.as_deref(),
            args.target.unwrap_or_else(assess::usual),
            &options,
            &[],
        )?
        .study;
        let files = Artefacts::planned(&study.plans, false)?;
        (study.scan, files)
    };
    let text = match args.format {
        Format::Terminal => ui::summary::terminal(&scan, &ui::Style::of(global)),
        Format::Html => report::html(&scan, &files)?,
        Format::Md => report::markdown(&scan)?,
        Format::Csv => match args.rows {
            Rows::Workloads => report::csv_workloads(&scan),
            Rows::Concerns => report::csv_concerns(&scan),
        },
        Format::Cyclonedx => report::cyclonedx(&scan),
        Format::Sarif => report::sarif(&scan),
        Format::Json | Format::Schema | Format::SchemaRecorded | Format::SchemaVerify => {
            scan.to_json()
        }
    };
    match (&args.output, args.format) {
        (None, Format::Terminal) => ui::show(&text),
        (output, _) => deliver(&text, output.as_deref())?,
    }
    Ok(ExitStatus::Done)
}

/// The files that stand beside a saved scan, or those that its plans tell of.
fn of_saved(args: &Report, scan: &Scan) -> Result<Artefacts, Error> {
    if args.format != Format::Html {
        return Ok(Artefacts::default());
    }
    let own = |path: &'_ PathBuf| path.is_dir().then(|| path.clone());
    let beside = |path: &PathBuf| path.parent().map(Path::to_path_buf);
    let directory = args.source.source.iter();
    let directory = directory.filter_map(|path| own(path).or_else(|| beside(path)));
    for directory in directory {
        let here = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory.as_path()
        };
        let found = Artefacts::beside(here, scan);
        if !found.shown.is_empty() {
            return Ok(found);
        }
    }
    let plans = scan.workloads.iter().filter_map(|w| w.plan.clone());
    let plans: Vec<Plan> = plans.collect();
    Ok(Artefacts::planned(&plans, true)?)
}

/// The OUT whose scan is shown.
fn out_of(args: &Report) -> Option<&Path> {
    let [path] = args.source.source.as_slice() else {
        return None;
    };
    let out = if path.is_dir() { path } else { path.parent()? };
    let is_its_own = path.is_dir() || path.file_name().is_some_and(|name| name == "scan.json");
    (is_its_own && super::files::is_out(out)).then_some(out)
}

/// A scan that was saved before, where the source is one: a file that starts as a JSON object.
fn saved(args: &Report) -> Option<Result<Scan, Error>> {
    let [path] = args.source.source.as_slice() else {
        return None;
    };
    if !path.exists() {
        return Some(Err(Error::Other(format!(
            "{} does not exist; give a scan.json, or a directory, a tar archive, or a disk image to scan",
            path.display()
        ))));
    }
    if super::files::is_out(path) {
        return Some(super::files::scan_of(path));
    }
    let is_json = path.is_file() && super::files::starts_with(path, b"{");
    is_json.then(|| {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Other(format!("cannot read {}: {error}", path.display())))?;
        Scan::read(&text).map_err(|error| {
            Error::Other(format!(
                "{} is no scan that this version reads: {error}; scan the source again",
                path.display()
            ))
        })
    })
}
