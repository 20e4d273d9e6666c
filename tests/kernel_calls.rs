//! The calls found in a program's code against those that it makes: each of a dozen programs runs under `strace -f`, and
//! nothing that is seen may be missing from what was found.

#![cfg(test)]

mod needs;

use needs::need;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use transvase::detect::{Registry, Want, engine, native};
use transvase::fact::Facts;
use transvase::kernel::join;
use transvase::path::MachinePath;
use transvase::program::libraries::Programs;
use transvase::source::{OpenOptions, Root};

/// A package, a program of its, and what that is given.
const RUNS: &[(&str, &str, &[&str])] = &[
    ("coreutils", "/usr/bin/ls", &["-la", "/etc"]),
    ("coreutils", "/usr/bin/cat", &["/etc/passwd"]),
    (
        "coreutils",
        "/usr/bin/cp",
        &["-a", "/etc/default", "TEMP/cp"],
    ),
    (
        "tar",
        "/usr/bin/tar",
        &["-cf", "TEMP/x.tar", "/etc/default"],
    ),
    ("grep", "/usr/bin/grep", &["-r", "root", "/etc/passwd"]),
    ("sed", "/usr/bin/sed", &["s/a/b/", "/etc/passwd"]),
    (
        "findutils",
        "/usr/bin/find",
        &["/etc/default", "-type", "f"],
    ),
    ("gzip", "/usr/bin/gzip", &["-kf", "TEMP/x.tar"]),
    (
        "bash",
        "/usr/bin/bash",
        &[
            "-c",
            "for i in 1 2; do echo $i | { read a; echo $a; }; done; cd /tmp; umask",
        ],
    ),
    (
        "dash",
        "/usr/bin/dash",
        &["-c", "echo x | { read a; echo $a; }; cd /tmp; ulimit -n"],
    ),
    (
        "perl",
        "/usr/bin/perl",
        &[
            "-e",
            "print join ',', sort keys %ENV; mkdir 'TEMP/p'; rmdir 'TEMP/p'",
        ],
    ),
    (
        "curl",
        "/usr/bin/curl",
        &["-s", "-m", "2", "http://127.0.0.1:9/"],
    ),
    ("openssl", "/usr/bin/openssl", &["rand", "-hex", "8"]),
    ("busybox-static", "/usr/bin/busybox", &["ls", "-la", "/etc"]),
];

/// Where a program's own libraries may be besides those that the loader names.
const PLUG_INS: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/perl-base",
    "/usr/lib/x86_64-linux-gnu/perl",
];

#[test]
fn every_call_that_is_made_was_found() {
    need!(needs::x86_64());
    let strace = need!(needs::tool("strace"));
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("root");
    // One that is missing keeps none of the others from being run.
    let present: Vec<_> = RUNS
        .iter()
        .filter(|(package, program, _)| needs::file(&[program], package).is_some())
        .collect();
    for (_, program, _) in &present {
        copy_closure(Path::new(program), &root);
    }
    let programs: Vec<MachinePath> = present
        .iter()
        .map(|(_, program, _)| MachinePath::new(real(program).to_str().unwrap()))
        .collect();
    let all = programs.iter().map(|path| (path.clone(), BTreeSet::new()));
    let all: Programs = all.collect();
    let facts = examine(&root, &all);
    let reaches = join::programs(&facts, &all);
    let mut missed = BTreeMap::new();
    for ((_, program, args), path) in present.iter().zip(&programs) {
        let seen = need!(trace(&strace, program, args, temp.path()));
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
        Vec::new(),
        &mut [&mut configuration, &mut loaded],
        &transvase::progress::Silent,
    )
}

/// The calls of one run, from the program's own start; `None` where tracing is not allowed.
fn trace(strace: &Path, program: &str, args: &[&str], temp: &Path) -> Option<BTreeSet<String>> {
    let log = temp.join("log");
    let place = temp.to_str().unwrap();
    let args: Vec<String> = args.iter().map(|arg| arg.replace("TEMP", place)).collect();
    let mut command = Command::new(strace);
    command
        .args(["-f", "-qq", "-s", "0", "-o"])
        .arg(&log)
        .arg(program)
        .args(&args)
        .env("LC_ALL", "C.UTF-8");
    // It ends as the program does, and that one may fail: curl asks where nobody answers.
    let said = command.output().unwrap().stderr;
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    let mut lines = text.lines();
    // The first is the tracer's own execve.
    if !lines.next().is_some_and(|line| line.contains("execve(")) {
        let said = String::from_utf8_lossy(&said);
        return needs::missing(
            &format!("{program} cannot be traced ({})", said.trim()),
            "run the tests where ptrace is allowed",
        );
    }
    let mut others: BTreeSet<&str> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for line in lines {
        let (pid, call) = line.split_once(' ').unwrap();
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
