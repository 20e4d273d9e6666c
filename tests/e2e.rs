//! The real thing: a guest is built, migrated from its disk, and what was written is built, started, and asked.
//!
//! It needs the package archives too. `TRANSVASE_E2E_DIR` keeps the guest between runs.

#![cfg(test)]

mod done;
mod e2e_support;
mod needs;

use done::run;
use needs::need;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/e2e")
        .join(name)
}

/// Takes everything down when the test ends, well or not.
struct Up<'a>(&'a Path);

impl Drop for Up<'_> {
    fn drop(&mut self) {
        let _ = Command::new("podman-compose")
            .args(["down", "-v"])
            .current_dir(self.0)
            .env("NGINX_PORT_8080", PORT)
            .output();
    }
}

const PORT: &str = "18088";

fn get(path: &str) -> String {
    let url = format!("http://127.0.0.1:{PORT}{path}");
    let output = Command::new("curl")
        .args(["-s", "-m", "5", "-i", &url])
        .output()
        .expect("curl runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn wait_for(path: &str, wanted: &str) -> String {
    let start = Instant::now();
    loop {
        let answer = get(path);
        if answer.contains(wanted) || start.elapsed() > Duration::from_secs(90) {
            return answer;
        }
        std::thread::sleep(Duration::from_secs(2));
    }
}

#[test]
fn a_real_server_answers_as_before() {
    need!(needs::end_to_end());
    need!(needs::root());
    need!(needs::tools(&[
        "apt-mark",
        "bash",
        "curl",
        "dpkg",
        "dpkg-query",
        "hadolint",
        "mke2fs",
        "mmdebstrap",
        "podman",
        "podman-compose",
        "qemu-img",
        "sfdisk",
        "tar",
    ]));
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let kept = std::env::var_os("TRANSVASE_E2E_DIR").map(PathBuf::from);
    let bench = kept.unwrap_or_else(|| scratch.path().join("guest"));
    let image = bench.join("guest.qcow2");
    if !image.exists() {
        run(Command::new("bash").arg(script("guest.sh")).arg(&bench));
    }
    run(Command::new("bash").arg(script("base.sh")));

    let tar = bench.join("guest.tar");
    e2e_support::facts_are_the_guests_own(&tar, &image, &scratch.path().join("own"));

    let out = scratch.path().join("out");
    let migrate = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .arg("migrate")
        .arg(&image)
        .arg("-o")
        .arg(&out)
        .args(["--with-secrets", "--with-data"])
        // PostgreSQL compiles queries with a library of 105 MiB.
        .args(["--read-limit", "256M"])
        .output()
        .expect("transvase runs");
    assert!(
        migrate.status.success(),
        "{}",
        String::from_utf8_lossy(&migrate.stderr)
    );
    no_secret_outside(&out);
    contracts(&out);
    for dockerfile in glob(&out) {
        run(Command::new("hadolint").arg(&dockerfile));
    }

    let mut build = Command::new("podman-compose");
    run(build
        .args(["--podman-build-args=--network host", "build"])
        .current_dir(&out));
    let _up = Up(&out);
    run(Command::new("podman-compose")
        .args(["up", "-d"])
        .current_dir(&out)
        .env("NGINX_PORT_8080", PORT));

    let page = wait_for("/hello.txt", "from the machine itself");
    assert!(
        page.contains("X-Shop: yes; really"),
        "the include outside /etc came along: {page}"
    );
    let orders = wait_for("/api/orders", "trombone");
    assert!(
        orders.contains(r#"[[1,"trombone"],[2,"kakadu"],[3,"k\u00e4se"]]"#),
        "{orders}"
    );
    assert!(get("/api/count").contains(r#"{"visits":1}"#));
    assert!(get("/api/count").contains(r#"{"visits":2}"#));
    assert!(get("/api/zone").contains("grüezi, $HOME & #1"));
}

/// Every server runs with what was proven for it, and none is said to want more.
fn contracts(out: &Path) {
    let json = |path: &Path| -> serde_json::Value {
        let text =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).expect("JSON")
    };
    let scan = json(&out.join("scan.json"));
    let servers = ["nginx", "postgresql-15-main", "redis-server", "shop"];
    let workloads = scan["workloads"].as_array().expect("workloads").iter();
    let mut narrowed = Vec::new();
    for workload in workloads {
        let id = workload["id"].as_str().unwrap_or_default();
        let contract = &workload["plan"]["contract"];
        if !servers.contains(&id) {
            continue;
        }
        assert_eq!(
            workload["kernel"]["capabilities"],
            serde_json::json!([]),
            "{id}"
        );
        let profile = json(&out.join("workloads").join(id).join("seccomp.json"));
        let names = profile["syscalls"][0]["names"].as_array().expect("names");
        assert!(
            names.len() > 80 && names.len() < 250,
            "{id}: {} calls",
            names.len()
        );
        assert!(
            !names
                .iter()
                .any(|name| name == "init_module" || name == "kexec_load"),
            "{id}"
        );
        assert_eq!(contract["drops"], true, "{id}: {}", contract["unproven"]);
        narrowed.push(id);
    }
    assert_eq!(narrowed, servers);
    let kernel = |rule: &str| {
        rule.starts_with("kernel/")
            || rule.starts_with("device/")
            || rule == "security/needs-capability"
    };
    for concern in scan["concerns"].as_array().expect("concerns") {
        let named = servers.contains(&concern["workload"].as_str().unwrap_or_default());
        assert!(
            !named || !kernel(concern["rule"].as_str().unwrap_or_default()),
            "{concern}"
        );
    }
}

/// The secrets of the guest's setup: nowhere but in `secrets/` and `data/`.
fn no_secret_outside(out: &Path) {
    for entry in walkdir::WalkDir::new(out) {
        let entry = entry.expect("OUT can be read");
        let inside = entry.path().strip_prefix(out).expect("below OUT");
        if !entry.file_type().is_file()
            || inside.starts_with("secrets")
            || inside.starts_with("data")
        {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("a file of OUT");
        for secret in ["tr0mbone-pg", "k4kadu-redis", "BEGIN PRIVATE KEY"] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", inside.display());
        }
    }
}

fn glob(out: &Path) -> Vec<PathBuf> {
    let directories = std::fs::read_dir(out.join("workloads")).expect("workloads");
    directories
        .map(|entry| entry.expect("an entry").path().join("Dockerfile"))
        .collect()
}
