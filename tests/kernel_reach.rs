//! What a program does not reach is not said of it: branches of the C library that nobody asked for, stubs that only jumps
//! lead to, calls by pointers that name their number. And what it does reach is. The programs are compiled here; without a C
//! compiler there is nothing to show.

#![cfg(test)]

mod kernel_support;
mod needs;

use kernel_support::{ask, compiled, said, said_with};
use needs::need;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

#[test]
fn a_mutex_has_no_ceiling_until_it_is_given_one() {
    let locks = "#include <pthread.h>
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        int main(void) { ASK return pthread_mutex_lock(&lock); }";
    let plain = need!(said(&locks.replace("ASK", "")));
    let scheduling = [
        "sched_setscheduler",
        "sched_getparam",
        "sched_get_priority_max",
    ];
    for call in scheduling {
        assert!(!plain.has(call), "{call} in {:?}", plain.calls);
    }
    let ask = "pthread_mutexattr_t a; pthread_mutexattr_init(&a);
        pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_PROTECT); pthread_mutex_init(&lock, &a);";
    let asks = said(&locks.replace("ASK", ask)).unwrap();
    for call in scheduling {
        assert!(asks.has(call), "{call} not in {:?}", asks.calls);
    }
}

#[test]
fn a_spawned_process_is_as_its_attributes_say() {
    let plain = "#include <stdlib.h>
        int main(int c, char **v) { return system(v[c - 1]); }";
    let plain = need!(said(plain));
    assert!(plain.has("execve"));
    for call in ["setsid", "setpgid", "fchdir"] {
        assert!(!plain.has(call), "{call} in {:?}", plain.calls);
    }
    let flags = "#define _GNU_SOURCE
        #include <spawn.h>
        int main(int c, char **v) {
            posix_spawnattr_t a; posix_spawnattr_init(&a); posix_spawnattr_setflags(&a, POSIX_SPAWN_SETPGROUP);
            return posix_spawn(0, v[c - 1], 0, &a, v, 0);
        }";
    let flags = said(flags).unwrap();
    assert!(
        flags.has("setpgid") && flags.has("setsid"),
        "{:?}",
        flags.calls
    );
}

#[test]
fn a_thread_is_scheduled_as_its_creator() {
    let thread = "#define _GNU_SOURCE
        #include <pthread.h>
        #include <sched.h>
        static void *run(void *a) { return a; }
        int main(void) { pthread_t t; pthread_attr_t a; pthread_attr_init(&a); ASK
            return pthread_create(&t, &a, run, 0); }";
    let plain = need!(said(&thread.replace("ASK", "")));
    assert!(!plain.has("sched_setaffinity") && !plain.has("sched_setscheduler"));
    let asks = "cpu_set_t s; CPU_ZERO(&s); pthread_attr_setaffinity_np(&a, sizeof s, &s);
        pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED);";
    let asks = said(&thread.replace("ASK", asks)).unwrap();
    assert!(asks.has("sched_setaffinity") && asks.has("sched_setscheduler"));
}

#[test]
fn who_looks_for_users_looks_for_no_hosts() {
    let users = "#include <pwd.h>
        int main(int c, char **v) { return getpwnam(v[c - 1]) != 0; }";
    let users = need!(said(users));
    assert!(
        users.has("openat") && !users.has("sendmmsg"),
        "{:?}",
        users.calls
    );
    let hosts = "#include <netdb.h>
        int main(int c, char **v) { return gethostbyname(v[c - 1]) != 0; }";
    assert!(said(hosts).unwrap().has("sendmmsg"));
}

/// The stub for chroot stands behind one that is called, and only a function nobody calls jumps to it.
#[test]
fn a_stub_is_not_part_of_the_one_before() {
    let source = "#include <unistd.h>
        int main(int c, char **v) { return c > 1 ? link(v[0], v[1]) : rmdir(v[0]); }
        int never(const char *path) { return chroot(path); }";
    let said = need!(said(source));
    assert!(said.has("link") && said.has("rmdir"));
    assert!(!said.has("chroot"), "{:?}", said.calls);
}

const TABLE: &str = "#define _GNU_SOURCE
    #include <sys/syscall.h>
    #include <unistd.h>
    static long plain(long number, long a, long b) { return syscall(number, a, b); }
    struct calls { long (*call)(long, long, long); };
    static struct calls table = { plain };
    __attribute__((noinline)) long ask(struct calls *calls, long path) { return calls->call(SYS_chroot, path, 0); }
    int main(int c, char **v) { GIVE return ask(&table, (long)v[c - 1]); }";

#[test]
fn a_pointer_in_a_table_is_called_with_a_number() {
    let said = need!(said(&TABLE.replace("GIVE", "")));
    assert!(said.has("chroot"), "{:?}", said.calls);
    assert_eq!(said.open, 0);
}

#[test]
fn a_pointer_that_is_given_away_is_called_with_anything() {
    let given = TABLE.replace(
        "GIVE",
        "extern int atexit(void (*)(void)); atexit((void (*)(void))plain);",
    );
    let said = need!(said(&given));
    assert!(said.open > 0);
}

/// At a fixed address the function's address is that of its stub, which is called by its name as well.
#[test]
fn a_stub_that_is_given_away_is_called_with_anything() {
    let source = "#define _GNU_SOURCE
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int main(int c, char **v) { GIVE return syscall(SYS_chroot, v[c - 1]); }";
    let flags = ["-no-pie", "-fno-pie", "-fplt"];
    let kept = need!(said_with(&source.replace("GIVE", ""), &flags));
    assert!(kept.has("chroot") && kept.open == 0);
    let give = "atexit((void (*)(void))syscall);";
    let given = said_with(&source.replace("GIVE", give), &flags).unwrap();
    assert!(given.has("chroot") && given.open > 0);
}

/// Opens any library that it is told.
const OPENS: &str = "#include <dlfcn.h>
    int main(int c, char **v) { return dlopen(v[c - 1], RTLD_NOW) == 0; }";

/// A library that makes a call which nobody else makes; by itself, for the C library is not in every machine here.
const EXTENSION: &str = "#include <sys/syscall.h>
    long begin(void) {
        long answer;
        __asm__ volatile (\"syscall\" : \"=a\"(answer) : \"a\"(SYS_swapoff), \"D\"(\"/x\") : \"rcx\", \"r11\", \"memory\");
        return answer;
    }";

#[test]
fn what_lies_beside_an_interpreters_name_is_what_it_opens() {
    let scratch = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let path = scratch.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let (real, bin, lib) = (make("real/bin"), make("app/bin"), make("app/lib/deep"));
    let program = need!(compiled(&real, OPENS, &[]));
    let library = compiled(&lib, EXTENSION, &["-shared", "-fPIC"]).unwrap();
    for name in ["extension.so", "extension.node"] {
        std::fs::rename(&library, lib.join(name)).unwrap();
        let link = bin.join("interpreter");
        std::os::unix::fs::symlink(&program, &link).unwrap();
        assert!(!ask(&program).has("swapoff"));
        assert!(ask(&link).has("swapoff"), "{name}");
        let script = bin.join("serve");
        std::fs::write(&script, format!("#!{}\n", link.display())).unwrap();
        assert!(ask(&script).has("swapoff"), "{name}");
        std::fs::rename(lib.join(name), &library).unwrap();
        std::fs::remove_file(&link).unwrap();
    }
}

/// Writes a machine with one service.
fn serve(root: &Path, service: &str) {
    let unit = format!("[Service]\n{service}\n[Install]\nWantedBy=multi-user.target\n");
    for (path, text) in [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        ("etc/systemd/system/app.service", &unit),
        ("usr/lib/systemd/system/multi-user.target", "[Unit]\n"),
    ] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let enabled = root.join("etc/systemd/system/multi-user.target.wants");
    std::fs::create_dir_all(&enabled).unwrap();
    let link = enabled.join("app.service");
    if !link.is_symlink() {
        std::os::unix::fs::symlink("../app.service", link).unwrap();
    }
}

/// What a scan says of the first workload.
fn workload(root: &Path) -> Value {
    let done = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(["scan", "--quiet"])
        .arg(root)
        .output()
        .unwrap();
    let scan: Value = serde_json::from_slice(&done.stdout).unwrap();
    scan["workloads"][0].clone()
}

/// The machine's service is a program that opens what lies among its own files, which no code names.
#[test]
fn an_application_opens_libraries_of_its_own() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let program = "ExecStart=/srv/app/bin/program";
    serve(root, program);
    let (bin, more) = (root.join("srv/app/bin"), root.join("srv/app/more"));
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::create_dir_all(&more).unwrap();
    need!(compiled(&bin, OPENS, &[]));
    let library = compiled(&more, EXTENSION, &["-shared", "-fPIC"]).unwrap();
    std::fs::rename(library, more.join("extension.so")).unwrap();
    let found = workload(root);
    let calls = found["kernel"]["syscalls"].to_string();
    assert!(calls.contains("swapoff"), "{found:#?}");
    let why = |found: &Value| found["plan"]["contract"]["profile"]["unknown"]["why"].to_string();
    assert!(!why(&found).contains("is set"), "{}", why(&found));
    let variables = root.join("srv/app/more.env");
    std::fs::write(variables, "LD_LIBRARY_PATH=/srv/app/more\n").unwrap();
    for variable in [
        "Environment=LD_PRELOAD=/srv/app/more/extension.so",
        "EnvironmentFile=/srv/app/more.env",
    ] {
        serve(root, &format!("{program}\n{variable}"));
        let why = why(&workload(root));
        assert!(why.contains("is set, which decides"), "{variable}: {why}");
    }
}

/// A service whose program reads what it runs from a file that nobody may execute: only the program is one.
#[test]
fn what_an_interpreter_reads_is_no_program() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    serve(root, "ExecStart=/usr/bin/python3 /srv/app/serve.py");
    let (bin, app) = (root.join("usr/bin"), root.join("srv/app"));
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::create_dir_all(&app).unwrap();
    std::fs::write(app.join("serve.py"), "import http.server\n").unwrap();
    let program = need!(compiled(&bin, OPENS, &[]));
    std::fs::rename(program, bin.join("python3")).unwrap();
    let found = workload(root);
    let programs = serde_json::json!(["/usr/bin/python3"]);
    assert_eq!(found["plan"]["process"]["programs"], programs, "{found:#?}");
}

const OPENER: &str = "#include <dlfcn.h>
    #include <stdio.h>
    int main(int c, char **v) {
        char path[200];
        snprintf(path, sizeof path, \"%s%s\", \"/usr/lib/any/security/\", v[c - 1]);
        void *file = dlopen(path, RTLD_NOW);
        int (*open)(void) = (int (*)(void))dlsym(file, \"pam_sm_open_session\");
        return open ? open() : 0;
    }";

/// A machine with that program, its C library and two modules that it can open; `None` without a compiler or a library.
fn opener(root: &Path) -> Option<()> {
    for file in [
        "/lib64/ld-linux-x86-64.so.2",
        "/lib/x86_64-linux-gnu/libc.so.6",
    ] {
        needs::file(&[file], "libc6")?;
        let to = root.join(file.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(file, to).unwrap();
    }
    std::fs::create_dir_all(root.join("etc")).unwrap();
    let modules = root.join("usr/lib/any/security");
    std::fs::create_dir_all(&modules).unwrap();
    for (name, body) in [
        ("pam_one.so", "chroot(\"/\")"),
        ("pam_two.so", "swapoff(\"/\")"),
    ] {
        let source = format!(
            "#include <unistd.h>
            #include <sys/swap.h>
            int pam_sm_open_session(void) {{ return {body}; }}"
        );
        let module = compiled(&modules, &source, &["-shared", "-fPIC"])?;
        std::fs::rename(module, modules.join(name)).unwrap();
    }
    compiled(root, OPENER, &[])?;
    Some(())
}

#[test]
fn a_plug_in_that_configuration_does_not_name_is_not_opened() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    need!(opener(root));
    let reached = || {
        let done = Command::new(env!("CARGO_BIN_EXE_transvase"))
            .args(["kernel", root.to_str().unwrap(), "/program"])
            .args(["--format", "json"])
            .output()
            .unwrap();
        let document: Value = serde_json::from_slice(&done.stdout).unwrap();
        let calls = document["programs"][0]["syscalls"].as_array().unwrap();
        let has = |call: &str| calls.iter().any(|known| known["name"] == call);
        (has("chroot"), has("swapoff"))
    };
    assert_eq!(reached(), (true, true), "no configuration says which");
    let configuration = root.join("etc/pam.d");
    std::fs::create_dir_all(&configuration).unwrap();
    let login = configuration.join("login");
    std::fs::write(&login, "# pam_two.so\nsession required pam_one.so\n").unwrap();
    assert_eq!(reached(), (true, false));
    std::fs::write(
        &login,
        "session required pam_one.so\nauth include /srv/more\n",
    )
    .unwrap();
    assert_eq!(reached(), (true, true), "what else is named was not read");
}

#[test]
fn a_lookup_that_one_function_makes_is_made_by_who_calls_it() {
    let source = "#define _GNU_SOURCE
        #include <dlfcn.h>
        #define SHOWN __attribute__((visibility(\"default\"), noinline))
        static void *everywhere(const char *name) {
            void *all = dlopen(0, RTLD_NOW);
            void *found = dlsym(all, name);
            dlclose(all);
            return found;
        }
        struct method { void *(*lookup)(const char *); int (*other)(int); long spare[4]; };
        static int other(int a) { return a + 1; }
        static const struct method method = { everywhere, other };
        const struct method *volatile used;
        SHOWN void *DSO_global_lookup(const char *name) { used = &method; return used->lookup(name); }
        SHOWN int only_other(int a) { used = &method; return used->other(a); }
        static const char *volatile name = \"chroot\";
        int main(int c, char **v) { return CALL; }";
    let flags = ["-rdynamic"];
    let other = source.replace("CALL", "only_other(c) + (name == v[0])");
    let other = need!(said_with(&other, &flags));
    assert!(!other.has("chroot"), "{:?}", other.calls);
    let asks = source.replace("CALL", "DSO_global_lookup(name) != 0");
    assert!(said_with(&asks, &flags).unwrap().has("chroot"));
}
