//! What a person sees: on a terminal of 80 and of 160 columns, without colour, in a locale that is not UTF-8, and in a pipe.
//! The terminal is one that script(1) makes.

#![cfg(test)]

mod needs;
mod report_support;

use needs::need;
use report_support::{empty, large, repository, shop};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};
use transvase::scan::Scan;
use transvase::ui::text;

const PROGRAM: &str = env!("CARGO_BIN_EXE_transvase");
const SHOP: &str = "fixtures/machines/shop/root";

/// A command in an environment that says nothing of its own.
fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(repository());
    for name in [
        "LC_ALL",
        "LC_CTYPE",
        "LANG",
        "NO_COLOR",
        "CI",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
    ] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color");
    command
}

fn piped(args: &[&str]) -> Output {
    command(PROGRAM).args(args).output().unwrap()
}

/// What the program writes to a terminal of so many columns, standard output and error as they come; `None` where nothing
/// makes one.
fn on_terminal(width: usize, environment: &[(&str, &str)], args: &[&str]) -> Option<String> {
    let words = args.iter().map(|word| format!(" '{word}'"));
    let line = format!(
        "stty cols {width} rows 50; exec '{PROGRAM}'{}",
        words.collect::<String>()
    );
    let done = command(needs::tool("script")?)
        .args(["-qec", &line, "/dev/null"])
        .envs(environment.iter().copied())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The text without its escapes (ECMA-48, control sequences), as columns show it.
fn bare(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        let end = sequence.find(|c: char| ('@'..='~').contains(&c)).unwrap();
        rest = &sequence[end + 1..];
    }
    plain + rest
}

fn saved(directory: &Path, scan: &Scan) -> String {
    let path = directory.join("scan.json");
    std::fs::write(&path, scan.to_json()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn widest(text: &str) -> usize {
    let lines = text.lines().map(|line| text::columns(line.trim_end()));
    lines.max().unwrap_or_default()
}

#[test]
fn a_summary_fits_the_terminal_and_uses_it() {
    let scratch = tempfile::tempdir().unwrap();
    for scan in [shop(), large()] {
        let scan = saved(scratch.path(), &scan);
        let narrow = bare(&need!(on_terminal(80, &[], &["report", &scan])));
        let wide = bare(&need!(on_terminal(160, &[], &["report", &scan])));
        assert!(narrow.contains("Workloads"), "{narrow}");
        assert!(
            widest(&narrow) <= 80,
            "{} columns:\n{narrow}",
            widest(&narrow)
        );
        assert!(
            widest(&wide) <= 160 && widest(&wide) > 80,
            "{} columns:\n{wide}",
            widest(&wide)
        );
        assert!(
            wide.lines().count() < narrow.lines().count(),
            "the width there is, is used"
        );
    }
}

#[test]
fn a_machine_without_a_workload_is_summed_up_as_well() {
    let scratch = tempfile::tempdir().unwrap();
    let scan = saved(scratch.path(), &empty());
    let text = bare(&need!(on_terminal(80, &[], &["report", &scan])));
    assert!(
        text.contains("shop") && !text.contains("Workloads"),
        "{text}"
    );
    assert!(widest(&text) <= 80, "{text}");
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let scratch = tempfile::tempdir().unwrap();
    let scan = saved(scratch.path(), &shop());
    let escapes = |text: &str| text.contains('\u{1b}');
    assert!(escapes(&need!(on_terminal(80, &[], &["report", &scan]))));
    let quiet = [
        need!(on_terminal(80, &[("NO_COLOR", "1")], &["report", &scan])),
        need!(on_terminal(80, &[("TERM", "dumb")], &["report", &scan])),
        need!(on_terminal(80, &[], &["report", &scan, "--color", "never"])),
    ];
    for text in quiet {
        assert!(!escapes(&text) && text.contains("Workloads"), "{text:?}");
    }
    let done = piped(&["report", &scan]);
    assert!(
        !escapes(&String::from_utf8_lossy(&done.stdout)),
        "a pipe has no colour"
    );
    assert!(done.stderr.is_empty());
    let asked = piped(&["report", &scan, "--color", "always"]);
    let asked = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(escapes(&asked), "unless it is asked for");
    assert_eq!(
        bare(&asked),
        String::from_utf8_lossy(&done.stdout),
        "colour says nothing of its own"
    );
}

#[test]
fn a_locale_without_utf8_gets_ascii_and_programs_get_their_bytes() {
    let scratch = tempfile::tempdir().unwrap();
    let mut scan = shop();
    scan.machine.hostname = Some("größe".into());
    scan.assessment.summary.push_str(" – всё");
    let scan = saved(scratch.path(), &scan);
    for locale in ["C", "de_DE.ISO-8859-1"] {
        let text = need!(on_terminal(80, &[("LC_ALL", locale)], &["report", &scan]));
        assert!(
            text.is_ascii() && text.contains("gr\\u{f6}\\u{df}e"),
            "{locale}: {text}"
        );
    }
    for locale in ["C.UTF-8", "en_GB.utf8", ""] {
        let text = need!(on_terminal(80, &[("LC_ALL", locale)], &["report", &scan]));
        assert!(text.contains("größe"), "{locale:?}: {text}");
    }
    let json = command(PROGRAM)
        .args(["report", &scan, "--format", "json"])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(String::from_utf8(json.stdout).unwrap().contains("größe"));
}

#[test]
fn progress_is_for_terminals_and_not_for_machines() {
    let scratch = tempfile::tempdir().unwrap();
    let scan = scratch.path().join("scan.json");
    let args = ["scan", SHOP, "-o", scan.to_str().unwrap()];
    let done = piped(&args);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        !said.contains(['\r', '\u{1b}']) && said.contains("Workloads"),
        "{said:?}"
    );
    assert!(done.stdout.is_empty(), "the result is in its file");
    let quiet = [&args[..], &["--quiet"]].concat();
    assert!(piped(&quiet).stderr.is_empty());
    let silent = [&args[..], &["--quiet", "-vv"]].concat();
    assert!(piped(&silent).stderr.is_empty(), "quiet is quiet");
    let stderr = |more: &str| {
        let done = piped(&[&args[..], &[more]].concat());
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let file = "/etc/nginx/nginx.conf: ";
    let said = stderr("-v");
    let phases = ["opening: ", "walking: ", "reading: ", "studying: "];
    assert!(phases.iter().all(|phase| said.contains(phase)), "{said}");
    let reading = said
        .lines()
        .find(|line| line.starts_with("reading: "))
        .unwrap();
    assert!(
        reading.contains(" files, ") && reading.ends_with("/s)"),
        "counts and rate: {reading}"
    );
    assert!(!said.contains(file), "{said}");
    let said = stderr("-vv");
    let line = said.lines().find(|line| line.contains(file)).unwrap();
    assert!(
        line.contains(" ms, for ") && line.contains("config/syntax"),
        "size, time and by whom: {line}"
    );
    let shown = need!(on_terminal(80, &[], &args));
    assert!(
        shown.contains("reading") && shown.contains("/s, "),
        "a bar has a rate: {shown:?}"
    );
    assert!(
        bare(&shown)
            .split(['\r', '\n'])
            .all(|line| text::columns(line) <= 80),
        "{shown:?}"
    );
    let ci = need!(on_terminal(80, &[("CI", "true")], &args));
    assert!(
        !ci.contains("\u{1b}[2K") && !ci.contains("walking"),
        "{ci:?}"
    );
}

#[test]
fn a_mistyped_id_is_met_with_the_one_that_was_meant() {
    let said = |args: &[&str]| {
        let done = piped(args);
        assert_eq!(done.status.code(), Some(2));
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let rule = said(&["explain", "kernel/host-sysctrl"]);
    assert!(rule.contains("Did you mean kernel/host-sysctl?"), "{rule}");
    assert!(said(&["explain", "ngnix"]).contains("Did you mean web/nginx?"));
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let workload = said(&[
        "migrate",
        SHOP,
        "-o",
        out.to_str().unwrap(),
        "--workload",
        "ngin",
    ]);
    assert!(
        workload.contains("--workload")
            && workload.contains("Did you mean nginx?")
            && workload.contains("shop"),
        "{workload}"
    );
    assert!(!out.exists());
    for (args, meant) in [
        (&["report", SHOP, "--format", "htm"][..], "html"),
        (&["scan", SHOP, "--target", "kubevrt"], "kubevirt"),
        (&["scan", SHOP, "--fail-on", "blocked"], "blocker"),
        (&["inspct", SHOP], "inspect"),
        (&["scan", SHOP, "--read-limt", "4M"], "--read-limit"),
        (
            &["inspect", SHOP, "cat", "/etc/nginx/ngnix.conf"],
            "nginx.conf",
        ),
        (
            &["inspect", SHOP, "ls", "/etc/no/such/path"],
            "as far as /etc",
        ),
        (&["report", "no-such.json"], "scan.json"),
    ] {
        let said = said(args);
        assert!(said.contains(meant), "{args:?}: {said}");
    }
}

#[test]
fn a_gate_that_is_not_met_says_which_and_what_changes_it() {
    let stderr = |args: &[&str]| String::from_utf8_lossy(&piped(args).stderr).into_owned();
    let said = stderr(&["scan", SHOP, "--fail-under", "100", "--fail-on", "minor"]);
    assert!(
        said.contains("below --fail-under 100") && said.contains("--fail-on is minor"),
        "{said}"
    );
    let scratch = tempfile::tempdir().unwrap();
    let etc = scratch.path().join("etc");
    std::fs::create_dir_all(etc.join("cron.d")).unwrap();
    std::fs::write(etc.join("os-release"), "ID=debian\n").unwrap();
    std::fs::write(etc.join("cron.d/large"), vec![b'#'; 2 << 20]).unwrap();
    let source = scratch.path().to_str().unwrap();
    let said = stderr(&["scan", source]);
    assert!(
        said.contains("1 part was not examined") && said.contains("--allow-partial"),
        "{said}"
    );
    let shown = piped(&["report", source]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let reason =
        "/etc/cron.d/large: 2097152 bytes, more than the limit of 1048576; --read-limit raises it";
    assert!(flat.contains(reason), "path, limit and option: {shown}");
    let done = piped(&["scan", source, "--read-limit", "2M"]);
    assert_eq!(done.status.code(), Some(0), "and it does");
}

#[test]
fn completions_and_manual_pages_come_from_the_definitions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = piped(&["completions", shell]);
        let script = String::from_utf8(done.stdout).unwrap();
        assert!(
            done.status.success() && script.contains("fail-under"),
            "{shell}"
        );
    }
    let script = piped(&["completions", "bash"]).stdout;
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("completion");
    std::fs::write(&path, script).unwrap();
    assert!(
        command("bash")
            .arg("-n")
            .arg(&path)
            .status()
            .unwrap()
            .success(),
        "bash takes it"
    );
    let pages = scratch.path().join("man/man1");
    assert!(piped(&["man", pages.to_str().unwrap()]).status.success());
    for name in [
        "transvase",
        "transvase-migrate",
        "transvase-report",
        "transvase-detectors-check",
    ] {
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".TH ") && page.contains(".SH NAME"), "{name}");
    }
    assert!(
        String::from_utf8(piped(&["man"]).stdout)
            .unwrap()
            .contains(".TH transvase")
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let line = format!("'{PROGRAM}' report tests/golden/shop/scan.json --format json | head -c 10");
    let done = command("bash")
        .args(["-o", "pipefail", "-c", &line])
        .output()
        .unwrap();
    assert!(
        done.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
