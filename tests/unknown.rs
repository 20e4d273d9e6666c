//! What is not known is said, weighed and asked; an answer closes the question and is in the containers.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside any test function"
)]

mod small;

use serde_json::Value;
use small::{machine, program, service, write};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

fn transvase(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(args)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Migrates a machine; what stands in OUT/scan.json.
fn migrate(root: &Path, out: &Path, more: &[&str]) -> Value {
    let mut args = vec![
        "migrate",
        root.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
    ];
    args.extend(more);
    args.push("--allow-partial");
    let done = transvase(&args);
    assert!(done.status.success(), "{}", said(&done));
    serde_json::from_str(&std::fs::read_to_string(out.join("scan.json")).unwrap()).unwrap()
}

/// Rules of what is not known of a workload.
fn open(scan: &Value, workload: &str) -> BTreeSet<String> {
    let all = scan["concerns"].as_array().unwrap().iter();
    let own = all.filter(|concern| concern["workload"] == workload);
    let rules = own.filter_map(|concern| concern["rule"].as_str());
    let unknown = rules.filter_map(|rule| rule.strip_prefix("unknown/"));
    unknown.map(str::to_owned).collect()
}

fn workload<'s>(scan: &'s Value, id: &str) -> &'s Value {
    let mut all = scan["workloads"].as_array().unwrap().iter();
    all.find(|workload| workload["id"] == id).unwrap()
}

/// An application that nobody knows: a script that starts something in the background.
fn shop(root: &Path) {
    machine(root);
    program(root, "opt/shop/bin/shop", "#!/bin/dash\nshopd &\n");
    write(root, "opt/shop/share/words", "x");
    write(root, "var/lib/shop/orders", "x");
    let lines = "Type=forking\nUser=shop\nExecStart=/opt/shop/bin/shop\nEnvironment=SHOP_HOME=/var/lib/shop";
    service(root, "shop", lines);
}

#[test]
fn a_default_is_no_answer_where_the_configuration_was_not_found() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    machine(&root);
    program(&root, "usr/bin/postgres", "x");
    let lines = "User=shop\nExecStart=/usr/bin/postgres -D /data/gone";
    service(&root, "postgres", lines);
    let scan = migrate(&root, &scratch.path().join("out"), &[]);
    assert!(open(&scan, "postgres").contains("listener"));
    let all = scan["concerns"].as_array().unwrap().iter();
    let mut asked = all.filter(|concern| concern["rule"] == "unknown/listener");
    let detail = asked.next().unwrap()["detail"].as_str().unwrap();
    assert!(
        detail.contains("/data/gone/postgresql.conf was not found"),
        "{detail}"
    );
    // It is kept, though the disk that holds it was not handed over.
    assert_eq!(workload(&scan, "postgres")["data"][0]["path"], "/data/gone");
}

#[test]
fn a_service_that_nobody_knows_is_a_guess_and_asks() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    shop(&root);
    let out = scratch.path().join("out");
    let scan = migrate(&root, &out, &[]);
    let expected = ["command", "listener", "product", "state"].map(str::to_owned);
    assert_eq!(open(&scan, "shop"), BTreeSet::from(expected));
    let assessment = &workload(&scan, "shop")["assessment"];
    assert_eq!(assessment["certainty"], "guess");
    assert!(assessment["score"].as_u64().unwrap() < 60, "{assessment}");
    assert_eq!(scan["assessment"]["certainty"], "guess");
    // Every question is in the file, as comments: unchanged it answers nothing.
    let questions = out.join("questions.toml");
    let text = std::fs::read_to_string(&questions).unwrap();
    for key in [
        "ports = ",
        "state = [\"/var/lib/shop\"]",
        "command = ",
        "accepted = ",
    ] {
        assert!(text.contains(&format!("# {key}")), "{key}: {text}");
    }
    let again = scratch.path().join("again");
    let second = migrate(&root, &again, &["--answers", questions.to_str().unwrap()]);
    assert_eq!(open(&second, "shop"), open(&scan, "shop"));
    // And it is said where people look first.
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("How sure is this: guess"), "{report}");
    assert!(
        report.contains("Which addresses does it listen on?"),
        "{report}"
    );
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("What to answer"));
}

const ANSWERS: &str = r#"
[workloads.shop]
ports = ["8080", "127.0.0.1:9090/udp"]
state = ["/var/lib/shop"]
files = ["/srv/words"]
command = ["/opt/shop/bin/shop", "--foreground"]
environment = { SHOP_MODE = "quiet" }
"#;

#[test]
fn answers_close_questions_and_are_in_the_containers() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    shop(&root);
    write(&root, "srv/words/list", "x");
    let answers = scratch.path().join("answers.toml");
    std::fs::write(&answers, ANSWERS).unwrap();
    let out = scratch.path().join("out");
    let scan = migrate(&root, &out, &["--answers", answers.to_str().unwrap()]);
    assert_eq!(open(&scan, "shop"), BTreeSet::new());
    let shop = workload(&scan, "shop");
    assert_eq!(shop["assessment"]["certainty"], "known");
    assert_eq!(shop["listens"][0]["evidence"]["path"], "/answers.toml");
    let ports: Vec<u64> = shop["listens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["port"].as_u64().unwrap())
        .collect();
    assert_eq!(ports, [8080, 9090]);
    assert_eq!(shop["data"][0]["path"], "/var/lib/shop");
    let compose = std::fs::read_to_string(out.join("compose.yaml")).unwrap();
    assert!(compose.contains("8080"), "{compose}");
    assert!(compose.contains("/var/lib/shop"), "{compose}");
    let recipe = std::fs::read_to_string(out.join("workloads/shop/Dockerfile")).unwrap();
    assert!(recipe.contains("--foreground"), "{recipe}");
    assert!(recipe.contains("SHOP_MODE"), "{recipe}");
    assert!(out.join("workloads/shop/rootfs/srv/words/list").exists());
}

#[test]
fn a_disposition_and_an_accepted_question_are_answers() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    shop(&root);
    let answers = scratch.path().join("answers.toml");
    std::fs::write(
        &answers,
        "[workloads.\"shop.service\"]\naccepted = [\"unknown/command\"]\n",
    )
    .unwrap();
    let scan = migrate(
        &root,
        &scratch.path().join("a"),
        &["--answers", answers.to_str().unwrap()],
    );
    assert!(!open(&scan, "shop").contains("command"));
    std::fs::write(&answers, "[workloads.shop]\ndisposition = \"drop\"\n").unwrap();
    let scan = migrate(
        &root,
        &scratch.path().join("b"),
        &["--answers", answers.to_str().unwrap()],
    );
    assert_eq!(scan["workloads"].as_array().unwrap().len(), 0);
    let services = scan["services"].as_array().unwrap();
    let shop = services
        .iter()
        .find(|service| service["name"] == "shop.service")
        .unwrap();
    assert_eq!(shop["disposition"], "drop");
    assert_eq!(shop["reason"], "answered in /answers.toml:2");
}

#[test]
fn answers_that_cannot_be_taken_are_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    shop(&root);
    let answers = scratch.path().join("answers.toml");
    let refused = |text: &str| {
        std::fs::write(&answers, text).unwrap();
        let out = scratch.path().join("out");
        let done = transvase(&[
            "migrate",
            root.to_str().unwrap(),
            "-o",
            out.to_str().unwrap(),
            "--answers",
            answers.to_str().unwrap(),
        ]);
        assert_eq!(done.status.code(), Some(2), "{}", said(&done));
        assert!(!out.exists());
        said(&done)
    };
    let error = refused("[workloads.shpo]\nports = []\n");
    assert!(
        error.contains("\"shpo\"") && error.contains("Did you mean shop?"),
        "{error}"
    );
    let error = refused("[workloads.shop]\nports = \"8080\"\n");
    assert!(error.contains("answers.toml:2"), "{error}");
    let error = refused("[workloads.shop]\nenvironment = { API_TOKEN = \"q8Zt0pLmX2vR7sYw\" }\n");
    assert!(error.contains("API_TOKEN holds a secret"), "{error}");
    assert!(!error.contains("q8Zt0p"), "{error}");
}

#[test]
fn what_code_rules_out_is_not_asked() {
    // A program that only sleeps neither listens nor writes: its code says so.
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    machine(&root);
    let program = std::path::Path::new("/usr/bin/sleep");
    let copied = root.join("opt/idle/idle");
    std::fs::create_dir_all(copied.parent().unwrap()).unwrap();
    std::fs::copy(program, &copied).unwrap();
    for (at, library) in libraries(program).into_iter().enumerate() {
        let to = root.join(library.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&library, &to).unwrap_or_else(|error| panic!("{at}: {library}: {error}"));
    }
    service(
        &root,
        "idle",
        "ExecStart=/opt/idle/idle infinity\nUser=shop",
    );
    let scan = migrate(&root, &scratch.path().join("out"), &[]);
    assert_eq!(open(&scan, "idle"), BTreeSet::from(["product".to_owned()]));
}

/// What a program of this machine is linked with, as the headers of its file and of its libraries say.
fn libraries(program: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let places = [
        "/lib/x86_64-linux-gnu",
        "/lib/aarch64-linux-gnu",
        "/lib64",
        "/usr/lib64",
        "/usr/lib",
    ];
    let mut todo = vec![program.to_path_buf()];
    while let Some(file) = todo.pop() {
        let bytes = std::fs::read(&file).unwrap();
        let elf = goblin::elf::Elf::parse(&bytes).unwrap();
        let names = elf.libraries.iter().map(|name| (*name).to_owned());
        let loader = elf.interpreter.map(str::to_owned);
        for name in names.chain(loader) {
            let candidates = places.iter().map(|place| format!("{place}/{name}"));
            let mut candidates = candidates.chain([name.clone()]);
            let path = candidates.find(|path| Path::new(path).exists()).unwrap();
            if !found.contains(&path) {
                found.push(path.clone());
                todo.push(path.into());
            }
        }
    }
    found
}

#[test]
fn a_package_database_that_is_not_read_is_a_concern_and_unexamined() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    machine(&root);
    write(&root, "var/db/pkg/app-shells/bash-5.2/PF", "bash-5.2\n");
    let out = scratch.path().join("scan.json");
    let done = transvase(&["scan", root.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(3), "{}", said(&done));
    let scan: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let all = scan["concerns"].as_array().unwrap();
    let found = all
        .iter()
        .find(|concern| concern["rule"] == "unknown/packages")
        .unwrap();
    assert_eq!(
        found["evidence"][0]["path"],
        "/var/db/pkg/app-shells/bash-5.2/PF"
    );
    assert_eq!(scan["assessment"]["certainty"], "guess");
}

#[test]
fn files_that_nothing_carries_are_listed() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    shop(&root);
    write(&root, "srv/other/deep/file", "12345");
    write(&root, "srv/other/more", "12345");
    write(&root, "etc/shadow", "root:!:1::::::\n");
    let scan = migrate(&root, &scratch.path().join("out"), &[]);
    let left = scan["unclaimed"].as_array().unwrap();
    let other = left
        .iter()
        .find(|left| left["path"] == "/srv/other")
        .unwrap();
    assert_eq!(
        (other["names"].as_u64(), other["bytes"].as_u64()),
        (Some(2), Some(10))
    );
    assert_eq!(other["changed"].as_str().unwrap().len(), "2026-01-01".len());
    let paths: Vec<&str> = left
        .iter()
        .map(|left| left["path"].as_str().unwrap())
        .collect();
    assert!(
        !paths.contains(&"/etc/shadow"),
        "every machine has one: {paths:?}"
    );
    assert!(
        !paths.iter().any(|path| path.starts_with("/opt/shop")),
        "it is carried: {paths:?}"
    );
}

#[test]
fn what_configuration_names_is_offered_as_an_answer() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    machine(&root);
    program(&root, "opt/shop/bin/shop", "#!/bin/dash\nshopd &\n");
    let text = "# port = 1\nadmin_port: 9000\nListen 127.0.0.1:8081\nupstream_port = 5432\n";
    write(&root, "etc/shop/shop.conf", text);
    service(
        &root,
        "shop",
        "ExecStart=/opt/shop/bin/shop -c /etc/shop/shop.conf",
    );
    let out = scratch.path().join("out");
    let scan = migrate(&root, &out, &[]);
    assert!(
        open(&scan, "shop").contains("listener"),
        "a name is no listener"
    );
    let questions = std::fs::read_to_string(out.join("questions.toml")).unwrap();
    assert!(
        questions.contains("# ports = [\"127.0.0.1:8081\", \"9000\"]"),
        "{questions}"
    );
}

#[test]
fn a_part_of_a_pod_stands_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/machines/shop/root");
    let out = scratch.path().join("out");
    migrate(
        &shop,
        &out,
        &["--workload", "shop", "--workload", "redis-server"],
    );
    let compose = std::fs::read_to_string(out.join("compose.yaml")).unwrap();
    let held = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("network_mode: \"service:"));
    for holder in held.map(|name| name.trim_end_matches('"')) {
        assert!(
            compose.contains(&format!("\n  \"{holder}\":")),
            "{holder}: {compose}"
        );
    }
    let depends = compose.contains("\"postgresql-15-main\":");
    assert!(!depends, "it was not chosen: {compose}");
    let page = std::fs::read_to_string(out.join("workloads/shop/README.md")).unwrap();
    assert!(page.contains("which was not chosen"), "{page}");
}

#[test]
fn who_only_adds_to_a_file_of_its_own_is_asked_where() {
    // A program that opens and writes, and does nothing else to files: its user's directory may hold what it wrote.
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    machine(&root);
    let program = Path::new("/usr/bin/sleep");
    let copied = root.join("opt/idle/idle");
    std::fs::create_dir_all(copied.parent().unwrap()).unwrap();
    std::fs::copy(program, &copied).unwrap();
    for library in libraries(program) {
        let to = root.join(library.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&library, &to).unwrap();
    }
    std::fs::create_dir_all(root.join("var/lib/idle")).unwrap();
    let lines = "ExecStart=/opt/idle/idle infinity\nUser=shop\nEnvironment=IDLE_HOME=/var/lib/idle";
    service(&root, "idle", lines);
    let out = scratch.path().join("out");
    let scan = migrate(&root, &out, &[]);
    assert!(open(&scan, "idle").contains("state"));
    let questions = std::fs::read_to_string(out.join("questions.toml")).unwrap();
    assert!(
        questions.contains("# state = [\"/var/lib/idle\"]"),
        "{questions}"
    );
}

#[test]
fn a_file_of_questions_without_its_marks_is_an_answer() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    shop(&root);
    write(&root, "var/lib/shop/a\nb\"c/x", "x");
    let out = scratch.path().join("out");
    migrate(&root, &out, &[]);
    let text = std::fs::read_to_string(out.join("questions.toml")).unwrap();
    let bare = text
        .lines()
        .map(|line| line.strip_prefix('#').unwrap_or(line));
    let bare: Vec<&str> = bare.collect();
    let answers = scratch.path().join("answers.toml");
    std::fs::write(&answers, bare.join("\r\n")).unwrap();
    migrate(
        &root,
        &scratch.path().join("again"),
        &["--answers", answers.to_str().unwrap()],
    );
}

#[test]
fn an_answer_that_the_disk_does_not_have_stays_a_question() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    shop(&root);
    let answers = scratch.path().join("answers.toml");
    let text = "[workloads.shop]\nports = [80]\nstate = [\"/var/lib/shpo\"]\nfiles = [\"/srv/none\"]\ncommand = [\"/opt/none\"]\n";
    std::fs::write(&answers, text).unwrap();
    let out = scratch.path().join("out");
    let scan = migrate(&root, &out, &["--answers", answers.to_str().unwrap()]);
    let expected = ["command", "files", "state"].map(str::to_owned);
    assert_eq!(open(&scan, "shop"), BTreeSet::from(expected));
    let recipe = std::fs::read_to_string(out.join("workloads/shop/Dockerfile")).unwrap();
    assert!(recipe.contains("900"), "its volume is its user's: {recipe}");
}
