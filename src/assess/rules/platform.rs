//! The release: how long it is supported, and whether its archive has what the machine has.

use super::Seen;
use crate::distribution::base;
use crate::distribution::candidate::refusal_of;
use crate::distribution::lifetime::is_past;
use crate::fact::Evidence;

use crate::program::libraries::Loader;
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use std::collections::BTreeSet;

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    if let Some(os) = &seen.facts.os
        && let Some(end) = is_past(os)
    {
        let detail = format!("{} got its last security updates on {end}", os.pretty_name);
        found.extend(concern(
            "platform/end-of-life",
            None,
            detail,
            vec![os.evidence.clone()],
        ));
    }
    found.extend(packages(seen));
    found.extend(uninstalled(seen));
    found.extend(baseless(seen));
    found.extend(mismatches(seen));
    for part in seen.unexamined {
        let evidence = vec![Evidence::file(&part.path).with_excerpt(&part.reason)];
        found.extend(concern(
            "platform/unreadable",
            None,
            part.reason.clone(),
            evidence,
        ));
    }
    found
}

/// Packages of a workload that are held back. Those that no build can have are said elsewhere.
fn packages(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for workload in seen.workloads {
        let plan = seen.plans.iter().find(|plan| plan.id == workload.id);
        let unknown: BTreeSet<&str> = plan
            .iter()
            .flat_map(|plan| &plan.image.origins)
            .filter(|origin| origin.obstacle.is_some())
            .map(|origin| origin.package.as_str())
            .collect();
        let held = workload
            .packages
            .iter()
            .filter(|name| !unknown.contains(name.as_str()))
            .filter_map(|name| seen.facts.package(name))
            .filter(|p| p.held);
        for package in held {
            let detail = format!("{} is held at {}", package.name, package.version);
            let evidence = vec![package.evidence.clone()];
            found.extend(concern(
                "platform/unavailable-package",
                Some(&workload.id),
                detail,
                evidence,
            ));
        }
    }
    found
}

/// Workloads of a machine whose packages this version cannot install.
fn uninstalled(seen: &Seen<'_>) -> Vec<Concern> {
    let base = base::choose(seen.facts).filter(|base| base.family.is_none());
    let Some((os, _)) = seen.facts.os.as_ref().zip(base) else {
        return Vec::new();
    };
    let concern = |id: &str| {
        let detail = format!(
            "this version cannot install packages of {}, and the image has none",
            os.pretty_name
        );
        let evidence = vec![os.evidence.clone()];
        concern("platform/unavailable-package", Some(id), detail, evidence)
    };
    let workloads = seen.workloads.iter();
    workloads
        .filter_map(|workload| concern(&workload.id))
        .collect()
}

/// A release of which no base image is known: what stands in the Dockerfiles is made from its name.
fn baseless(seen: &Seen<'_>) -> Option<Concern> {
    let os = seen.facts.os.as_ref()?;
    let base = base::choose(seen.facts).filter(|base| !base.is_known)?;
    if seen.workloads.is_empty() {
        return None;
    }
    let detail = format!(
        "no base image of {} is known; {} is a guess from its name",
        os.pretty_name, base.image
    );
    concern("unknown/origin", None, detail, vec![os.evidence.clone()])
}

/// Programs that no package brought, and that do not start on the planned base: a symbol version is newer than the base's,
/// or a library is nowhere on the machine.
fn mismatches(seen: &Seen<'_>) -> Vec<Concern> {
    let loader = Loader::new(seen.facts);
    let mut found = Vec::new();
    for workload in seen.workloads {
        let id = Some(workload.id.as_str());
        let plan = seen.plans.iter().find(|plan| plan.id == workload.id);
        for elf in seen.elfs(workload) {
            if seen.facts.owner(&elf.path).is_some() {
                continue;
            }
            let refusal = plan.and_then(|plan| refusal_of(&plan.image.base, elf, seen.facts));
            let too_old = refusal.map(|refusal| {
                format!(
                    "{} on {}: {refusal}",
                    elf.path,
                    plan.map_or("", |plan| &plan.image.base)
                )
            });
            let missing = loader
                .missing(elf)
                .into_iter()
                .map(|name| format!("{} needs {name}, which the machine does not have", elf.path));
            for detail in too_old.into_iter().chain(missing) {
                let evidence = vec![Evidence::file(&elf.path).with_excerpt(&detail)];
                found.extend(concern("platform/abi-mismatch", id, detail, evidence));
            }
        }
    }
    found
}
