//! Dockerfiles, with what belongs into their build contexts: the entry point and the profile of system calls.

mod image;
mod ownership;
mod run;

use self::image::{image, steps};
use self::run::{Line, Run};
use super::artefact::{Artefact, Outcome, Writer};
use super::templates::fill;
use super::value::{self, Health, Variable, environment, health, octal, working_directory};
use super::{Error, entrypoint, schedule};
use crate::fact::Evidence;
use crate::plan::{Layer, Means, Plan};
use crate::quote::build_path;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Dockerfile {
    id: String,
    title: String,
    release: String,
    strategy: String,
    reason: String,
    base: String,
    /// Whether anything is copied, and whether a stage of its own has to set owners and modes first.
    rootfs: bool,
    stage: bool,
    /// Archives of a lifted image's files, lowest first.
    layers: Vec<Packed>,
    /// What of a lifted image stands beside it as it is.
    trees: Vec<Copied>,
    stage_run: Vec<Line>,
    prepare: Vec<Line>,
    /// Where the machine names each archive whose files are copied.
    archives: Vec<String>,
    run: Vec<Line>,
    files: Vec<String>,
    finish: Vec<Line>,
    entrypoint: bool,
    environment: Vec<Variable>,
    environment_from: String,
    working_directory: Vec<String>,
    ports: Vec<Port>,
    user: Vec<String>,
    stop_signal: String,
    health: Vec<Health>,
    command: Vec<String>,
    command_from: String,
}

/// A layer and what is in it.
#[derive(Debug, Serialize)]
struct Packed {
    file: String,
    says: String,
}

/// A tree that is copied, with its owner.
#[derive(Debug, Serialize)]
struct Copied {
    says: String,
    owner: String,
    from: String,
    to: String,
}

#[derive(Debug, Serialize)]
struct Port {
    number: u16,
    protocol: String,
    from: String,
}

/// One Dockerfile a workload.
pub struct Dockerfiles;

impl Writer for Dockerfiles {
    fn id(&self) -> &'static str {
        "dockerfile"
    }

    fn files(&self, plans: &[Plan], _: &Outcome) -> Result<Vec<Artefact>, Error> {
        let mut found = Vec::new();
        for plan in plans {
            let view = dockerfile(plan, schedule::makes_files(plan));
            found.push(Artefact::of(plan, "Dockerfile", fill("Dockerfile", &view)?));
            let ignored = fill("dockerignore", &())?;
            found.push(Artefact::of(plan, ".dockerignore", ignored));
            for file in &plan.image.archive_files {
                let name = format!("{ARCHIVES}{}", file.path.text());
                found.push(Artefact::of(plan, &name, file.text.clone()));
            }
            if plan.process.entrypoint {
                let text = fill("entrypoint.sh", &entrypoint::entrypoint(plan))?;
                found.push(Artefact::of(plan, "entrypoint.sh", text).executable());
            }
            let profile = plan.contract.profile.document();
            found.extend(profile.map(|text| Artefact::of(plan, value::PROFILE, text)));
        }
        Ok(found)
    }
}

fn dockerfile(plan: &Plan, generated: bool) -> Dockerfile {
    let is_lifted = plan.image.lift.is_some();
    let stage_run = if is_lifted { Vec::new() } else { stage(plan) };
    let (held, _) = environment(plan);
    let (directory, _) = working_directory(plan);
    Dockerfile {
        id: plan.id.clone(),
        title: plan.title.clone(),
        release: plan.image.release.clone(),
        strategy: plan.strategy.clone(),
        reason: plan.reason.clone(),
        base: plan.image.base.clone(),
        rootfs: !is_lifted && (generated || !plan.image.entries.is_empty()),
        stage: !stage_run.is_empty(),
        stage_run,
        prepare: steps(&plan.image.prepare),
        archives: archives(plan),
        run: if is_lifted { Vec::new() } else { image(plan) },
        layers: layers(plan),
        trees: trees(plan),
        finish: steps(&plan.image.finish),
        files: plan
            .image
            .files
            .iter()
            .map(|file| format!("{}: {}", file.path, file.why))
            .chain(lifted(plan))
            .collect(),
        entrypoint: plan.process.entrypoint,
        environment: held,
        environment_from: format!(
            "The service's own variables, from {}",
            plan.process.command.evidence.place()
        ),
        working_directory: directory.into_iter().collect(),
        ports: plan
            .network
            .ports
            .iter()
            .map(|port| Port {
                number: port.port,
                protocol: port.protocol.clone(),
                from: format!("from {}", port.evidence.place()),
            })
            .collect(),
        user: (!plan.process.entrypoint && plan.process.uid != 0)
            .then(|| format!("{}:{}", plan.process.uid, plan.process.gid))
            .into_iter()
            .collect(),
        stop_signal: plan.process.stop_signal.clone(),
        health: health(plan.process.health.as_ref()),
        command: plan.process.command.argv.clone(),
        command_from: format!("from {}", plan.process.command.evidence.place()),
    }
}

/// The archives that a lifted image is put together from.
fn layers(plan: &Plan) -> Vec<Packed> {
    let lift = plan.image.lift.iter();
    let layers = lift.flat_map(|lift| &lift.layers);
    let packed = layers.map(|layer| Packed {
        file: format!("rootfs/{}.tar", layer.name),
        says: said(layer),
    });
    packed.collect()
}

/// The plan names only such paths as an instruction can say.
fn trees(plan: &Plan) -> Vec<Copied> {
    let lift = plan.image.lift.iter();
    let trees = lift.flat_map(|lift| &lift.trees);
    let copied = trees.map(|tree| {
        let end = if tree.directory { "/" } else { "" };
        let path = tree.path.text();
        Copied {
            says: format!("{path}: {}", tree.why),
            owner: format!("{}:{}", tree.uid, tree.gid),
            from: format!("rootfs{path}{end}"),
            to: format!("{path}{end}"),
        }
    });
    copied.collect()
}

fn said(layer: &Layer) -> String {
    let what = match layer.name.as_str() {
        "shared" => "what all lifted workloads of this machine need",
        "packages" => "the workload's packages, as the machine has them",
        "application" => "what the machine has beyond its packages",
        _ => "configuration, accounts, and what has to be there before the start",
    };
    format!(
        "{what}: {} names, {}",
        layer.names,
        crate::text::bytes(layer.bytes)
    )
}

/// One line for each archive.
fn archives(plan: &Plan) -> Vec<String> {
    let archives = plan.image.archives.iter();
    let said = archives.map(|archive| {
        let mut words = vec![archive.uri.as_str(), &archive.suite];
        words.extend(archive.components.iter().map(String::as_str));
        format!("{}, from {}", words.join(" "), archive.evidence.place())
    });
    said.collect()
}

/// Packages whose files are among the carried ones.
fn lifted(plan: &Plan) -> impl Iterator<Item = String> {
    let origins = plan.image.origins.iter();
    let lifted = origins.filter(|origin| origin.means == Means::Files);
    lifted.map(|origin| {
        let place = origin.evidence.first().map(Evidence::place);
        let place = place.unwrap_or_default();
        format!(
            "files of {} {}, from {place}",
            origin.package, origin.version
        )
    })
}

/// The folder of the build context whose tree tells the installer of further archives.
const ARCHIVES: &str = "archives";

/// Owners and modes of the carried files.
fn stage(plan: &Plan) -> Vec<Line> {
    let mut run = Run::default();
    for step in ownership::owners(&plan.image.entries) {
        let (uid, gid) = step.value;
        let recursive = if step.recursive { "-R " } else { "" };
        run.command(Vec::new(), format!("chown -h {recursive}{uid}:{gid}"));
        for path in &step.paths {
            run.word(Vec::new(), build_path("/rootfs", path));
        }
    }
    for step in ownership::modes(&plan.image.entries) {
        run.command(Vec::new(), format!("chmod {}", octal(step.value)));
        for path in &step.paths {
            run.word(Vec::new(), build_path("/rootfs", path));
        }
    }
    run.lines()
}
