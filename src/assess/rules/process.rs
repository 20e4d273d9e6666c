//! Processes: how they are started, scheduled, and logged.

use super::Seen;
use crate::fact::Evidence;
use crate::product::Log;
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::service::Service;
use crate::service::{Manager, ServiceType};
use crate::workload::Workload;

/// Directives without a counterpart in a container, and what takes their place. One concern a directive.
const NO_COUNTERPART: &[(&str, &str)] = &[
    ("WatchdogSec", "the health check takes its place"),
    ("BusName", "no D-Bus daemon runs in a container"),
    (
        "Sockets",
        "no socket is handed over; the service opens its own",
    ),
    ("OnFailure", "use the platform's restart policy and alerts"),
    (
        "JoinsNamespaceOf",
        "workloads of one pod share a network name space only",
    ),
    (
        "PAMName",
        "no PAM session is opened; limits and environment of pam_limits and pam_env do not apply",
    ),
    ("RootDirectory", "the image is the root"),
    ("RootImage", "the image is the root"),
    (
        "Delegate",
        "the container gets no control groups of its own",
    ),
    ("TTYPath", "use `tty: true`"),
];

/// Directives that ask for real time, locked memory, or processors of their own.
const REALTIME: &[&str] = &[
    "CPUSchedulingPolicy",
    "CPUSchedulingPriority",
    "CPUAffinity",
    "NUMAPolicy",
    "NUMAMask",
    "IOSchedulingClass",
    "LimitRTPRIO",
    "LimitMEMLOCK",
];

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    seen.workloads.iter().flat_map(of_workload).collect()
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
    for service in &workload.services {
        found.extend(manager(service, id));
        found.extend(directives(service, id));
    }
    found.extend(logs(workload));
    found
}

fn manager(service: &Service, id: Option<&str>) -> Vec<Concern> {
    let mut found = Vec::new();
    let evidence = || vec![service.evidence.clone()];
    if matches!(
        service.manager,
        Manager::Sysv | Manager::RcLocal | Manager::Inetd
    ) {
        let detail = format!("{} is started by {}", service.name, service.evidence.path);
        found.extend(concern("process/legacy-init", id, detail, evidence()));
    }
    let detail = match service.kind {
        ServiceType::Forking => {
            "forks into the background; it is started in the foreground instead"
        }
        ServiceType::Dbus => "is ready when its name appears on D-Bus, which is not there",
        _ if !service.sockets.is_empty() => "is started when a socket unit is connected to",
        _ => return found,
    };
    let at = service
        .sockets
        .first()
        .map_or_else(evidence, |socket| vec![socket.evidence.clone()]);
    found.extend(concern(
        "process/service-manager",
        id,
        format!("{} {detail}", service.name),
        at,
    ));
    found
}

fn directives(service: &Service, id: Option<&str>) -> Vec<Concern> {
    let mut found = Vec::new();
    for (path, entry) in &service.directives {
        let at = || {
            vec![Evidence::line(
                path,
                entry.line,
                &format!("{}={}", entry.key, entry.value),
            )]
        };
        if let Some((key, instead)) = NO_COUNTERPART.iter().find(|(key, _)| *key == entry.key) {
            found.extend(concern(
                "process/service-manager",
                id,
                format!("{key}=: {instead}"),
                at(),
            ));
        }
        let limit_only = entry.key.starts_with("Limit") && entry.value != "infinity";
        if REALTIME.contains(&entry.key.as_str()) && !limit_only {
            let detail = format!("{}={}", entry.key, entry.value);
            found.extend(concern("process/realtime", id, detail, at()));
        }
    }
    found
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
