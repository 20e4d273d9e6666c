//! Programs that are compiled here, and what `transvase kernel` says of them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "helpers of several tests, each of which uses some"
)]

use crate::needs;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What `transvase kernel` says of a program: its calls, and how many places it could not follow.
pub struct Said {
    pub calls: Vec<String>,
    pub open: usize,
}

impl Said {
    pub fn has(&self, call: &str) -> bool {
        self.calls.iter().any(|known| known == call)
    }
}

pub fn said(source: &str) -> Option<Said> {
    said_with(source, &[])
}

pub fn said_with(source: &str, flags: &[&str]) -> Option<Said> {
    let scratch = tempfile::tempdir().unwrap();
    let path = compiled(scratch.path(), source, flags)?;
    Some(ask(&path))
}

/// The program in a directory; `None` without a compiler.
pub fn compiled(directory: &Path, source: &str, flags: &[&str]) -> Option<PathBuf> {
    let text = directory.join("program.c");
    let path = directory.join("program");
    std::fs::write(&text, source).unwrap();
    let compiled = Command::new(needs::tool("cc")?)
        .args(["-O2", "-pthread"])
        .args(flags)
        .arg("-o")
        .args([&path, &text])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&compiled.stderr).into_owned();
    assert!(compiled.status.success(), "{error}");
    Some(path)
}

/// The answer about one program.
pub fn answer(path: &Path, options: &[&str]) -> Value {
    let done = kernel(path, &[&["--format", "json"], options].concat());
    let document: Value = serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)));
    document["programs"][0].clone()
}

pub fn kernel(path: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(["kernel", "/", path.to_str().unwrap()])
        .args(options)
        .output()
        .unwrap()
}

pub fn ask(path: &Path) -> Said {
    let program = answer(path, &[]);
    let calls = program["syscalls"].as_array().unwrap().iter();
    let calls = calls.filter_map(|call| call["name"].as_str().map(str::to_owned));
    Said {
        calls: calls.collect(),
        open: program["unresolved"].as_array().map_or(0, Vec::len),
    }
}
