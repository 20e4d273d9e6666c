//! Every pack: listed, whole, and right on its own cases.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::Path;
use transvase::examine::case;
use transvase::product::pack::Packs;

fn builtin() -> Packs {
    let packs = Packs::builtin().map_err(|errors| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    });
    packs.expect("the built-in packs are sound")
}

#[test]
fn every_case_holds() {
    let packs = builtin();
    let mut failures = Vec::new();
    let mut cases = 0;
    for pack in packs.iter() {
        for one in &pack.file.case {
            cases += 1;
            let differences = case::run(pack, &packs, one);
            failures.extend(
                differences
                    .iter()
                    .map(|d| format!("{} / {}: {d}", pack.file.id, one.name)),
            );
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {cases} cases:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(cases >= 2 * packs.iter().count());
}

/// Data files that are no packs.
const TABLES: &[&str] = &[
    "catalogue.toml",
    "secrets.toml",
    "end-of-life.toml",
    "schemes.toml",
    "written.toml",
];

/// Folders of such files.
const FOLDERS: &[&str] = &["base", "kernel", "targets"];

#[test]
fn every_file_is_listed() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("detectors");
    let mut there = BTreeSet::new();
    for entry in walkdir::WalkDir::new(&directory) {
        let entry = entry.unwrap();
        let name = entry
            .path()
            .strip_prefix(&directory)
            .unwrap()
            .display()
            .to_string();
        let folder = name.split('/').next().unwrap_or_default();
        let table = TABLES.contains(&name.as_str()) || FOLDERS.contains(&folder);
        if entry.path().extension().is_some_and(|e| e == "toml") && !table {
            there.insert(name.strip_suffix(".toml").unwrap().to_owned());
        }
    }
    let packs = builtin();
    let listed: BTreeSet<String> = packs.iter().map(|pack| pack.file.id.clone()).collect();
    assert_eq!(there, listed, "a pack's id is its path below detectors/");
}
