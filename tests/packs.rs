//! Every pack: listed, whole, and right on its own cases.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
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

/// Folders of tables.
const FOLDERS: &[&str] = &["base", "family", "kernel", "lifetime", "targets"];

#[test]
fn every_file_is_listed() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("detectors");
    let mut there = BTreeSet::new();
    for entry in walkdir::WalkDir::new(&directory).min_depth(2) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(&directory).unwrap();
        let name = name.display().to_string();
        let folder = name.split('/').next().unwrap_or_default();
        if entry.path().extension().is_some_and(|e| e == "toml") && !FOLDERS.contains(&folder) {
            there.insert(name.strip_suffix(".toml").unwrap().to_owned());
        }
    }
    let packs = builtin();
    let listed: BTreeSet<String> = packs.iter().map(|pack| pack.file.id.clone()).collect();
    assert_eq!(there, listed, "a pack's id is its path below detectors/");
}

/// What the build makes of a folder of detectors: its lists, or what it says is wrong.
fn listed(detectors: &Path) -> Result<String, String> {
    let scratch = tempfile::tempdir().unwrap();
    let program = scratch.path().join("build");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("detectors/build.rs");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let made = Command::new(compiler)
        .args(["--edition", "2024", "-o"])
        .args([&program, &source])
        .status()
        .unwrap();
    assert!(made.success());
    let done = Command::new(program)
        .env("CARGO_MANIFEST_DIR", detectors.parent().unwrap())
        .env("OUT_DIR", scratch.path())
        .output()
        .unwrap();
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let lists = ["packs", "bases", "families", "lifetimes", "targets"];
    let texts =
        lists.map(|list| std::fs::read_to_string(scratch.path().join(format!("{list}.rs"))));
    Ok(texts.into_iter().map(Result::unwrap).collect())
}

#[test]
fn one_file_is_a_whole_product_or_target() {
    let scratch = tempfile::tempdir().unwrap();
    let detectors = scratch.path().join("detectors");
    let put = |name: &str, text: &str| {
        let path = detectors.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for folder in ["base", "family", "lifetime", "kernel"] {
        std::fs::create_dir_all(detectors.join(folder)).unwrap();
    }
    put("web/one.toml", "id = \"web/one\"\n");
    put("cache/two.toml", "id = \"cache/two\"\n");
    put("targets/moon.toml", "# The moon.\nid = \"moon\"\n");
    put("catalogue.toml", "");
    let found = listed(&detectors).unwrap();
    let at = |name: &str| found.find(&format!("(\"{name}\", include_str!"));
    assert!(
        at("cache/two.toml").unwrap() < at("web/one.toml").unwrap(),
        "{found}"
    );
    let targets = found.split("const TARGETS").nth(1).unwrap();
    assert!(targets.contains("\"targets/moon.toml\""), "{found}");
    assert!(at("catalogue.toml").is_none());
    put("web/one.toml", "# Moved.\nid = \"web/other\"\n");
    let said = listed(&detectors).unwrap_err();
    assert!(
        said.contains("web/one.toml:2: found `id = \"web/other\"`"),
        "{said}"
    );
}
