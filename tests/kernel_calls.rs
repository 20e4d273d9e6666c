//! The calls found in a program's code against those that it makes: each of a dozen programs runs under `strace -f`, and
//! nothing that is seen may be missing from what was found. Without strace the test says that it skipped.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use transvase::detect::{Registry, Want, engine, native};
use transvase::fact::Facts;
use transvase::kernel::join;
use transvase::path::MachinePath;
use transvase::program::libraries::Programs;
use transvase::source::{OpenOptions, Root};

/// A program, and what it is given.
const RUNS: &[(&str, &[&str])] = &[
    ("/usr/bin/ls", &["-la", "/etc"]),
    ("/usr/bin/cat", &["/etc/passwd"]),
    ("/usr/bin/cp", &["-a", "/etc/default", "TEMP/cp"]),
    ("/usr/bin/tar", &["-cf", "TEMP/x.tar", "/etc/default"]),
    ("/usr/bin/grep", &["-r", "root", "/etc/passwd"]),
    ("/usr/bin/sed", &["s/a/b/", "/etc/passwd"]),
    ("/usr/bin/find", &["/etc/default", "-type", "f"]),
    ("/usr/bin/gzip", &["-kf", "TEMP/x.tar"]),
    (
        "/usr/bin/bash",
        &[
            "-c",
            "for i in 1 2; do echo $i | { read a; echo $a; }; done; cd /tmp; umask",
        ],
    ),
    (
        "/usr/bin/dash",
        &["-c", "echo x | { read a; echo $a; }; cd /tmp; ulimit -n"],
    ),
    (
        "/usr/bin/perl",
        &[
            "-e",
            "print join ',', sort keys %ENV; mkdir 'TEMP/p'; rmdir 'TEMP/p'",
        ],
    ),
    ("/usr/bin/curl", &["-s", "-m", "2", "http://127.0.0.1:9/"]),
    ("/usr/bin/openssl", &["rand", "-hex", "8"]),
    ("/usr/bin/busybox", &["ls", "-la", "/etc"]),
];

/// Where a program's own libraries may be besides those that the loader names.
const PLUG_INS: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/perl-base",
    "/usr/lib/x86_64-linux-gnu/perl",
];

#[test]
fn every_call_that_is_made_was_found() {
    if !cfg!(target_arch = "x86_64") || Command::new("strace").arg("-V").output().is_err() {
        assert!(
            std::env::var_os("TRANSVASE_E2E").is_none(),
            "strace is not installed"
        );
        eprintln!("skipped: no strace here");
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let present: Vec<&(&str, &[&str])> = RUNS
        .iter()
        .filter(|(program, _)| Path::new(program).exists())
        .collect();
    let root = temp.path().join("root");
    for (program, _) in &present {
        copy_closure(Path::new(program), &root);
    }
    let programs: Vec<MachinePath> = present
        .iter()
        .map(|(program, _)| MachinePath::new(real(program).to_str().unwrap()))
        .collect();
    let all = programs.iter().map(|path| (path.clone(), BTreeSet::new()));
    let all: Programs = all.collect();
    let facts = examine(&root, &all);
    let reaches = join::programs(&facts, &all);
    let mut missed = BTreeMap::new();
    let mut count = 0;
    for ((program, args), path) in present.iter().zip(&programs) {
        let Some(seen) = trace(program, args, temp.path()) else {
            continue;
        };
        count += 1;
        let found = &reaches[path].calls;
        assert!(!found.is_empty(), "nothing was found in {program}");
        let missing: Vec<String> = seen
            .into_iter()
            .filter(|call| !found.contains_key(call))
            .collect();
        if !missing.is_empty() {
            missed.insert(*program, missing);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    if std::env::var_os("TRANSVASE_E2E").is_some() {
        assert!(count >= 12, "only {count} programs could be traced");
    }
    eprintln!("{count} programs: every call they made was found");
}

fn real(path: &str) -> PathBuf {
    std::fs::canonicalize(path).unwrap()
}

/// A tree with the program and what the loader says it needs, at their own places.
fn copy_closure(program: &Path, root: &Path) {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let named = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from);
    let mut files: Vec<PathBuf> = named.chain([program.to_owned()]).collect();
    files.extend(["/etc/nsswitch.conf", "/etc/ld.so.conf", "/etc/os-release"].map(PathBuf::from));
    for directory in ["/etc/ld.so.conf.d", "/usr/lib/x86_64-linux-gnu"]
        .into_iter()
        .chain(PLUG_INS.iter().copied())
    {
        files.extend(libraries(Path::new(directory)));
    }
    for file in files {
        let Ok(target) = std::fs::canonicalize(&file) else {
            continue;
        };
        copy(&target, root, &target);
        copy(&target, root, &file);
    }
}

/// Below a directory: configuration, modules of the name service, plug-ins.
fn libraries(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let is_shared = directory.ends_with("x86_64-linux-gnu");
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (
            entry.path(),
            entry.file_name().to_string_lossy().into_owned(),
        );
        if path.is_dir() && !is_shared {
            found.extend(libraries(&path));
        } else if if is_shared {
            name.starts_with("libnss_")
        } else {
            name.contains(".so") || name.ends_with(".conf")
        } {
            found.push(path);
        }
    }
    found
}

fn copy(from: &Path, root: &Path, to: &Path) {
    let to = root.join(to.strip_prefix("/").unwrap());
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    if !to.exists() {
        std::fs::copy(from, to).unwrap();
    }
}

fn examine(root: &Path, programs: &Programs) -> Facts {
    let root = Root::open(&[root.to_owned()], &OpenOptions::default()).unwrap();
    let wanted = [
        native::Executable::ID,
        native::MachineCode::ID,
        "config/syntax",
    ];
    let detectors = native::all()
        .into_iter()
        .filter(|detector| wanted.contains(&detector.id()));
    let registry = Registry::of(detectors).unwrap();
    let mut configuration = |_: &Facts| {
        let files = native::system::CONFIGURATION.iter();
        let wants = files.map(|(pattern, syntax)| native::syntax::want(*syntax, pattern));
        wants.collect::<Vec<Want>>().into()
    };
    let mut loaded =
        |facts: &Facts| transvase::examine::follow::loadable(facts, programs, u64::MAX).into();
    engine::examine_with(
        &root,
        &registry,
        &mut [&mut configuration, &mut loaded],
        &transvase::progress::Silent,
    )
}

/// The calls of one run, from the program's own start; `None` where tracing is not allowed here.
fn trace(program: &str, args: &[&str], temp: &Path) -> Option<BTreeSet<String>> {
    let log = temp.join("log");
    let place = temp.to_str().unwrap();
    let args: Vec<String> = args.iter().map(|arg| arg.replace("TEMP", place)).collect();
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-s", "0", "-o"])
        .arg(&log)
        .arg(program)
        .args(&args)
        .env("LC_ALL", "C.UTF-8");
    command.output().ok()?;
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    let mut lines = text.lines();
    // The first is the tracer's own execve.
    lines.next().filter(|line| line.contains("execve("))?;
    let mut others: BTreeSet<&str> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for line in lines {
        let (pid, call) = line.split_once(' ')?;
        let call = call.trim_start();
        if others.contains(pid) {
            continue;
        }
        let call = call.strip_prefix("<... ").unwrap_or(call);
        let name: String = call
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')
            .collect();
        if !name.is_empty() && !name.starts_with("syscall_0x") {
            if name == "execve" && call.ends_with("= 0") {
                others.insert(pid);
            }
            seen.insert(name);
        }
    }
    Some(seen)
}
