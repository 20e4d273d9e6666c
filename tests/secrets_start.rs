//! Services whose password comes by a file, a variable, an argument and a credential start in their containers, and have
//! the password that they had on the machine.

#![cfg(test)]

mod done;
mod needs;

use done::run;
use needs::need;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// In every password here.
const MARK: &str = "hunter2";

const PASSWORD: &str = r#"hunter2 "a' $HOME `id` \n%"#;

const SETTING: &str = "password = hunter2-and-more";

/// Says what it was given, by digests: the program itself is no secret.
const PROGRAM: &str = r#"#!/bin/sh
digest() { printf '%s' "$1" | sha256sum | cut -c 1-64; }
case $1 in
  file) given=$(cat /etc/app/app.conf); mode=$(stat -c %a:%u /etc/app/app.conf) ;;
  variable) given=$DB_PASSWORD; mode=- ;;
  argument) given=${2#--password=}; mode=- ;;
  credential) given=$(cat "$CREDENTIALS_DIRECTORY/pw"); mode=$(stat -c %a:%u "$CREDENTIALS_DIRECTORY/pw") ;;
  prepare) digest "${2#--token=}" > /tmp/prepared; exit 0 ;;
esac
echo "$1 $# $(id -u) $mode $(digest "$given") $(cat /tmp/prepared 2> /dev/null) $(env | grep -c ARGUMENT)"
exec sleep infinity
"#;

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The tree of the base image, with four services.
fn machine(scratch: &Path) -> PathBuf {
    let tree = scratch.join("machine");
    fs::create_dir(&tree).unwrap();
    let tar = scratch.join("base.tar");
    let base = "docker.io/library/debian:12-slim";
    let made = text(&run(Command::new("podman").args(["create", base, "true"])));
    run(Command::new("podman")
        .args(["export", "-o"])
        .arg(&tar)
        .arg(&made));
    run(Command::new("podman").args(["rm", &made]));
    run(Command::new("tar")
        .arg("-C")
        .arg(&tree)
        .args(["--exclude=dev/*", "-xf"])
        .arg(&tar));
    let write = |name: &str, text: &str, mode: u32, owner: u32| {
        let path = tree.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        chown(&path, Some(owner), Some(owner)).unwrap();
    };
    let add = |name: &str, line: &str| {
        let known = fs::read_to_string(tree.join(name)).unwrap();
        write(name, &format!("{known}{line}\n"), 0o644, 0);
    };
    add("etc/passwd", "app:x:1500:1500::/srv:/bin/sh");
    add("etc/group", "app:x:1500:");
    write("opt/app/run", PROGRAM, 0o755, 0);
    write("etc/app/app.conf", &format!("{SETTING}\n"), 0o600, 1500);
    let env = format!("DB_PASSWORD='{}'\n", PASSWORD.replace('\'', r#"'"'"'"#));
    write("etc/app/app.env", &env, 0o600, 0);
    write("etc/credstore/pw", PASSWORD, 0o600, 0);
    let units = "etc/systemd/system";
    write(&format!("{units}/multi-user.target"), "[Unit]\n", 0o644, 0);
    symlink("multi-user.target", tree.join(units).join("default.target")).unwrap();
    for (name, lines) in [
        ("file", "ExecStart=/opt/app/run file /etc/app/app.conf"),
        (
            "variable",
            "EnvironmentFile=/etc/app/app.env\nExecStart=/opt/app/run variable",
        ),
        (
            "argument",
            "EnvironmentFile=/etc/app/app.env\nExecStartPre=/opt/app/run prepare --token=${DB_PASSWORD}\n\
             ExecStart=/opt/app/run argument --password=${DB_PASSWORD}",
        ),
        (
            "credential",
            "LoadCredential=pw\nExecStart=/opt/app/run credential",
        ),
    ] {
        let unit = format!("[Service]\nUser=app\n{lines}\n");
        write(&format!("{units}/{name}.service"), &unit, 0o644, 0);
        let wants = tree.join(units).join("multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink(
            format!("../{name}.service"),
            wants.join(format!("{name}.service")),
        )
        .unwrap();
    }
    tree
}

fn compose(out: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("podman-compose");
    run(command.args(arguments).current_dir(out))
}

/// Takes everything down when the test ends, well or not.
struct Up<'a>(&'a Path);

impl Drop for Up<'_> {
    fn drop(&mut self) {
        let mut command = Command::new("podman-compose");
        let _ = command.args(["down", "-v"]).current_dir(self.0).output();
    }
}

/// What a service's container says first.
fn said(out: &Path, service: &str) -> String {
    let start = Instant::now();
    loop {
        let logs = Command::new("podman-compose")
            .args(["logs", service])
            .current_dir(out)
            .output()
            .unwrap();
        let all = [logs.stdout, logs.stderr].concat();
        let all = String::from_utf8_lossy(&all).into_owned();
        let line = all
            .lines()
            .find_map(|line| line.find(&format!("{service} ")).map(|at| &line[at..]));
        match line {
            Some(line) => return line.to_owned(),
            None if start.elapsed() > Duration::from_mins(1) => panic!("{service}: {all}"),
            None => std::thread::sleep(Duration::from_millis(500)),
        }
    }
}

#[test]
fn services_start_with_their_passwords() {
    need!(needs::end_to_end());
    need!(needs::root());
    need!(needs::tools(&[
        "bash",
        "mmdebstrap",
        "podman",
        "podman-compose",
        "tar"
    ]));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/base.sh");
    run(Command::new("bash").arg(script));
    let scratch = tempfile::tempdir().unwrap();
    let tree = machine(scratch.path());
    let out = scratch.path().join("secret-start");
    run(Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(["migrate", "--with-secrets", "--allow-partial"])
        .arg(&tree)
        .arg("-o")
        .arg(&out));
    for entry in walkdir::WalkDir::new(&out) {
        let entry = entry.unwrap();
        let inside = entry.path().strip_prefix(&out).unwrap();
        if entry.file_type().is_file() && !inside.starts_with("secrets") {
            let bytes = fs::read(entry.path()).unwrap();
            let held = bytes
                .windows(MARK.len())
                .any(|part| part == MARK.as_bytes());
            assert!(!held, "a password is in {}", inside.display());
        }
    }
    compose(&out, &["--podman-build-args=--network host", "build"]);
    let _up = Up(&out);
    compose(&out, &["up", "-d"]);
    let digest = |text: &str| {
        let path = scratch.path().join("text");
        fs::write(&path, text).unwrap();
        let sum = run(Command::new("sha256sum").arg(&path));
        text_of_sum(&sum)
    };
    let password = digest(PASSWORD);
    let file = digest(SETTING);
    for (service, wanted) in [
        ("file", format!("file 2 1500 600:1500 {file}  0")),
        ("variable", format!("variable 1 1500 - {password}  0")),
        (
            "argument",
            format!("argument 2 1500 - {password} {password} 0"),
        ),
        (
            "credential",
            format!("credential 1 1500 400:1500 {password}  0"),
        ),
    ] {
        assert_eq!(said(&out, service), wanted);
    }
}

fn text_of_sum(output: &Output) -> String {
    text(output)
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_owned()
}
