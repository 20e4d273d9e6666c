//! The block of data in report.html: concerns, packages, and artefacts, each text once.

use crate::assess::catalogue;
use crate::fact::Evidence;
use crate::render::report::Artefact;
use crate::render::report::words;
use crate::scan::Scan;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Texts, each by the number it was met at: a path or a remedy stands in a thousand concerns.
#[derive(Default)]
struct Texts<'a> {
    list: Vec<&'a str>,
    known: HashMap<&'a str, usize>,
}

impl<'a> Texts<'a> {
    fn number(&mut self, text: &'a str) -> usize {
        *self.known.entry(text).or_insert_with(|| {
            self.list.push(text);
            self.list.len() - 1
        })
    }
}

/// The data as JSON that is safe inside a script element.
///
/// * `texts`: what the numbers below mean
/// * `concerns`: severity, rule, title, detail, workload or -1, remedy, links, evidence (path, line or offset, excerpt)
/// * `rules`: why a rule matters and what it cannot see
/// * `packages`: name, version, bytes, whether it moves, whether it was asked for
/// * `files`: path and text
pub(super) fn data(scan: &Scan, artefacts: &[Artefact]) -> String {
    let mut texts = Texts::default();
    let places: Vec<Vec<String>> = scan
        .concerns
        .iter()
        .map(|concern| concern.evidence.iter().map(Evidence::place).collect())
        .collect();
    let mut concerns = Vec::with_capacity(scan.concerns.len());
    for (concern, places) in scan.concerns.iter().zip(&places) {
        let evidence: Vec<Value> = concern
            .evidence
            .iter()
            .zip(places)
            .map(|(evidence, place)| json!([texts.number(place), texts.number(&evidence.excerpt)]))
            .collect();
        let links: Vec<usize> = concern
            .links
            .iter()
            .map(|link| texts.number(link))
            .collect();
        let workload = concern
            .workload
            .as_deref()
            .map_or(json!(-1), |id| json!(texts.number(id)));
        concerns.push(json!([
            concern.severity as u8,
            texts.number(&concern.rule),
            texts.number(&concern.title),
            texts.number(&concern.detail),
            workload,
            texts.number(&concern.remedy),
            links,
            evidence,
        ]));
    }
    let rules: BTreeMap<&str, [&str; 2]> = scan
        .concerns
        .iter()
        .filter_map(|concern| catalogue::rule(&concern.rule))
        .map(|rule| {
            (
                rule.id.as_str(),
                [rule.why.as_str(), rule.cannot_see.as_str()],
            )
        })
        .collect();
    let packages: Vec<Value> = scan
        .packages
        .items
        .iter()
        .map(|p| {
            json!([
                p.name,
                p.version,
                p.bytes,
                u8::from(p.moves),
                u8::from(p.manual)
            ])
        })
        .collect();
    let files: Vec<Value> = artefacts
        .iter()
        .map(|file| json!([file.path, file.text]))
        .collect();
    let verdicts: BTreeMap<&str, &str> = scan
        .workloads
        .iter()
        .map(|workload| {
            (
                workload.id.as_str(),
                words::verdict(workload.assessment.verdict),
            )
        })
        .collect();
    embeddable(&json!({
        "texts": texts.list,
        "concerns": concerns,
        "rules": rules,
        "packages": packages,
        "files": files,
        "workloads": verdicts,
    }))
}

/// JSON without a character that HTML gives a meaning to (HTML, section 4.12.1.3), nor a line end of JavaScript's own.
fn embeddable(value: &Value) -> String {
    let text = value.to_string();
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_markup_survives_and_nothing_is_lost() {
        let value = json!({"a": "</script><!-- <b>&amp;\u{2028}"});
        let text = embeddable(&value);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
