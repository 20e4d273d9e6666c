//! `transvase migrate` and `generate`: from a disk to containers.

use super::{Opened, judge, open};
use crate::cli::{Gates, Generate, Global, Migrate, Output, Source};
use crate::detect::engine::Progress;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::plan::PlanOptions;
use crate::render;
use crate::ui;

pub(super) fn migrate(global: &Global, args: &Migrate) -> Result<ExitStatus, Error> {
    run(global, &args.source, &args.output, &args.gates, true)
}

pub(super) fn generate(global: &Global, args: &Generate) -> Result<ExitStatus, Error> {
    let gates = Gates {
        allow_partial: true,
        ..Gates::default()
    };
    run(global, &args.source, &args.output, &gates, false)
}

fn run(
    global: &Global,
    source: &Source,
    output: &Output,
    gates: &Gates,
    report: bool,
) -> Result<ExitStatus, Error> {
    // Asked before the scan: nobody wants to wait for a refusal.
    let staging = render::Staging::new(&output.output)?;
    let options = PlanOptions {
        with_data: output.with_data,
    };
    let opened = open(global, source, output.target, &options)?;
    let Opened { root, facts, study } = &opened;
    let chosen = choose(study, &output.workload)?;
    let machine = render::Machine {
        tree: &facts.tree,
        content: root,
    };
    let options = render::Options {
        with_secrets: output.with_secrets,
        with_data: output.with_data,
    };
    let progress = ui::progress::Bar::new(global);
    progress.phase("writing", 0);
    let written = render::write_into(&staging, &chosen, &machine, options)?;
    if report {
        reports(&staging, &study.scan, &written)?;
    }
    staging.commit()?;
    progress.finish();
    for left in &written.left_out {
        ui::err(&format!("transvase: {}\n", crate::path::sanitise(left)));
    }
    if !global.quiet {
        let style = ui::Style::of(global);
        ui::show(&ui::summary::terminal(&study.scan, &style));
        ui::show(&ui::summary::next_steps(
            &study.scan,
            &output.output,
            output.with_secrets,
            output.with_data,
        ));
    }
    Ok(judge(&study.scan, gates))
}

/// scan.json and what people read, beside the containers.
fn reports(
    staging: &render::Staging,
    scan: &crate::scan::Scan,
    written: &render::Written,
) -> Result<(), Error> {
    let artefacts = render::report::Artefacts::written(staging, written);
    let files = [
        ("scan.json", scan.to_json()),
        ("report.md", render::report::markdown(scan)?),
        ("report.html", render::report::html(scan, &artefacts)?),
    ];
    for (name, text) in files {
        staging.file(name.as_ref(), 0o644, text.as_bytes())?;
    }
    Ok(())
}

/// The plans asked for by id; all of them where none is.
fn choose(study: &crate::study::Study, ids: &[String]) -> Result<Vec<crate::plan::Plan>, Error> {
    for id in ids {
        if !study.plans.iter().any(|plan| plan.id == *id) {
            let known: Vec<String> = study.plans.iter().map(|plan| plan.id.clone()).collect();
            return Err(Error::Other(format!(
                "no workload is called {id:?} (--workload).{} There are {}",
                super::nearest::suggestion(id, &known),
                ui::list(&known, 20)
            )));
        }
    }
    Ok(study
        .plans
        .iter()
        .filter(|plan| ids.is_empty() || ids.contains(&plan.id))
        .cloned()
        .collect())
}
