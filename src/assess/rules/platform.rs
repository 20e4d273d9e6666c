//! The release: how long it is supported, and whether its archive has what the machine has.

use super::Seen;
use crate::assess::Concern;
use crate::assess::catalogue::concern;
use crate::fact::{Evidence, OsRelease};
use crate::plan;
use crate::workload::libraries::Loader;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    as_of: String,
    release: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    id: String,
    version: String,
    /// ISO 8601 date, so that text order is time's order.
    end: String,
}

static TABLE: LazyLock<Result<Table, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../detectors/end-of-life.toml"))
        .map_err(|error| error.to_string())
});

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    if let Some(os) = &seen.facts.os
        && let Some(end) = ended(&os.id, &os.version_id)
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
    found.extend(mismatches(seen));
    for part in &seen.facts.unexamined {
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

/// The last day of support of a release; `None` where it is unknown.
pub fn end_of_life(os: &OsRelease) -> Option<&'static str> {
    end_of_life_of(&os.id, &os.version_id)
}

/// The same by id and version as os-release(5) has them.
pub fn end_of_life_of(id: &str, version: &str) -> Option<&'static str> {
    let table = TABLE.as_ref().ok()?;
    let major = version.split('.').next().unwrap_or_default();
    let of = |version: &str| {
        table
            .release
            .iter()
            .find(|r| r.id == id && r.version == version)
    };
    of(version)
        .or_else(|| of(major))
        .map(|release| release.end.as_str())
}

/// The last day of support, where it is past.
pub fn ended(id: &str, version: &str) -> Option<&'static str> {
    let as_of = TABLE.as_ref().ok()?.as_of.as_str();
    end_of_life_of(id, version).filter(|end| *end < as_of)
}

/// Packages of a workload that are held back.
fn packages(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for workload in seen.workloads {
        let held = workload
            .packages
            .iter()
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
            let refusal = plan.and_then(|plan| plan::refusal(&plan.base, elf, seen.facts));
            let too_old = refusal.map(|refusal| {
                format!(
                    "{} on {}: {refusal}",
                    elf.path,
                    plan.map_or("", |plan| &plan.base)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_end_when_their_own_long_term_support_does() {
        TABLE.as_ref().expect("detectors/end-of-life.toml parses");
        assert!(ended("debian", "10").is_some());
        assert!(ended("debian", "12").is_none());
        assert!(
            ended("rocky", "8.9").is_none(),
            "the major release stands in the table"
        );
        assert!(ended("centos", "7").is_some());
        assert!(ended("nobody", "1").is_none());
    }
}
