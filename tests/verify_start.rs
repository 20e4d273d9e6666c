//! `record` and `verify` on a real engine: containers that are what the machine was are proven, and each of command, port,
//! user, missing file, missing secret and wrong data is named where it is broken.

#![cfg(test)]

mod done;
mod needs;

use done::run;
use needs::need;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

const PORT: u16 = 18_093;

/// Serves a file of data, and a digest of its secret; perl is in every Debian.
const PROGRAM: &str = r#"#!/usr/bin/perl
use strict; use IO::Socket::INET; use Digest::SHA 'sha256_hex';
$SIG{TERM} = sub { exit 0 };
my $secret = $ENV{APP_PASSWORD} // die "no APP_PASSWORD\n";
my $server = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $ARGV[1], Listen => 5, ReuseAddr => 1) or die "listen: $!\n";
while (my $client = $server->accept) {
  my ($line) = (<$client> // '') =~ /^GET (\S+)/ or do { close $client; next };
  while (<$client>) { last if /^\r?\n$/ }
  my ($status, $body) = ('200 OK', '');
  if (open my $file, '<', '/etc/app/words.txt') { local $/; $body = <$file> } else { $status = '500 No words' }
  $body .= "<p>asked at " . time() . "</p>\n<p>" . sha256_hex($secret) . "</p>\n";
  print $client "HTTP/1.1 $status\r\nContent-Type: text/html\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
  close $client;
}
"#;

const PACK: &str = r#"id = "application/words"
title = "Words"
kind = "application"
disposition = "containerize"
why = "It has no state."
cannot_see = "Nothing."

[recognise]
executables = ["/opt/app/serve"]
rank = 10

[[listen]]
from = { arguments = ["--port"] }
form = "address"

[probe]
http = "/health"

[[case]]
name = "it"
service = "words.service"
files = { "/etc/systemd/system/words.service" = "[Service]\nExecStart=/opt/app/serve --port 80\n", "/opt/app/serve" = "" }
expect = { recognised = true }

[[case]]
name = "another"
service = "other.service"
files = { "/etc/systemd/system/other.service" = "[Service]\nExecStart=/opt/other\n", "/opt/other" = "" }
expect = { recognised = false }
"#;

/// The tree of the base image, with one service.
fn machine(scratch: &Path) -> PathBuf {
    let tree = scratch.join("machine");
    fs::create_dir(&tree).unwrap();
    let tar = scratch.join("base.tar");
    let base = "docker.io/library/debian:12-slim";
    let made = run(Command::new("podman").args(["create", base, "true"]));
    let made = String::from_utf8_lossy(&made.stdout).trim().to_owned();
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
    write("opt/app/serve", PROGRAM, 0o755, 0);
    write(
        "etc/app/words.txt",
        "<p>trombone</p>\n<p>kakadu</p>\n",
        0o644,
        0,
    );
    write(
        "etc/app/app.env",
        "APP_PASSWORD=hunter2-and-more\n",
        0o600,
        0,
    );
    let units = "etc/systemd/system";
    write(&format!("{units}/multi-user.target"), "[Unit]\n", 0o644, 0);
    symlink("multi-user.target", tree.join(units).join("default.target")).unwrap();
    let unit = format!(
        "[Service]\nUser=app\nEnvironmentFile=/etc/app/app.env\nExecStart=/opt/app/serve --port {PORT}\nReadOnlyPaths=/etc/app/words.txt\n"
    );
    write(&format!("{units}/words.service"), &unit, 0o644, 0);
    let wants = tree.join(units).join("multi-user.target.wants");
    fs::create_dir_all(&wants).unwrap();
    symlink("../words.service", wants.join("words.service")).unwrap();
    tree
}

struct Bench {
    detectors: PathBuf,
}

impl Bench {
    fn transvase(&self, words: &[&str], out: &Path) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transvase"));
        command.arg("--detectors").arg(&self.detectors);
        command
            .args(words.iter().take(1))
            .arg(out)
            .args(words.iter().skip(1));
        command.output().unwrap()
    }

    fn verify(&self, out: &Path) -> (Option<i32>, String, Value) {
        let words = ["verify", "--build-network", "host", "--wait", "20"];
        let output = self.transvase(&words, out);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let proof = fs::read(out.join("verify.json")).unwrap_or_default();
        (
            output.status.code(),
            said,
            serde_json::from_slice(&proof).unwrap_or_default(),
        )
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.contains(from),
        "{from:?} is not in {}: {text}",
        path.display()
    );
    fs::write(path, text.replace(from, to)).unwrap();
}

/// What verify made, by any of its names.
fn left_behind() -> Vec<String> {
    let mut left = Vec::new();
    for words in [
        &["ps", "-a", "--format", "{{.Names}}"][..],
        &["images", "--format", "{{.Repository}}"],
        &["network", "ls", "--format", "{{.Name}}"],
        &["volume", "ls", "--format", "{{.Name}}"],
    ] {
        let output = run(Command::new("podman").args(words));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let own = text
            .lines()
            .filter(|line| line.contains("transvase-verify-"));
        left.extend(own.map(str::to_owned));
    }
    left
}

/// The machine itself, as long as it is asked.
struct Runs(String);

impl Drop for Runs {
    fn drop(&mut self) {
        let _ = Command::new("podman")
            .args(["rm", "-f", "-t", "0", &self.0])
            .output();
    }
}

/// Runs the machine's own tree for as long as it is asked.
fn recorded(bench: &Bench, tree: &Path, out: &Path) {
    let started = run(Command::new("podman")
        .args([
            "run",
            "-d",
            "--network",
            "host",
            "--user",
            "1500",
            "-e",
            "APP_PASSWORD=hunter2-and-more",
            "--rootfs",
        ])
        .arg(tree)
        .args(["/opt/app/serve", "--port", &PORT.to_string()]));
    let runs = Runs(String::from_utf8_lossy(&started.stdout).trim().to_owned());
    std::thread::sleep(Duration::from_secs(2));
    let recorded = bench.transvase(&["record", "127.0.0.1", "--path", "/words"], out);
    assert!(
        recorded.status.success(),
        "{}",
        String::from_utf8_lossy(&recorded.stderr)
    );
    let text = fs::read_to_string(out.join("recorded.json")).unwrap();
    assert!(
        text.contains("/health") && text.contains("/words") && !text.contains("hunter2"),
        "{text}"
    );
    drop(runs);
}

/// What is broken, what has to be said of it, and how.
type Break = (&'static str, &'static [&'static str], fn(&Path));
const BREAKS: &[Break] = &[
    (
        "command",
        // It starts again and again: whether the port is asked or the container is looked into at that moment is chance.
        &["18093/tcp", "runs, never restarted"],
        |out| {
            edit(
                &out.join("workloads/words/Dockerfile"),
                "\"/opt/app/serve\"",
                "\"/opt/app/server\"",
            );
        },
    ),
    ("port", &["is not published"], |out| {
        edit(&out.join("compose.yaml"), &format!(":{PORT}\""), ":18094\"");
    }),
    ("user", &["- app (1500)", "+ 1\n"], |out| {
        edit(
            &out.join("workloads/words/entrypoint.sh"),
            "--reuid=1500",
            "--reuid=1",
        );
    }),
    ("file", &["- 200", "+ 500"], |out| {
        fs::remove_file(out.join("workloads/words/rootfs/etc/app/words.txt")).unwrap();
    }),
    ("secret", &["words"], |out| {
        for entry in fs::read_dir(out.join("secrets")).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }),
    ("data", &["body of", "1 differ"], |out| {
        edit(
            &out.join("workloads/words/rootfs/etc/app/words.txt"),
            "kakadu",
            "cockatoo",
        );
    }),
];

#[test]
fn what_is_broken_is_named() {
    need!(needs::end_to_end());
    need!(needs::root());
    need!(needs::tools(&[
        "bash",
        "cp",
        "mmdebstrap",
        "podman",
        "podman-compose",
        "tar"
    ]));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/base.sh");
    run(Command::new("bash").arg(script));
    let scratch = tempfile::tempdir().unwrap();
    let tree = machine(scratch.path());
    let detectors = scratch.path().join("detectors");
    fs::create_dir(&detectors).unwrap();
    fs::write(detectors.join("words.toml"), PACK).unwrap();
    let bench = Bench { detectors };
    let out = scratch.path().join("out");
    run(Command::new(env!("CARGO_BIN_EXE_transvase"))
        .arg("--detectors")
        .arg(&bench.detectors)
        .args(["migrate", "--with-secrets", "--allow-partial"])
        .arg(&tree)
        .arg("-o")
        .arg(&out));

    recorded(&bench, &tree, &out);
    let (code, said, proof) = bench.verify(&out);
    assert_eq!(code, Some(0), "{said}\n{proof:#}");
    assert_eq!(proof["workloads"][0]["proven"], true, "{proof:#}");
    let report = bench.transvase(&["report", "--format", "md"], &out);
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(report.contains("How sure is this: proven"), "{report}");

    for (name, expected, broken) in BREAKS {
        let copy = scratch.path().join(name);
        run(Command::new("cp").arg("-a").arg(&out).arg(&copy));
        broken(&copy);
        let (code, said, proof) = bench.verify(&copy);
        assert_eq!(code, Some(1), "{name}: {said}");
        for text in *expected {
            assert!(said.contains(text), "{name}: {text:?} is not in {said}");
        }
        assert_eq!(proof["held"], false, "{name}");
        let sarif = bench.transvase(&["report", "--format", "sarif"], &copy);
        let sarif = String::from_utf8_lossy(&sarif.stdout).into_owned();
        assert!(sarif.contains("\"verify/"), "{name}");
    }
    assert_eq!(left_behind(), Vec::<String>::new());

    // A signal leaves nothing either: no container, and no word of what was only broken by it.
    fs::remove_file(out.join("verify.json")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .arg("verify")
        .arg(&out)
        .args(["--build-network", "host"])
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(6));
    run(Command::new("bash").args(["-c", &format!("kill {}", child.id())]));
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!(left_behind(), Vec::<String>::new());
    assert!(!out.join("verify.json").exists());
}
