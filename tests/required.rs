//! No test is left out unseen: what a test needs it takes by `need!` of `tests/needs`, and ends early in no other way. That
//! is read off the sources, for whoever counts tests counts one that ended early like any other.

#![cfg(test)]

mod needs;

use needs::need;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What only `tests/needs` reads.
const VARIABLES: &[&str] = &["E2E", "CORPUS", "NODE_MODULES", "PYTHON", "SARIF_SCHEMA"];

/// Packages that every Debian has: their programs are started by their names.
const ESSENTIAL: &[&str] = &[
    "apt",
    "bash",
    "bsdutils",
    "coreutils",
    "dash",
    "diffutils",
    "dpkg",
    "libc-bin",
    "mount",
    "tar",
    "util-linux",
];

/// The sources below a folder, with their paths from the repository's top.
fn sources(folder: &str) -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = walkdir::WalkDir::new(top.join(folder)).sort_by_file_name();
    let paths = entries.into_iter().map(|entry| entry.unwrap().into_path());
    let sources = paths.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let named = sources.map(|path: PathBuf| {
        let name = path.strip_prefix(top).unwrap().display().to_string();
        (name, fs::read_to_string(path).unwrap())
    });
    named.collect()
}

/// The texts between an opening and the closing after it.
fn between<'a>(text: &'a str, opening: &str, closing: &str) -> Vec<&'a str> {
    let parts = text.split(opening).skip(1);
    parts
        .map(|part| part.split(closing).next().unwrap_or_default())
        .collect()
}

/// Whether a line of code ends its function with nothing to show for it.
fn ends_early(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let mut after = code.split("return").skip(1).map(str::trim);
    after.any(|rest| {
        let value = rest.trim_end_matches([';', ',', '}', ' ']);
        ["", "()", "None", "Ok(())"].contains(&value)
    })
}

/// The package of a program that a test may start.
fn package(program: &str) -> Option<&'static str> {
    let mut all = needs::PACKAGES.iter().chain(needs::PYPI);
    all.find_map(|(package, programs)| programs.contains(&program).then_some(*package))
}

/// The programs that a source asks for.
fn asked(source: &str) -> Vec<&str> {
    let lists = between(source, concat!("tools(", "&["), "]");
    let listed = lists.into_iter().flat_map(|list| between_quotes(list));
    let mut asked = between(source, "tool(\"", "\"");
    asked.extend(listed);
    asked
}

fn between_quotes(list: &str) -> Vec<&str> {
    list.split('"').skip(1).step_by(2).collect()
}

/// How a source leaves something out unseen, or could.
fn unseen(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for print in between(source, "print", ";") {
        let is_macro = print.trim_start_matches("ln").starts_with("!(");
        if is_macro && print.to_lowercase().contains("skip") {
            found.push(format!("prints that it skips: {print}"));
        }
    }
    for variable in VARIABLES {
        if source.contains(&format!("\"TRANSVASE_{variable}\"")) {
            found.push(format!("reads TRANSVASE_{variable} itself"));
        }
    }
    if source.contains(concat!("#[", "ignore")) {
        found.push("has a test that is run only on request".into());
    }
    found
}

/// The same of a source of tests, where nothing else ends early either.
fn unseen_in_tests(source: &str) -> Vec<String> {
    let mut found = unseen(source);
    let early = source.lines().filter(|line| ends_early(line));
    found.extend(early.map(|line| format!("ends early: {}", line.trim())));
    let asked = asked(source);
    let packages: Vec<_> = asked.iter().map(|program| package(program)).collect();
    for (program, package) in asked.iter().zip(&packages) {
        if package.is_none() {
            found.push(format!(
                "asks for {program}, which tests/needs does not know"
            ));
        }
    }
    for program in between(source, "Command::new(\"", "\"") {
        let package = package(program);
        let is_essential = package.is_some_and(|package| ESSENTIAL.contains(&package));
        if !is_essential && (package.is_none() || !packages.contains(&package)) {
            found.push(format!("starts {program} and does not ask for it"));
        }
    }
    found
}

#[test]
fn every_test_says_what_it_needs_in_one_way() {
    let (tests, program) = (sources("tests"), sources("src"));
    assert!(tests.len() > 40 && program.len() > 100);
    let of = |sources: Vec<(String, String)>, look: fn(&str) -> Vec<String>| {
        let others = sources
            .into_iter()
            .filter(|(name, _)| !name.starts_with("tests/needs/"));
        let found = others.flat_map(move |(name, source)| {
            let found = look(&source).into_iter();
            found.map(move |what| format!("{name} {what}"))
        });
        found.collect::<Vec<_>>()
    };
    let found = [of(tests, unseen_in_tests), of(program, unseen)].concat();
    assert!(found.is_empty(), "{found:#?}");
}

/// Every way there was, and a few more; `~` keeps this file from being found itself.
#[test]
fn each_way_around_it_is_found() {
    for source in [
        "let Some(tool) = tool(\"mke2fs\") else {\n    ret~urn;\n};",
        "let Some(said) = said(source) else { ret~urn };",
        "None => ret~urn,",
        "ret~urn Ok(());",
        "ret~urn None;",
        "if absent { ret~urn (); }",
        "None => epr~intln!(\"skipped: no compiler\"),",
        "pr~intln!(\n    \"Skipping {name}\"\n);",
        "std::env::var_os(\"TRANSVASE_~E2E\").is_none()",
        "std::env::var(\"TRANSVASE_~CORPUS\")",
        "#[ign~ore = \"slow\"]",
        "Command::n~ew(\"strace\").output().is_err()",
        "Command::n~ew(\"unknown\")",
        "needs::to~ol(\"unknown\")",
        "needs::to~ols(&[\"mke2fs\", \"unknown\"])",
    ] {
        let found = unseen_in_tests(&source.replace('~', ""));
        assert_eq!(found.len(), 1, "{source}: {found:?}");
    }
    for source in [
        "let mke2fs = need!(tool(\"mke2fs\"));",
        "return Some(path);",
        "let all = 1; // and then return;",
        "/// What it returns.",
        "let script = \"int main(void) { return run(); }\";",
        "println!(\"{said}\");",
        "names.iter().skip(1)",
        "std::env::var_os(\"TRANSVASE_E2E_DIR\")",
        "needs::tool(\"mkfs.btrfs\")?; Command::new(\"btrfs\");",
        "Command::new(\"sh\")",
    ] {
        assert_eq!(unseen_in_tests(source), [] as [&str; 0], "{source}");
    }
}

/// `.ci/run` has to bring what the tests ask for.
#[test]
fn ci_installs_what_tests_need() {
    let script = fs::read_to_string(need!(needs::repository(".ci/run"))).unwrap();
    let words: Vec<&str> = script.split([' ', '\n', '=', '\'', '[']).collect();
    for (package, _) in needs::PACKAGES.iter().chain(needs::PYPI) {
        // What installs is there.
        let is_there = ["apt", "dpkg"].contains(package);
        assert!(is_there || words.contains(package), "{package}");
    }
    for variable in VARIABLES.iter().filter(|name| **name != "PYTHON") {
        let handed = format!("export TRANSVASE_{variable}");
        assert!(script.contains(&handed), "{handed}");
    }
}

/// Runs the test below alone, as a child that finds nothing.
fn child(is_asked: bool) -> Output {
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new(own);
    command
        .args(["--exact", "what_is_missing_is_a_line_or_a_failure"])
        .env("TRANSVASE_CHILD", "1")
        .env(format!("TRANSVASE_{}", VARIABLES[1]), "/nowhere")
        .env(
            format!("TRANSVASE_{}", VARIABLES[0]),
            if is_asked { "1" } else { "" },
        );
    command.output().unwrap()
}

#[test]
fn what_is_missing_is_a_line_or_a_failure() {
    let said = "there is no /nowhere/disk: set TRANSVASE_CORPUS to";
    if std::env::var_os("TRANSVASE_CHILD").is_some() {
        let found = need!(needs::corpus("disk"));
        panic!("{} was found", found.display());
    }
    let plain = child(false);
    let line = String::from_utf8_lossy(&plain.stderr);
    assert!(plain.status.success(), "{plain:?}");
    assert!(
        line.starts_with("skipped: ") && line.contains(said),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1, "{line}");
    let asked = child(true);
    let failure = String::from_utf8_lossy(&asked.stdout);
    assert!(
        !asked.status.success() && failure.contains(said),
        "{failure}"
    );
}
