//! `transvase scan`: what is on the machine, as scan.json.

use super::{deliver, judge, open};
use crate::cli::{Global, Scan};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::plan::PlanOptions;
use crate::ui;

pub(super) fn run(global: &Global, args: &Scan) -> Result<ExitStatus, Error> {
    let opened = open(
        global,
        &args.source,
        args.known.answers.as_deref(),
        args.target,
        &PlanOptions::default(),
        &[],
    )?;
    let scan = &opened.study.scan;
    deliver(&scan.to_json(), args.output.as_deref())?;
    if args.output.is_some() && !global.quiet {
        ui::err(&ui::summary::terminal(scan, &ui::Style::of_errors(global)));
    }
    Ok(judge(global, scan, &args.gates))
}
