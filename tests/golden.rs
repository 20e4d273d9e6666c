//! Every machine of `fixtures/machines` gives the artefacts of `tests/golden`, byte for byte, with one thread as with eight.
//!
//! `UPDATE_GOLDEN=1` writes them anew; reviewers read real Dockerfiles in the diff.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn machines() -> Vec<String> {
    let directory = repository().join("fixtures/machines");
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The machine as an archive of root's: a checkout belongs to whoever made it, under whatever umask.
fn archive(machine: &str, to: &Path) {
    let root = repository()
        .join("fixtures/machines")
        .join(machine)
        .join("root");
    let mut archive = tar::Builder::new(std::fs::File::create(to).unwrap());
    archive.follow_symlinks(false);
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(&root).unwrap();
        if name.as_os_str().is_empty() {
            continue;
        }
        let metadata = entry.metadata().unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_metadata_in_mode(&metadata, tar::HeaderMode::Deterministic);
        if metadata.is_symlink() {
            header.set_size(0);
            archive
                .append_link(&mut header, name, std::fs::read_link(entry.path()).unwrap())
                .unwrap();
        } else if metadata.is_dir() {
            header.set_size(0);
            archive
                .append_data(&mut header, name, std::io::empty())
                .unwrap();
        } else {
            archive
                .append_data(
                    &mut header,
                    name,
                    std::fs::File::open(entry.path()).unwrap(),
                )
                .unwrap();
        }
    }
    archive.finish().unwrap();
}

/// Everything `migrate` writes, by path.
fn migrate(machine: &str, jobs: &str) -> BTreeMap<String, Vec<u8>> {
    let scratch = tempfile::tempdir().unwrap();
    let source = format!("{machine}.tar");
    archive(machine, &scratch.path().join(&source));
    let done = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(["migrate", "--jobs", jobs, "--quiet", &source, "-o", "out"])
        .current_dir(scratch.path())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{machine}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    read(&scratch.path().join("out"))
}

fn read(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(directory) {
        let entry = entry.unwrap();
        let name = entry
            .path()
            .strip_prefix(directory)
            .unwrap()
            .display()
            .to_string();
        if entry.file_type().is_file() {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        } else if entry.file_type().is_symlink() {
            let target = std::fs::read_link(entry.path()).unwrap();
            found.insert(name, format!("-> {}", target.display()).into_bytes());
        }
    }
    found
}

/// What a reviewer reads: copies of the machine's own files are named, not shown again.
fn reviewed(written: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut copied = Vec::new();
    for (name, bytes) in written {
        if name == "report.html" {
            // A page of markup, style and script reviews badly; tests/report.rs looks at it from outside.
            assert!(bytes.starts_with(b"<!doctype html>"));
        } else if name.contains("/rootfs/") {
            copied.push(format!("{name} {}\n", bytes.len()));
        } else {
            found.insert(name.clone(), bytes.clone());
        }
    }
    found.insert("rootfs.list".into(), copied.concat().into_bytes());
    found
}

#[test]
fn artefacts_are_as_reviewed() {
    for machine in machines() {
        let written = reviewed(&migrate(&machine, "1"));
        let golden = repository().join("tests/golden").join(&machine);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let _ = std::fs::remove_dir_all(&golden);
            for (name, bytes) in &written {
                let path = golden.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            continue;
        }
        let expected = read(&golden);
        assert!(
            !expected.is_empty(),
            "no golden tree for {machine}; run UPDATE_GOLDEN=1 cargo test --test golden"
        );
        let names: Vec<&String> = written.keys().collect();
        assert_eq!(
            names,
            expected.keys().collect::<Vec<_>>(),
            "files of {machine}"
        );
        for (name, bytes) in &written {
            let (found, wanted) = (
                String::from_utf8_lossy(bytes),
                String::from_utf8_lossy(&expected[name]),
            );
            assert!(
                found == wanted,
                "{machine}/{name} differs:\n{}",
                first_difference(&wanted, &found)
            );
        }
    }
}

fn first_difference(wanted: &str, found: &str) -> String {
    let lines = wanted
        .lines()
        .zip(found.lines())
        .zip(1..)
        .find(|((a, b), _)| a != b);
    lines.map_or_else(
        || "one is longer".into(),
        |((a, b), line)| format!("line {line}\n- {a}\n+ {b}"),
    )
}

#[test]
fn one_thread_or_eight() {
    for machine in machines() {
        assert_eq!(migrate(&machine, "1"), migrate(&machine, "8"), "{machine}");
    }
}
