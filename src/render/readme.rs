//! The views of the pages for the reader: one for each container, one for all.

use super::artefact::{Artefact, Outcome, Writer};
use super::inventory::{Inventory, inventory};
use super::templates::fill;
use super::{Error, Formats};
use crate::distribution::candidate::{BaseChoice, Demand};
use crate::kernel::place::Profile;
use crate::plan::{Plan, PlannedSecret};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
struct Page {
    /// What of the disk is in the image, where that is all; empty or one.
    lift: Vec<Inventory>,
    id: String,
    title: String,
    release: String,
    base: String,
    strategy: String,
    reason: String,
    command: String,
    command_from: String,
    user: String,
    entrypoint: bool,
    notes: Vec<String>,
    kernel: Kernel,
    demand: Vec<String>,
    bases: Vec<Base>,
    ports: Vec<Port>,
    volumes: Vec<Volume>,
    secrets: Vec<Secret>,
    packages: Vec<Package>,
    files: Vec<File>,
}

/// What the container may ask of the kernel.
#[derive(Debug, Serialize)]
struct Kernel {
    drops: bool,
    unproven: Vec<String>,
    keeps: Vec<Kept>,
    devices: Vec<Kept>,
    /// How many calls the profile lets through; none without a profile.
    calls: usize,
    starts_programs: bool,
    /// Why there is no profile.
    open: Vec<String>,
    no_new_privileges: bool,
}

#[derive(Debug, Serialize)]
struct Kept {
    name: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Port {
    name: String,
    from: String,
}

#[derive(Debug, Serialize)]
struct Volume {
    name: String,
    path: String,
    why: String,
    bytes: u64,
    carried: &'static str,
}

#[derive(Debug, Serialize)]
struct Secret {
    name: String,
    file: String,
    what: String,
    places: String,
}

#[derive(Debug, Serialize)]
struct Package {
    name: String,
    pin: String,
    version: String,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    names: u64,
    bytes: u64,
    why: String,
}

/// The pages for whoever runs the containers.
pub struct Pages;

impl Writer for Pages {
    fn id(&self) -> &'static str {
        "readme"
    }

    fn files(&self, plans: &[Plan], outcome: &Outcome) -> Result<Vec<Artefact>, Error> {
        let mut found = Vec::new();
        for plan in plans {
            let text = fill("workload.md", &page(plan))?;
            found.push(Artefact::of(plan, "README.md", text));
        }
        let overview = overview(plans, outcome);
        found.push(Artefact::new("README.md", fill("README.md", &overview)?));
        Ok(found)
    }
}

fn page(plan: &Plan) -> Page {
    Page {
        lift: plan.image.lift.iter().map(inventory).collect(),
        id: plan.id.clone(),
        title: plan.title.clone(),
        release: plan.image.release.clone(),
        base: plan.image.base.clone(),
        strategy: plan.strategy.clone(),
        reason: plan.reason.clone(),
        command: plan.process.command.argv.join(" "),
        command_from: plan.process.command.evidence.place(),
        user: format!("{}:{}", plan.process.user, plan.process.group),
        entrypoint: plan.process.entrypoint,
        notes: plan.notes.clone(),
        kernel: kernel(plan),
        demand: plan.image.demand.iter().map(demand).collect(),
        bases: plan.image.bases.iter().map(base).collect(),
        ports: plan
            .network
            .ports
            .iter()
            .map(|port| Port {
                name: format!("{}/{}", port.port, port.protocol),
                from: port.evidence.place(),
            })
            .collect(),
        volumes: volumes(plan),
        secrets: plan.state.secrets.iter().map(secret).collect(),
        packages: plan
            .image
            .packages
            .iter()
            .map(|p| Package {
                name: p.name.clone(),
                pin: p.pin.clone(),
                version: p.version.clone(),
            })
            .collect(),
        files: plan
            .image
            .files
            .iter()
            .map(|f| File {
                path: f.path.to_string(),
                names: f.names,
                bytes: f.bytes,
                why: f.why.clone(),
            })
            .collect(),
    }
}

/// An image that could be the base.
#[derive(Debug, Serialize)]
struct Base {
    image: String,
    size: u32,
    until: String,
    verdict: String,
}

fn base(choice: &BaseChoice) -> Base {
    Base {
        image: choice.image.clone(),
        size: choice.size,
        until: choice.supported_until.clone().unwrap_or_default(),
        verdict: choice
            .refusal
            .clone()
            .unwrap_or_else(|| "satisfies".to_owned()),
    }
}

/// In words: `glibc, GLIBC_2.34, libz.so.1`.
fn demand(demand: &Demand) -> String {
    if !demand.dynamic {
        return "no library at all".to_owned();
    }
    let libc = if demand.musl { "musl" } else { "glibc" };
    let versions = demand
        .versions
        .iter()
        .map(|(family, number)| format!("{family}_{number}"));
    let all = std::iter::once(libc.to_owned())
        .chain(versions)
        .chain(demand.libraries.iter().cloned());
    all.collect::<Vec<_>>().join(", ")
}

fn kernel(plan: &Plan) -> Kernel {
    let contract = &plan.contract;
    let (calls, starts_programs, open) = match &contract.profile {
        Profile::Calls {
            names,
            starts_programs,
            ..
        } => (names.len(), *starts_programs, None),
        Profile::Unknown { why, .. } => (0, false, Some(why.clone())),
    };
    Kernel {
        drops: contract.drops,
        unproven: contract.unproven.iter().cloned().collect(),
        keeps: contract
            .keeps
            .iter()
            .map(|kept| Kept {
                name: kept.capability.clone(),
                why: kept.why.clone(),
            })
            .collect(),
        devices: contract
            .devices
            .iter()
            .map(|device| Kept {
                name: device.path.clone(),
                why: format!("{}, from {}", device.why, device.evidence.place()),
            })
            .collect(),
        calls,
        starts_programs,
        open: open.into_iter().collect(),
        no_new_privileges: plan.process.no_new_privileges,
    }
}

fn volumes(plan: &Plan) -> Vec<Volume> {
    let volume = |volume: &crate::plan::PlannedVolume| Volume {
        name: volume.name.clone(),
        path: volume.path.to_string(),
        why: volume.why.clone(),
        bytes: volume.bytes,
        carried: match (volume.load, volume.carries_data) {
            (true, _) => "yes",
            (false, true) => "no; --with-data writes it",
            (false, false) => "nothing to carry",
        },
    };
    plan.state.volumes.iter().map(volume).collect()
}

fn secret(secret: &PlannedSecret) -> Secret {
    let what = match &secret.file {
        Some(file) => format!("the file {}", file.path),
        None if secret.variables.is_empty() => "a table with one job's line".to_owned(),
        None => format!("shell assignments of {}", secret.variables.join(", ")),
    };
    let places: Vec<String> = secret
        .holds
        .iter()
        .map(|held| held.evidence.place())
        .collect();
    Secret {
        name: secret.name.clone(),
        file: format!("secrets/{}", secret.name),
        what,
        places: places.join(", "),
    }
}

#[derive(Debug, Serialize)]
struct Overview {
    compose: bool,
    /// Images are there as layouts.
    oci: bool,
    /// A workload, for examples.
    first: String,
    machine: String,
    release: String,
    count: usize,
    single: bool,
    workloads: Vec<Row>,
    pods: Vec<String>,
    missing_secrets: Vec<Secret>,
    volumes: Vec<Volume>,
    notes: Vec<Note>,
    left_out: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    title: String,
    ports: String,
    needs: String,
}

#[derive(Debug, Serialize)]
struct Note {
    id: String,
    note: String,
}

/// `missing` names the secrets that were not written; `left_out` says what could not be.
fn overview(plans: &[Plan], outcome: &Outcome) -> Overview {
    let (missing, left_out) = (&outcome.missing, outcome.left_out.clone());
    let Formats { compose, oci } = outcome.formats;
    let hostname = plans.iter().find_map(|plan| plan.network.hostname.clone());
    let mut pods: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for plan in plans {
        pods.entry(&plan.network.pod).or_default().push(&plan.id);
    }
    let row = |plan: &Plan| Row {
        id: plan.id.clone(),
        title: plan.title.clone(),
        ports: plan
            .network
            .ports
            .iter()
            .map(|port| format!("{}/{}", port.port, port.protocol))
            .collect::<Vec<_>>()
            .join(", "),
        needs: plan.network.depends_on.join(", "),
    };
    let note = |plan: &Plan| {
        let id = plan.id.clone();
        plan.notes
            .clone()
            .into_iter()
            .map(move |note| Note {
                id: id.clone(),
                note,
            })
            .collect::<Vec<_>>()
    };
    Overview {
        compose,
        oci: oci && plans.iter().any(|plan| plan.image.lift.is_some()),
        first: plans
            .first()
            .map(|plan| plan.id.clone())
            .unwrap_or_default(),
        machine: hostname.unwrap_or_else(|| "the machine".to_owned()),
        release: plans
            .first()
            .map(|plan| plan.image.release.clone())
            .unwrap_or_default(),
        count: plans.len(),
        single: plans.len() == 1,
        workloads: plans.iter().map(row).collect(),
        pods: pods
            .values()
            .filter(|ids| ids.len() > 1)
            .map(|ids| ids.join(", "))
            .collect(),
        missing_secrets: plans
            .iter()
            .flat_map(|plan| &plan.state.secrets)
            .filter(|secret| missing.contains(&secret.name))
            .map(secret)
            .collect(),
        volumes: plans.iter().flat_map(volumes).collect(),
        notes: plans.iter().flat_map(note).collect(),
        left_out,
    }
}
