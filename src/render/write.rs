//! Plans into files: which file stands where, and with what in it.

use super::artefact::{self, Outcome};
use super::lifted::{self, Lifted};
use super::rootfs as files;
use super::staging::Staging;
use super::templates::fill;
use super::{
    Error, Formats, Machine, Options, Written, archive, entrypoint, oci, schedule, secret,
};
use crate::path::MachinePath;
use crate::plan::{self, Plan, WrittenFile};
use crate::walk::Entry;
use std::collections::{BTreeMap, BTreeSet};
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
    let mut shared = lifted::Shared::default();
    let mut lifts = Vec::new();
    for plan in plans {
        let generated = generated(plan)?;
        match Lifted::new(plan, &generated, machine) {
            Some(own) => {
                if options.formats.compose {
                    let both = (&mut shared, &mut written);
                    lifted::context(staging, &own, machine, both)?;
                }
                lifts.push(own);
            }
            None => rootfs(staging, plan, &generated, machine, &mut written)?,
        }
        missing.extend(secrets(staging, plan, machine, options, &mut written)?);
        if options.with_data {
            data(staging, plan, machine, &mut written)?;
        }
    }
    if options.formats.oci {
        let others = plans.iter().filter(|plan| plan.image.lift.is_none());
        written.left_out.extend(
            others.map(|plan| format!("the image layout of {}: nothing could be lifted", plan.id)),
        );
        oci::write(staging, &lifts, machine, &entrypoints(plans)?, &mut written)?;
    }
    written.left_out.sort();
    written.left_out.dedup();
    let outcome = Outcome {
        missing,
        left_out: written.left_out.clone(),
        formats: options.formats,
    };
    for artefact in artefact::all(plans, &outcome)? {
        if !options.formats.compose && artefact::is_built(&artefact.path) {
            continue;
        }
        staging.file(&artefact.path, artefact.mode, artefact.text.as_bytes())?;
        written.paths.push(artefact.path);
    }
    written.paths.sort();
    Ok(written)
}

/// The texts of entry points, by workload.
fn entrypoints(plans: &[Plan]) -> Result<BTreeMap<String, String>, Error> {
    let own = plans.iter().filter(|plan| plan.process.entrypoint);
    let texts = own.map(|plan| {
        let text = fill("entrypoint.sh", &entrypoint::entrypoint(plan))?;
        Ok((plan.id.clone(), text))
    });
    texts.collect()
}

/// What `all` would write of its own making, without the machine: every text but those in `rootfs/`, by path.
pub(super) fn preview(plans: &[Plan]) -> Result<Vec<(PathBuf, String)>, Error> {
    let secrets = plans.iter().flat_map(|plan| &plan.state.secrets);
    let outcome = Outcome {
        missing: secrets.map(|secret| secret.name.clone()).collect(),
        left_out: Vec::new(),
        formats: Formats::default(),
    };
    let all = artefact::all(plans, &outcome)?.into_iter();
    Ok(all.map(|found| (found.path, found.text)).collect())
}

/// Files of our own making that stand among those that a workload carries.
fn generated(plan: &Plan) -> Result<Vec<WrittenFile>, Error> {
    let file = |path: &MachinePath, mode, text| WrittenFile {
        path: path.clone(),
        mode,
        uid: 0,
        gid: 0,
        what: plan::Written::Text(text),
    };
    let mut generated = Vec::new();
    for table in schedule::tables(plan) {
        generated.push(file(&table.path, 0o644, fill("table", &table)?));
    }
    let scheduler = plan.schedule.scheduler.as_ref();
    if let Some(mailer) = scheduler.and_then(|scheduler| scheduler.mailer.as_ref()) {
        let text = fill("mailer.sh", &entrypoint::mailer())?;
        generated.push(file(mailer, 0o755, text));
    }
    Ok(generated)
}

/// The files that a workload carries, and those of our own making among them.
fn rootfs(
    staging: &Staging,
    plan: &Plan,
    generated: &[WrittenFile],
    machine: &Machine<'_>,
    written: &mut Written,
) -> Result<(), Error> {
    let directory = Path::new("workloads").join(&plan.id);
    let made: BTreeSet<&MachinePath> = generated.iter().map(|file| &file.path).collect();
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
        let unread = files::write(&path, &entries, machine.content)?;
        written.left_out.extend(
            unread
                .into_iter()
                .map(|(path, why)| format!("{path} of {}: {why}", plan.id)),
        );
        for file in generated {
            if let plan::Written::Text(text) = &file.what {
                files::generated(&staging.path().join(&rootfs), &file.path, file.mode, text)?;
            }
        }
        written.paths.push(rootfs);
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
        if let Some(why) = machine.values.reason(&planned.name) {
            let (name, id) = (&planned.name, &plan.id);
            missing.push(name.clone());
            written.left_out.push(format!(
                "secret {name} of {id}: {why}; put secrets/{name} in place yourself, {id} does not start without it"
            ));
            continue;
        }
        staging.directory(Path::new("secrets"), 0o700)?;
        let path = Path::new("secrets").join(&planned.name);
        secret::write(staging, &path, planned, plan, machine)?;
        written.paths.push(path);
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
        let to = staging.path().join(&path);
        let unread = archive::write(file, entries, machine.content);
        let unread = unread.map_err(|error| error.at(to))?;
        written.left_out.extend(
            unread
                .into_iter()
                .map(|(path, why)| format!("{path} of volume {name}: {why}")),
        );
        written.paths.push(path);
    }
    Ok(())
}
