//! `transvase report`: a scan for people.

use super::{deliver, open};
use crate::cli::{Format, Global, Report, Rows};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::plan::PlanOptions;
use crate::render::report;
use crate::scan::Scan;
use crate::ui;

pub(super) fn run(global: &Global, args: &Report) -> Result<ExitStatus, Error> {
    if args.format == Format::Schema {
        deliver(&Scan::schema(), args.output.as_deref())?;
        return Ok(ExitStatus::Done);
    }
    let scan = match saved(args) {
        Some(scan) => scan?,
        None => {
            open(global, &args.source, args.target, &PlanOptions::default())?
                .study
                .scan
        }
    };
    let text = match args.format {
        Format::Terminal => ui::summary::terminal(&scan, &ui::Style::of(global)),
        Format::Html => report::html(&scan, &[])?,
        Format::Md => report::markdown(&scan)?,
        Format::Csv => match args.rows {
            Rows::Workloads => report::csv_workloads(&scan),
            Rows::Concerns => report::csv_concerns(&scan),
        },
        Format::Cyclonedx => report::cyclonedx(&scan),
        Format::Sarif => report::sarif(&scan),
        Format::Json | Format::Schema => scan.to_json(),
    };
    match (&args.output, args.format) {
        (None, Format::Terminal) => ui::show(&text),
        (output, _) => deliver(&text, output.as_deref())?,
    }
    Ok(ExitStatus::Done)
}

/// A scan that was saved before, where the source is one: a file that starts as a JSON object.
fn saved(args: &Report) -> Option<Result<Scan, Error>> {
    let [path] = args.source.source.as_slice() else {
        return None;
    };
    let is_json = path.is_file() && super::files::starts_with(path, b"{");
    is_json.then(|| {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Other(format!("cannot read {}: {error}", path.display())))?;
        serde_json::from_str(&text).map_err(|error| {
            Error::Other(format!(
                "{} is not a scan of this version: {error}; scan the source again",
                path.display()
            ))
        })
    })
}
