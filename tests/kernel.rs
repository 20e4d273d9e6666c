//! `transvase kernel`: a program that asks for what a container refuses is named, with the place in its code; ordinary
//! programs are not. The program is compiled here; without a C compiler there is nothing to show.

#![cfg(test)]

mod needs;

use needs::need;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/io.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ports(void) { return ioperm(0x378, 3, 1); }
static int memory(void) { return open("/dev/mem", O_RDWR); }
static long module(int fd) { return syscall(SYS_finit_module, fd, "", 0); }
static int up(int fd) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, "eth0");
    return ioctl(fd, SIOCSIFFLAGS, &request);
}
static int raw(void) { return socket(AF_PACKET, SOCK_RAW, 0); }

int main(int argc, char **argv) {
    (void)argv;
    return argc > 1 ? ports() + memory() + (int)module(argc) : up(raw());
}
"#;

const ORDINARY: &str = r#"
#include <stdio.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>
int main(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = { .sin_family = AF_INET };
    bind(fd, (struct sockaddr *)&any, sizeof any);
    listen(fd, 5);
    int peer = accept(fd, 0, 0);
    return write(peer, "hello\n", 6) == 6 && fork() >= 0 ? printf("served\n") : 1;
}
"#;

/// Opens what it is told to, also on its own search path.
const INTERPRETER: &str = r#"
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
    if (argc < 2) return puts("/usr/lib/none/?.so;/usr/lib/searched/?.so;./?.so");
    return dlopen(argv[1], RTLD_NOW) ? 0 : 1;
}
"#;

/// `None` without a compiler.
fn compile(source: &str, to: &Path, flags: &[&str]) -> Option<()> {
    let compiler = needs::tool("cc")?;
    let text = to.with_extension("c");
    std::fs::write(&text, source).unwrap();
    let done = Command::new(compiler)
        .arg("-O1")
        .args(flags)
        .arg("-o")
        .arg(to)
        .arg(&text)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Some(())
}

fn kernel(path: &Path, format: &str) -> Output {
    kernel_of(Path::new("/"), path, format)
}

fn kernel_of(root: &Path, path: &Path, format: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args([
            "kernel",
            root.to_str().unwrap(),
            path.to_str().unwrap(),
            "--format",
            format,
        ])
        .output()
        .unwrap()
}

fn program(path: &Path) -> Value {
    answer(&kernel(path, "json"))
}

fn answer(done: &Output) -> Value {
    let document: Value = serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)));
    document["programs"][0].clone()
}

/// What it asks for, and where: what, capability, file, offset.
fn asked(program: &Value) -> Vec<(String, String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let asks = program["asks"].as_array().unwrap().iter();
    let asked = asks.filter(|ask| ask["degree"] == "asks");
    asked
        .map(|ask| {
            let evidence = &ask["evidence"];
            (
                text(&ask["what"]),
                text(&ask["capability"]),
                text(&evidence["path"]),
                evidence["offset"].as_u64().unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn what_a_container_refuses_is_named_with_its_place() {
    let scratch = tempfile::tempdir().unwrap();
    for (name, flags) in [("pie", &["-pie", "-fPIE"][..]), ("static", &["-static"])] {
        let path = scratch.path().join(name);
        need!(compile(PROGRAM, &path, flags));
        let answer = program(&path);
        let asked = asked(&answer);
        let size = std::fs::metadata(&path).unwrap().len();
        for (what, capability) in [
            ("ioperm", "CAP_SYS_RAWIO"),
            ("finit_module", "CAP_SYS_MODULE"),
            ("/dev/mem", "CAP_SYS_RAWIO"),
            ("ioctl(an interface, address or route)", "CAP_NET_ADMIN"),
            ("socket(AF_PACKET)", "CAP_NET_RAW"),
        ] {
            let found = asked
                .iter()
                .find(|ask| ask.0 == what)
                .unwrap_or_else(|| panic!("{name}: no {what} in {asked:?}"));
            assert_eq!(found.1, capability, "{name}: {what}");
            let in_libc = what == "ioperm" && name != "static" && found.2.contains("libc");
            assert!(
                found.2 == path.to_str().unwrap() || in_libc,
                "{name}: {found:?}"
            );
            assert!(
                found.3 > 0 && (in_libc || found.3 < size),
                "{name}: {found:?}"
            );
        }
        let fits = |place: &str| {
            answer["targets"]
                .as_array()
                .unwrap()
                .iter()
                .any(|target| target["place"] == place && target["fits"] == true)
        };
        assert!(
            !fits("kubernetes-restricted") && !fits("fargate") && !fits("gvisor"),
            "{name}"
        );
        if name == "static" {
            let said = String::from_utf8(kernel(&path, "terminal").stdout).unwrap();
            assert!(
                said.contains("Asks for") && said.contains("/dev/mem"),
                "{said}"
            );
        }
    }
}

#[test]
fn ordinary_programs_are_not() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("serve");
    need!(compile(ORDINARY, &path, &[]));
    let answer = program(&path);
    assert!(asked(&answer).is_empty(), "{:?}", asked(&answer));
    let calls: Vec<&str> = answer["syscalls"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|call| call["name"].as_str())
        .collect();
    for name in ["socket", "bind", "listen", "accept", "write"] {
        assert!(calls.contains(&name), "{name} in {calls:?}");
    }
    assert!(
        !calls.contains(&"mount") && !calls.contains(&"reboot"),
        "{calls:?}"
    );
}

#[test]
fn the_systems_own_are_not_either() {
    let tar = need!(needs::file(&["/usr/bin/tar"], "tar"));
    let answer = program(tar);
    assert!(asked(&answer).is_empty(), "{:?}", asked(&answer));
}

/// The libraries that an interpreter opens by names made at run time are those of its search path, and of the directory that
/// bears the name of the script it runs; no others.
#[test]
fn an_interpreter_opens_what_its_script_brings() {
    let scratch = tempfile::tempdir().unwrap();
    need!(needs::x86_64());
    let root = scratch.path().join("root");
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("etc/os-release", "ID=debian\n");
    put("usr/bin/app", "#!/usr/bin/interpreter\n");
    put("usr/bin/searched", "#!/usr/bin/env -S A=b interpreter -x\n");
    need!(compile(INTERPRETER, &root.join("usr/bin/interpreter"), &[]));
    for (path, call) in [
        ("usr/lib/searched/a.so", "swapoff(name)"),
        ("usr/lib/app/deep/b.so", "acct(name)"),
        ("usr/lib/other/c.so", "chroot(name)"),
    ] {
        put(path, "");
        let source = format!(
            "#define _GNU_SOURCE\n#include <sys/swap.h>\n#include <unistd.h>\nint run(const char *name) {{ return {call}; }}\n"
        );
        need!(compile(&source, &root.join(path), &["-shared", "-fPIC"]));
    }
    let libc = [
        "/lib/x86_64-linux-gnu/libc.so.6",
        "/lib64/libc.so.6",
        "/usr/lib/libc.so.6",
    ];
    let libc = need!(needs::file(&libc, "libc6"));
    put("usr/lib/libc.so.6", "");
    std::fs::copy(libc, root.join("usr/lib/libc.so.6")).unwrap();
    let calls = |path: &str| -> Vec<bool> {
        let answer = answer(&kernel_of(&root, Path::new(path), "json"));
        let made = answer["syscalls"].as_array().unwrap();
        let is_made = |name| made.iter().any(|call| call["name"] == name);
        ["swapoff", "acct", "chroot"].map(is_made).to_vec()
    };
    assert_eq!(calls("/usr/bin/interpreter"), [true, false, false]);
    assert_eq!(calls("/usr/bin/app"), [true, true, false]);
    assert_eq!(calls("/usr/bin/searched"), [true, false, false]);
}

#[test]
fn what_is_not_there_is_said() {
    let done = kernel(Path::new("/nowhere/at/all"), "json");
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("/nowhere/at/all"));
}

/// A machine with one service of its own, whose program asks for what no container gives.
fn machine(root: &Path, program: &Path) {
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put(
        "etc/os-release",
        "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n",
    );
    put(
        "usr/lib/systemd/system/multi-user.target",
        "[Unit]\nDescription=x\n",
    );
    let unit = "[Service]\nExecStartPre=/sbin/modprobe odd\nExecStart=/srv/odd/program\nDeviceAllow=/dev/fuse rw\n[Install]\nWantedBy=multi-user.target\n";
    put("etc/systemd/system/odd.service", unit);
    let wants = root.join("etc/systemd/system/multi-user.target.wants");
    std::fs::create_dir_all(&wants).unwrap();
    std::os::unix::fs::symlink("../odd.service", wants.join("odd.service")).unwrap();
    std::os::unix::fs::symlink(
        "multi-user.target",
        root.join("usr/lib/systemd/system/default.target"),
    )
    .unwrap();
    std::fs::create_dir_all(root.join("srv/odd")).unwrap();
    std::fs::copy(program, root.join("srv/odd/program")).unwrap();
}

#[test]
fn a_scan_names_the_place_and_the_artefacts_hold_back() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("program");
    need!(compile(PROGRAM, &path, &["-static"]));
    let (root, out) = (scratch.path().join("root"), scratch.path().join("out"));
    machine(&root, &path);
    let done = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args([
            "migrate",
            "--quiet",
            root.to_str().unwrap(),
            "-o",
            out.to_str().unwrap(),
        ])
        .output()
        .unwrap();
    assert!(
        out.join("scan.json").exists(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let scan: Value =
        serde_json::from_slice(&std::fs::read(out.join("scan.json")).unwrap()).unwrap();
    let concerns = scan["concerns"].as_array().unwrap();
    for (rule, what) in [
        ("kernel/privileged-syscall", "ioperm"),
        ("kernel/module-loading-code", "finit_module"),
        ("kernel/module-loading-code", "modprobe"),
        ("device/special-node", "/dev/mem"),
        ("device/special-node", "/dev/fuse"),
        ("security/needs-capability", "CAP_NET_ADMIN"),
        ("security/needs-capability", "CAP_NET_RAW"),
    ] {
        let mut named = concerns.iter().filter(|concern| concern["rule"] == rule);
        let found = named.find(|concern| {
            concern["detail"]
                .as_str()
                .unwrap_or_default()
                .contains(what)
        });
        let found = found.unwrap_or_else(|| panic!("no {rule} for {what}: {concerns:#?}"));
        let evidence = &found["evidence"][0];
        let of_code = !matches!(what, "modprobe" | "/dev/fuse");
        assert_eq!(evidence["offset"].is_u64(), of_code, "{found}");
        assert!(
            !of_code || evidence["path"] == "/srv/odd/program",
            "{found}"
        );
    }
    let kernel = &scan["workloads"][0]["kernel"];
    let calls = kernel["syscalls"].as_array().unwrap();
    assert!(calls.iter().any(|call| call == "ioperm"), "{calls:?}");
    let compose = std::fs::read_to_string(out.join("compose.yaml")).unwrap();
    // Only the unit names it: whoever owns the host decides.
    let is_comment = |line: &&str| line.trim_start().starts_with('#');
    let mut choices = compose.lines().filter(is_comment);
    assert!(
        choices.any(|line| line.contains("[/dev/fuse]")),
        "{compose}"
    );
    let granted: Vec<&str> = compose.lines().filter(|line| !is_comment(line)).collect();
    for never in ["/dev/mem", "/dev/fuse", "SYS_MODULE", "SYS_RAWIO"] {
        assert!(
            !granted.iter().any(|line| line.contains(never)),
            "{never} is not handed over: {compose}"
        );
    }
}
