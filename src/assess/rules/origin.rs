//! Packages that are not of the release's own archive: said where the image has them, weighed where no build can.

use super::Seen;
use crate::fact::Evidence;
use crate::plan::{Means, PlannedOrigin};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::text::list;
use std::collections::BTreeMap;

/// Names that one concern has, and places that it shows.
const NAMED: usize = 10;
const SHOWN: usize = 6;

/// What becomes of packages of one origin.
type Group<'a> = (&'a str, Means, Option<&'a str>);

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for plan in seen.plans {
        let mut groups: BTreeMap<Group<'_>, Vec<&PlannedOrigin>> = BTreeMap::new();
        for origin in &plan.image.origins {
            let group = (
                origin.from.as_str(),
                origin.means,
                origin.obstacle.as_deref(),
            );
            groups.entry(group).or_default().push(origin);
        }
        for (group, origins) in groups {
            let rule = if group.2.is_some() {
                "unknown/origin"
            } else {
                "platform/unavailable-package"
            };
            found.extend(concern(
                rule,
                Some(&plan.id),
                detail(group, &origins),
                places(&origins),
            ));
        }
    }
    found
}

fn detail((from, means, obstacle): Group<'_>, origins: &[&PlannedOrigin]) -> String {
    let packages: Vec<String> = origins
        .iter()
        .map(|origin| format!("{} {}", origin.package, origin.version))
        .collect();
    let names = list(&packages, NAMED);
    let came = match from {
        "local" => "came from a file, since no archive's list has it".to_owned(),
        "unknown" => "came from an archive that nothing names".to_owned(),
        archive if means == Means::Name => format!("may have come from {archive}"),
        archive => format!("came from {archive}"),
    };
    let why = match obstacle {
        Some(why) if from == "unknown" => format!(" ({why})"),
        Some(why) => format!(", and the archive {why}"),
        None => String::new(),
    };
    let what = match means {
        Means::Archive => "the image installs it from there, with the machine's key",
        Means::Files => "its files are taken from the disk, and its scripts are not run",
        Means::Name => "the image asks for it by its version, whoever has it",
    };
    format!("{names} {came}{why}: {what}")
}

/// Of a few packages everything; a source list's line stands once.
fn places(origins: &[&PlannedOrigin]) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = Vec::new();
    for evidence in origins.iter().flat_map(|origin| &origin.evidence) {
        if !found.contains(evidence) {
            found.push(evidence.clone());
        }
    }
    // The archive's own line is the last of each package's places, and must not fall off the end.
    let archive = origins
        .first()
        .and_then(|origin| origin.evidence.last())
        .cloned();
    found.truncate(SHOWN);
    found.extend(archive.filter(|archive| !found.contains(archive)));
    found
}
