//! A value with everything that any of our languages reads something into comes back whole from every artefact, read by
//! somebody else's parser wherever there is one.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside any test function"
)]

mod needs;
mod render_support;

use needs::need;
use render_support::{HOSTILE, as_user, bench, configuration, evidence, lint, listen, workload};
use std::fs;
use std::path::Path;
use std::process::Command;
use transvase::quote;
use transvase::render::Options;
use transvase::service::{ScheduledJob, Starter};
use transvase::workload::Workload;

/// What a line can hold of it.
fn one_line() -> String {
    HOSTILE.replace(['\n', '\t'], " ")
}

/// What a Dockerfile can hold of it: the entry point has the rest.
fn seen() -> String {
    one_line().replace('\u{202e}', "")
}

fn hostile() -> Workload {
    let mut workload = workload("app", &["/usr/bin/printf", "%s", HOSTILE]);
    workload.title = HOSTILE.into();
    workload.environment = vec![
        ("ONE".into(), format!("{}x", seen())),
        ("SEVERAL".into(), HOSTILE.into()),
    ];
    workload.listens = vec![listen("0.0.0.0", 8080)];
    let mut place = evidence("/etc/x", 1);
    place.path = format!("/etc/{HOSTILE}").as_str().into();
    for service in &mut workload.services {
        service.commands.start[0].evidence = place.clone();
        service.working_directory = Some(format!("/srv/{}x", seen()).as_str().into());
    }
    workload.data = vec![render_support::data(&format!("/var/lib/{}", one_line()))];
    workload
}

fn written(workloads: &[Workload]) -> (tempfile::TempDir, std::path::PathBuf) {
    let bench = bench(&[("/usr/bin/printf", ""), ("/etc/x.conf", "1")]);
    let plans = bench.plan(workloads, false);
    let (out, _) = bench.write("out", &plans, Options::default());
    (bench.dir, out)
}

fn text(out: &Path, name: &str) -> String {
    fs::read_to_string(out.join(name)).unwrap()
}

#[test]
fn a_shell_reads_its_word_back() {
    let line = format!("printf %s {}", quote::shell(HOSTILE));
    let run = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap(), HOSTILE);
    let line = format!("printf %s {}", quote::build_shell(&one_line()));
    let run = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap(), one_line());
    assert!(!quote::build_shell(HOSTILE).contains('\n'));
}

#[test]
fn a_path_with_newlines_and_stray_bytes_is_found_by_the_shell() {
    let dir = tempfile::tempdir().unwrap();
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"a\nb $c'\xff\xfe\"d");
    fs::write(dir.path().join(name), "found").unwrap();
    let path = transvase::path::MachinePath::new(
        [b"/", std::os::unix::ffi::OsStrExt::as_bytes(name)].concat(),
    );
    let word = quote::build_path(dir.path().to_str().unwrap(), &path);
    assert!(!word.contains('\n'));
    let run = Command::new("sh")
        .args(["-c", &format!("cat {word}")])
        .output()
        .unwrap();
    assert_eq!(run.stdout, b"found");
}

#[test]
fn the_entry_point_exports_what_an_image_cannot_hold() {
    let (_dir, out) = written(&[hostile()]);
    let script = out.join("workloads/app/entrypoint.sh");
    let run = Command::new("sh")
        .arg(script)
        .args(["printenv", "SEVERAL"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(run.stdout).unwrap(),
        format!("{HOSTILE}\n")
    );
}

#[test]
fn the_dockerfile_keeps_commands_and_variables() {
    let (_dir, out) = written(&[hostile()]);
    let dockerfile = text(&out, "workloads/app/Dockerfile");
    let command = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("CMD "))
        .unwrap();
    let argv: Vec<String> = serde_json::from_str(command).unwrap();
    assert_eq!(argv, ["/usr/bin/printf", "%s", HOSTILE]);
    let value = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("ENV ONE="))
        .unwrap();
    assert_eq!(dockerfile_word(value), format!("{}x", seen()));
    assert!(quote::dockerfile_word("a\\").is_none() && quote::dockerfile_word("a\nb").is_none());
    assert!(quote::dockerfile_word("a\u{202e}").is_none());
    let directory = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("WORKDIR "))
        .unwrap();
    assert_eq!(dockerfile_word(directory), format!("/srv/{}x", seen()));
    // Nothing of the machine starts an instruction of its own, and nothing hides.
    let known = [
        "#",
        "FROM ",
        "COPY ",
        "RUN ",
        " && ",
        "      ",
        "    #",
        "ENV ",
        "WORKDIR ",
        "EXPOSE ",
        "USER ",
        "STOPSIGNAL ",
        "HEALTHCHECK ",
        "ENTRYPOINT ",
        "CMD ",
    ];
    for line in dockerfile.lines().filter(|line| !line.is_empty()) {
        assert!(known.iter().any(|start| line.starts_with(start)), "{line}");
    }
    assert!(!dockerfile.contains('\u{202e}'), "{dockerfile}");
    assert_eq!(need!(lint(&out)), "");
}

/// A double-quoted word of the Dockerfile language (reference, "Escape" and "Environment replacement").
fn dockerfile_word(word: &str) -> String {
    let inner = word.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    let (mut value, mut chars) = (String::new(), inner.chars());
    while let Some(c) = chars.next() {
        assert_ne!(c, '$', "a variable would be replaced");
        value.push(if c == '\\' { chars.next().unwrap() } else { c });
    }
    value
}

#[test]
fn compose_keeps_what_a_yaml_reader_sees() {
    let (_dir, out) = written(&[hostile()]);
    let compose: serde_json::Value = serde_saphyr::from_str(&text(&out, "compose.yaml")).unwrap();
    let service = &compose["services"]["app"];
    let target = service["volumes"][0]["target"].as_str().unwrap();
    assert_eq!(
        target.replace("$$", "$"),
        format!("/var/lib/{}", one_line())
    );
    assert_eq!(service["ports"][0], "${APP_PORT_8080:-8080}:8080");
    assert_eq!(service["build"]["context"], "./workloads/app");
    for value in [HOSTILE, "no", "1e3", "12:30", "~", "", " x "] {
        let back: String = serde_saphyr::from_str(&quote::yaml(value)).unwrap();
        assert_eq!(back.replace("$$", "$"), value);
    }
}

#[test]
fn pages_keep_their_tables_and_lists() {
    let (_dir, out) = written(&[hostile()]);
    for name in ["README.md", "workloads/app/README.md"] {
        let page = text(&out, name);
        assert!(
            !page.contains('\u{202e}') && page.contains("\\u{202e}"),
            "{name}"
        );
        assert!(
            !page.lines().any(|line| line.starts_with("b'c")),
            "{name}: a line of the machine's own"
        );
    }
    let cell = quote::code("a|b`c``d");
    assert_eq!(cell, "```a\\|b`c``d```");
    assert_eq!(quote::markdown("<b>*x*|"), "\\<b\\>\\*x\\*\\|");
}

#[test]
fn a_job_keeps_its_line() {
    let mut jobs = workload("jobs", &[]);
    jobs.services.clear();
    let command = one_line();
    jobs.jobs = vec![ScheduledJob {
        name: "job".into(),
        manager: Starter::Cron,
        enabled: true,
        schedule: "*/5 * * * *".into(),
        cron: Some("*/5 * * * *".into()),
        user: "app".into(),
        command: command.clone(),
        environment: vec![
            ("A".into(), " x\"y ".into()),
            ("MAILTO".into(), "me".into()),
        ],
        secret: false,
        service: None,
        evidence: evidence("/etc/cron.d/x\ny", 3),
    }];
    let (_dir, out) = written(&[jobs]);
    let table = text(&out, "workloads/jobs/rootfs/etc/cron.d/jobs");
    let lines: Vec<&str> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(lines, ["A=' x\"y '", &format!("*/5 * * * * app {command}")]);
}

#[test]
fn carried_names_stay_whole() {
    let bench = bench(&[
        ("/srv/app/a\nb $c'\"d/{{e}}", "content"),
        ("/etc/x.conf", "1"),
    ]);
    let mut app = as_user(workload("app", &["/bin/true"]), "app");
    app.claims = vec!["/srv/app".into()];
    app.configuration = vec![configuration("/etc/x.conf")];
    let (out, _) = bench.write("out", &bench.plan(&[app], false), Options::default());
    let name = "workloads/app/rootfs/srv/app/a\nb $c'\"d/{{e}}";
    assert_eq!(fs::read_to_string(out.join(name)).unwrap(), "content");
}

#[test]
fn an_environment_file_is_read_back_by_a_shell() {
    let line = format!("A={}; printf %s \"$A\"", quote::dotenv("a b$c#d"));
    let run = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap(), "a b$c#d");
}
