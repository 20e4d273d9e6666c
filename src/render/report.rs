//! report.md: what a migration lead reads. A view of the scan; nothing is worked out here.

use super::{Error, templates};
use crate::assess::{Concern, Severity};
use crate::fact::Evidence;
use crate::scan::{Scan, Service, Workload};
use crate::ui::{bytes, summary};
use crate::workload::{Disposition, Listen};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    system: &'a str,
    end_of_life: Option<&'a str>,
    architecture: &'a str,
    verdict: &'static str,
    score: u32,
    summary: &'a str,
    source: &'a str,
    files: u64,
    packages: u64,
    services: u64,
    workloads: Vec<WorkloadView<'a>>,
    machine: Vec<ConcernView<'a>>,
    keep: Vec<&'a Service>,
    drop: Vec<&'a Service>,
    platform: Vec<&'a Service>,
    unexamined: Vec<[String; 2]>,
}

#[derive(Serialize)]
struct WorkloadView<'a> {
    id: &'a str,
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
    targets: Vec<[String; 3]>,
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
struct ConcernView<'a> {
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

/// Times a rule is shown in full; the rest is in scan.json.
const SHOWN: usize = 8;

/// The report as Markdown.
pub fn markdown(scan: &Scan) -> Result<String, Error> {
    let machine = &scan.machine;
    let placed = |wanted: Disposition| {
        scan.services
            .iter()
            .filter(move |s| s.disposition == Some(wanted))
            .collect()
    };
    let mut workloads: Vec<&Workload> = scan.workloads.iter().collect();
    workloads.sort_by(|a, b| {
        a.assessment
            .score
            .cmp(&b.assessment.score)
            .then_with(|| a.id.cmp(&b.id))
    });
    let view = View {
        name: machine.hostname.as_deref().unwrap_or("this machine"),
        system: machine
            .os
            .as_ref()
            .map_or("an unknown system", |os| &os.pretty_name),
        end_of_life: machine.os.as_ref().and_then(|os| os.end_of_life.as_deref()),
        architecture: machine.architecture.as_deref().unwrap_or("unknown"),
        verdict: summary::name(scan.assessment.verdict),
        score: scan.assessment.score,
        summary: &scan.assessment.summary,
        source: &scan.source.format,
        files: scan.coverage.files_seen,
        packages: scan.packages.count,
        services: scan.totals.services,
        workloads: workloads
            .into_iter()
            .map(|workload| self::workload(scan, workload))
            .collect(),
        machine: concerns(scan, None),
        keep: placed(Disposition::Keep),
        drop: placed(Disposition::Drop),
        platform: placed(Disposition::Platform),
        unexamined: scan
            .coverage
            .unexamined
            .iter()
            .map(|part| [part.path.to_string(), part.reason.clone()])
            .collect(),
    };
    templates::fill("report.md", &view)
}

fn workload<'a>(scan: &'a Scan, workload: &'a Workload) -> WorkloadView<'a> {
    let listens: Vec<String> = workload.listens.iter().map(address).collect();
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
    let targets = workload.targets.iter().map(|(name, found)| {
        [
            name.clone(),
            found.score.to_string(),
            summary::name(found.verdict).to_owned(),
        ]
    });
    WorkloadView {
        id: &workload.id,
        title: &workload.title,
        score: assessment.score,
        verdict: summary::name(assessment.verdict),
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
                remedy: &factor.remedy,
            })
            .collect(),
        raise: assessment
            .raise_to
            .as_ref()
            .map(|raise| format!("{} with {} mended", raise.score, raise.by.join(", "))),
        concerns: concerns(scan, Some(&workload.id)),
        targets: targets.collect(),
        notes: workload
            .plan
            .iter()
            .flat_map(|plan| &plan.notes)
            .map(String::as_str)
            .collect(),
    }
}

fn address(listen: &Listen) -> String {
    match listen.port {
        0 => listen.address.clone(),
        port if listen.address.contains(':') => {
            format!("[{}]:{port}/{}", listen.address, listen.protocol)
        }
        port => format!("{}:{port}/{}", listen.address, listen.protocol),
    }
}

/// Concerns of one workload (or the machine's own), a rule once, worst first. What was not examined has a section of its own.
fn concerns<'a>(scan: &'a Scan, workload: Option<&str>) -> Vec<ConcernView<'a>> {
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
                severity: severity(worst),
                rule,
                title: &first.title,
                remedy: &first.remedy,
                times: concerns.iter().take(SHOWN).map(time).collect(),
                more: concerns.len().saturating_sub(SHOWN),
            },
        ));
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.rule.cmp(b.1.rule)));
    found.into_iter().map(|(_, view)| view).collect()
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Minor => "minor",
        Severity::Major => "major",
        Severity::Blocker => "blocker",
    }
}
