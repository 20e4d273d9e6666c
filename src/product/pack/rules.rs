//! Concerns of packs: a rule of the catalogue, when it fires, and what is shown for it.

use super::Pack;
use super::file::{self, Otherwise, When};
use super::settings::{Configured, Flag, key_matches};
use crate::fact::{Evidence, Facts};
use crate::rule::Concern;
use crate::rule::{Severity, catalogue};
use crate::service::Service;
use crate::walk::glob;

/// Places shown for one concern.
const SHOWN: usize = 20;

/// Concerns of a product's pack, for one service.
pub(super) fn product(asked: &Configured<'_>) -> Vec<Concern> {
    let silenced = otherwise(asked).map_or(&[][..], |other| other.silences.as_slice());
    let all = asked.pack.file.concern.iter().enumerate();
    let all = all.filter(|(_, concern)| !silenced.contains(&concern.rule));
    let command = command(asked);
    let filled = |found: Concern| Concern {
        detail: found.detail.replace("{command}", &command),
        ..found
    };
    all.filter_map(|(index, concern)| make(concern, met(asked, index, &concern.when)?))
        .map(filled)
        .collect()
}

/// The command line that a detail may show; what is secret in it was hidden when it was read.
fn command(asked: &Configured<'_>) -> String {
    let start = asked.service.commands.start.last();
    let words = start.map(|command| command.argv.join(" "));
    let words = words.unwrap_or_default();
    words.chars().take(SHOWN_OF_A_COMMAND).collect()
}

/// Characters.
const SHOWN_OF_A_COMMAND: usize = 400;

/// Another disposition than the pack's, the first that holds. Text matchers are numbered behind those of concerns.
pub(super) fn otherwise<'p>(asked: &Configured<'p>) -> Option<&'p Otherwise> {
    let file = &asked.pack.file;
    let mut others = file.otherwise.iter().zip(file.concern.len()..);
    let holds = |other: &Otherwise, index| met(asked, index, &other.when).is_some();
    others
        .find(|(other, index)| holds(other, *index))
        .map(|(other, _)| other)
}

fn met(asked: &Configured<'_>, index: usize, when: &When) -> Option<Vec<Evidence>> {
    let mut evidence = general(asked.pack, index, when, asked.facts, &[])?;
    if when.recognised {
        evidence.push(asked.service.evidence.clone());
    }
    if let Some(wanted) = &when.setting {
        let hits: Vec<Evidence> = asked
            .settings
            .iter()
            .filter(|placed| {
                let text = placed.args.join(" ");
                key_matches(&wanted.key, &placed.key)
                    && wanted
                        .matches
                        .as_ref()
                        .is_none_or(|expression| asked.pack.is_match(expression, &text))
            })
            .map(|placed| {
                let key = placed.key.rsplit('/').next().unwrap_or_default();
                Evidence::line(
                    &placed.path,
                    placed.setting.line,
                    &format!("{key} {}", placed.setting.args.join(" ")),
                )
            })
            .collect();
        if hits.is_empty() {
            return None;
        }
        evidence.extend(hits);
    }
    if let Some(wanted) = &when.option {
        let is = |patterns: &[String], flag: &Flag| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| glob::matches(pattern, &flag.name))
        };
        let hits = asked.flags.iter().filter(|flag| is(&wanted.names, flag));
        let hits: Vec<Evidence> = hits.map(|flag| flag.evidence.clone()).collect();
        if hits.is_empty() || asked.flags.iter().any(|flag| is(&wanted.unless, flag)) {
            return None;
        }
        evidence.extend(hits);
    }
    Some(evidence)
}

/// Concerns of a rule pack, for the machine.
pub(super) fn machine(pack: &Pack, facts: &Facts, services: &[Service]) -> Vec<Concern> {
    let all = pack.file.concern.iter().enumerate();
    all.filter_map(|(index, concern)| {
        make(
            concern,
            general(pack, index, &concern.when, facts, services)?,
        )
    })
    .collect()
}

/// The parts of a condition that do not need a product; `None` where one that is given does not hold.
fn general(
    pack: &Pack,
    index: usize,
    when: &When,
    facts: &Facts,
    services: &[Service],
) -> Option<Vec<Evidence>> {
    let mut evidence = Vec::new();
    let mut part = |given: bool, found: Vec<Evidence>| {
        let holds = !given || !found.is_empty();
        evidence.extend(found);
        holds.then_some(())
    };
    let packages = facts.packages.iter().filter(|p| {
        when.packages
            .iter()
            .any(|pattern| glob::matches(pattern, &p.name))
    });
    part(
        !when.packages.is_empty(),
        packages.map(|package| package.evidence.clone()).collect(),
    )?;
    let paths = when
        .paths
        .iter()
        .flat_map(|pattern| facts.tree.glob(pattern));
    part(
        !when.paths.is_empty(),
        paths.map(|entry| Evidence::file(&entry.path)).collect(),
    )?;
    if when
        .absent
        .iter()
        .any(|pattern| !facts.tree.glob(pattern).is_empty())
    {
        return None;
    }
    let enabled = services.iter().filter(|service| service.enabled);
    let units = enabled.filter(|service| {
        when.units
            .iter()
            .any(|pattern| glob::matches(pattern, &service.name))
    });
    part(
        !when.units.is_empty(),
        units
            .map(|s| s.enabled_by.clone().unwrap_or_else(|| s.evidence.clone()))
            .collect(),
    )?;
    let id = index.to_string();
    let hits = facts
        .hits
        .iter()
        .filter(|hit| hit.pack == pack.file.id && hit.matcher == id);
    part(
        when.text.is_some(),
        hits.map(|hit| hit.evidence.clone()).collect(),
    )?;
    Some(evidence)
}

fn make(concern: &file::Concern, mut evidence: Vec<Evidence>) -> Option<Concern> {
    evidence.sort();
    evidence.dedup();
    evidence.truncate(SHOWN);
    if evidence.is_empty() {
        return None;
    }
    let rule = catalogue::rule(&concern.rule);
    Some(Concern {
        rule: concern.rule.clone(),
        severity: concern
            .severity
            .or(rule.map(|rule| rule.severity))
            .unwrap_or(Severity::Info),
        title: rule.map_or_else(|| concern.detail.clone(), |rule| rule.title.clone()),
        detail: concern.detail.clone(),
        workload: None,
        evidence,
        remedy: concern
            .remedy
            .clone()
            .or_else(|| rule.map(|rule| rule.remedy.clone()))
            .unwrap_or_default(),
        question: rule.and_then(|rule| rule.question.clone()),
        likely: Vec::new(),
        links: Vec::new(),
    })
}
