//! The page: the first screen and the sections below it.

use super::card::{self, Card, Waterfall};
use super::left::{self, Left};
use crate::fact::Evidence;
use crate::render::report::Artefact;
use crate::render::report::map::{self, Drawing, Shape};
use crate::render::report::steps::{Step, steps};
use crate::render::report::words;
use crate::scan::{Scan, Service};
use crate::ui::bytes;
use crate::workload::Disposition;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct Page<'a> {
    name: &'a str,
    version: &'a str,
    target: &'a str,
    system: &'a str,
    facts: Vec<(&'static str, String)>,
    verdict: &'static str,
    said: &'static str,
    score: u32,
    summary: &'a str,
    /// The first of the workloads, and how many more there are.
    moves: Vec<Move>,
    more_moves: usize,
    stays: Vec<Row<'a>>,
    more_stays: usize,
    counts: Counts,
    keep: Vec<Row<'a>>,
    drop: Vec<Row<'a>>,
    platform: Vec<Row<'a>>,
    idle: Vec<Row<'a>>,
    machine: Waterfall<'a>,
    machine_verdict: &'static str,
    first: Vec<StepRow>,
    later: Vec<StepRow>,
    cards: Vec<Card<'a>>,
    target_names: Vec<&'a str>,
    targets: Vec<TargetRow<'a>>,
    maps: Vec<MapView>,
    links: Vec<[String; 4]>,
    rules: Vec<RuleRow<'a>>,
    concerns: usize,
    left: Left,
    coverage: CoverageView,
    files: Vec<FileRow>,
}

/// A workload on the first screen.
#[derive(Serialize)]
struct Move {
    id: String,
    title: String,
    score: u32,
    verdict: &'static str,
    said: &'static str,
    ports: String,
    data: String,
}

#[derive(Serialize)]
struct Counts {
    workloads: usize,
    containerize: u64,
    keep: usize,
    drop: usize,
    platform: usize,
    left: usize,
    idle: usize,
}

#[derive(Serialize, Clone)]
struct Row<'a> {
    name: &'a str,
    reason: &'a str,
    place: String,
    user: &'a str,
}

#[derive(Serialize)]
struct StepRow {
    number: usize,
    step: Step,
    places: Vec<String>,
    more: usize,
}

#[derive(Serialize)]
struct TargetRow<'a> {
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

#[derive(Serialize)]
struct MapView {
    class: &'static str,
    drawing: Drawing,
}

#[derive(Serialize)]
struct RuleRow<'a> {
    severity: &'static str,
    rule: &'a str,
    title: &'a str,
    count: usize,
    place: String,
    remedy: &'a str,
}

#[derive(Serialize)]
struct CoverageView {
    files: String,
    read: String,
    source: String,
    format: String,
    volumes: Vec<VolumeRow>,
    unexamined: Vec<[String; 3]>,
    more: usize,
    complete: bool,
}

#[derive(Serialize)]
struct VolumeRow {
    device: String,
    kind: String,
    filesystem: String,
    mount: String,
    size: String,
    used: String,
}

#[derive(Serialize)]
struct FileRow {
    path: String,
    size: String,
}

/// Steps, workloads, and services that stay, on the first screen.
const FIRST: usize = 4;
const MOVES: usize = 8;
const STAYS: usize = 3;

/// Parts not examined that are listed; scan.json has them all.
const LISTED: usize = 300;

pub(super) fn page<'a>(scan: &'a Scan, artefacts: &[Artefact]) -> Page<'a> {
    let rows = |wanted: Option<Disposition>| -> Vec<Row<'a>> {
        let services = scan
            .services
            .iter()
            .filter(move |service| service.disposition == wanted);
        services.map(row).collect()
    };
    let (keep, drop) = (rows(Some(Disposition::Keep)), rows(Some(Disposition::Drop)));
    let (platform, idle) = (rows(Some(Disposition::Platform)), rows(None));
    let mut all = steps(scan)
        .into_iter()
        .zip(1..)
        .map(|(step, number)| step_row(step, number));
    let first: Vec<StepRow> = all.by_ref().take(FIRST).collect();
    let later = all.collect();
    let mut titles: BTreeMap<&str, &str> = BTreeMap::new();
    for concern in &scan.concerns {
        titles.entry(&concern.rule).or_insert(&concern.title);
    }
    let graph = map::graph(scan);
    let whole = &scan.assessment;
    Page {
        name: words::machine(scan),
        version: &scan.tool.version,
        target: &whole.machine.target,
        system: words::system(scan),
        facts: facts(scan),
        verdict: words::verdict(whole.verdict),
        said: words::verdict_said(whole.verdict),
        score: whole.score,
        summary: &whole.summary,
        more_moves: scan.workloads.len().saturating_sub(MOVES),
        moves: moves(scan),
        stays: keep.iter().take(STAYS).cloned().collect(),
        more_stays: keep.len().saturating_sub(STAYS),
        counts: Counts {
            workloads: scan.workloads.len(),
            containerize: scan.totals.containerize,
            keep: keep.len(),
            drop: drop.len(),
            platform: platform.len(),
            left: drop.len() + platform.len(),
            idle: idle.len(),
        },
        keep,
        drop,
        platform,
        idle,
        machine: card::waterfall(&whole.machine, &titles),
        machine_verdict: words::verdict(whole.machine.verdict),
        first,
        later,
        cards: card::cards(scan),
        target_names: target_names(scan),
        targets: targets(scan),
        maps: [("wide", Shape::Wide), ("tall", Shape::Tall)]
            .into_iter()
            .map(|(class, shape)| MapView {
                class,
                drawing: map::draw(&graph, shape),
            })
            .collect(),
        links: links(scan),
        rules: rules(scan),
        concerns: scan.concerns.len(),
        left: left::left(scan),
        coverage: coverage(scan),
        files: artefacts
            .iter()
            .map(|file| FileRow {
                path: file.path.clone(),
                size: bytes(file.text.len() as u64),
            })
            .collect(),
    }
}

fn row(service: &Service) -> Row<'_> {
    Row {
        name: &service.name,
        reason: &service.reason,
        place: service.evidence.place(),
        user: &service.user,
    }
}

fn step_row(step: Step, number: usize) -> StepRow {
    let places: Vec<String> = step.workloads.iter().take(3).cloned().collect();
    StepRow {
        number,
        more: step.workloads.len() - places.len(),
        places,
        step,
    }
}

fn facts(scan: &Scan) -> Vec<(&'static str, String)> {
    let machine = &scan.machine;
    let libc = machine
        .libc
        .as_ref()
        .map(|libc| format!("{} {}", libc.kind, libc.version));
    let support = machine.os.as_ref().and_then(|os| os.end_of_life.clone());
    let packages = (scan.packages.count > 0).then(|| count(scan.packages.count));
    let kernels = (!machine.kernels.is_empty()).then(|| crate::ui::list(&machine.kernels, 2));
    let all = [
        ("System", Some(words::system(scan).to_owned())),
        ("Supported until", support),
        ("Architecture", machine.architecture.clone()),
        ("Init", machine.init.clone()),
        ("C library", libc),
        ("Kernel", kernels),
        ("Packages", packages),
        ("Files", Some(count(scan.coverage.files_seen))),
        (
            "On disk",
            (scan.usage.bytes > 0).then(|| bytes(scan.usage.bytes)),
        ),
    ];
    let known = all
        .into_iter()
        .filter_map(|(label, value)| Some((label, value?)));
    known.collect()
}

/// A count with thin spaces between its thousands.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

fn moves(scan: &Scan) -> Vec<Move> {
    words::by_score(scan)
        .into_iter()
        .take(MOVES)
        .map(|workload| {
            let listens = workload.listens.iter().filter(|listen| !listen.is_local());
            let mut ports: Vec<String> = listens
                .map(|listen| format!(":{}/{}", listen.port, listen.protocol))
                .collect();
            ports.sort();
            ports.dedup();
            ports.extend(workload.schedule.clone());
            let data: u64 = workload.data.iter().map(|data| data.bytes).sum();
            Move {
                id: workload.id.clone(),
                title: workload.title.clone(),
                score: workload.assessment.score,
                verdict: words::verdict(workload.assessment.verdict),
                said: words::verdict_said(workload.assessment.verdict),
                ports: crate::ui::list(&ports, 3),
                data: if data > 0 {
                    format!("{} of data", bytes(data))
                } else {
                    String::new()
                },
            }
        })
        .collect()
}

fn target_names(scan: &Scan) -> Vec<&str> {
    let first = scan.workloads.first();
    first.map_or(Vec::new(), |workload| {
        workload.targets.keys().map(String::as_str).collect()
    })
}

fn targets(scan: &Scan) -> Vec<TargetRow<'_>> {
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
                        crate::assess::Verdict::Container => "fits",
                        crate::assess::Verdict::ContainerWithChanges => "changes",
                        crate::assess::Verdict::IsolatedContainer => "needs a VM's walls",
                        crate::assess::Verdict::KeepVm => "stays a VM",
                    },
                })
                .collect(),
        })
        .collect()
}

/// Who reaches whom, as rows: from, to, how, where it says so.
fn links(scan: &Scan) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    for workload in &scan.workloads {
        for connect in &workload.connects {
            let row = [
                workload.id.clone(),
                connect.to.clone(),
                connect.via.clone(),
                connect.evidence.place(),
            ];
            rows.push(row);
        }
    }
    rows
}

/// Rules that fired, the worst first: what is read without a script, and printed.
fn rules(scan: &Scan) -> Vec<RuleRow<'_>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows: Vec<RuleRow<'_>> = Vec::new();
    // Concerns come worst first, so that a rule's first occurrence is its worst.
    for concern in &scan.concerns {
        let at = *places.entry(&concern.rule).or_insert(rows.len());
        if let Some(row) = rows.get_mut(at) {
            row.count += 1;
        } else {
            rows.push(RuleRow {
                severity: words::severity(concern.severity),
                rule: &concern.rule,
                title: &concern.title,
                count: 1,
                place: concern
                    .evidence
                    .first()
                    .map(Evidence::place)
                    .unwrap_or_default(),
                remedy: &concern.remedy,
            });
        }
    }
    rows
}

fn coverage(scan: &Scan) -> CoverageView {
    let coverage = &scan.coverage;
    let parts = coverage.unexamined.iter().take(LISTED);
    let volumes = scan.source.volumes.iter().map(|volume| VolumeRow {
        device: volume.device.clone(),
        kind: volume.kind.clone(),
        filesystem: volume.filesystem.clone().unwrap_or_default(),
        mount: volume.mount.clone().unwrap_or_default(),
        size: bytes(volume.bytes),
        used: volume.used.map(bytes).unwrap_or_default(),
    });
    CoverageView {
        files: count(coverage.files_seen),
        read: bytes(coverage.bytes_read),
        source: scan.source.path.clone(),
        format: scan.source.format.clone(),
        volumes: volumes.collect(),
        unexamined: parts
            .map(|part| {
                [
                    part.path.to_string(),
                    part.reason.clone(),
                    part.detector.clone(),
                ]
            })
            .collect(),
        more: coverage.unexamined.len().saturating_sub(LISTED),
        complete: coverage.unexamined.is_empty(),
    }
}
