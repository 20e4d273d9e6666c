//! SARIF 2.1.0 (OASIS): each concern a result at its places, each rule with its words, what was not examined as
//! notifications. Paths are relative to the machine's root.

use super::{digest, proof, words};
use crate::fact::{Evidence, Unexamined};
use crate::proof::{Check, Kind, Proven};
use crate::rule::{Concern, Severity, catalogue};
use crate::scan::Scan;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The name that stands for the machine's root (section 3.14.14).
const ROOT: &str = "MACHINE";

/// The same of what `migrate` wrote.
const OUT: &str = "OUT";

/// The log as JSON, ending in a newline.
pub fn sarif(scan: &Scan) -> String {
    let mut rules: BTreeMap<&str, &Concern> = BTreeMap::new();
    for concern in &scan.concerns {
        rules.entry(&concern.rule).or_insert(concern);
    }
    let places: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let results = scan.concerns.iter().map(|concern| result(concern, &places));
    let proven = scan.proof.iter().flat_map(|proof| &proof.workloads);
    let differing: Vec<(&Proven, &Check)> = proven
        .flat_map(|proven| proven.differences().map(move |check| (proven, check)))
        .collect();
    let kinds: BTreeSet<Kind> = differing.iter().map(|(_, check)| check.kind).collect();
    let kinds: Vec<Kind> = kinds.into_iter().collect();
    let differences = differing.into_iter().map(|(proven, check)| {
        let kind = kinds.iter().position(|kind| *kind == check.kind);
        difference(&proven.id, check, rules.len() + kind.unwrap_or_default())
    });
    let mut bases = json!({
        ROOT: {"description": {"text": format!("The root of {}", words::machine(scan))}},
    });
    if let (Some(_), Some(bases)) = (&scan.proof, bases.as_object_mut()) {
        let text = "What was written for it";
        bases.insert(OUT.into(), json!({"description": {"text": text}}));
    }
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": scan.tool.name,
                "version": scan.tool.version,
                "semanticVersion": scan.tool.version,
                "rules": rules.values().map(|concern| rule(concern)).chain(kinds.iter().map(|kind| kind_rule(*kind))).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": scan.coverage.unexamined.iter().map(notification).collect::<Vec<_>>(),
            }],
            "originalUriBaseIds": bases,
            "columnKind": "unicodeCodePoints",
            "results": results.chain(differences).collect::<Vec<_>>(),
            "properties": {
                "verdict": words::verdict(scan.assessment.verdict),
                "certainty": words::certainty(scan.assessment.certainty),
                "score": scan.assessment.score,
                "target": scan.assessment.machine.target,
            },
        }],
    });
    let text = serde_json::to_string_pretty(&log).unwrap_or_default();
    let mut text = crate::quote::json_document(text);
    text.push('\n');
    text
}

fn rule(concern: &Concern) -> Value {
    let known = catalogue::rule(&concern.rule);
    let severity = known.map_or(concern.severity, |rule| rule.severity);
    let title = known.map_or(concern.title.as_str(), |rule| rule.title.as_str());
    let why = known.map_or(concern.title.as_str(), |rule| rule.why.as_str());
    let remedy = known.map_or(concern.remedy.as_str(), |rule| rule.remedy.as_str());
    let family = concern.rule.split('/').next().unwrap_or_default();
    json!({
        "id": concern.rule,
        "shortDescription": {"text": sentence(title)},
        "fullDescription": {"text": sentence(why)},
        "help": {"text": sentence(remedy)},
        "defaultConfiguration": {"level": level(severity)},
        "properties": {"tags": [family], "problem.severity": words::severity(severity)},
    })
}

fn result(concern: &Concern, rules: &BTreeMap<&str, usize>) -> Value {
    let first = concern
        .evidence
        .first()
        .map(Evidence::place)
        .unwrap_or_default();
    let workload = concern.workload.as_deref().unwrap_or_default();
    let same = format!("{}\0{workload}\0{first}\0{}", concern.rule, concern.detail);
    json!({
        "ruleId": concern.rule,
        "ruleIndex": rules.get(concern.rule.as_str()),
        "level": level(concern.severity),
        "message": {"text": message(concern)},
        "locations": concern.evidence.iter().map(location).collect::<Vec<_>>(),
        "partialFingerprints": {"transvase/v1": digest::uuid(same.as_bytes())},
        "properties": {"severity": words::severity(concern.severity), "workload": concern.workload},
    })
}

fn kind_rule(kind: Kind) -> Value {
    let (id, title, remedy) = proof::rule(kind);
    json!({
        "id": id,
        "shortDescription": {"text": sentence(title)},
        "fullDescription": {"text": sentence(title)},
        "help": {"text": sentence(remedy)},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["verify"]},
    })
}

/// What the machine said and what its container says; the place is what the container is made by.
fn difference(workload: &str, check: &Check, rule: usize) -> Value {
    let (id, title, remedy) = proof::rule(check.kind);
    let text = format!(
        "{title}. {}:\n- {}\n+ {}\n{remedy}",
        check.what, check.machine, check.container
    );
    let same = format!("{id}\0{workload}\0{}", check.what);
    json!({
        "ruleId": id,
        "ruleIndex": rule,
        "level": "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {
            "uri": uri(&format!("workloads/{workload}/Dockerfile")), "uriBaseId": OUT,
        }}}],
        "partialFingerprints": {"transvase/v1": digest::uuid(same.as_bytes())},
        "properties": {"workload": workload},
    })
}

/// What was found, what to do about it, and what is asked.
fn message(concern: &Concern) -> String {
    let mut text = format!(
        "{}: {} {}",
        concern.title,
        sentence(&concern.detail),
        concern.remedy
    );
    if let Some(question) = &concern.question {
        text.push(' ');
        text.push_str(question);
    }
    text
}

fn notification(part: &Unexamined) -> Value {
    json!({
        "level": "warning",
        "message": {"text": sentence(&part.reason)},
        "locations": [location(&Evidence::file(&part.path))],
        "properties": {"detector": part.detector},
    })
}

fn location(evidence: &Evidence) -> Value {
    let mut place = json!({
        "artifactLocation": {"uri": uri(&evidence.path.to_string()), "uriBaseId": ROOT},
    });
    let region = match (evidence.line, evidence.offset) {
        (Some(line), _) => Some(json!({"startLine": line.max(1)})),
        (None, Some(offset)) => Some(json!({"byteOffset": offset})),
        (None, None) => None,
    };
    if let (Some(mut region), Some(fields)) = (region, place.as_object_mut()) {
        if let (false, Some(fields)) = (evidence.excerpt.is_empty(), region.as_object_mut()) {
            fields.insert("snippet".into(), json!({"text": evidence.excerpt}));
        }
        fields.insert("region".into(), region);
    }
    json!({"physicalLocation": place})
}

/// A relative reference (RFC 3986): what is not unreserved or a slash is percent-encoded.
fn uri(path: &str) -> String {
    let mut text = String::new();
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    if text.is_empty() {
        "./".to_owned()
    } else {
        text
    }
}

/// SARIF's words for how bad it is; what they mean for a move is in the properties.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => "error",
        Severity::Major => "warning",
        Severity::Minor | Severity::Info => "note",
    }
}

/// Messages end with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_references() {
        assert_eq!(uri("/etc/a b#c%"), "etc/a%20b%23c%25");
        assert_eq!(uri("/srv/ä"), "srv/%C3%A4");
        assert_eq!(uri("/"), "./");
    }
}
