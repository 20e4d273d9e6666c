//! Lists the files of `detectors/` while the program is built, so that a file put there is all it takes: packs, and the tables of
//! bases, families, lifetimes and targets. In the order of their names; an id that is not the file's own place is an error with file and line.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a build that cannot go on stops"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Folders of tables, and the lists they become; every other folder is a family of packs.
const TABLES: &[(&str, &str)] = &[
    ("base", "BASES"),
    ("family", "FAMILIES"),
    ("lifetime", "LIFETIMES"),
    ("targets", "TARGETS"),
];

/// Tables that are read one by one, each where it is used.
const SINGLE: &[&str] = &["kernel"];

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("detectors");
    println!("cargo::rerun-if-changed=detectors");
    let mut packs = Vec::new();
    for folder in sorted(&root).into_iter().filter(|path| path.is_dir()) {
        let name = name(&folder);
        let files = sorted(&folder);
        if let Some((_, list)) = TABLES.iter().find(|(table, _)| *table == name) {
            write(list, &files, &root, stem);
        } else if !SINGLE.contains(&name.as_str()) {
            packs.extend(files);
        }
    }
    write("PACKS", &packs, &root, |file| {
        format!("{}/{}", name(file.parent().unwrap()), stem(file))
    });
}

/// What a folder holds, by name.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "toml"));
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// A constant of names below `detectors/` and texts, to be included where it is used.
fn write(list: &str, files: &[PathBuf], root: &Path, id: impl Fn(&Path) -> String) {
    let mut text = format!("const {list}: &[(&str, &str)] = &[\n");
    for file in files {
        check(file, &id(file));
        let name = file.strip_prefix(root).unwrap().to_str().unwrap();
        writeln!(
            text,
            "    ({name:?}, include_str!({:?})),",
            file.display().to_string()
        )
        .unwrap();
    }
    text.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::write(out.join(format!("{}.rs", list.to_lowercase())), text).unwrap();
}

/// The first `id` of a file is its place.
fn check(file: &Path, id: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let wanted = format!("id = {id:?}");
    let line = text.lines().position(|line| line.starts_with("id = "));
    let found = line
        .and_then(|line| text.lines().nth(line))
        .unwrap_or("no id");
    if found != wanted {
        let file = file.display();
        let line = line.map_or(1, |line| line + 1);
        panic!("{file}:{line}: found `{found}`, and its place asks for `{wanted}`");
    }
}
