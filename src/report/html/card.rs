//! A workload as a card: what it is, how its score comes about, what raises it.

use super::kernel::{Kernel, Kernels};
use crate::assess::Assessment;
use crate::fact::Evidence;
use crate::product::Listen;
use crate::report::words;
use crate::scan::{Scan, Workload};
use crate::text::bytes;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Serialize)]
pub(super) struct Card<'a> {
    id: &'a str,
    title: &'a str,
    kind: &'a str,
    score: u32,
    verdict: &'static str,
    said: &'static str,
    target: &'a str,
    strategy: String,
    /// Label and values, where there are any.
    facts: Vec<(&'static str, Vec<String>)>,
    waterfall: Waterfall<'a>,
    kernel: Kernel,
    notes: Vec<&'a str>,
    concerns: usize,
    /// Open where there are few.
    open: bool,
    worst: &'static str,
}

/// 100, less each factor, is the score.
#[derive(Serialize)]
pub(super) struct Waterfall<'a> {
    score: u32,
    /// The left end of the axis.
    axis: u32,
    start: Bar,
    rows: Vec<Row<'a>>,
    end: Bar,
    /// `100 − 3 − 2 = 95`.
    sum: String,
    raise: Option<Raise<'a>>,
}

#[derive(Serialize)]
struct Raise<'a> {
    score: u32,
    by: Vec<&'a str>,
}

/// Left edge and width in percent of the axis.
#[derive(Serialize)]
struct Bar {
    x: String,
    width: String,
}

#[derive(Serialize)]
struct Row<'a> {
    rule: &'a str,
    title: &'a str,
    points: u32,
    after: i64,
    bar: Bar,
    place: String,
    more: usize,
    excerpt: &'a str,
    remedy: &'a str,
    raises: bool,
}

/// Most cards that are open from the start.
const OPEN: usize = 6;

pub(super) fn cards<'a>(scan: &'a Scan, kernels: &Kernels) -> Vec<Card<'a>> {
    let mut titles: BTreeMap<&str, &str> = BTreeMap::new();
    for concern in &scan.concerns {
        titles.entry(&concern.rule).or_insert(&concern.title);
    }
    words::by_score(scan)
        .into_iter()
        .map(|workload| card(scan, workload, &titles, kernels))
        .collect()
}

fn card<'a>(
    scan: &'a Scan,
    workload: &'a Workload,
    titles: &BTreeMap<&'a str, &'a str>,
    kernels: &Kernels,
) -> Card<'a> {
    let assessment = &workload.assessment;
    let own = scan
        .concerns
        .iter()
        .filter(|concern| concern.workload.as_ref() == Some(&workload.id));
    let plan = workload.plan.as_ref();
    Card {
        id: &workload.id,
        title: &workload.title,
        kind: &workload.kind,
        score: assessment.score,
        verdict: words::verdict(assessment.verdict),
        said: words::verdict_said(assessment.verdict),
        target: &assessment.target,
        strategy: plan.map(|plan| plan.image.base.clone()).unwrap_or_default(),
        facts: facts(workload),
        waterfall: waterfall(assessment, titles),
        kernel: kernels.card(workload),
        notes: plan
            .iter()
            .flat_map(|plan| &plan.notes)
            .map(String::as_str)
            .collect(),
        concerns: own.clone().count(),
        open: scan.workloads.len() <= OPEN,
        worst: own
            .map(|concern| concern.severity)
            .max()
            .map_or("info", words::severity),
    }
}

fn facts(workload: &Workload) -> Vec<(&'static str, Vec<String>)> {
    let plan = workload.plan.as_ref();
    let changed = workload
        .configuration
        .iter()
        .filter(|file| file.state != crate::fact::FileState::Pristine);
    let all = [
        ("Services", workload.services.clone()),
        ("Runs", workload.schedule.iter().cloned().collect()),
        (
            "Listens on",
            workload.listens.iter().map(Listen::shown).collect(),
        ),
        (
            "Connects to",
            workload
                .connects
                .iter()
                .map(|c| format!("{} ({})", c.to, c.via))
                .collect(),
        ),
        ("Runs as", vec![workload.user.clone()]),
        (
            "Data",
            workload
                .data
                .iter()
                .map(|d| format!("{} ({})", d.path, bytes(d.bytes)))
                .collect(),
        ),
        (
            "Secrets",
            plan.iter()
                .flat_map(|plan| &plan.state.secrets)
                .map(|secret| secret.name.clone())
                .collect(),
        ),
        (
            "Own configuration",
            changed.map(|file| file.path.to_string()).collect(),
        ),
        (
            "Logs",
            workload.logs.iter().map(ToString::to_string).collect(),
        ),
        (
            "Base image",
            plan.map(|plan| plan.image.base.clone())
                .into_iter()
                .collect(),
        ),
        ("Packages", workload.packages.clone()),
    ];
    let mut facts: Vec<(&'static str, Vec<String>)> = all
        .into_iter()
        .filter(|(_, values)| values.iter().any(|value| !value.is_empty()))
        .collect();
    for (_, values) in &mut facts {
        values.dedup();
        let more = values.len().saturating_sub(SHOWN);
        if more > 1 {
            values.truncate(SHOWN);
            values.push(format!("and {more} more"));
        }
    }
    facts
}

/// Values of one kind that a card names; scan.json has them all.
pub(super) const SHOWN: usize = 12;

pub(super) fn waterfall<'a>(
    assessment: &'a Assessment,
    titles: &BTreeMap<&'a str, &'a str>,
) -> Waterfall<'a> {
    let axis = assessment.score.saturating_sub(5) / 20 * 20;
    let mut left = 100i64;
    let mut sum = String::from("100");
    let mut rows = Vec::new();
    for factor in &assessment.factors {
        let before = left;
        left -= i64::from(factor.points);
        let _ = write!(sum, " − {}", factor.points);
        let first = factor.evidence.first();
        rows.push(Row {
            rule: &factor.rule,
            title: titles
                .get(factor.rule.as_str())
                .copied()
                .unwrap_or(&factor.rule),
            points: factor.points,
            after: left,
            bar: bar(left, before, axis),
            place: first.map(Evidence::place).unwrap_or_default(),
            more: factor.evidence.len().saturating_sub(1),
            excerpt: first.map_or("", |evidence| &evidence.excerpt),
            remedy: &factor.remedy,
            raises: assessment
                .raise_to
                .as_ref()
                .is_some_and(|raise| raise.by.contains(&factor.rule)),
        });
    }
    let _ = write!(sum, " = {left}");
    if left < 0 {
        sum.push_str(", and no score is below 0");
    }
    let raise = assessment.raise_to.as_ref().map(|raise| Raise {
        score: raise.score,
        by: raise.by.iter().map(String::as_str).collect(),
    });
    Waterfall {
        score: assessment.score,
        axis,
        start: bar(0, 100, axis),
        rows,
        end: bar(0, i64::from(assessment.score), axis),
        sum,
        raise,
    }
}

fn bar(from: i64, to: i64, axis: u32) -> Bar {
    let axis = i64::from(axis);
    let place =
        |value: i64| (value.clamp(axis, 100) - axis) as f64 * 100.0 / (100 - axis).max(1) as f64;
    let width = (place(to) - place(from)).max(0.6);
    Bar {
        x: format!("{:.2}", place(from).min(99.4)),
        width: format!("{width:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::Factor;
    use crate::rule::Verdict;

    #[test]
    fn the_sum_is_the_score_before_the_readers_eyes() {
        let factor = |rule: &str, points| Factor {
            rule: rule.into(),
            points,
            evidence: Vec::new(),
            remedy: String::new(),
        };
        let mut assessment = Assessment {
            target: "docker".into(),
            score: 93,
            verdict: Verdict::Container,
            certainty: crate::rule::Certainty::Known,
            factors: vec![factor("a/b", 4), factor("c/d", 3)],
            raise_to: None,
        };
        let found = waterfall(&assessment, &BTreeMap::new());
        assert_eq!((found.sum.as_str(), found.axis), ("100 − 4 − 3 = 93", 80));
        assert_eq!(
            found.rows.iter().map(|row| row.after).collect::<Vec<_>>(),
            [96, 93]
        );
        assessment.factors = vec![factor("a/b", 60), factor("c/d", 60)];
        assessment.score = 0;
        let found = waterfall(&assessment, &BTreeMap::new());
        assert_eq!(found.sum, "100 − 60 − 60 = -20, and no score is below 0");
    }
}
