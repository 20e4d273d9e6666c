//! A workload's section: what it is, how its score comes about, what was found.

use super::anchor;
use crate::fact::Evidence;
use crate::product::Listen;
use crate::report::words;
use crate::rule::{Concern, Severity};
use crate::scan::{Scan, Workload};
use crate::text::bytes;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct WorkloadView<'a> {
    id: &'a str,
    anchor: String,
    title: &'a str,
    score: u32,
    verdict: &'static str,
    services: String,
    user: &'a str,
    listens: String,
    connects: String,
    schedule: &'a str,
    data: Vec<String>,
    packages: String,
    factors: Vec<FactorView<'a>>,
    raise: Option<String>,
    concerns: Vec<ConcernView<'a>>,
    notes: Vec<&'a str>,
}

#[derive(Serialize)]
struct FactorView<'a> {
    rule: &'a str,
    points: u32,
    place: String,
    remedy: &'a str,
}

#[derive(Serialize)]
pub(super) struct ConcernView<'a> {
    severity: &'static str,
    rule: &'a str,
    title: &'a str,
    remedy: &'a str,
    /// Detail, place and excerpt of each time the rule fired.
    times: Vec<Time<'a>>,
    more: usize,
}

#[derive(Serialize)]
struct Time<'a> {
    detail: &'a str,
    place: String,
    excerpt: &'a str,
}

#[derive(Serialize)]
pub(super) struct Remedy<'a> {
    rule: &'a str,
    remedy: &'a str,
}

/// The remedy of each rule that costs points somewhere.
pub(super) fn remedies(scan: &Scan) -> Vec<Remedy<'_>> {
    let factors = scan.workloads.iter().flat_map(|w| &w.assessment.factors);
    let by_rule: BTreeMap<&str, &str> = factors
        .map(|factor| (factor.rule.as_str(), factor.remedy.as_str()))
        .collect();
    by_rule
        .into_iter()
        .map(|(rule, remedy)| Remedy { rule, remedy })
        .collect()
}

pub(super) fn workload<'a>(
    scan: &'a Scan,
    workload: &'a Workload,
    shown: usize,
) -> WorkloadView<'a> {
    let listens: Vec<String> = workload.listens.iter().map(Listen::shown).collect();
    let connects: Vec<&str> = workload
        .connects
        .iter()
        .map(|connect| connect.to.as_str())
        .collect();
    let data = workload
        .data
        .iter()
        .map(|data| format!("{} ({}): {}", data.path, bytes(data.bytes), data.why));
    let assessment = &workload.assessment;
    WorkloadView {
        id: &workload.id,
        anchor: anchor(&workload.id),
        title: &workload.title,
        score: assessment.score,
        verdict: words::verdict(assessment.verdict),
        services: workload.services.join(", "),
        user: &workload.user,
        listens: listens.join(", "),
        connects: connects.join(", "),
        schedule: workload.schedule.as_deref().unwrap_or_default(),
        data: data.collect(),
        packages: workload.packages.join(" "),
        factors: assessment
            .factors
            .iter()
            .map(|factor| FactorView {
                rule: &factor.rule,
                points: factor.points,
                place: factor
                    .evidence
                    .first()
                    .map(Evidence::place)
                    .unwrap_or_default(),
                remedy: if shown == 0 { "below" } else { &factor.remedy },
            })
            .collect(),
        raise: assessment
            .raise_to
            .as_ref()
            .map(|raise| format!("{} with `{}` fixed", raise.score, raise.by.join("`, `"))),
        concerns: match shown {
            0 => Vec::new(),
            shown => concerns(scan, Some(&workload.id), shown),
        },
        notes: workload
            .plan
            .iter()
            .flat_map(|plan| &plan.notes)
            .map(String::as_str)
            .collect(),
    }
}

/// Concerns of one workload (or the machine's own), a rule once, worst first. What was not examined has a section of its own.
pub(super) fn concerns<'a>(
    scan: &'a Scan,
    workload: Option<&str>,
    shown: usize,
) -> Vec<ConcernView<'a>> {
    let own = scan
        .concerns
        .iter()
        .filter(|concern| concern.workload.as_deref() == workload);
    let mut by_rule: BTreeMap<&str, Vec<&Concern>> = BTreeMap::new();
    for concern in own.filter(|concern| concern.rule != "platform/unreadable") {
        by_rule.entry(&concern.rule).or_default().push(concern);
    }
    let mut found: Vec<(Severity, ConcernView<'a>)> = Vec::new();
    for (rule, concerns) in by_rule {
        let Some(first) = concerns.first() else {
            continue;
        };
        let worst = concerns
            .iter()
            .map(|concern| concern.severity)
            .max()
            .unwrap_or(Severity::Info);
        let time = |concern: &&'a Concern| Time {
            detail: &concern.detail,
            place: concern
                .evidence
                .first()
                .map(Evidence::place)
                .unwrap_or_default(),
            excerpt: concern
                .evidence
                .first()
                .map_or("", |evidence| &evidence.excerpt),
        };
        found.push((
            worst,
            ConcernView {
                severity: words::severity(worst),
                rule,
                title: &first.title,
                remedy: &first.remedy,
                times: concerns.iter().take(shown).map(time).collect(),
                more: concerns.len().saturating_sub(shown),
            },
        ));
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.rule.cmp(b.1.rule)));
    found.into_iter().map(|(_, view)| view).collect()
}
