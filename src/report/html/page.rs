//! The page: what each of its sections is made of.

use super::card::{self, Card, Waterfall};
use super::coverage::{self, CoverageView};
use super::first::{self, Asked, Hero, Move, Stay, StepRow};
use super::kernel::Kernels;
use super::left::{self, Left};
use super::network::{self, MapView};
use super::rules::{self, RuleRow};
use super::services::{self, Fate};
use super::targets::{self, TargetRow};
use crate::product::Disposition;
use crate::report::kinds::kinds;
use crate::report::proof::{self, ProofView};
use crate::report::words;
use crate::report::{Artefact, Artefacts};
use crate::scan::Scan;
use crate::text::bytes;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct Page<'a> {
    version: &'a str,
    target: &'a str,
    hero: Hero<'a>,
    workloads: usize,
    /// The first of the workloads, and how many more there are.
    moves: Vec<Move>,
    more_moves: usize,
    stays: Vec<Stay<'a>>,
    stay_count: usize,
    more_stays: usize,
    out_count: usize,
    platform_count: usize,
    drop_count: usize,
    fates: Vec<Fate<'a>>,
    machine: Waterfall<'a>,
    asked: Vec<Asked>,
    asked_count: usize,
    more_asked: usize,
    first: Vec<StepRow>,
    later: Vec<StepRow>,
    cards: Vec<Card<'a>>,
    target_names: Vec<&'a str>,
    targets: Vec<TargetRow<'a>>,
    maps: Vec<MapView>,
    links: Vec<[String; 4]>,
    rules: Vec<RuleRow<'a>>,
    silent: Vec<[&'static str; 2]>,
    silent_count: usize,
    concerns: usize,
    left: Left,
    coverage: CoverageView,
    proof: Option<ProofView>,
    files: Vec<FileRow>,
    /// Why the files are not those of a directory that was written; empty where they are.
    files_note: &'static str,
    more_files: usize,
}

#[derive(Serialize)]
struct FileRow {
    path: String,
    size: String,
}

pub(super) fn page<'a>(scan: &'a Scan, files: &Artefacts, kernels: &Kernels) -> Page<'a> {
    let [keep, drop, platform] = [Disposition::Keep, Disposition::Drop, Disposition::Platform]
        .map(|fate| kinds(scan, Some(fate)));
    let idle = kinds(scan, None);
    let fates = [
        services::fate("Stay on a machine", true, &keep),
        services::fate("Left out", false, &drop),
        services::fate("The platform's work", false, &platform),
        services::fate("Do not start at boot", false, &idle),
    ];
    let count = |of: &[crate::report::kinds::Kind<'_>]| -> usize {
        of.iter().map(|kind| kind.services.len()).sum()
    };
    let mut titles: BTreeMap<&str, &str> = BTreeMap::new();
    for concern in &scan.concerns {
        titles.entry(&concern.rule).or_insert(&concern.title);
    }
    let whole = &scan.assessment;
    let target_names = words::targets(scan);
    let workloads = scan.workloads.iter().filter(|w| first::movable(w)).count();
    let mut stays = first::stays(scan, &keep);
    let more_stays = stays.len().saturating_sub(first::STAYS);
    stays.truncate(first::STAYS);
    let silent = rules::silent(scan);
    let (first, later) = first::todo(scan);
    let (asked, asked_count) = first::asked(scan);
    Page {
        version: &scan.tool.version,
        target: &whole.machine.target,
        hero: first::hero(scan, &keep),
        workloads,
        moves: first::moves(scan),
        more_moves: workloads.saturating_sub(first::MOVES),
        stays,
        stay_count: count(&keep) + scan.workloads.len() - workloads,
        more_stays,
        out_count: count(&drop) + count(&platform),
        platform_count: count(&platform),
        drop_count: count(&drop),
        fates: fates.into_iter().filter(Fate::any).collect(),
        machine: card::waterfall(&whole.machine, &titles),
        more_asked: asked_count - asked.len(),
        asked,
        asked_count,
        first,
        later,
        cards: card::cards(scan, kernels),
        targets: targets::rows(scan, &target_names),
        target_names,
        maps: network::maps(scan),
        links: network::links(scan),
        rules: rules::rules(scan),
        silent_count: silent.len(),
        silent,
        concerns: scan.concerns.len(),
        left: left::left(scan),
        coverage: coverage::coverage(scan),
        proof: proof::view(scan.proof.as_ref()),
        files: files.shown.iter().map(file_row).collect(),
        files_note: files.note,
        more_files: files.more,
    }
}

fn file_row(file: &Artefact) -> FileRow {
    FileRow {
        path: file.path.clone(),
        size: bytes(file.text.len() as u64),
    }
}
