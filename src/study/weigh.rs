//! Workloads and the machine weighed together: the whole is as good as its lowest part.

use crate::assess::{self, Place};
use crate::product::Disposition;
use crate::rule::{Certainty, Concern, Verdict};
use crate::scan::{Scan, Service, Whole, Workload};

/// Weighs a scan that was made for one target for another: what it found stays, what that means is told anew.
pub fn weigh(scan: &mut Scan, target: &Place) {
    for workload in &mut scan.workloads {
        let own = scan.concerns.iter();
        let own = own.filter(|concern| concern.workload.as_ref() == Some(&workload.id));
        workload.assessment = assess::assess(target, own);
    }
    scan.assessment = whole(&scan.workloads, &scan.services, &scan.concerns, target);
}

pub(super) fn whole(
    workloads: &[Workload],
    services: &[Service],
    concerns: &[Concern],
    target: &Place,
) -> Whole {
    let machine = concerns.iter().filter(|concern| concern.workload.is_none());
    let machine = assess::assess(target, machine);
    let (moves, stays): (Vec<&Workload>, Vec<&Workload>) = workloads
        .iter()
        .partition(|workload| workload.assessment.verdict != Verdict::KeepVm);
    let services = services.iter();
    let kept = services
        .filter(|service| service.disposition == Some(Disposition::Keep))
        .map(|service| service.name.clone());
    let stays = stays.iter().map(|workload| workload.id.clone());
    let kept: Vec<String> = stays.chain(kept).collect();
    let parts = || {
        let workloads = workloads.iter().map(|workload| &workload.assessment);
        workloads.chain([&machine])
    };
    let mut verdict = parts().map(|part| part.verdict).max();
    // What stays needs its machine; where nothing goes beside it, so does all.
    if !kept.is_empty() {
        let least = if moves.is_empty() {
            Verdict::KeepVm
        } else {
            Verdict::IsolatedContainer
        };
        verdict = verdict.max(Some(least));
    }
    let summary = match (moves.len(), kept.len()) {
        (0, 0) => "nothing on this machine is a workload of its own".to_owned(),
        (0, _) => format!(
            "nothing moves; on a machine stays {}",
            crate::text::list(&kept, 3)
        ),
        (1, 0) => "1 workload moves to containers; nothing stays".to_owned(),
        (n, 0) => format!("{n} workloads move to containers; nothing stays"),
        (n, _) => format!(
            "{n} of its parts can move; on a machine stays {}",
            crate::text::list(&kept, 3)
        ),
    };
    let score = parts().map(|part| part.score).min();
    let certainty = parts().map(|part| part.certainty).max();
    Whole {
        score: score.unwrap_or(100),
        verdict: verdict.unwrap_or(Verdict::Container),
        certainty: certainty.unwrap_or(Certainty::Known),
        summary,
        machine,
    }
}
