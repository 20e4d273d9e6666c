//! Plans into files: which file stands where, and with what in it.

use super::staging::Staging;
use super::templates::fill;
use super::{Error, Machine, Options, Written, archive, rootfs, secret};
use super::{compose, dockerfile, entrypoint, readme, schedule, value};
use crate::path::MachinePath;
use crate::plan::Plan;
use crate::walk::Entry;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Writes every plan's files into the staging directory.
pub(super) fn all(
    staging: &Staging,
    plans: &[Plan],
    machine: &Machine<'_>,
    options: Options,
) -> Result<Written, Error> {
    let mut written = Written::default();
    let mut missing = Vec::new();
    for plan in plans {
        workload(staging, plan, machine, &mut written)?;
        missing.extend(secrets(staging, plan, machine, options, &mut written)?);
        if options.with_data {
            data(staging, plan, machine, &mut written)?;
        }
    }
    for (name, text) in overview(plans, &missing, &written.left_out)? {
        staging.file(Path::new(name), 0o644, text.as_bytes())?;
        written.paths.push(PathBuf::from(name));
    }
    written.paths.sort();
    Ok(written)
}

/// What `all` would write of its own making, without the machine: every text but those in `rootfs/`, by path.
pub(super) fn preview(plans: &[Plan]) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for plan in plans {
        let directory = Path::new("workloads").join(&plan.id);
        let is_generated = plan.schedule.scheduler.is_some() || !schedule::tables(plan).is_empty();
        let files = own(plan, is_generated)?.into_iter();
        found.extend(files.map(|(name, _, text)| (directory.join(name), text)));
        missing.extend(plan.state.secrets.iter().map(|secret| secret.name.clone()));
    }
    let whole = overview(plans, &missing, &[])?.into_iter();
    found.extend(whole.map(|(name, text)| (PathBuf::from(name), text)));
    Ok(found)
}

/// The files of OUT itself.
fn overview(
    plans: &[Plan],
    missing: &[String],
    left_out: &[String],
) -> Result<[(&'static str, String); 4], Error> {
    let overview = readme::overview(plans, missing, left_out.to_vec());
    Ok([
        (
            "compose.yaml",
            fill("compose.yaml", &compose::compose(plans))?,
        ),
        (".env", fill("env", &compose::env(plans))?),
        (".gitignore", fill("gitignore", &())?),
        ("README.md", fill("README.md", &overview)?),
    ])
}

/// A workload's files of our own making, with their modes.
fn own(plan: &Plan, is_generated: bool) -> Result<Vec<(&'static str, u32, String)>, Error> {
    let view = dockerfile::dockerfile(plan, is_generated);
    let page = readme::page(plan);
    let mut files = vec![
        ("Dockerfile", 0o644, fill("Dockerfile", &view)?),
        (".dockerignore", 0o644, fill("dockerignore", &())?),
        ("README.md", 0o644, fill("workload.md", &page)?),
    ];
    if plan.process.entrypoint {
        let text = fill("entrypoint.sh", &entrypoint::entrypoint(plan))?;
        files.push(("entrypoint.sh", 0o755, text));
    }
    if let Some(profile) = plan.contract.profile.document() {
        files.push((value::PROFILE, 0o644, profile));
    }
    Ok(files)
}

fn workload(
    staging: &Staging,
    plan: &Plan,
    machine: &Machine<'_>,
    written: &mut Written,
) -> Result<(), Error> {
    let directory = Path::new("workloads").join(&plan.id);
    let mut generated = Vec::new();
    for table in schedule::tables(plan) {
        generated.push((table.path.clone(), 0o644, fill("table", &table)?));
    }
    if let Some(scheduler) = &plan.schedule.scheduler {
        generated.push((
            scheduler.mailer.clone(),
            0o755,
            fill("mailer.sh", &entrypoint::mailer())?,
        ));
    }
    let made: BTreeSet<&MachinePath> = generated.iter().map(|(path, ..)| path).collect();
    let entries: Vec<Entry> = plan
        .image
        .entries
        .iter()
        .filter(|entry| !made.contains(&entry.path))
        .cloned()
        .collect();
    if !entries.is_empty() || !generated.is_empty() {
        let rootfs = directory.join("rootfs");
        let path = staging.directory(&rootfs, 0o755)?;
        let unread = rootfs::write(&path, &entries, machine.content)?;
        written.left_out.extend(
            unread
                .into_iter()
                .map(|(path, why)| format!("{path} of {}: {why}", plan.id)),
        );
        for (path, mode, text) in &generated {
            rootfs::generated(&staging.path().join(&rootfs), path, *mode, text)?;
        }
        written.paths.push(rootfs);
    }
    for (name, mode, text) in own(plan, !generated.is_empty())? {
        let path = directory.join(name);
        staging.file(&path, mode, text.as_bytes())?;
        written.paths.push(path);
    }
    Ok(())
}

/// Writes the secrets where they were asked for; returns the names of those that the user has to put in place.
fn secrets(
    staging: &Staging,
    plan: &Plan,
    machine: &Machine<'_>,
    options: Options,
    written: &mut Written,
) -> Result<Vec<String>, Error> {
    let mut missing = Vec::new();
    for planned in &plan.state.secrets {
        if !options.with_secrets {
            missing.push(planned.name.clone());
            continue;
        }
        match secret::value(planned, plan, machine) {
            Ok(value) => {
                staging.directory(Path::new("secrets"), 0o700)?;
                let path = Path::new("secrets").join(&planned.name);
                staging.file(&path, 0o600, &value)?;
                written.paths.push(path);
            }
            Err(why) => {
                written
                    .left_out
                    .push(format!("secret {} of {}: {why}", planned.name, plan.id));
                missing.push(planned.name.clone());
            }
        }
    }
    Ok(missing)
}

fn data(
    staging: &Staging,
    plan: &Plan,
    machine: &Machine<'_>,
    written: &mut Written,
) -> Result<(), Error> {
    for (name, entries) in &plan.state.data {
        let path = Path::new("data").join(format!("{name}.tar"));
        if written.paths.contains(&path) {
            continue;
        }
        staging.directory(Path::new("data"), 0o700)?;
        let file = staging.create(&path, 0o600)?;
        let unread = archive::write(file, entries, machine.content)?;
        written.left_out.extend(
            unread
                .into_iter()
                .map(|(path, why)| format!("{path} of volume {name}: {why}")),
        );
        written.paths.push(path);
    }
    Ok(())
}
