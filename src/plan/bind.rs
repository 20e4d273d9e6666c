//! What a service is shown at a place of its own: a link at that place leads to where the machine has it.

use super::PlannedVolume;
use super::file::is_live;
use super::place::Place;
use crate::path::MachinePath;
use crate::service::Bind;
use crate::workload::Workload;

/// Binds that an image can have as links, and why others cannot be.
#[derive(Debug, Default)]
pub(super) struct Binds<'a> {
    pub links: Vec<&'a Bind>,
    pub notes: Vec<String>,
}

pub(super) fn binds<'a>(
    workload: &'a Workload,
    volumes: &[PlannedVolume],
    place: &Place<'_>,
) -> Binds<'a> {
    let mut found = Binds::default();
    let all = workload.services.iter().take(1);
    for bind in all.flat_map(|service| &service.binds) {
        // What may be missing, and is; what stays where it is.
        let is_there = is_live(&bind.source) || place.facts.tree.exists(&bind.source);
        if !is_there || bind.source == bind.place {
            continue;
        }
        match hindrance(bind, &found.links, volumes) {
            None => found.links.push(bind),
            Some(reason) => found.notes.push(format!(
                "{} is shown to the service at {} ({}); {reason}: mount it there.",
                bind.source,
                bind.place,
                bind.evidence.place()
            )),
        }
    }
    found
}

/// Why no link can be where it is shown.
fn hindrance(bind: &Bind, links: &[&Bind], volumes: &[PlannedVolume]) -> Option<&'static str> {
    let is_crossing = |a: &MachinePath, b: &MachinePath| a.is_within(b) || b.is_within(a);
    let at = &bind.place;
    if is_crossing(at, &bind.source) {
        Some("one lies in the other")
    } else if volumes.iter().any(|volume| is_crossing(at, &volume.path)) {
        Some("a volume is there")
    } else if links.iter().any(|link| is_crossing(at, &link.place)) {
        Some("something else is shown there")
    } else if is_live(at) || at.components().count() < 2 {
        Some("no image can hold anything there")
    } else {
        None
    }
}
