//! `transvase migrate` and `generate`: from a disk to containers.

use super::{Opened, judge, open};
use crate::cli::{Gates, Generate, Global, Known, Migrate, Output, Source, Strategy};
use crate::error::Error;
use crate::examine::disclose;
use crate::exit::ExitStatus;
use crate::plan::PlanOptions;
use crate::progress::{Progress, Step, Total};
use crate::render;
use crate::report;
use crate::text;
use crate::ui;
use crate::walk::Entry;
use std::path::{Path, PathBuf};

pub(super) fn migrate(global: &Global, args: &Migrate) -> Result<ExitStatus, Error> {
    run(
        global,
        (&args.source, &args.known),
        &args.output,
        &args.gates,
        true,
    )
}

pub(super) fn generate(global: &Global, args: &Generate) -> Result<ExitStatus, Error> {
    let gates = Gates {
        allow_partial: true,
        ..Gates::default()
    };
    run(
        global,
        (&args.source, &args.known),
        &args.output,
        &gates,
        false,
    )
}

fn run(
    global: &Global,
    (source, known): (&Source, &Known),
    output: &Output,
    gates: &Gates,
    report: bool,
) -> Result<ExitStatus, Error> {
    // Asked before the scan: nobody wants to wait for a refusal.
    refuse(output)?;
    let staging = render::Staging::new(&output.output)?;
    let options = PlanOptions {
        with_data: output.with_data,
        with_secrets: output.with_secrets,
        strategy: output.wish(),
    };
    let own = [output.output.clone(), staging.path().to_path_buf()];
    let opened = open(
        global,
        source,
        known.answers.as_deref(),
        output.target,
        &options,
        &own,
    )?;
    if lies_in(&output.output, &source.source) && !global.quiet {
        tell_of_overlap(&output.output);
    }
    let Opened {
        root,
        packs,
        mut facts,
        mut study,
    } = opened;
    let mut chosen = choose(&study, &output.workload)?;
    let values = if output.with_secrets {
        disclose::values(&mut facts, &root, &packs, &chosen)
            .map_err(|error| Error::Other(error.to_string()))?
    } else {
        render::secret::Values::default()
    };
    let lost = unwritten(&mut chosen, &mut study.scan, &values);
    let progress = ui::progress::Bar::new(global);
    let machine = render::Machine {
        tree: &facts.tree,
        content: &Counted {
            content: &root,
            progress: &progress,
        },
        values: &values,
    };
    let options = render::Options {
        with_secrets: output.with_secrets,
        with_data: output.with_data,
        formats: output.formats(),
    };
    let bytes = chosen
        .iter()
        .map(|plan| bytes(plan, output.with_data))
        .sum();
    progress.phase("writing", Total::Bytes(bytes));
    let written = render::write_into(&staging, &chosen, &machine, options)?;
    if report {
        reports(&staging, &study.scan, &written)?;
    }
    staging.commit()?;
    progress.finish();
    tell(global, &study.scan, &written, (output, options));
    let status = judge(global, &study.scan, gates);
    // Not all that was asked for is there, whatever may stay unexamined.
    Ok(if lost { ExitStatus::Partial } else { status })
}

/// What cannot be had together.
fn refuse(output: &Output) -> Result<(), Error> {
    if output.formats().oci && output.strategy == Strategy::Packages {
        return Err(Error::Other(
            "--formats oci needs the files of the disk, and --strategy packages takes them from an archive: leave out one of them"
                .to_owned(),
        ));
    }
    Ok(())
}

/// What was left out, and what comes next.
fn tell(
    global: &Global,
    scan: &crate::scan::Scan,
    written: &render::Written,
    (output, options): (&Output, render::Options),
) {
    for left in &written.left_out {
        ui::err(&format!("transvase: {}\n", crate::path::sanitise(left)));
    }
    if !global.quiet {
        let style = ui::Style::of(global);
        ui::show(&ui::summary::terminal(scan, &style));
        ui::show(&ui::summary::next_steps(scan, &output.output, options));
    }
}

/// Takes note in the plans of secrets that could not be told; whether there are any.
fn unwritten(
    chosen: &mut [crate::plan::Plan],
    scan: &mut crate::scan::Scan,
    values: &render::secret::Values,
) -> bool {
    let in_scan = scan.workloads.iter_mut();
    let in_scan = in_scan.filter_map(|workload| workload.plan.as_mut());
    let plans = chosen.iter_mut().chain(in_scan);
    let mut found = false;
    for secret in plans.flat_map(|plan| &mut plan.state.secrets) {
        if values.reason(&secret.name).is_some() {
            secret.written = false;
            found = true;
        }
    }
    found
}

/// Whether OUT is in the tree that is read.
fn lies_in(out: &Path, source: &[PathBuf]) -> bool {
    let here = Path::new(".");
    let folders = out.ancestors().chain([here]);
    let mut folders = folders.filter_map(|path| path.canonicalize().ok());
    let (Some(folder), Some(source)) = (folders.next(), source.first()) else {
        return false;
    };
    let source = source.canonicalize();
    source.is_ok_and(|source| source.is_dir() && folder.starts_with(source))
}

fn tell_of_overlap(out: &Path) {
    let out = out.to_string_lossy();
    let out = crate::path::sanitise(&out);
    ui::err(&format!(
        "transvase: {out} lies inside the source; it is left out of what is read\n"
    ));
}

/// The machine's content, counted as it is read.
struct Counted<'a> {
    content: &'a dyn render::Content,
    progress: &'a dyn Progress,
}

impl render::Content for Counted<'_> {
    fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String> {
        let read = self.content.read_at(entry, offset, buf)?;
        self.progress.step(Step::bytes(read as u64));
        Ok(read)
    }

    fn data_from(&self, entry: &Entry, offset: u64) -> Result<u64, String> {
        self.content.data_from(entry, offset)
    }

    fn attributes(&self, entry: &Entry) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.content.attributes(entry)
    }
}

/// What a plan carries of the machine's content.
fn bytes(plan: &crate::plan::Plan, with_data: bool) -> u64 {
    let data = plan.state.data.iter().filter(|_| with_data);
    let data = data.flat_map(|(_, entries)| entries);
    let all = plan.image.entries.iter().chain(data);
    all.filter(|entry| entry.is_file())
        .map(|entry| entry.size)
        .sum()
}

/// scan.json and what people read, beside the containers.
fn reports(
    staging: &render::Staging,
    scan: &crate::scan::Scan,
    written: &render::Written,
) -> Result<(), Error> {
    let artefacts = report::Artefacts::written(staging, written);
    let files = [
        ("scan.json", scan.to_json()),
        ("questions.toml", report::questions_file(scan)),
        ("report.md", report::markdown(scan)?),
        ("report.html", report::html(scan, &artefacts)?),
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
                text::list(&known, 20)
            )));
        }
    }
    Ok(crate::plan::choose(&study.plans, ids))
}
