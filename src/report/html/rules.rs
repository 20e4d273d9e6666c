//! Rules that fired, as a table that reads without a script.

use crate::fact::Evidence;
use crate::report::words;
use crate::rule::catalogue;
use crate::scan::Scan;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize)]
pub(super) struct RuleRow<'a> {
    severity: &'static str,
    rule: &'a str,
    title: &'a str,
    count: usize,
    place: String,
    remedy: &'a str,
}

/// Rules that fired, the worst first: what is read without a script, and printed.
pub(super) fn rules(scan: &Scan) -> Vec<RuleRow<'_>> {
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

/// Rules that looked and found nothing: id and title.
pub(super) fn silent(scan: &Scan) -> Vec<[&'static str; 2]> {
    let fired: BTreeSet<&str> = scan.concerns.iter().map(|c| c.rule.as_str()).collect();
    let rules = catalogue::rules().values();
    rules
        .filter(|rule| !fired.contains(rule.id.as_str()))
        .map(|rule| [rule.id.as_str(), rule.title.as_str()])
        .collect()
}
