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

pub(super) fn rows<'a>(scan: &'a Scan, names: &[&str]) -> Vec<TargetRow<'a>> {
    words::by_score(scan)
        .into_iter()
        .map(|workload| TargetRow {
            id: &workload.id,
            cells: names
                .iter()
                .filter_map(|name| workload.targets.get(*name))
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
