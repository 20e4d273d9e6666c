//! The target table: each workload's score and verdict in each place.

use crate::report::words;
use crate::rule::Verdict;
use crate::scan::Scan;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct TargetRow<'a> {
    id: &'a str,
    cells: Vec<TargetCell>,
}

#[derive(Serialize)]
struct TargetCell {
    score: u32,
    verdict: &'static str,
    said: &'static str,
    short: &'static str,
}

pub(super) fn names(scan: &Scan) -> Vec<&str> {
    let first = scan.workloads.first();
    first.map_or(Vec::new(), |workload| {
        workload.targets.keys().map(String::as_str).collect()
    })
}

pub(super) fn rows(scan: &Scan) -> Vec<TargetRow<'_>> {
    words::by_score(scan)
        .into_iter()
        .map(|workload| TargetRow {
            id: &workload.id,
            cells: workload
                .targets
                .values()
                .map(|found| TargetCell {
                    score: found.score,
                    verdict: words::verdict(found.verdict),
                    said: words::verdict_said(found.verdict),
                    short: match found.verdict {
                        Verdict::Container => "fits",
                        Verdict::ContainerWithChanges => "changes",
                        Verdict::IsolatedContainer => "needs a VM's walls",
                        Verdict::KeepVm => "stays a VM",
                    },
                })
                .collect(),
        })
        .collect()
}
