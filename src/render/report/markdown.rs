//! report.md: what a migration lead reads. A view of the scan; nothing is worked out here.

use super::kinds::kinds;
use super::steps::{Step, steps};
use super::{map, words};
use crate::assess::{Concern, Severity, Verdict};
use crate::fact::Evidence;
use crate::render::{Error, templates};
use crate::scan::{Scan, TargetScore, Workload};
use crate::ui::bytes;
use crate::workload::Disposition;
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
    first: Vec<StepView>,
    later: Vec<StepView>,
    workloads: Vec<WorkloadView<'a>>,
    boxes: Vec<BoxView>,
    lines: Vec<LineView>,
    target_names: Vec<&'a str>,
    targets: Vec<TargetView<'a>>,
    machine: Vec<ConcernView<'a>>,
    keep: Vec<Reason<'a>>,
    drop: Vec<Reason<'a>>,
    platform: Vec<Reason<'a>>,
    unexamined: Vec<[String; 2]>,
}

#[derive(Serialize)]
struct StepView {
    what: String,
    why: String,
    points: u32,
    workloads: String,
}

/// A box of the diagram, in Mermaid's own brackets.
#[derive(Serialize)]
struct BoxView {
    node: String,
    open: &'static str,
    label: String,
    close: &'static str,
}

#[derive(Serialize)]
struct LineView {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct TargetView<'a> {
    id: &'a str,
    anchor: String,
    cells: Vec<String>,
}

#[derive(Serialize)]
struct WorkloadView<'a> {
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

/// Steps before the fold.
/// Services that do not move, for one reason.
#[derive(Serialize)]
struct Reason<'a> {
    names: String,
    reason: &'a str,
}

const FIRST: usize = 5;

/// Times a rule is shown in full; the rest is in scan.json.
const SHOWN: usize = 8;

/// The report as Markdown.
pub fn markdown(scan: &Scan) -> Result<String, Error> {
    let machine = &scan.machine;
    let placed = |fate: Disposition| -> Vec<Reason<'_>> {
        let reasons = kinds(scan, Some(fate)).into_iter();
        let reasons = reasons.map(|kind| Reason {
            reason: kind.reason,
            names: kind.names(usize::MAX),
        });
        reasons.collect()
    };
    let mut all = steps(scan).into_iter().map(step);
    let first: Vec<StepView> = all.by_ref().take(FIRST).collect();
    let (boxes, lines) = diagram(scan);
    let view = View {
        name: machine.hostname.as_deref().unwrap_or("this machine"),
        system: machine
            .os
            .as_ref()
            .map_or("an unknown system", |os| &os.pretty_name),
        end_of_life: machine.os.as_ref().and_then(|os| os.end_of_life.as_deref()),
        architecture: machine.architecture.as_deref().unwrap_or("unknown"),
        verdict: words::verdict(scan.assessment.verdict),
        score: scan.assessment.score,
        summary: &scan.assessment.summary,
        source: &scan.source.format,
        files: scan.coverage.files_seen,
        packages: scan.packages.count,
        services: scan.totals.services,
        first,
        later: all.collect(),
        workloads: words::by_score(scan)
            .into_iter()
            .map(|workload| self::workload(scan, workload))
            .collect(),
        boxes,
        lines,
        target_names: scan.workloads.first().map_or(Vec::new(), |w| {
            w.targets.keys().map(String::as_str).collect()
        }),
        targets: targets(scan),
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

fn step(step: Step) -> StepView {
    StepView {
        workloads: crate::ui::list(&step.workloads, 4),
        what: step.what,
        why: step.why,
        points: step.points,
    }
}

/// What a heading of a workload is linked by: ids are of these letters, and nothing else gets into a link.
fn anchor(id: &str) -> String {
    let letters = id
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    format!("w-{}", letters.collect::<String>())
}

fn targets(scan: &Scan) -> Vec<TargetView<'_>> {
    let cell = |found: &TargetScore| {
        let mark = match found.verdict {
            Verdict::Container => "",
            Verdict::ContainerWithChanges => " `*`",
            Verdict::IsolatedContainer => " `**`",
            Verdict::KeepVm => " `***`",
        };
        format!("{}{mark}", found.score)
    };
    words::by_score(scan)
        .into_iter()
        .map(|workload| TargetView {
            id: &workload.id,
            anchor: anchor(&workload.id),
            cells: workload.targets.values().map(cell).collect(),
        })
        .collect()
}

/// The pods with more than one box, for Mermaid, which GitHub and GitLab draw.
fn diagram(scan: &Scan) -> (Vec<BoxView>, Vec<LineView>) {
    let (mut boxes, mut lines) = (Vec::new(), Vec::new());
    for (pod, number) in map::graph(scan).pods.iter().zip(0..) {
        if pod.edges.is_empty() {
            continue;
        }
        for (node, at) in pod.nodes.iter().zip(0..) {
            let (open, close) = match node.kind {
                map::Kind::Volume => ("[(", ")]"),
                map::Kind::Port => ("([", "])"),
                map::Kind::Outside => ("{{", "}}"),
                _ => ("[", "]"),
            };
            let score = node.score.map(|score| format!(" {score}"));
            let label = format!("{}{}", node.label, score.unwrap_or_default());
            boxes.push(BoxView {
                node: format!("n{number}_{at}"),
                open,
                label: plain(&label),
                close,
            });
        }
        lines.extend(pod.edges.iter().map(|edge| LineView {
            from: format!("n{number}_{}", edge.from),
            to: format!("n{number}_{}", edge.to),
        }));
    }
    (boxes, lines)
}

/// A label in which nothing means anything to Mermaid or to the fence around it.
fn plain(label: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || " .:/-_@+*[]".contains(c);
    label
        .chars()
        .map(|c| if harmless(c) { c } else { '_' })
        .collect()
}

fn workload<'a>(scan: &'a Scan, workload: &'a Workload) -> WorkloadView<'a> {
    let listens: Vec<String> = workload.listens.iter().map(words::address).collect();
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
                remedy: &factor.remedy,
            })
            .collect(),
        raise: assessment
            .raise_to
            .as_ref()
            .map(|raise| format!("{} with `{}` mended", raise.score, raise.by.join("`, `"))),
        concerns: concerns(scan, Some(&workload.id)),
        notes: workload
            .plan
            .iter()
            .flat_map(|plan| &plan.notes)
            .map(String::as_str)
            .collect(),
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
                severity: words::severity(worst),
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
