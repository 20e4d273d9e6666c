//! The rule catalogue: data under `detectors/catalogue.toml`, checked once.
//!
//! Packs and native rules name rules by id only; severity, points and words are here, so that a rule reads the same
//! wherever it fires.

use super::Concern;
use super::{Severity, Verdict};
use crate::fact::Evidence;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One rule, for weighing and for `explain`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    pub title: String,
    pub severity: Severity,
    /// Points per workload; by severity where the catalogue is silent.
    pub points: Option<u32>,
    /// What a blocker makes of the workload.
    pub verdict: Option<Verdict>,
    pub why: String,
    pub remedy: String,
    pub cannot_see: String,
    /// What to ask the reader, where the rule is that something is not known.
    pub question: Option<String>,
    /// The key of an answer that settles it (`answer`).
    pub answer: Option<String>,
}

/// What severities and scores mean, for all rules alike.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    points: BySeverity,
    /// A score below this asks for changes.
    pub fit: u32,
    /// A major concern of fewer points asks for none.
    pub change: u32,
    pub raise: Raise,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BySeverity {
    blocker: u32,
    major: u32,
    minor: u32,
    info: u32,
}

/// Which rules are named as those that raise a score.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// At most so many.
    pub rules: usize,
    /// None of fewer points.
    pub points: u32,
}

impl Scale {
    /// What a rule of this severity subtracts.
    pub fn points(&self, severity: Severity) -> u32 {
        match severity {
            Severity::Blocker => self.points.blocker,
            Severity::Major => self.points.major,
            Severity::Minor => self.points.minor,
            Severity::Info => self.points.info,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scale: Scale,
    rule: Vec<Rule>,
}

#[derive(Default)]
struct Catalogue {
    scale: Scale,
    rules: BTreeMap<String, Rule>,
}

static CATALOGUE: LazyLock<Result<Catalogue, String>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../../detectors/catalogue.toml"))
        .map_err(|error| error.to_string())?;
    let rules = file.rule.into_iter().map(|rule| (rule.id.clone(), rule));
    Ok(Catalogue {
        scale: file.scale,
        rules: rules.collect(),
    })
});

/// Empty only if the built-in catalogue does not parse, which a test forbids.
fn catalogue() -> &'static Catalogue {
    static NONE: LazyLock<Catalogue> = LazyLock::new(Catalogue::default);
    CATALOGUE.as_ref().unwrap_or(&NONE)
}

/// All rules by id.
pub fn rules() -> &'static BTreeMap<String, Rule> {
    &catalogue().rules
}

pub fn scale() -> &'static Scale {
    &catalogue().scale
}

pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().get(id)
}

/// A concern in the catalogue's own words; `None` for an unknown rule, or without evidence to show.
pub fn concern(
    id: &str,
    workload: Option<&str>,
    detail: String,
    evidence: Vec<Evidence>,
) -> Option<Concern> {
    let rule = rule(id)?;
    if evidence.is_empty() {
        return None;
    }
    Some(Concern {
        rule: rule.id.clone(),
        severity: rule.severity,
        title: rule.title.clone(),
        detail,
        workload: workload.map(str::to_owned),
        evidence,
        remedy: rule.remedy.clone(),
        question: rule.question.clone(),
        likely: Vec::new(),
        links: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_asks() {
        const ANSWERS: [&str; 4] = ["ports", "state", "command", "files"];
        for rule in rules().values() {
            let is_unknown = rule.id.starts_with(crate::rule::UNKNOWN);
            assert_eq!(is_unknown, rule.question.is_some(), "{}", rule.id);
            let answer = rule.answer.as_deref();
            assert!(
                answer.is_none_or(|answer| ANSWERS.contains(&answer)),
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn the_catalogue_is_whole() {
        CATALOGUE.as_ref().expect("detectors/catalogue.toml parses");
        assert!(rules().len() > 50);
        for rule in rules().values() {
            assert!(
                rule.id
                    .split_once('/')
                    .is_some_and(|(family, name)| !family.is_empty() && !name.is_empty())
            );
            for text in [&rule.title, &rule.why, &rule.remedy, &rule.cannot_see] {
                assert!(!text.trim().is_empty(), "{} says nothing", rule.id);
            }
            assert!(
                rule.verdict.is_none() || rule.severity == Severity::Blocker,
                "{}",
                rule.id
            );
        }
    }
}
