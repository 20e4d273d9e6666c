//! The block of data in report.html: what a machine may have thousands of.

use super::kernel::Kernels;
use super::texts::Texts;
use crate::fact::Evidence;
use crate::path::sanitise;
use crate::quote::json_document;
use crate::report::Artefact;
use crate::rule::Concern;
use crate::rule::catalogue;
use crate::scan::Scan;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// The data as JSON that is safe inside a script element.
///
/// * `texts`: what the numbers below mean, but those of severities, counts, bytes and flags
/// * `kinds`: severity, rule, title, remedy, links of concerns that differ in nothing else
/// * `concerns`: kind, detail, workload or -1, evidence (path, line or offset as it is written, excerpt)
/// * `rules`: why a rule matters and what it cannot see
/// * `packages`: name, version, bytes, 1 if it moves, 2 if it was asked for
/// * `files`: path and lines
/// * `kernels`: what workloads ask of the kernel, see there
/// * `workloads`: their ids
pub(super) fn data(
    scan: &Scan,
    artefacts: &[Artefact],
    kernels: &Kernels,
    mut texts: Texts,
) -> String {
    let mut kinds = Kinds::default();
    let concerns: Vec<Value> = scan
        .concerns
        .iter()
        .map(|concern| {
            let kind = kinds.number(concern, &mut texts);
            let workload = concern.workload.as_deref();
            let workload = workload.map_or(json!(-1), |id| json!(texts.number(id)));
            let evidence = concern.evidence.iter();
            let evidence: Vec<Value> = evidence.map(|place| of(place, &mut texts)).collect();
            json!([kind, texts.number(&concern.detail), workload, evidence])
        })
        .collect();
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
    let packages = scan.packages.items.iter().map(|p| {
        let flags = u8::from(p.moves) | u8::from(p.manual) << 1;
        json!([sanitise(&p.name), texts.number(&p.version), p.bytes, flags])
    });
    let packages: Vec<Value> = packages.collect();
    let files: Vec<Value> = artefacts
        .iter()
        .map(|file| json!([file.path, texts.numbers(file.text.split('\n'))]))
        .collect();
    let workloads = scan.workloads.iter().map(|w| sanitise(&w.id));
    let workloads: Vec<_> = workloads.collect();
    embeddable(&json!({
        "kinds": kinds.list,
        "concerns": concerns,
        "rules": rules,
        "packages": packages,
        "files": files,
        "kernels": kernels.details,
        "workloads": workloads,
        "texts": texts.into_list(),
    }))
}

/// Concerns of one rule mostly say the same but for where and how.
#[derive(Default)]
struct Kinds {
    list: Vec<Value>,
    known: HashMap<String, usize>,
}

impl Kinds {
    fn number(&mut self, concern: &Concern, texts: &mut Texts) -> usize {
        let links = texts.numbers(concern.links.iter().map(String::as_str));
        let kind = json!([
            concern.severity as u8,
            texts.number(&concern.rule),
            texts.number(&concern.title),
            texts.number(&concern.remedy),
            links,
        ]);
        *self.known.entry(kind.to_string()).or_insert_with(|| {
            self.list.push(kind);
            self.list.len() - 1
        })
    }
}

/// A place apart from its path: a file has many lines.
fn of(evidence: &Evidence, texts: &mut Texts) -> Value {
    let path = evidence.path.to_string();
    let place = evidence.place();
    let tail = place.strip_prefix(&path).unwrap_or_default();
    json!([texts.number(&path), tail, texts.number(&evidence.excerpt)])
}

/// JSON without a character that HTML gives a meaning to (HTML, section 4.12.1.3), nor one that is not seen, line ends of
/// JavaScript's own among them.
fn embeddable(value: &Value) -> String {
    let text = value.to_string();
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            c => safe.push(c),
        }
    }
    json_document(safe)
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
