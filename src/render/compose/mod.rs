//! The compose file's view, and that of the `.env` beside it.

mod network;
mod storage;

use self::network::{Network, Pod, holder, own, pods};
use self::storage::{Mount, memory, mounts};
use super::Error;
use super::artefact::{Artefact, Outcome, Writer};
use super::templates::fill;
use super::value::{Health, health};
use crate::plan::Plan;
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Debug, Serialize)]
struct Compose {
    machine: String,
    project: String,
    pods: Vec<Pod>,
    services: Vec<Service>,
    volumes: Vec<String>,
    secrets: Vec<Secret>,
}

#[derive(Debug, Serialize)]
struct Service {
    id: String,
    title: String,
    context: String,
    image: String,
    /// The service whose network it uses, or its own network: one of the two.
    joins: Vec<String>,
    network: Vec<Network>,
    depends: Vec<Dependency>,
    volumes: Vec<Mount>,
    memory: Vec<String>,
    secrets: Vec<String>,
    health: Vec<Health>,
    stop_signal: String,
    stop_timeout: u64,
    restart: String,
    /// None for a single one.
    replicas: Vec<u32>,
    init: bool,
    /// Everything is dropped but what is added.
    drops: bool,
    capabilities: Vec<Capability>,
    devices: Vec<Device>,
    /// Commented out: what whoever owns the host may grant.
    choices: Vec<Choice>,
    security: Vec<String>,
    memory_limit: Option<u64>,
    cpus: Option<String>,
    tasks: Option<u64>,
    limits: Vec<Limit>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Port {
    name: String,
    number: u16,
    published: String,
    from: String,
}

#[derive(Debug, Serialize)]
struct Dependency {
    id: String,
    condition: &'static str,
}

#[derive(Debug, Serialize)]
struct Capability {
    name: String,
    why: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Device {
    path: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Choice {
    list: &'static str,
    name: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Limit {
    name: String,
    soft: String,
    hard: String,
}

#[derive(Debug, Serialize)]
struct Secret {
    name: String,
    file: String,
}

/// The `.env` file: what a user changes first.
#[derive(Debug, Serialize)]
struct Env {
    prefix: &'static str,
    tag: &'static str,
    ports: Vec<Port>,
}

/// Images are built here, so their names say that no registry has them.
const PREFIX: &str = "localhost/";
const TAG: &str = "latest";

/// The compose file, and what it reads or is read with.
pub struct ComposeFile;

impl Writer for ComposeFile {
    fn id(&self) -> &'static str {
        "compose"
    }

    fn files(&self, plans: &[Plan], _: &Outcome) -> Result<Vec<Artefact>, Error> {
        // A file without a service starts nothing, and engines refuse it.
        if plans.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![
            Artefact::new("compose.yaml", fill("compose.yaml", &compose(plans))?),
            Artefact::new(".env", fill("env", &env(plans))?),
            Artefact::new(".gitignore", fill("gitignore", &())?),
        ])
    }
}

fn compose(plans: &[Plan]) -> Compose {
    let hostname = plans
        .first()
        .and_then(|plan| plan.network.hostname.clone())
        .unwrap_or_default();
    let volumes: BTreeSet<&str> = plans
        .iter()
        .flat_map(|plan| plan.state.volumes.iter().map(|volume| volume.name.as_str()))
        .collect();
    let secrets: BTreeSet<&str> = plans
        .iter()
        .flat_map(|plan| plan.state.secrets.iter().map(|secret| secret.name.as_str()))
        .collect();
    let secret = |name: &str| Secret {
        name: name.to_owned(),
        file: format!("./secrets/{name}"),
    };
    Compose {
        project: project(&hostname),
        machine: if hostname.is_empty() {
            "the machine".to_owned()
        } else {
            hostname
        },
        pods: pods(plans),
        services: plans.iter().map(|plan| service(plan, plans)).collect(),
        volumes: volumes.into_iter().map(str::to_owned).collect(),
        secrets: secrets.into_iter().map(secret).collect(),
    }
}

fn env(plans: &[Plan]) -> Env {
    Env {
        prefix: PREFIX,
        tag: TAG,
        ports: plans.iter().flat_map(ports).collect(),
    }
}

fn service(plan: &Plan, plans: &[Plan]) -> Service {
    let mut secrets: Vec<String> = plan
        .state
        .secrets
        .iter()
        .map(|secret| secret.name.clone())
        .collect();
    secrets.sort();
    Service {
        id: plan.id.clone(),
        title: plan.title.clone(),
        context: format!("./workloads/{}", plan.id),
        image: format!(
            "${{IMAGE_PREFIX:-{PREFIX}}}{}:${{IMAGE_TAG:-{TAG}}}",
            plan.id
        ),
        joins: holder(plan, plans)
            .map(|id| format!("service:{id}"))
            .into_iter()
            .collect(),
        network: own(plan, plans).into_iter().collect(),
        depends: depends(plan, plans),
        volumes: mounts(plan),
        memory: memory(plan),
        secrets,
        health: health(plan.process.health.as_ref()),
        stop_signal: plan.process.stop_signal.clone(),
        stop_timeout: plan.process.stop_timeout,
        restart: plan.process.restart.clone(),
        replicas: Some(plan.process.replicas)
            .filter(|number| *number > 1)
            .into_iter()
            .collect(),
        init: plan.process.init,
        drops: plan.contract.drops,
        capabilities: capabilities(plan),
        devices: devices(plan),
        choices: choices(plan),
        security: security(plan),
        memory_limit: plan.process.limits.memory,
        cpus: plan.process.limits.cpus.map(cpus),
        tasks: plan.process.limits.tasks,
        limits: plan
            .process
            .limits
            .process
            .iter()
            .map(|(name, value)| limit(name, value))
            .collect(),
    }
}

/// A reason stands once above all that share it.
fn capabilities(plan: &Plan) -> Vec<Capability> {
    let kept = &plan.contract.keeps;
    let mut sorted: Vec<_> = kept
        .iter()
        .map(|kept| (&kept.why, &kept.capability))
        .collect();
    sorted.sort();
    let mut last = None;
    let view = sorted.into_iter().map(|(why, capability)| Capability {
        name: capability.trim_start_matches("CAP_").to_owned(),
        why: if last.replace(why) == Some(why) {
            Vec::new()
        } else {
            vec![why.clone()]
        },
    });
    view.collect()
}

fn devices(plan: &Plan) -> Vec<Device> {
    let devices = plan.contract.devices.iter().map(|device| Device {
        path: device.path.clone(),
        why: format!("{}; from {}", device.why, device.evidence.place()),
    });
    devices.collect()
}

/// Lines that are comments until somebody decides otherwise.
fn choices(plan: &Plan) -> Vec<Choice> {
    let choices = plan.contract.choices.iter().map(|choice| {
        let capability = choice.name.strip_prefix("CAP_");
        Choice {
            list: if capability.is_some() {
                "cap_add"
            } else {
                "devices"
            },
            name: capability.unwrap_or(&choice.name).to_owned(),
            why: choice.why.clone(),
        }
    });
    choices.collect()
}

fn security(plan: &Plan) -> Vec<String> {
    let privileges = plan
        .process
        .no_new_privileges
        .then(|| "no-new-privileges:true".to_owned());
    let profile = plan.contract.profile.document();
    let profile =
        profile.map(|_| format!("seccomp=./workloads/{}/{}", plan.id, super::value::PROFILE));
    privileges.into_iter().chain(profile).collect()
}

/// `1.50` processors.
fn cpus(hundredths: u32) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn limit(name: &str, value: &str) -> Limit {
    let (soft, hard) = value.split_once(':').unwrap_or((value, value));
    Limit {
        name: name.to_owned(),
        soft: soft.to_owned(),
        hard: hard.to_owned(),
    }
}

fn depends(plan: &Plan, plans: &[Plan]) -> Vec<Dependency> {
    let holder = holder(plan, plans);
    let waited = plan.network.depends_on.iter().cloned().chain(holder);
    let condition = |id: &String| {
        let healthy = plans
            .iter()
            .any(|other| other.id == *id && other.process.health.is_some());
        if healthy {
            "service_healthy"
        } else {
            "service_started"
        }
    };
    let dependency = |id: String| Dependency {
        condition: condition(&id),
        id,
    };
    waited.map(dependency).collect()
}

pub(super) fn ports(plan: &Plan) -> Vec<Port> {
    let id: String = plan
        .id
        .chars()
        .map(|c| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_uppercase()
            }
        })
        .collect();
    let one = |port: &crate::plan::PlannedPort| {
        let udp = if port.protocol == "udp" {
            ("_UDP", "/udp")
        } else {
            ("", "")
        };
        let name = format!("{id}_PORT_{}{}", port.port, udp.0);
        Port {
            published: format!("${{{name}:-{}}}:{}{}", port.port, port.port, udp.1),
            name,
            number: port.port,
            from: port.evidence.place(),
        }
    };
    plan.network.ports.iter().map(one).collect()
}

/// `[a-z0-9][a-z0-9_-]*`, as compose wants a project's name.
fn project(hostname: &str) -> String {
    let fits = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = hostname.chars().map(fits).collect();
    let name = name.trim_matches(['-', '_']);
    if name.is_empty() {
        "machine".to_owned()
    } else {
        name.to_owned()
    }
}
