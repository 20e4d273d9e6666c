//! The real thing: a guest is built, migrated from its disk, and what was written is built, started, and asked.
//!
//! It needs the package archives too. `TRANSVASE_E2E_DIR` keeps the guest between runs.

#![cfg(test)]

mod done;
mod e2e_support;
mod needs;

use done::run;
use needs::need;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
    // PostgreSQL compiles queries with a library of 105 MiB.
    migrate(&image, &out, &["--read-limit", "256M"]);
    no_secret_outside(&out);
    contracts(&out);
    lint(&out);
    serves(&out);

    // The same off the disk, where nothing is fetched.
    let lifted = scratch.path().join("lifted");
    migrate(
        &image,
        &lifted,
        &["--strategy", "lift", "--formats", "compose,oci"],
    );
    lint(&lifted);
    no_secret_outside(&lifted);
    serves(&lifted);
    for (id, most) in [("nginx", 60), ("postgresql-15-main", 200)] {
        let built = inside(&format!("localhost/{id}:latest"));
        let layout = lifted.join("workloads").join(id).join("oci");
        // podman takes only lower case for a path.
        let named = std::env::temp_dir().join(format!("lifted-{}-{id}", std::process::id()));
        std::os::unix::fs::symlink(&layout, &named).expect("a link");
        let pulled = run(Command::new("podman")
            .args(["pull", "-q"])
            .arg(format!("oci:{}", named.display())));
        std::fs::remove_file(&named).expect("the link goes");
        let pulled = String::from_utf8_lossy(&pulled.stdout).into_owned();
        let image = pulled.trim();
        let packed = inside(image);
        let _ = Command::new("podman").args(["rmi", "-f", image]).output();
        let names = |files: &Files| -> Vec<String> { files.keys().cloned().collect() };
        assert_eq!(names(&built), names(&packed), "{id}");
        for (name, member) in &built {
            assert_eq!(Some(member), packed.get(name), "{id}: {name}");
        }
        let bytes: u64 = built.values().map(|member| member.size).sum();
        assert!(bytes < most << 20, "{id} has {bytes} bytes");
    }
}

fn migrate(image: &Path, out: &Path, more: &[&str]) {
    let migrate = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .arg("migrate")
        .arg(image)
        .arg("-o")
        .arg(out)
        .args(["--with-secrets", "--with-data"])
        .args(more)
        .output()
        .expect("transvase runs");
    assert!(
        migrate.status.success(),
        "{}",
        String::from_utf8_lossy(&migrate.stderr)
    );
}

fn lint(out: &Path) {
    for dockerfile in glob(out) {
        run(Command::new("hadolint").arg(&dockerfile));
    }
}

/// Builds and starts what was written, and asks it what the machine was asked.
fn serves(out: &Path) {
    let mut build = Command::new("podman-compose");
    run(build
        .args(["--podman-build-args=--network host", "build"])
        .current_dir(out));
    let _up = Up(out);
    run(Command::new("podman-compose")
        .args(["up", "-d"])
        .current_dir(out)
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

/// A file of an image.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    kind: tar::EntryType,
    mode: u32,
    owner: (u64, u64),
    link: Option<PathBuf>,
    size: u64,
    digest: Vec<u8>,
}

type Files = BTreeMap<String, Member>;

/// What is in an image, without what the engine puts into a container.
fn inside(image: &str) -> Files {
    let container = run(Command::new("podman").args(["create", image]));
    let container = String::from_utf8_lossy(&container.stdout).into_owned();
    let container = container.trim();
    let mut export = Command::new("podman")
        .args(["export", container])
        .stdout(Stdio::piped())
        .spawn()
        .expect("podman runs");
    let mut archive = tar::Archive::new(export.stdout.take().expect("a pipe"));
    let mut found = Files::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("a member");
        let name = entry
            .path()
            .expect("a name")
            .to_string_lossy()
            .trim_end_matches('/')
            .to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("content");
        let header = entry.header();
        let member = Member {
            kind: header.entry_type(),
            mode: header.mode().expect("a mode"),
            owner: (
                header.uid().expect("a user"),
                header.gid().expect("a group"),
            ),
            link: entry
                .link_name()
                .expect("a link")
                .map(std::borrow::Cow::into_owned),
            size: header.size().expect("a size"),
            digest: Sha256::digest(&bytes).to_vec(),
        };
        found.insert(name, member);
    }
    let _ = export.wait();
    let _ = Command::new("podman")
        .args(["rm", "-f", container])
        .output();
    found
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
        // Libraries that read keys know what those begin with.
        let is_archive = inside.extension().is_some_and(|ending| ending == "tar");
        let secrets = ["tr0mbone-pg", "k4kadu-redis", "BEGIN PRIVATE KEY"];
        let secrets = secrets
            .get(..if is_archive { 2 } else { 3 })
            .unwrap_or_default();
        assert!(!is_archive || !lists(entry.path(), "etc/ssl/private/ssl-cert-snakeoil.key"));
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", inside.display());
        }
    }
}

/// Whether an archive has a member of that name.
fn lists(archive: &Path, name: &str) -> bool {
    let file = std::fs::File::open(archive).expect("an archive of OUT");
    let mut archive = tar::Archive::new(file);
    let mut entries = archive.entries().expect("an archive");
    entries.any(|entry| entry.expect("a member").path_bytes() == name.as_bytes())
}

fn glob(out: &Path) -> Vec<PathBuf> {
    let directories = std::fs::read_dir(out.join("workloads")).expect("workloads");
    directories
        .map(|entry| entry.expect("an entry").path().join("Dockerfile"))
        .collect()
}
