//! `transvase verify`: whether the containers are what the machine was.

use super::files;
use crate::cli::{Engine, Global, Verify};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::path::sanitise;
use crate::proof::Proof;
use crate::report::{self, Artefacts};
use crate::study;
use crate::ui;
use crate::verify::{self, Recorded, run::Asked};
use std::path::Path;
use std::time::Duration;

/// Longest compose file that is read.
const LONGEST: u64 = 16 << 20;

pub(super) fn run(global: &Global, args: &Verify) -> Result<ExitStatus, Error> {
    let mut scan = files::scan_of(&args.out)?;
    let packs = super::packs(global)?;
    let listeners = verify::listeners(&scan, &packs);
    let compose = files::text(
        &args.out.join("compose.yaml"),
        LONGEST,
        "OUT of `transvase migrate`",
    )?;
    let recorded = recorded(args)?;
    let out = args
        .out
        .canonicalize()
        .map_err(|error| Error::Other(format!("cannot find {}: {error}", args.out.display())))?;
    let options = verify::Options {
        engine: args.engine.map(|engine| match engine {
            Engine::Podman => "podman",
            Engine::Docker => "docker",
        }),
        build_network: args.build_network.as_deref(),
        patience: Duration::from_secs(args.wait),
        run_jobs: args.run_jobs,
    };
    let mut told = |what: &str| {
        if !global.quiet {
            ui::err(&format!("transvase: {}\n", sanitise(what)));
        }
    };
    let asked = Asked {
        out: &out,
        compose: &compose,
        scan: &scan,
        listeners: &listeners,
        recorded: recorded.as_ref(),
    };
    let proof = verify::prove(&asked, &options, &mut told)
        .map_err(|error| Error::Other(error.to_string()))?;
    super::deliver(&proof.to_json(), Some(&args.out.join("verify.json")))?;
    let text = ui::proof::terminal(&proof, &ui::Style::of(global));
    let held = proof.held;
    reports(&args.out, &mut scan, proof)?;
    ui::show(&text);
    Ok(if held {
        ExitStatus::Done
    } else {
        ExitStatus::Gate
    })
}

/// The record that the user names, or the one in OUT.
fn recorded(args: &Verify) -> Result<Option<Recorded>, Error> {
    let own = args.out.join("recorded.json");
    let path = match &args.recorded {
        Some(path) => path,
        None if own.exists() => &own,
        None => return Ok(None),
    };
    let text = files::text(path, 256 << 20, "what `transvase record` wrote")?;
    let read = Recorded::read(&text).map_err(|error| {
        Error::Other(format!(
            "{} is no record that this version reads: {error}",
            path.display()
        ))
    })?;
    Ok(Some(read))
}

/// The reports of OUT again, with what was proven.
fn reports(out: &Path, scan: &mut crate::scan::Scan, proof: Proof) -> Result<(), Error> {
    study::prove(scan, proof);
    let artefacts = Artefacts::beside(out, scan);
    super::deliver(&report::markdown(scan)?, Some(&out.join("report.md")))?;
    super::deliver(
        &report::html(scan, &artefacts)?,
        Some(&out.join("report.html")),
    )
}
