//! The release: how long it is supported, and whether its archive has what the machine has.

use super::Seen;
use crate::distribution::base;
use crate::distribution::candidate::refusal_of;
use crate::distribution::lifetime::is_past;
use crate::fact::{Elf, Evidence, Facts, Libc};
use crate::path::MachinePath;
use crate::plan::Plan;
use crate::program::libraries::{self, Asked, Lacks, Missing};
use crate::rule::catalogue::concern;
use crate::rule::{Concern, Severity};
use crate::workload::Workload;
use std::collections::{BTreeMap, BTreeSet};

/// Places shown for what only plug-ins lack.
const SHOWN: usize = 20;

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
        // A lifted image has the version itself.
        if plan.is_some_and(|plan| plan.image.lift.is_some()) {
            continue;
        }
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
    let plans = seen.plans.iter();
    let installed = plans.filter(|plan| plan.image.lift.is_none());
    installed.filter_map(|plan| concern(&plan.id)).collect()
}

/// A release of which no base image is known: what stands in the Dockerfiles is made from its name.
fn baseless(seen: &Seen<'_>) -> Option<Concern> {
    let os = seen.facts.os.as_ref()?;
    let base = base::choose(seen.facts).filter(|base| !base.is_known)?;
    if seen.plans.iter().all(|plan| plan.image.lift.is_some()) {
        return None;
    }
    let detail = format!(
        "no base image of {} is known; {} is a guess from its name",
        os.pretty_name, base.image
    );
    concern("unknown/origin", None, detail, vec![os.evidence.clone()])
}

/// Programs that no package brought, and that do not start on the planned base: a symbol version is newer than the base's,
/// or a library is nowhere on the machine. What only a plug-in lacks that nothing loads at start is one thing for all.
fn mismatches(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for workload in seen.workloads {
        let plan = seen.plans.iter().find(|plan| plan.id == workload.id);
        let own = seen.elfs(workload).into_iter();
        let own: Vec<&Elf> = own
            .filter(|elf| seen.facts.owner(&elf.path).is_none())
            .collect();
        if own.is_empty() {
            continue;
        }
        let lacks = lacking(seen.facts, workload, plan, &own);
        let mut later = told(&lacks.later);
        let mut now = told(&lacks.at_start);
        for elf in own.iter().filter(|elf| !lacks.foreign.contains(&elf.path)) {
            let base = plan.map(|plan| plan.image.base.as_str());
            let refusal = base.and_then(|base| refusal_of(base, elf, seen.facts));
            let refusal = refusal.filter(|_| !brings_its_loader(elf, seen.facts));
            if let Some((base, refusal)) = base.zip(refusal) {
                let lack = Lack {
                    detail: format!("{} on {base}: {refusal}", elf.path),
                    path: elf.path.clone(),
                    what: refusal,
                };
                let list = if lacks.later_only(elf) {
                    &mut later
                } else {
                    &mut now
                };
                list.push(lack);
            }
        }
        for Lack { path, detail, .. } in now {
            let evidence = vec![Evidence::file(&path).with_excerpt(&detail)];
            let id = Some(workload.id.as_str());
            found.extend(concern("platform/abi-mismatch", id, detail, evidence));
        }
        found.extend(of_plug_ins(&workload.id, &later));
    }
    found
}

/// A file, and what it does not start or load without.
struct Lack {
    path: MachinePath,
    what: String,
    detail: String,
}

/// What a workload's own files lack, found as its loader would.
fn lacking(facts: &Facts, workload: &Workload, plan: Option<&Plan>, own: &[&Elf]) -> Lacks {
    let started = plan.into_iter().flat_map(|plan| &plan.process.programs);
    let started: Vec<&Elf> = started.filter_map(|path| facts.elfs.get(path)).collect();
    let variables = plan.into_iter().flat_map(|plan| &plan.process.environment);
    let services = workload.services.iter();
    let of_services = services.flat_map(|service| &service.environment.variables);
    let all: Vec<&str> = variables
        .chain(of_services)
        .filter(|(name, _)| name == "LD_LIBRARY_PATH")
        .map(|(_, value)| value.as_str())
        .collect();
    let mut executables = workload.executables.iter();
    let asked = Asked {
        started: &started,
        own,
        library_path: &all.join(":"),
        by_script: executables.any(|path| facts.scripts.contains_key(path)),
    };
    libraries::lacks(facts, &asked)
}

fn told(missing: &Missing) -> Vec<Lack> {
    let lack = |(path, name): &(MachinePath, String)| Lack {
        path: path.clone(),
        what: name.clone(),
        detail: format!("{path} needs {name}, which the machine does not have"),
    };
    missing.iter().map(lack).collect()
}

/// A program of another C library than the base's comes with its loader, which a package of the machine has.
fn brings_its_loader(elf: &Elf, facts: &Facts) -> bool {
    let loader = elf.interpreter.as_ref().map(MachinePath::new);
    let loader = loader.and_then(|path| facts.tree.resolve(&path));
    elf.libc() == Some(Libc::Musl) && loader.is_some_and(|path| facts.owner(&path).is_some())
}

/// One concern for what is missed only if somebody asks for it: for each thing that is missed, the first file.
fn of_plug_ins(id: &str, later: &[Lack]) -> Option<Concern> {
    let files: BTreeSet<&MachinePath> = later.iter().map(|lack| &lack.path).collect();
    let mut first: BTreeMap<&str, &Lack> = BTreeMap::new();
    for lack in later {
        first.entry(&lack.what).or_insert(lack);
    }
    let detail = match later {
        [only] => format!("{}; nothing loads it at start", only.detail),
        [one, ..] => format!(
            "{} files that nothing loads at start lack something: {}",
            files.len(),
            one.detail
        ),
        [] => return None,
    };
    let shown = first.values().take(SHOWN);
    let evidence = shown.map(|lack| Evidence::file(&lack.path).with_excerpt(&lack.detail));
    let mut concern = concern(
        "platform/abi-mismatch",
        Some(id),
        detail,
        evidence.collect(),
    )?;
    concern.severity = Severity::Minor;
    Some(concern)
}
