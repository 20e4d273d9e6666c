//! Processes: how they are started, scheduled, and logged.

use super::Seen;
use crate::fact::Evidence;
use crate::product::{Disposition, Log};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::service::{RemarkKind, Service, ServiceType};
use crate::workload::{PlacedJob, Workload};

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let upkeep = seen.jobs.iter().filter_map(upkeep);
    let own = seen.workloads.iter().flat_map(of_workload);
    own.chain(upkeep).collect()
}

/// A job of the package behind a workload, which its container does not have.
fn upkeep(placed: &PlacedJob) -> Option<Concern> {
    let id = placed.workload.as_deref()?;
    if placed.disposition == Disposition::Containerize {
        return None;
    }
    let job = &placed.job;
    let detail = format!(
        "{} ran {} as {} and is not in the container: {}",
        job.name, job.schedule, job.user, placed.reason
    );
    let evidence = vec![job.evidence.clone()];
    concern("process/scheduled-job", Some(id), detail, evidence)
}

fn of_workload(workload: &Workload) -> Vec<Concern> {
    let id = Some(workload.id.as_str());
    let mut found = Vec::new();
    for job in &workload.jobs {
        let detail = format!("{} as {}", job.schedule, job.user);
        found.extend(concern(
            "process/scheduled-job",
            id,
            detail,
            vec![job.evidence.clone()],
        ));
    }
    for call in &workload.calls {
        let evidence = vec![call.evidence.clone()];
        found.extend(concern(call.rule, id, call.detail.clone(), evidence));
    }
    for service in &workload.services {
        found.extend(start(service, id));
        found.extend(remarks(service, id));
    }
    found.extend(logs(workload));
    found
}

/// What its manager does for it, and what it asks of the machine.
fn remarks(service: &Service, id: Option<&str>) -> Vec<Concern> {
    let remarks = service.remarks.iter();
    remarks
        .filter_map(|remark| {
            let rule = match remark.kind {
                RemarkKind::OfTheManager => "process/service-manager",
                RemarkKind::RealTime => "process/realtime",
                RemarkKind::Script => "process/legacy-init",
            };
            let evidence = vec![remark.evidence.clone()];
            concern(rule, id, remark.text.clone(), evidence)
        })
        .collect()
}

/// How it starts, where a container starts it otherwise.
fn start(service: &Service, id: Option<&str>) -> Option<Concern> {
    let detail = match service.kind {
        ServiceType::Forking => {
            "forks into the background; it is started in the foreground instead"
        }
        ServiceType::Dbus => "is ready when its name appears on D-Bus, which is not there",
        _ if !service.sockets.is_empty() => "is started when a socket unit is connected to",
        _ => return None,
    };
    let socket = service.sockets.first().map(|socket| &socket.evidence);
    let at = socket.unwrap_or(&service.evidence).clone();
    let detail = format!("{} {detail}", service.name);
    concern("process/service-manager", id, detail, vec![at])
}

fn logs(workload: &Workload) -> Vec<Concern> {
    let id = Some(workload.id.as_str());
    let linked = |path| {
        workload
            .product
            .iter()
            .flat_map(|product| &product.logs)
            .any(|log| matches!(log, Log::File { path: file, stdout: true } if file == path))
    };
    let files = workload.logs.iter().filter(|path| !linked(*path));
    files
        .filter_map(|path| {
            concern(
                "process/file-logging",
                id,
                format!("logs to {path}"),
                vec![Evidence::file(path)],
            )
        })
        .collect()
}
