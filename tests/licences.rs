//! What stands below the program: under which licences it is, where it comes from, and that nothing is there twice.
//!
//! Cargo says it of every package that is locked, whatever machine it is for, without a network. Advisories are news and
//! need one, so they are not looked for here.

#![cfg(test)]

mod needs;

use needs::need;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Licences that ask no more of whoever passes the program on than to pass their text on too. A crate that may be taken
/// under one of several needs one of these; a crate that is under several at once needs all of them here.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "BSD-3-Clause", // encoding_rs: what it has from the WHATWG
    "ISC",          // rustls-webpki and untrusted below rustls: as MIT in fewer words
    "MIT",
    "Unicode-3.0", // tables of unicode-ident
    "Zlib",
];

/// Exceptions that take nothing away from whoever uses the licence before them.
const EXCEPTIONS: &[&str] = &["LLVM-exception"];

/// The only place that crates come from, as the lock file writes it.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that are there in versions that do not take each other's place, and why that is borne.
const TWICE: &[(&str, &str)] = &[
    (
        "getrandom",
        "below ring, which rustls names and which is not built here",
    ),
    ("windows-sys", "the same"),
    (
        "syn",
        "derive macros alone, which run while the program is built: those below handlebars and pest are still at 2",
    ),
];

/// Packages below the program.
fn dependencies(metadata: &Value) -> Vec<&Value> {
    let packages = metadata["packages"].as_array().unwrap();
    let own = &metadata["workspace_members"][0];
    let others = packages.iter().filter(|package| package["id"] != *own);
    others.collect()
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

fn called(package: &Value) -> String {
    format!("{} {}", text(package, "name"), text(package, "version"))
}

/// Whether an expression of SPDX can be met by what is allowed. `/` is how `OR` was once written.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) == Some(true) && rest.is_empty()
}

/// Alternatives; `None` for what is no expression, and so for no licence at all.
fn any(rest: &mut &[&str]) -> Option<bool> {
    let mut is_met = all(rest)?;
    while took(rest, "OR") {
        is_met |= all(rest)?;
    }
    Some(is_met)
}

/// What has to be met together: it binds closer.
fn all(rest: &mut &[&str]) -> Option<bool> {
    let mut is_met = one(rest)?;
    while took(rest, "AND") {
        is_met &= one(rest)?;
    }
    Some(is_met)
}

/// A licence, perhaps with an exception, or an expression in brackets.
fn one(rest: &mut &[&str]) -> Option<bool> {
    if took(rest, "(") {
        let is_met = any(rest)?;
        return took(rest, ")").then_some(is_met);
    }
    let (licence, behind) = rest.split_first()?;
    *rest = behind;
    let is_word = !["AND", "OR", "WITH", ")"].contains(licence);
    let mut is_met = LICENCES.contains(licence);
    if took(rest, "WITH") {
        let (exception, behind) = rest.split_first()?;
        *rest = behind;
        is_met &= EXCEPTIONS.contains(exception);
    }
    is_word.then_some(is_met)
}

fn took(rest: &mut &[&str], word: &'static str) -> bool {
    let Some(behind) = rest.strip_prefix(&[word]) else {
        return false;
    };
    *rest = behind;
    true
}

/// Versions with the same one of these take each other's place: the first number that is not zero, and those before it.
fn line(version: &str) -> String {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = plain.split('.').collect();
    let first = numbers.iter().position(|number| *number != "0");
    let upto = first.map_or(numbers.len(), |at| at + 1);
    numbers[..upto].join(".")
}

/// Names that are there in more than one line of versions.
fn twice(packages: &[&Value]) -> BTreeSet<String> {
    let mut lines: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let name = text(package, "name");
        let version = line(text(package, "version"));
        lines.entry(name).or_default().insert(version);
    }
    lines.retain(|_, lines| lines.len() > 1);
    lines.into_keys().map(str::to_owned).collect()
}

/// What may not stand below the program, with what is wrong about it.
fn refused(packages: &[&Value]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let licence = text(package, "license");
        if !is_allowed(licence) {
            found.push(format!("{}: licence {licence:?}", called(package)));
        }
        if text(package, "source") != CRATES_IO {
            let source = &package["source"];
            found.push(format!("{}: comes from {source}", called(package)));
        }
    }
    found
}

#[test]
fn every_dependency_may_be_passed_on_and_is_from_crates_io() {
    let metadata = need!(needs::metadata());
    let packages = dependencies(&metadata);
    assert!(packages.len() > 50, "the packages were not found");
    let found = refused(&packages);
    assert!(found.is_empty(), "{found:#?}");
}

/// Nor does the manifest, or a file of settings for this repository, put anything in the place of what is on crates.io.
#[test]
fn nothing_is_put_in_the_place_of_a_crate() {
    let metadata = need!(needs::metadata());
    let packages = metadata["packages"].as_array().unwrap();
    let own = &metadata["workspace_members"][0];
    let own = packages.iter().find(|package| package["id"] == *own);
    let asked = own.unwrap()["dependencies"].as_array().unwrap();
    assert!(!asked.is_empty());
    for dependency in asked {
        let name = text(dependency, "name");
        assert_eq!(text(dependency, "source"), CRATES_IO, "{name}");
        assert!(dependency.get("path").is_none(), "{name} has a path");
        assert_ne!(text(dependency, "req"), "*", "{name}");
    }
    let manifest = include_str!("../Cargo.toml");
    for table in ["[patch", "[replace"] {
        let is_there = manifest.lines().any(|line| line.starts_with(table));
        assert!(!is_there, "Cargo.toml has {table}");
    }
}

/// The lock file has a checksum for each crate, so that what is built is what was looked at.
#[test]
fn every_crate_is_locked_by_its_checksum() {
    let lock: toml::Table = include_str!("../Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let is_own = name == env!("CARGO_PKG_NAME");
        assert!(is_own || package.get("checksum").is_some(), "{name}");
    }
}

#[test]
fn no_crate_is_there_twice_but_for_a_reason() {
    let metadata = need!(needs::metadata());
    let found = twice(&dependencies(&metadata));
    let listed: BTreeSet<String> = TWICE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, listed, "what is there twice, and what may be");
}

#[test]
fn the_checks_themselves_see() {
    for allowed in [
        "MIT",
        "MIT/Apache-2.0",
        "Unlicense OR MIT",
        "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
        "(Apache-2.0 OR MIT) AND BSD-3-Clause",
        "Apache-2.0 WITH LLVM-exception",
        "GPL-3.0-only AND MIT OR Zlib",
    ] {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for other in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "MIT AND (GPL-3.0-only OR LGPL-2.1-or-later)",
        "Apache-2.0 WITH Commons-Clause",
        "MIT OR",
        "OR MIT",
        "(MIT",
        "MIT)",
        "MIT Apache-2.0",
    ] {
        assert!(!is_allowed(other), "{other}");
    }
    let package = |version: &str, licence: &str, source: Value| serde_json::json!({ "name": "a", "version": version, "license": licence, "source": source });
    let good = package("1.2.3", "MIT", CRATES_IO.into());
    let newer = package("1.9.0", "MIT", CRATES_IO.into());
    assert!(refused(&[&good]).is_empty() && twice(&[&good, &newer]).is_empty());
    let next = package("2.0.0", "MIT", CRATES_IO.into());
    assert_eq!(twice(&[&good, &next]).len(), 1);
    for bad in [
        package("1.2.3", "AGPL-3.0-only", CRATES_IO.into()),
        package("1.2.3", "MIT", "git+https://example.org/a".into()),
        package("1.2.3", "MIT", Value::Null),
        serde_json::json!({ "name": "a", "version": "1.2.3", "license": null, "source": CRATES_IO }),
    ] {
        assert_eq!(refused(&[&bad]).len(), 1, "{bad}");
    }
    assert_eq!(line("0.3.1"), "0.3");
    assert_eq!(line("0.0.7"), "0.0.7");
    assert_eq!(line("1.0.0-rc.1+b"), "1");
}
