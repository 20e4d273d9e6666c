//! CycloneDX 1.6 (ECMA-424): the machine's operating system, its packages by package URL, the executables of its workloads,
//! and which workload needs what, each with the place it was read from.
//!
//! The serial number is made from the content, and there is no timestamp: the same scan is the same document.

use super::{digest, words};
use crate::fact::Evidence;
use crate::scan::{Package, Scan, Workload};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The document as JSON, ending in a newline.
pub fn cyclonedx(scan: &Scan) -> String {
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata(scan),
        "components": components(scan),
        "dependencies": dependencies(scan),
    });
    let content = document.to_string();
    if let Some(fields) = document.as_object_mut() {
        let serial = format!("urn:uuid:{}", digest::uuid(content.as_bytes()));
        fields.insert("serialNumber".into(), serial.into());
    }
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let mut text = crate::quote::json_document(text);
    text.push('\n');
    text
}

fn metadata(scan: &Scan) -> Value {
    json!({
        "lifecycles": [{"phase": "operations"}],
        "tools": {"components": [{
            "type": "application", "name": scan.tool.name, "version": scan.tool.version,
        }]},
        "component": {
            "type": "device",
            "bom-ref": "machine",
            "name": words::machine(scan),
            "description": format!("A virtual machine running {}, read from a {} source", words::system(scan), scan.source.format),
        },
        "properties": properties([
            ("transvase:verdict", words::verdict(scan.assessment.verdict).to_owned()),
            ("transvase:score", scan.assessment.score.to_string()),
            ("transvase:unexamined", scan.coverage.unexamined.len().to_string()),
        ]),
    })
}

fn components(scan: &Scan) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some(os) = &scan.machine.os {
        found.push(json!({
            "type": "operating-system", "bom-ref": "os", "name": os.id, "version": os.version_id, "description": os.pretty_name,
        }));
    }
    let mut known = BTreeSet::new();
    let packages = scan
        .packages
        .items
        .iter()
        .filter(|package| known.insert(&package.purl));
    found.extend(packages.map(|item| package(scan, item)));
    found.extend(binaries(scan).into_iter().map(|(path, workloads)| {
        json!({
            "type": "file",
            "bom-ref": binary_ref(&path),
            "name": path,
            "properties": properties(workloads.iter().map(|id| ("transvase:workload", (*id).to_owned()))),
            "evidence": {"occurrences": [{"location": path}]},
        })
    }));
    found.extend(scan.workloads.iter().map(workload));
    found
}

fn package(scan: &Scan, package: &Package) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "properties": properties([
            ("transvase:package:manager", scan.packages.manager.clone().unwrap_or_default()),
            ("transvase:package:architecture", package.arch.clone()),
            ("transvase:package:source", package.source.clone()),
            ("transvase:package:requested", package.manual.to_string()),
            ("transvase:package:bytes", package.bytes.to_string()),
            ("transvase:package:moves", package.moves.to_string()),
        ]),
    });
    if let (Some(evidence), Some(fields)) = (&package.evidence, component.as_object_mut()) {
        let place = evidence.place();
        let identity = json!([{
            "field": "purl",
            "confidence": 1,
            "methods": [{"technique": "manifest-analysis", "confidence": 1, "value": place}],
        }]);
        fields.insert(
            "evidence".into(),
            json!({"identity": identity, "occurrences": [occurrence(evidence)]}),
        );
    }
    component
}

fn occurrence(evidence: &Evidence) -> Value {
    let mut value = json!({"location": evidence.path.to_string()});
    if let Some(fields) = value.as_object_mut() {
        if let Some(line) = evidence.line {
            fields.insert("line".into(), line.into());
        }
        if let Some(offset) = evidence.offset {
            fields.insert("offset".into(), offset.into());
        }
    }
    value
}

fn workload(workload: &Workload) -> Value {
    let listens: Vec<Value> = workload
        .listens
        .iter()
        .map(|listen| occurrence(&listen.evidence))
        .collect();
    let mut component = json!({
        "type": "container",
        "bom-ref": workload_ref(&workload.id),
        "name": workload.id,
        "description": workload.title,
        "properties": properties([
            ("transvase:kind", workload.kind.clone()),
            ("transvase:score", workload.assessment.score.to_string()),
            ("transvase:verdict", words::verdict(workload.assessment.verdict).to_owned()),
        ].into_iter().chain(workload.listens.iter().map(|l| ("transvase:listens", l.shown())))),
    });
    if let (false, Some(fields)) = (listens.is_empty(), component.as_object_mut()) {
        fields.insert("evidence".into(), json!({"occurrences": listens}));
    }
    component
}

/// A workload on its packages and executables, the machine on its system and workloads.
fn dependencies(scan: &Scan) -> Vec<Value> {
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &scan.packages.items {
        by_name
            .entry(&package.name)
            .or_default()
            .push(&package.purl);
    }
    let mut found = Vec::new();
    let system = scan.machine.os.iter().map(|_| "os".to_owned());
    let workloads = scan
        .workloads
        .iter()
        .map(|workload| workload_ref(&workload.id));
    found.push(json!({"ref": "machine", "dependsOn": system.chain(workloads).collect::<Vec<_>>()}));
    for workload in &scan.workloads {
        let packages = workload
            .packages
            .iter()
            .filter_map(|name| by_name.get(name.as_str()));
        let mut on: BTreeSet<String> = packages.flatten().map(|purl| (*purl).to_owned()).collect();
        on.extend(
            workload
                .executables
                .iter()
                .map(|path| binary_ref(&path.to_string())),
        );
        let needed = workload
            .needs
            .iter()
            .filter(|id| scan.workloads.iter().any(|w| w.id == **id));
        on.extend(needed.map(|id| workload_ref(id)));
        found.push(json!({"ref": workload_ref(&workload.id), "dependsOn": on}));
    }
    found
}

/// Executables with the workloads that run them.
fn binaries(scan: &Scan) -> BTreeMap<String, Vec<&str>> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for workload in &scan.workloads {
        for path in &workload.executables {
            let users = found.entry(path.to_string()).or_default();
            if users.last() != Some(&workload.id.as_str()) {
                users.push(&workload.id);
            }
        }
    }
    found
}

fn binary_ref(path: &str) -> String {
    format!("file:{path}")
}

fn workload_ref(id: &str) -> String {
    format!("workload:{id}")
}

fn properties<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Vec<Value> {
    let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    pairs
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect()
}
