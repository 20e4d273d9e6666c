//! Secrets, root, and capabilities.

use super::Seen;
use crate::abi::capability::capabilities;
use crate::fact::{Certificate, Evidence};
use crate::kernel::host;
use crate::kernel::need::is_ordinary;
use crate::kernel::place::places;
use crate::path::MachinePath;
use crate::rule::catalogue::concern;
use crate::rule::{Concern, Severity};
use crate::text::list;
use crate::workload::{Workload, trust};

/// What every engine grants without asking.
pub(super) fn is_granted(capability: &str) -> bool {
    let mut engines = places().iter().filter(|place| place.engine);
    engines.all(|place| place.gives(capability))
}

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let own = seen.workloads.iter().flat_map(of_workload);
    let certificates = seen
        .workloads
        .iter()
        .filter_map(|workload| certificates(seen, workload));
    own.chain(certificates).chain(authorities(seen)).collect()
}

/// Certificates that a workload has, with the days on which they end.
fn certificates(seen: &Seen<'_>, workload: &Workload) -> Option<Concern> {
    let tree = &seen.facts.tree;
    let files = workload.configuration.iter().map(|file| &file.path);
    let named = files.chain(&workload.claims);
    let named: Vec<MachinePath> = named.filter_map(|path| tree.resolve(path)).collect();
    let all = seen.facts.certificates.iter();
    let own = all.filter(|one| {
        let path = &one.evidence.path;
        !trust::is_authority(path) && named.iter().any(|named| path.is_within(named))
    });
    let own: Vec<&Certificate> = own.collect();
    if own.is_empty() {
        return None;
    }
    let said: Vec<String> = own
        .iter()
        .map(|one| format!("{} until {}", one.subject, one.until))
        .collect();
    let detail = format!(
        "its certificates are those of this day and nobody renews them: {}",
        list(&said, 4)
    );
    let evidence = own.into_iter().map(|one| one.evidence.clone()).collect();
    concern("security/certificate", Some(&workload.id), detail, evidence)
}

/// Authorities of the machine's own.
fn authorities(seen: &Seen<'_>) -> Option<Concern> {
    let anchors = trust::authorities(seen.facts);
    let evidence: Vec<Evidence> = anchors.iter().map(Evidence::file).collect();
    let detail = "an authority of the machine's own is trusted; it and the stores that are made of it are carried into the images";
    let found = concern("security/certificate", None, detail.to_owned(), evidence)?;
    Some(Concern {
        remedy: "Renew it in the images when it changes, or mount it.".to_owned(),
        ..found
    })
}

fn of_workload(workload: &Workload) -> Vec<Concern> {
    let id = Some(workload.id.as_str());
    let mut found = Vec::new();
    for secret in &workload.secrets {
        let of = if secret.key.is_empty() {
            String::new()
        } else {
            format!(" ({})", secret.key)
        };
        let detail = format!("{}{of}", secret.kind);
        found.extend(concern(
            "security/plain-secret",
            id,
            detail,
            vec![secret.evidence.clone()],
        ));
    }
    if let Some(service) = workload.services.first() {
        let drops = workload
            .product
            .as_ref()
            .is_some_and(|p| p.starts_as_root || p.user.is_some());
        if service.user == "root" && !drops {
            let detail = format!("{} has no User=", service.name);
            found.extend(concern(
                "security/runs-as-root",
                id,
                detail,
                vec![service.evidence.clone()],
            ));
        }
        found.extend(host_privileges(workload));
        let beyond = service
            .privileges
            .ambient
            .iter()
            .filter(|capability| !is_granted(capability));
        let beyond: Vec<&str> = beyond.map(String::as_str).collect();
        if !beyond.is_empty() {
            let detail = format!("AmbientCapabilities={}", beyond.join(" "));
            let needed = concern(
                "security/needs-capability",
                id,
                detail,
                vec![service.evidence.clone()],
            );
            let helps_only = beyond.iter().all(|name| capabilities().is_optional(name));
            found.extend(needed.map(|needed| Concern {
                severity: if helps_only {
                    Severity::Minor
                } else {
                    needed.severity
                },
                ..needed
            }));
        }
    }
    found
}

/// Capabilities and devices of units that reach the host itself.
fn host_privileges(workload: &Workload) -> Vec<Concern> {
    let id = Some(workload.id.as_str());
    let mut found = Vec::new();
    for service in &workload.services {
        let ambient = service.privileges.ambient.iter();
        let ambient: Vec<&str> = ambient
            .map(String::as_str)
            .filter(|name| host::is_hosts(name))
            .collect();
        if !ambient.is_empty() {
            let detail = format!("AmbientCapabilities={}", ambient.join(" "));
            let evidence = vec![service.evidence.clone()];
            found.extend(concern("security/host-privilege", id, detail, evidence));
        }
        let devices = service.devices.iter();
        for device in devices.filter(|device| !is_ordinary(&device.name)) {
            if host::is_hosts_device(&device.name) {
                let detail = format!("DeviceAllow={}", device.name);
                let evidence = vec![device.evidence.clone()];
                found.extend(concern("security/host-privilege", id, detail, evidence));
            }
        }
    }
    found
}
