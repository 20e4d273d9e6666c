//! `transvase kernel --why`: the way from a program's start to a call is the most certain one, and ends where the call is
//! made. The programs are compiled here; without a C compiler there is nothing to show.

#![cfg(test)]

mod kernel_support;
mod needs;

use kernel_support::{answer, compiled, kernel};
use needs::need;
use serde_json::Value;

/// Five ways to a call, one for each that a program can take.
const WAYS: &str = "#define _GNU_SOURCE
    #include <dlfcn.h>
    #include <sched.h>
    #include <sys/mount.h>
    #include <sys/swap.h>
    #include <unistd.h>
    #define FAR __attribute__((noinline, visibility(\"default\")))
    FAR int enter(const char *path) { return chroot(path); }
    FAR int between(const char *path) { return enter(path); }
    FAR int leave(const char *path) { return umount(path); }
    FAR int off(const char *path) { return swapoff(path); }
    static int (*volatile handed)(const char *);
    struct table { int (*first)(const char *); int (*second)(const char *); long spare[4]; };
    static const struct table table = { enter, off };
    const struct table *volatile shared;
    int main(int c, char **v) {
        shared = &table;
        handed = leave;
        int (*found)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, \"setns\");
        return between(v[c - 1]) + handed(v[0]) + shared->second(v[0]) + (found ? found(c) : 0);
    }";

/// How the steps of the way to a call were led to, and the names there.
fn steps<'a>(program: &'a Value, call: &str) -> (&'a str, Vec<(&'a str, &'a str)>) {
    let mut ways = program["ways"].as_array().unwrap().iter();
    let way = ways.find(|way| way["call"] == call).unwrap();
    let steps = way["steps"].as_array().unwrap().iter();
    let steps = steps.map(|step| {
        let name = step["name"].as_str().unwrap_or("");
        (step["how"].as_str().unwrap(), name)
    });
    (way["certainty"].as_str().unwrap(), steps.collect())
}

#[test]
fn the_way_to_a_call_is_the_most_certain_one() {
    let scratch = tempfile::tempdir().unwrap();
    let path = need!(compiled(
        scratch.path(),
        WAYS,
        &["-rdynamic", "-fno-ipa-icf"]
    ));
    let why = ["--why", "chroot,umount2,swapoff", "--why", "setns,reboot"];
    let program = answer(&path, &why);
    // Data holds its address as well, and nearer to the start.
    let (certainty, chroot) = steps(&program, "chroot");
    assert_eq!(certainty, "calls", "{chroot:?}");
    let names: Vec<&str> = chroot.iter().map(|(_, name)| *name).collect();
    assert!(
        names.ends_with(&["main", "between", "enter", "chroot", ""]),
        "{chroot:?}"
    );
    let after = chroot
        .iter()
        .skip_while(|(_, name)| *name != "main")
        .skip(1);
    assert!(
        after
            .map(|(how, _)| *how)
            .eq(["calls", "calls", "calls", "makes"]),
        "{chroot:?}"
    );
    let (_, umount) = steps(&program, "umount2");
    assert!(umount.contains(&("takes", "leave")), "{umount:?}");
    let (certainty, swapoff) = steps(&program, "swapoff");
    assert!(
        certainty == "table" && swapoff.contains(&("holds", "off")),
        "{swapoff:?}"
    );
    let (certainty, setns) = steps(&program, "setns");
    assert!(
        certainty == "name" && setns.contains(&("looks-up", "setns")),
        "{setns:?}"
    );
    let ways = program["ways"].as_array().unwrap();
    assert!(ways.iter().all(|way| way["call"] != "reboot"), "{ways:?}");
    let last = |way: &Value| way["steps"].as_array().unwrap().last().unwrap().clone();
    for way in ways {
        let calls = program["syscalls"].as_array().unwrap().iter();
        let places = calls.filter(|call| call["name"] == way["call"]);
        let mut places = places.flat_map(|call| call["places"].as_array().unwrap());
        let end = last(way);
        assert!(
            places.any(|place| place["offset"] == end["offset"]),
            "{end}"
        );
    }
}

#[test]
fn a_way_is_shown_and_a_call_that_nothing_has_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let path = need!(compiled(scratch.path(), WAYS, &["-rdynamic"]));
    let shown = kernel(&path, &["--why", "chroot,reboot", "--color", "never"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let place = format!("{}@0x", path.display());
    assert!(shown.contains("calls") && shown.contains(&place), "{shown}");
    assert!(shown.contains("\nreboot  not made\n"), "{shown}");
    let refused = kernel(&path, &["--why", "chrot"]);
    assert_eq!(refused.status.code(), Some(2));
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        error.contains("chrot") && error.contains("no system call"),
        "{error}"
    );
}
