//! A thousand secrets in the forms of `tests/plants`: none in any report or artefact, none carried into a context.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside any test function"
)]

mod plants;

use plants::{Plant, plants, value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let file = root.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

fn transvase(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(args)
        .output()
        .unwrap()
}

/// A machine with one application in /srv/app, and what a test adds to it.
fn machine(root: &Path, service: &str) {
    write(
        root,
        "etc/os-release",
        "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian 12\"\n",
    );
    write(
        root,
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\napp:x:900:900::/srv/app:/bin/sh\n",
    );
    write(root, "etc/group", "root:x:0:\napp:x:900:\n");
    write(root, "srv/app/run.py", "#!/usr/bin/python3\nprint('x')\n");
    write(root, "usr/bin/python3", "#!/bin/sh\n");
    write(root, "usr/lib/systemd/systemd", "x");
    write(
        root,
        "usr/lib/systemd/system/multi-user.target",
        "[Unit]\nAllowIsolate=yes\n",
    );
    let default = root.join("usr/lib/systemd/system/default.target");
    std::os::unix::fs::symlink("multi-user.target", default).unwrap();
    write(root, "var/lib/dpkg/status", "");
    let unit = format!(
        "[Unit]\nDescription=App\n[Service]\nUser=app\nWorkingDirectory=/srv/app\n{service}\n[Install]\nWantedBy=multi-user.target\n"
    );
    write(root, "etc/systemd/system/app.service", unit);
    let wants = root.join("etc/systemd/system/multi-user.target.wants");
    std::fs::create_dir_all(&wants).unwrap();
    std::os::unix::fs::symlink("../app.service", wants.join("app.service")).unwrap();
}

/// Every file below a directory, as text.
fn texts(directory: &Path) -> BTreeMap<String, String> {
    let files = walkdir::WalkDir::new(directory)
        .into_iter()
        .map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let text = |entry: walkdir::DirEntry| {
        let name = entry
            .path()
            .strip_prefix(directory)
            .unwrap()
            .display()
            .to_string();
        let bytes = std::fs::read(entry.path()).unwrap();
        (name, String::from_utf8_lossy(&bytes).into_owned())
    };
    files.map(text).collect()
}

/// All that the program says about a machine, by where it says it.
fn said(root: &Path, scratch: &Path) -> BTreeMap<String, String> {
    let out = scratch.join("out");
    let done = transvase(&[
        "migrate",
        root.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
        "--allow-partial",
        "-vv",
    ]);
    let error = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{error}");
    let mut all = texts(&out);
    let scan = scratch.join("scan.json");
    let done = transvase(&[
        "scan",
        root.to_str().unwrap(),
        "--allow-partial",
        "-o",
        scan.to_str().unwrap(),
        "-vv",
    ]);
    all.insert(
        "scan's stderr".into(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    );
    for format in ["md", "html", "json", "sarif", "csv"] {
        let done = transvase(&["report", scan.to_str().unwrap(), "--format", format]);
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        all.insert(format!("report in {format}"), text);
    }
    all.insert("scan.json".into(), std::fs::read_to_string(&scan).unwrap());
    all.insert("migrate's stderr".into(), error);
    all
}

/// Where values are said, as `kind: value in place`.
fn leaks<'a>(
    plants: impl Iterator<Item = (&'a str, &'a str)>,
    said: &BTreeMap<String, String>,
) -> Vec<String> {
    let (what, values): (Vec<&str>, Vec<&str>) = plants.unzip();
    let automaton = aho_corasick::AhoCorasick::new(&values).unwrap();
    let mut all = BTreeSet::new();
    for (place, text) in said {
        for hit in automaton.find_overlapping_iter(text) {
            let plant = hit.pattern().as_usize();
            all.insert(format!("{}: {} in {place}", what[plant], values[plant]));
        }
    }
    all.into_iter().collect()
}

#[test]
fn none_of_a_thousand_leaves() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    machine(&root, "ExecStart=/usr/bin/python3 /srv/app/run.py");
    let all: Vec<Plant> = plants("srv/app", 14);
    assert!(all.len() > 1000, "{}", all.len());
    for plant in &all {
        write(&root, &plant.path, &plant.text);
    }
    let said = said(&root, scratch.path());
    assert!(
        said.keys()
            .any(|name| name.contains("rootfs/srv/app/run.py")),
        "the application is not carried"
    );
    let shown: Vec<(String, &str)> = all
        .iter()
        .map(|plant| {
            (
                format!("{} {}", plant.kind, plant.text.replace('\n', "⏎")),
                plant.value.as_str(),
            )
        })
        .collect();
    let found = leaks(
        shown.iter().map(|(what, value)| (what.as_str(), *value)),
        &said,
    );
    assert!(
        found.is_empty(),
        "{} of {}:\n{}",
        found.len(),
        all.len(),
        found.join("\n")
    );
}

/// Lines of a unit and of a cron table; `@@` is the value.
const COMMANDS: &[&str] = &[
    "/usr/bin/x --password @@",
    "/usr/bin/x --password=@@",
    "/usr/bin/x --db-password \"a @@\"",
    "/usr/bin/x -Djavax.net.ssl.keyStorePassword=@@",
    "/usr/bin/curl -u \"bob:a @@\" https://x",
    "/usr/bin/curl -u bob:@@ https://x",
    "/usr/bin/curl -H \"Authorization: Bearer @@\" https://x",
    "/usr/bin/curl -H 'X-Api-Key: @@' https://x",
    "/usr/bin/curl https://bob:@@@h/x",
    "/usr/bin/mysqldump -u root -p@@ shop",
    "/usr/bin/mysqldump -u root -p'a @@' shop",
    "/usr/bin/redis-cli -a @@ ping",
    "/bin/sh -c \"PGPASSWORD=@@ pg_dump shop\"",
    "/bin/sh -c 'PGPASSWORD=\"a @@\" pg_dump shop'",
    "/bin/sh -c \"mysql -p'a @@' x\"",
    "/usr/bin/env PGPASSWORD=a\\ @@ pg_dump",
    "/usr/bin/x --dsn=postgres://u:@@@h/d",
    "/usr/bin/x '{\"password\":\"@@\"}'",
    "/usr/bin/x --options \"host=a password=@@ c=d\"",
    "/usr/bin/x AKIAIOSFODNN7ABCDEFG:@@",
    "/usr/bin/x --token=@@ --secret @@",
    "/usr/bin/openssl enc -pass pass:@@",
    "/usr/bin/sshpass -p @@ ssh x",
    "/usr/bin/ldapsearch -x -w @@ -b y",
    "/usr/bin/smbclient -U bob%%@@ //x/y",
    "/usr/bin/x -p @@ --user a",
    "/usr/bin/x -p 'it'\\''s@@' --user a",
    "/usr/bin/mysql -p'it'\\''s@@' x",
    "/usr/bin/lftp -u bob,@@ h",
    "/usr/bin/zip -P @@ x y",
    "/usr/bin/7z a -p@@ x y",
    "/usr/bin/openssl enc -k @@ -in x",
    "/usr/bin/htpasswd -bc f bob @@",
    "/usr/bin/rabbitmqctl add_user bob @@",
    "/usr/bin/vault login @@",
    "/usr/bin/mysqladmin -u root password @@",
    "/usr/bin/aws configure set aws_secret_access_key @@",
    "/usr/bin/snmpget -v2c -c @@ h",
    "/usr/bin/sqlplus scott/@@@db",
    "/usr/bin/sqlcmd -S h -U sa -P @@",
    "/usr/bin/erl -setcookie @@ -name x",
    "/usr/bin/xfreerdp /u:a /p:@@ /v:h",
    "/usr/bin/x --basic-auth a:@@",
    "/bin/sh -c 'echo @@ | sudo -S ls'",
    "/usr/bin/x -k @@ --token=@@",
    "/usr/bin/x -k \"a @@\" \"--token=a @@\"",
    "/usr/bin/mosquitto_pub -h x -u bob -P @@ -t a",
    "/usr/bin/ipmitool -H h -U a -P @@ chassis",
    "/usr/bin/docker login -p @@ r",
    "/usr/bin/http -a bob:@@ h",
    "/usr/bin/plink -ssh -pw @@ h",
    "/usr/bin/swaks --to x -ap @@",
    "/usr/bin/kubectl create secret generic x --from-literal=a=@@",
    "/usr/bin/iscsiadm -o update -n node.session.auth.password -v @@",
    "/usr/bin/nmcli device wifi connect net password @@",
    "/usr/bin/npm config set //r/:_authToken @@",
];

#[test]
fn none_of_a_command_line_is_shown() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    let (mut unit, mut cron, mut planted) = (String::new(), String::new(), Vec::new());
    for (at, command) in COMMANDS.iter().enumerate() {
        for (more, list) in [(0, &mut unit), (100, &mut cron)] {
            let value = value(70_000 + more + u32::try_from(at).unwrap());
            let line = command.replace("@@", &value);
            if more == 0 {
                writeln!(list, "ExecStartPre={line}").unwrap();
            } else {
                writeln!(list, "*/5 * * * * root {line}").unwrap();
            }
            planted.push((line, value));
        }
    }
    for (at, name) in ["DB_PASSWORD", "API_TOKEN", "SMTP_PASS", "AccountKey"]
        .iter()
        .enumerate()
    {
        let value = value(71_000 + u32::try_from(at).unwrap());
        writeln!(unit, "Environment=A=1 \"{name}=a {value}\"").unwrap();
        planted.push((format!("Environment {name}"), value));
    }
    let multiline = value(72_000);
    write(
        &root,
        "etc/default/app",
        format!(
            "TLS_KEY=\"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI{multiline}\n-----END EC PRIVATE KEY-----\"\n"
        ),
    );
    planted.push(("a key in an environment file".into(), multiline));
    machine(
        &root,
        &format!(
            "EnvironmentFile=/etc/default/app\n{unit}ExecStart=/usr/bin/python3 /srv/app/run.py"
        ),
    );
    write(&root, "etc/cron.d/jobs", cron);
    let said = said(&root, scratch.path());
    let found = leaks(
        planted
            .iter()
            .map(|(what, value)| (what.as_str(), value.as_str())),
        &said,
    );
    assert!(
        found.is_empty(),
        "{} of {}:\n{}",
        found.len(),
        planted.len(),
        found.join("\n")
    );
}
