//! report.md: what a migration lead reads. A view of the scan; nothing is worked out here.

mod diagram;
mod workload;

use super::kinds::kinds;
use super::proof::{self, ProofView};
use super::questions::{Question, questions};
use super::steps::{Step, steps};
use super::words;
use crate::plan::Unclaimed;
use crate::product::Disposition;
use crate::render::{Error, templates};
use crate::rule::Verdict;
use crate::scan::{Scan, TargetScore};
use diagram::{BoxView, LineView, diagram};
use serde::Serialize;
use workload::{ConcernView, Remedy, WorkloadView, concerns, remedies, workload};

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
    certainty: &'static str,
    sure: &'static str,
    asked: Vec<Question>,
    more_asked: usize,
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
    unclaimed: Vec<Left<'a>>,
    unclaimed_more: usize,
    unexamined: Vec<[String; 2]>,
    proof: Option<ProofView>,
    /// Where a page is cut: each rule's remedy, once.
    remedies: Vec<Remedy<'a>>,
}

/// What was made on the machine and nothing carries.
#[derive(Serialize)]
struct Left<'a> {
    path: String,
    names: u64,
    many: bool,
    size: String,
    changed: &'a str,
}

#[derive(Serialize)]
struct StepView {
    what: String,
    why: String,
    points: u32,
    workloads: String,
}

#[derive(Serialize)]
struct TargetView<'a> {
    id: &'a str,
    anchor: String,
    cells: Vec<String>,
}

/// Services that do not move, for one reason.
#[derive(Serialize)]
struct Reason<'a> {
    names: String,
    reason: &'a str,
}

/// Steps before the fold.
const FIRST: usize = 5;

/// Questions that are shown; the file with questions has them all.
const ASKED: usize = 10;

/// Rows of what nothing carries.
const LEFT: usize = 20;

/// Times a rule is shown in full, by how long the page may get: as much as there is room for. The rest is in scan.json. With
/// none, what was found is left to report.html but for the factors.
const SHOWN: [usize; 4] = [8, 3, 1, 0];

/// What a pull request takes, in bytes (GitHub has 65,536 characters), with room for words around it.
const LONGEST: usize = 62_000;

/// The report as Markdown, as short as pull requests want it.
pub fn markdown(scan: &Scan) -> Result<String, Error> {
    let mut text = String::new();
    for shown in SHOWN {
        text = templates::fill("report.md", &view(scan, shown))?;
        if text.len() <= LONGEST {
            break;
        }
    }
    Ok(text)
}

fn view(scan: &Scan, shown: usize) -> View<'_> {
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
    let asked = questions(scan);
    View {
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
        certainty: words::certainty(scan.assessment.certainty),
        sure: words::certainty_said(scan.assessment.certainty),
        more_asked: asked.len().saturating_sub(ASKED),
        asked: asked.into_iter().take(ASKED).collect(),
        first,
        later: all.collect(),
        workloads: words::by_score(scan)
            .into_iter()
            .map(|w| workload(scan, w, shown))
            .collect(),
        boxes,
        lines,
        target_names: scan.workloads.first().map_or(Vec::new(), |w| {
            w.targets.keys().map(String::as_str).collect()
        }),
        targets: targets(scan),
        machine: concerns(scan, None, shown),
        keep: placed(Disposition::Keep),
        drop: placed(Disposition::Drop),
        platform: placed(Disposition::Platform),
        unclaimed_more: scan.unclaimed.len().saturating_sub(LEFT),
        unclaimed: scan.unclaimed.iter().take(LEFT).map(left).collect(),
        unexamined: scan
            .coverage
            .unexamined
            .iter()
            .map(|part| [part.path.to_string(), part.reason.clone()])
            .collect(),
        proof: proof::view(scan.proof.as_ref()),
        remedies: if shown == 0 {
            remedies(scan)
        } else {
            Vec::new()
        },
    }
}

fn left(left: &Unclaimed) -> Left<'_> {
    Left {
        path: left.path.to_string(),
        names: left.names,
        many: left.names != 1,
        size: crate::text::bytes(left.bytes),
        changed: &left.changed,
    }
}

fn step(step: Step) -> StepView {
    StepView {
        workloads: crate::text::list(&step.workloads, 4),
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
