//! The program as a user meets it: exit codes, one clear sentence, nothing half-written.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn transvase(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

const SHOP: &str = "fixtures/machines/shop/root";

/// Exit 2, and one sentence on standard error that names the path; OUT is not there.
fn refuses(source: &Path, words: &str) {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let done = transvase(&[
        "migrate",
        source.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
    ]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains(words), "{said:?} does not say {words:?}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    let left: Vec<PathBuf> = std::fs::read_dir(scratch.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(left.is_empty(), "{left:?} was left behind");
}

#[test]
fn bad_sources_are_refused_in_one_sentence() {
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = scratch.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    refuses(&scratch.path().join("none"), "does not exist");
    refuses(&file("empty.qcow2", b""), "is empty");
    refuses(&file("cut.qcow2", b"QFI\xfb\0\0\0\x03"), "cut.qcow2");
    refuses(&file("tree.tar.gz", &[0x1f, 0x8b, 8, 0]), "compressed");
    refuses(&file("text", b"hello, this is no disk\n"), "text");
    let directory = scratch.path().join("directory");
    std::fs::create_dir(&directory).unwrap();
    refuses(&directory, "root file system");
    let mut encrypted = vec![0u8; 512];
    encrypted[..8].copy_from_slice(b"QFI\xfb\0\0\0\x02");
    encrypted[20..24].copy_from_slice(&16u32.to_be_bytes());
    encrypted[24..32].copy_from_slice(&(1u64 << 20).to_be_bytes());
    encrypted[32..36].copy_from_slice(&1u32.to_be_bytes());
    refuses(&file("secret.qcow2", &encrypted), "encrypted");
}

#[test]
fn an_output_in_use_is_left_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let mine = scratch.path().join("mine");
    std::fs::write(&mine, "precious").unwrap();
    let done = transvase(&["migrate", SHOP, "-o", scratch.path().to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("not empty"));
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    let below = mine.join("out");
    let done = transvase(&["migrate", SHOP, "-o", below.to_str().unwrap()]);
    assert_eq!(
        done.status.code(),
        Some(2),
        "a file where a directory is to be made"
    );
}

#[test]
fn gates_decide_the_exit_code() {
    let code = |args: &[&str]| transvase(args).status.code();
    assert_eq!(code(&["scan", SHOP, "--quiet"]), Some(0));
    assert_eq!(code(&["scan", SHOP, "--fail-under", "100"]), Some(1));
    assert_eq!(code(&["scan", SHOP, "--fail-on", "blocker"]), Some(0));
    assert_eq!(
        code(&[
            "scan",
            "fixtures/machines/gateway/root",
            "--fail-on",
            "blocker"
        ]),
        Some(1)
    );
    assert_eq!(code(&["scan", SHOP, "--fail-under", "900"]), Some(2));
    assert_eq!(code(&["nonsense"]), Some(2));
}

#[test]
fn a_partial_scan_says_so() {
    let scratch = tempfile::tempdir().unwrap();
    for directory in ["etc", "usr", "var/lib/dpkg"] {
        std::fs::create_dir_all(scratch.path().join(directory)).unwrap();
    }
    std::fs::write(scratch.path().join("etc/os-release"), "NAME=x\n").unwrap();
    let source = scratch.path().to_str().unwrap();
    assert_eq!(transvase(&["scan", source]).status.code(), Some(3));
    assert_eq!(
        transvase(&["scan", source, "--allow-partial"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        transvase(&["scan", source, "--fail-under", "100"])
            .status
            .code(),
        Some(3),
        "coverage outranks a gate"
    );
}

#[test]
fn a_saved_scan_gives_the_same_report() {
    let scratch = tempfile::tempdir().unwrap();
    let saved = scratch.path().join("scan.json");
    transvase(&["scan", SHOP, "-o", saved.to_str().unwrap(), "--quiet"]);
    for format in ["terminal", "md", "json"] {
        let fresh = transvase(&["report", SHOP, "--format", format]);
        let again = transvase(&["report", saved.to_str().unwrap(), "--format", format]);
        assert!(fresh.status.success() && !fresh.stdout.is_empty());
        assert_eq!(
            String::from_utf8_lossy(&fresh.stdout),
            String::from_utf8_lossy(&again.stdout),
            "{format}"
        );
    }
}

#[test]
fn the_scan_keeps_its_shape() {
    let scan: serde_json::Value =
        serde_json::from_slice(&transvase(&["scan", SHOP]).stdout).unwrap();
    assert_eq!(scan["schema_version"], 2);
    for workload in scan["workloads"].as_array().unwrap() {
        let points: u64 = workload["assessment"]["factors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["points"].as_u64().unwrap())
            .sum();
        assert_eq!(
            workload["assessment"]["score"].as_u64().unwrap(),
            100 - points,
            "{}",
            workload["id"]
        );
    }
    for concern in scan["concerns"].as_array().unwrap() {
        assert!(
            !concern["evidence"].as_array().unwrap().is_empty(),
            "{concern}"
        );
    }
    let schema: serde_json::Value =
        serde_json::from_slice(&transvase(&["report", SHOP, "--format", "schema"]).stdout).unwrap();
    let known = schema["properties"].as_object().unwrap();
    for key in scan.as_object().unwrap().keys() {
        assert!(known.contains_key(key), "{key} is not in the schema");
    }
}

#[test]
fn a_scan_of_another_version_is_refused_by_its_number() {
    let scratch = tempfile::tempdir().unwrap();
    let old = scratch.path().join("scan.json");
    std::fs::write(&old, r#"{"schema_version": 1, "workloads": []}"#).unwrap();
    let done = transvase(&["report", old.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for word in [
        "schema_version 1",
        "2 was expected",
        "scan the source again",
    ] {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn no_secret_leaves_without_being_asked() {
    let scratch = tempfile::tempdir().unwrap();
    for flags in [&[][..], &["--with-secrets"][..]] {
        let out = scratch.path().join(format!("out{}", flags.len()));
        let mut args = vec!["migrate", SHOP, "-o", out.to_str().unwrap()];
        args.extend(flags);
        let done = transvase(&args);
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let mut places = Vec::new();
        for entry in walkdir::WalkDir::new(&out) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let text =
                    String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned();
                if text.contains("not-a-real-secret") {
                    places.push(
                        entry
                            .path()
                            .strip_prefix(&out)
                            .unwrap()
                            .display()
                            .to_string(),
                    );
                }
            }
        }
        assert_eq!(places.is_empty(), flags.is_empty(), "{places:?}");
        assert!(
            places.iter().all(|place| place.starts_with("secrets/")),
            "{places:?}"
        );
        assert!(!String::from_utf8_lossy(&done.stdout).contains("not-a-real-secret"));
    }
}

#[test]
fn a_target_is_a_place_that_weighs() {
    for unknown in ["moon", "gvisor"] {
        let done = transvase(&["scan", SHOP, "--target", unknown]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{said}");
        let known = "docker, rootless-podman, kubernetes-baseline, kubernetes-restricted, serverless, system-container, kubevirt";
        assert!(said.contains(known), "{said}");
    }
    let done = transvase(&["scan", SHOP, "--target", "kubevirt", "--allow-partial"]);
    let scan: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let workload = &scan["workloads"][0];
    assert_eq!(workload["assessment"]["target"], "kubevirt");
    assert_eq!(
        workload["assessment"]["score"],
        workload["targets"]["kubevirt"]["score"]
    );
}

#[test]
fn rules_and_packs_are_explained() {
    let said = |args: &[&str]| String::from_utf8_lossy(&transvase(args).stdout).into_owned();
    assert!(said(&["explain", "kernel/host-sysctl"]).contains("What to do"));
    assert!(said(&["explain", "web/nginx"]).contains("containerize"));
    let wrong = transvase(&["explain", "web/ngnix"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("web/nginx"));
    assert!(said(&["detectors", "list"]).lines().count() > 40);
    assert!(said(&["detectors", "test", "detectors/cache"]).contains("0 failed"));
}

#[test]
fn a_pack_of_ones_own_is_used_and_checked() {
    let scratch = tempfile::tempdir().unwrap();
    let broken = scratch.path().join("broken.toml");
    std::fs::write(&broken, "id = \"x\"\n").unwrap();
    let done = transvase(&["detectors", "check", broken.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("broken.toml:"));
    let done = transvase(&[
        "scan",
        SHOP,
        "--detectors",
        scratch.path().to_str().unwrap(),
    ]);
    assert_eq!(done.status.code(), Some(2), "a broken pack is no scan");
}
