//! What to do first: the scan's remedies in the order in which they pay.

use super::kinds::kinds;
use super::words;
use crate::assess::{Assessment, Factor};
use crate::plan::Plan;
use crate::product::Disposition;
use crate::rule::{Severity, UNKNOWN};
use crate::scan::{Scan, Workload};
use crate::text;

use std::collections::BTreeMap;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// A sentence without a full stop.
    pub what: String,
    /// Why, or how.
    pub why: String,
    /// The rule behind it; empty where there is none.
    pub rule: String,
    /// Workloads it concerns.
    pub workloads: Vec<String>,
    /// Points gained over all of them.
    pub points: u32,
    pub evidence: String,
}

impl Step {
    fn new(what: String, why: impl Into<String>) -> Self {
        Self {
            what,
            why: why.into(),
            rule: String::new(),
            workloads: Vec::new(),
            points: 0,
            evidence: String::new(),
        }
    }
}

/// All steps: what nobody looked at, what stays, rules by the points they cost, then what the move itself asks for.
pub fn steps(scan: &Scan) -> Vec<Step> {
    let mut found: Vec<Step> = unexamined(scan).into_iter().chain(stays(scan)).collect();
    found.extend(rules(scan));
    found.extend(secrets(scan));
    found.extend(data(scan));
    found
}

fn unexamined(scan: &Scan) -> Option<Step> {
    let parts = &scan.coverage.unexamined;
    let first = parts.first()?;
    let what = match parts.len() {
        1 => format!("Look at {} yourself", first.path),
        n => format!("Look at the {n} parts of the disk that were not examined"),
    };
    let mut step = Step::new(what, first.reason.clone());
    step.rule = "platform/unreadable".into();
    step.evidence = first.path.to_string();
    Some(step)
}

fn stays(scan: &Scan) -> Option<Step> {
    let kept = kinds(scan, Some(Disposition::Keep));
    let first = kept.first()?;
    let service = first.services.first()?;
    let all = kept.iter().flat_map(|kind| &kind.services);
    let names: Vec<String> = all.map(|service| service.name.clone()).collect();
    let go = if names.len() == 1 { "goes" } else { "go" };
    let why = match kept.len() {
        1 => first.reason.to_owned(),
        2 => format!(
            "{}: {} One more reason stands under What stays.",
            first.names(1),
            first.reason
        ),
        count => format!(
            "{}: {} {} more reasons stand under What stays.",
            first.names(1),
            first.reason,
            count - 1
        ),
    };
    let what = format!("Decide where {} {go} on running", text::list(&names, 2));
    let mut step = Step::new(what, why);
    step.evidence = service.evidence.place();
    Some(step)
}

/// One step for each rule that costs points, over the machine and all workloads; the worst severity first, then the most
/// points.
fn rules(scan: &Scan) -> Vec<Step> {
    let mut by_rule: BTreeMap<&str, (Step, u32)> = BTreeMap::new();
    let parts = scan
        .workloads
        .iter()
        .map(|workload| (Some(&workload.id), &workload.assessment))
        .chain([(None, &scan.assessment.machine)]);
    for (workload, assessment) in parts {
        // What is not known is asked, not told (`questions`).
        let known = assessment
            .factors
            .iter()
            .filter(|factor| !factor.rule.starts_with(UNKNOWN));
        for factor in known {
            let (step, cost) = by_rule
                .entry(&factor.rule)
                .or_insert_with(|| (first(scan, factor), 0));
            let gain = gain(assessment, factor);
            step.points = step.points.saturating_add(gain);
            *cost = cost.saturating_add(factor.points);
            step.workloads.extend(workload.cloned());
        }
    }
    let mut found: Vec<(Severity, u32, Step)> = by_rule
        .into_iter()
        .map(|(rule, (step, cost))| (worst(scan, rule), cost, step))
        .collect();
    found.sort_by(|a, b| {
        (b.0, b.1)
            .cmp(&(a.0, a.1))
            .then_with(|| a.2.rule.cmp(&b.2.rule))
    });
    found.into_iter().map(|(.., step)| step).collect()
}

/// What a score gains when one factor is fixed: less than its points where others hold the score at 0.
fn gain(assessment: &Assessment, factor: &Factor) -> u32 {
    let sum: u32 = assessment.factors.iter().map(|factor| factor.points).sum();
    let after = 100u32.saturating_sub(sum.saturating_sub(factor.points));
    after.saturating_sub(assessment.score)
}

fn first(scan: &Scan, factor: &Factor) -> Step {
    let title = scan
        .concerns
        .iter()
        .find(|concern| concern.rule == factor.rule)
        .map_or(factor.rule.clone(), |concern| concern.title.clone());
    let mut step = Step::new(title, factor.remedy.clone());
    step.rule.clone_from(&factor.rule);
    step.evidence = factor
        .evidence
        .first()
        .map(crate::fact::Evidence::place)
        .unwrap_or_default();
    step
}

fn worst(scan: &Scan, rule: &str) -> Severity {
    scan.concerns
        .iter()
        .filter(|concern| concern.rule == rule)
        .map(|concern| concern.severity)
        .max()
        .unwrap_or(Severity::Info)
}

fn secrets(scan: &Scan) -> Option<Step> {
    let missing = |plan: &Plan| {
        let secrets = plan.state.secrets.iter();
        secrets.filter(|secret| !secret.written).count()
    };
    let with: Vec<(&Workload, usize)> = scan
        .workloads
        .iter()
        .filter_map(|workload| Some((workload, missing(workload.plan.as_ref()?))))
        .filter(|(_, missing)| *missing > 0)
        .collect();
    let count: usize = with.iter().map(|(_, missing)| missing).sum();
    if count == 0 {
        return None;
    }
    let mut step = Step::new(
        match count {
            1 => "Put 1 secret into OUT/secrets".to_owned(),
            n => format!("Put {n} secrets into OUT/secrets"),
        },
        "No image and no report holds one. `--with-secrets` writes what the machine has; better, issue new ones.",
    );
    step.workloads = with.iter().map(|(w, _)| w.id.clone()).collect();
    Some(step)
}

/// Whether its containers start with the machine's data.
fn is_carried(workload: &Workload) -> bool {
    let plan = workload.plan.as_ref();
    plan.is_some_and(|plan| plan.state.volumes.iter().any(|volume| volume.load))
}

fn data(scan: &Scan) -> Option<Step> {
    let with: Vec<_> = words::by_score(scan)
        .into_iter()
        .filter(|workload| !workload.data.is_empty() && !is_carried(workload))
        .collect();
    let bytes: u64 = with
        .iter()
        .flat_map(|workload| &workload.data)
        .map(|data| data.bytes)
        .sum();
    if with.is_empty() {
        return None;
    }
    let mut step = Step::new(
        format!("Carry {} of data over", text::bytes(bytes)),
        "Volumes start empty. `--with-data` writes them out beside the containers, which load them at their first start.",
    );
    step.workloads = with.iter().map(|workload| workload.id.clone()).collect();
    Some(step)
}
