//! What the program asks: its open questions by what an answer would gain, and the file in which they are answered.

use super::words;
use crate::assess::Assessment;
use crate::path::sanitise;
use crate::quote::toml;
use crate::rule::{Concern, catalogue};
use crate::scan::{Scan, Workload};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// One open question.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Question {
    /// Of one workload; empty for the machine as a whole.
    pub workload: String,
    pub rule: String,
    pub question: String,
    /// What is known so far.
    pub detail: String,
    pub evidence: String,
    /// What its score gains once it is answered.
    pub points: u32,
}

/// All open questions, those that gain most first.
pub fn questions(scan: &Scan) -> Vec<Question> {
    let workloads = scan.workloads.iter();
    let assessments = workloads.map(|workload| (workload.id.as_str(), &workload.assessment));
    let assessments: BTreeMap<&str, &Assessment> = assessments.collect();
    let of_concern = |concern: &Concern| match &concern.workload {
        Some(id) => assessments.get(id.as_str()).copied(),
        None => Some(&scan.assessment.machine),
    };
    let mut found: Vec<Question> = scan
        .concerns
        .iter()
        .filter_map(|concern| question(of_concern(concern), concern))
        .collect();
    found.sort_by(|a, b| {
        b.points
            .cmp(&a.points)
            .then_with(|| (&a.workload, &a.rule).cmp(&(&b.workload, &b.rule)))
    });
    // One rule is one factor, however many places it has.
    let mut known = BTreeSet::new();
    found.retain(|question| known.insert((question.workload.clone(), question.rule.clone())));
    found
}

fn question(assessment: Option<&Assessment>, concern: &Concern) -> Option<Question> {
    let question = concern.question.clone()?;
    let points = assessment
        .and_then(|assessment| {
            assessment
                .factors
                .iter()
                .find(|factor| factor.rule == concern.rule)
        })
        .map_or(0, |factor| factor.points);
    Some(Question {
        workload: concern.workload.clone().unwrap_or_default(),
        rule: concern.rule.clone(),
        question,
        detail: concern.detail.clone(),
        evidence: concern
            .evidence
            .first()
            .map(crate::fact::Evidence::place)
            .unwrap_or_default(),
        points,
    })
}

/// The file in which the questions are answered: TOML that says nothing until somebody takes a # away. What is only to be
/// read has two, so that taking the first from every line of the file still gives TOML.
pub fn questions_file(scan: &Scan) -> String {
    let mut text = format!(
        "## What could not be told from the disk of {}. Take the # from the keys that you can answer, correct their values, and\n\
         ## run again with --answers and this file. A key that stays out is no answer; an empty list says that there is nothing.\n\
         ## Secrets do not belong here.\n",
        sanitise(words::machine(scan))
    );
    let machine = scan
        .concerns
        .iter()
        .filter(|concern| concern.workload.is_none());
    for concern in machine.filter(|concern| concern.question.is_some()) {
        text.push('\n');
        asked(&mut text, concern);
    }
    let mut open: BTreeMap<&str, Vec<&Concern>> = BTreeMap::new();
    for concern in scan
        .concerns
        .iter()
        .filter(|concern| concern.question.is_some())
    {
        let workload = concern.workload.as_deref().unwrap_or_default();
        open.entry(workload).or_default().push(concern);
    }
    for workload in words::by_score(scan) {
        if let Some(open) = open.get(workload.id.as_str()) {
            table(&mut text, workload, open);
        }
    }
    if questions(scan).is_empty() {
        text.push_str("\n## Nothing is open.\n");
    }
    text
}

fn table(text: &mut String, workload: &Workload, open: &[&Concern]) {
    let _ = writeln!(text, "\n[workloads.{}]", toml(&workload.id));
    let _ = writeln!(
        text,
        "## {}: {} of 100, {}",
        sanitise(&workload.title),
        workload.assessment.score,
        words::certainty(workload.assessment.certainty)
    );
    let mut answered = BTreeSet::new();
    for concern in open {
        asked(text, concern);
        let answer = catalogue::rule(&concern.rule).and_then(|rule| rule.answer.as_deref());
        if let Some(answer) = answer.filter(|answer| answered.insert(*answer)) {
            let likely = likely(answer, concern);
            let _ = writeln!(text, "# {answer} = {likely}");
        }
    }
    let rules: BTreeSet<&str> = open.iter().map(|concern| concern.rule.as_str()).collect();
    let _ = writeln!(
        text,
        "## Whatever the answers: where it goes (containerize, platform, drop, keep), and which questions are settled.\n\
         # disposition = \"containerize\"\n# accepted = {}",
        array(rules.into_iter())
    );
}

/// The value that stands beside a key. No program is no command, so that an empty list would be refused.
fn likely(answer: &str, concern: &Concern) -> String {
    if answer == "command" && concern.likely.is_empty() {
        return "[\"/path/of/the/program\", \"--foreground\"]".to_owned();
    }
    array(concern.likely.iter())
}

fn asked(text: &mut String, concern: &Concern) {
    let question = concern.question.as_deref().unwrap_or_default();
    let place = concern.evidence.first().map(crate::fact::Evidence::place);
    let _ = writeln!(
        text,
        "## {}: {question}\n##   {} ({})",
        concern.rule,
        sanitise(&concern.detail),
        sanitise(&place.unwrap_or_default())
    );
}

fn array<T: AsRef<str>>(words: impl Iterator<Item = T>) -> String {
    let words: Vec<String> = words.map(|word| toml(word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}
