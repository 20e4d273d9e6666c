//! Machine code read from real libraries: wrappers of the C library reach the call they are named for, and files that were
//! damaged on purpose neither panic nor take long.

#![cfg(test)]

mod needs;

use needs::need;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use transvase::detect::{Registry, engine, native};
use transvase::fact::{Code, Facts, Target};
use transvase::program::libraries::Programs;
use transvase::source::{OpenOptions, Root};

/// Functions that are nothing but a call to the kernel, where both architectures have it.
const WRAPPERS: &[(&str, &str)] = &[
    ("read", "read"),
    ("write", "write"),
    ("close", "close"),
    ("ioctl", "ioctl"),
    ("socket", "socket"),
    ("bind", "bind"),
    ("listen", "listen"),
    ("connect", "connect"),
    ("accept4", "accept4"),
    ("sendmsg", "sendmsg"),
    ("recvmsg", "recvmsg"),
    ("setsockopt", "setsockopt"),
    ("mount", "mount"),
    ("umount2", "umount2"),
    ("chroot", "chroot"),
    ("pivot_root", "pivot_root"),
    ("unshare", "unshare"),
    ("setns", "setns"),
    ("reboot", "reboot"),
    ("sethostname", "sethostname"),
    ("swapon", "swapon"),
    ("init_module", "init_module"),
    ("delete_module", "delete_module"),
    ("ptrace", "ptrace"),
    ("prctl", "prctl"),
    ("personality", "personality"),
    ("acct", "acct"),
    ("mlock", "mlock"),
    ("munmap", "munmap"),
    ("mprotect", "mprotect"),
    ("madvise", "madvise"),
    ("getpid", "getpid"),
    ("getuid", "getuid"),
    ("setsid", "setsid"),
    ("kill", "kill"),
    ("fsync", "fsync"),
    ("sync", "sync"),
    ("ftruncate64", "ftruncate"),
    ("flock", "flock"),
    ("fchmod", "fchmod"),
    ("fchown", "fchown"),
    ("chdir", "chdir"),
    ("umask", "umask"),
    ("inotify_init1", "inotify_init1"),
    ("fanotify_init", "fanotify_init"),
    ("epoll_create1", "epoll_create1"),
    ("eventfd", "eventfd2"),
    ("timerfd_create", "timerfd_create"),
    ("signalfd", "signalfd4"),
    ("splice", "splice"),
    ("tee", "tee"),
    ("setxattr", "setxattr"),
    ("getrandom", "getrandom"),
    ("memfd_create", "memfd_create"),
    ("setresuid", "setresuid"),
    ("capset", "capset"),
    ("clock_settime", "clock_settime"),
    ("sched_setscheduler", "sched_setscheduler"),
    ("process_vm_readv", "process_vm_readv"),
];

/// The C library that a variable names, or the usual one of this machine or of the package for another.
fn library(variable: &str, usual: &[&str], package: &str) -> Option<Vec<u8>> {
    let named = std::env::var(variable).ok();
    let paths = named.as_deref().map_or(usual.to_vec(), |path| vec![path]);
    let path = needs::file(&paths, package)?;
    Some(std::fs::read(path).unwrap())
}

/// One file as the only one of a machine.
fn read(bytes: &[u8]) -> Facts {
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(temp.path().join("etc")).unwrap();
    std::fs::write(temp.path().join("etc/os-release"), "ID=x\n").unwrap();
    std::fs::write(temp.path().join("file"), bytes).unwrap();
    let root = Root::open(&[temp.path().to_owned()], &OpenOptions::default()).unwrap();
    let wanted = [native::Executable::ID, native::MachineCode::ID];
    let detectors = native::all()
        .into_iter()
        .filter(|detector| wanted.contains(&detector.id()));
    let programs = Programs::from([("/file".into(), BTreeSet::new())]);
    let mut follow =
        |facts: &Facts| transvase::examine::follow::loadable(facts, &programs, u64::MAX).into();
    engine::examine_with(
        &root,
        &Registry::of(detectors).unwrap(),
        Vec::new(),
        &mut [&mut follow],
        &transvase::progress::Silent,
    )
}

/// Calls of each exported function itself.
fn wrappers(code: &Code) -> BTreeMap<&str, Vec<&'static str>> {
    let mut found: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for symbol in &code.symbols {
        if let Target::Function(function) = symbol.target {
            let own = code.calls.iter().filter(|call| call.function == function);
            let names = own.filter_map(|call| code.architecture.call(call.number?.into()));
            found.entry(&symbol.name).or_default().extend(names);
        }
    }
    found
}

fn check(bytes: &[u8]) {
    let facts = read(bytes);
    let code = facts
        .codes
        .values()
        .next()
        .unwrap_or_else(|| panic!("{:?}", facts.unexamined));
    let found = wrappers(code);
    let wrong: Vec<_> = WRAPPERS
        .iter()
        .filter(|(name, call)| found.get(name).is_some_and(|calls| !calls.contains(call)))
        .map(|(name, call)| (name, call, &found[name]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let known = WRAPPERS
        .iter()
        .filter(|(name, _)| found.contains_key(name))
        .count();
    assert!(known > 40, "only {known} functions");
}

#[test]
fn wrappers_of_the_x86_64_library() {
    let usual = [
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/x86_64-linux-gnu/lib/libc.so.6",
    ];
    let found = library("TRANSVASE_LIBC_X86_64", &usual, "libc6-amd64-cross");
    check(&need!(found));
}

#[test]
fn wrappers_of_the_aarch64_library() {
    let usual = [
        "/usr/aarch64-linux-gnu/lib/libc.so.6",
        "/usr/lib/aarch64-linux-gnu/libc.so.6",
    ];
    let found = library("TRANSVASE_LIBC_AARCH64", &usual, "libc6-arm64-cross");
    check(&need!(found));
}

#[test]
fn damaged_files_are_read_or_refused() {
    let small = ["/usr/bin/true", "/bin/true", "/bin/sh"];
    let small = need!(needs::file(&small, "coreutils"));
    let original = std::fs::read(small).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    for _ in 0..300 {
        let mut bytes = original.clone();
        let reach = [64, 1000, 0x4000, bytes.len()][random(4)].min(bytes.len());
        for _ in 0..=random(20) {
            let at = random(reach);
            bytes[at] = [0xff, u8::try_from(random(256)).unwrap(), bytes[at] ^ 1][random(3)];
        }
        if random(5) == 0 {
            let length = 64 + random(bytes.len() - 64);
            bytes.truncate(length);
        }
        let started = Instant::now();
        let facts = read(&bytes);
        let failed = facts
            .unexamined
            .iter()
            .find(|entry| entry.reason.contains("failed on this file"));
        assert!(failed.is_none(), "{failed:?}");
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "took {:?}",
            started.elapsed()
        );
    }
}
