//! A small machine on disk, its facts by hand, and one workload, for tests of plans and what is written from them.
#![expect(
    dead_code,
    clippy::unwrap_used,
    reason = "helpers of several tests, each of which uses some"
)]

use crate::needs;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use transvase::fact::{
    Evidence, Facts, FileState, Group, OsRelease, Ownership, Package, SecretRef, User,
};
use transvase::path::MachinePath;
use transvase::plan::{self, Plan, PlanOptions};
use transvase::product::Listen;
use transvase::render::{self, Machine, Options, Written};
use transvase::service::{self, Starter};
use transvase::source::{OpenOptions, Root};
use transvase::workload::{Configuration, Data, Needed, Workload};

/// What no quoting may lose.
pub const HOSTILE: &str = "a\nb'c\"d$e ${HOME} $(id) # f: g {{h}} \\ \u{202e}i`j`% !k\t|*\\";

pub struct Bench {
    pub dir: tempfile::TempDir,
    pub facts: Facts,
    pub root: Root,
    /// Of secrets that are no whole files.
    pub values: render::secret::Values,
}

pub fn evidence(path: &str, line: u32) -> Evidence {
    Evidence::line(&MachinePath::new(path), line, "as written")
}

/// A machine with the given files; a name that ends in `/` is a directory, ` -> ` makes a link.
pub fn bench(files: &[(&str, &str)]) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("machine");
    fs::create_dir(&root).unwrap();
    for (name, content) in files
        .iter()
        .chain(&[("/etc/os-release", "ID=debian\n"), ("/usr/bin/", "")])
    {
        let (name, link) = name
            .split_once(" -> ")
            .map_or((*name, None), |(n, t)| (n, Some(t)));
        let path = root.join(name.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match link {
            Some(target) => symlink(target, &path).unwrap(),
            None if name.ends_with('/') => fs::create_dir_all(&path).unwrap(),
            None => fs::write(&path, content).unwrap(),
        }
    }
    let source = Root::open(&[root], &OpenOptions::default()).unwrap();
    let (tree, _) = source.walk();
    let facts = Facts {
        tree,
        os: Some(OsRelease {
            id: "debian".into(),
            id_like: Vec::new(),
            version_id: "12".into(),
            codename: "bookworm".into(),
            parent: String::new(),
            pretty_name: "Debian GNU/Linux 12 (bookworm)".into(),
            evidence: evidence("/etc/os-release", 1),
        }),
        hostname: Some(("web1".into(), evidence("/etc/hostname", 1))),
        users: vec![user("root", 0), user("app", 1500)],
        groups: vec![group("root", 0), group("app", 1500)],
        ..Facts::default()
    };
    Bench {
        dir,
        facts,
        root: source,
        values: render::secret::Values::default(),
    }
}

pub fn user(name: &str, id: u32) -> User {
    User {
        name: name.into(),
        uid: id,
        gid: id,
        gecos: String::new(),
        home: format!("/home/{name}"),
        shell: "/bin/sh".into(),
        evidence: evidence("/etc/passwd", 1),
    }
}

pub fn group(name: &str, id: u32) -> Group {
    Group {
        name: name.into(),
        gid: id,
        members: Vec::new(),
        evidence: evidence("/etc/group", 1),
    }
}

pub fn package(name: &str, version: &str) -> Package {
    Package {
        name: name.into(),
        version: version.into(),
        arch: "amd64".into(),
        source: name.into(),
        manual: true,
        ..Package::new(evidence("/var/lib/dpkg/status", 1))
    }
}

/// Makes one package own paths.
pub fn owned(facts: &mut Facts, by: &str, paths: &[&str]) {
    let index = facts
        .packages
        .iter()
        .position(|package| package.name == by)
        .unwrap();
    let index = u32::try_from(index).unwrap();
    let owners = paths
        .iter()
        .map(|path| (MachinePath::new(path), index))
        .collect();
    facts.ownership = Ownership::new(owners, Vec::new());
}

pub fn workload(id: &str, argv: &[&str]) -> Workload {
    let mut service = service::Service::new(
        format!("{id}.service"),
        Starter::Systemd,
        evidence("/etc/systemd/system/x.service", 1),
    );
    service.commands.start = vec![service::Command {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        ignore_failure: false,
        privileged: false,
        evidence: evidence("/etc/systemd/system/x.service", 7),
    }];
    Workload {
        id: id.into(),
        title: format!("Title of {id}"),
        kind: "application".into(),
        services: vec![service],
        jobs: Vec::new(),
        product: None,
        packages: Vec::new(),
        executables: Vec::new(),
        listens: Vec::new(),
        connects: Vec::new(),
        user: "root".into(),
        group: "root".into(),
        environment: Vec::new(),
        configuration: Vec::new(),
        claims: Vec::new(),
        data: Vec::new(),
        logs: Vec::new(),
        schedule: None,
        secrets: Vec::new(),
        clients_of: Vec::new(),
        calls: Vec::new(),
        mounts: Vec::new(),
        needs: Vec::new(),
        answer: transvase::fact::Answer::default(),
    }
}

/// Another workload that is reached over loopback or a socket.
pub fn needed(id: &str) -> Needed {
    Needed {
        id: id.into(),
        connects: vec![evidence("/etc/x.conf", 1)],
        data: Vec::new(),
    }
}

pub fn as_user(mut workload: Workload, name: &str) -> Workload {
    workload.user = name.into();
    workload.group = name.into();
    for service in &mut workload.services {
        service.user = name.into();
        service.group = name.into();
    }
    workload
}

pub fn listen(address: &str, port: u16) -> Listen {
    Listen {
        address: address.into(),
        port,
        protocol: "tcp".into(),
        evidence: evidence("/etc/x.conf", 12),
    }
}

pub fn data(path: &str) -> Data {
    Data {
        path: path.into(),
        bytes: 1,
        why: "state".into(),
        link: None,
        is_inner: false,
        is_supposed: false,
        evidence: evidence("/etc/x.conf", 3),
    }
}

pub fn configuration(path: &str) -> Configuration {
    Configuration {
        path: path.into(),
        state: FileState::Unowned,
    }
}

pub fn secret(path: &str) -> SecretRef {
    SecretRef {
        kind: "password".into(),
        key: "password".into(),
        evidence: evidence(path, 1),
    }
}

impl Bench {
    pub fn plan(&self, workloads: &[Workload], with_data: bool) -> Vec<Plan> {
        plan::plan(
            &self.facts,
            workloads,
            &PlanOptions {
                with_data,
                ..PlanOptions::default()
            },
        )
    }

    pub fn write(&self, name: &str, plans: &[Plan], options: Options) -> (PathBuf, Written) {
        let out = self.dir.path().join(name);
        let machine = Machine {
            tree: &self.facts.tree,
            content: &self.root,
            values: &self.values,
        };
        let written = render::write(&out, plans, &machine, options).unwrap();
        (out, written)
    }
}

/// Every name below a directory with its mode and content (a link's target), sorted.
pub fn listing(dir: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(at) = todo.pop() {
        for name in fs::read_dir(&at).unwrap() {
            let path = name.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let content = if meta.is_symlink() {
                fs::read_link(&path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes()
            } else if meta.is_dir() {
                todo.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            let name = path
                .strip_prefix(dir)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            found.insert(name, (meta.permissions().mode() & 0o7777, content));
        }
    }
    found
}

/// The linter's findings in every Dockerfile; `None` where it is not installed.
pub fn lint(out: &Path) -> Option<String> {
    let files = listing(out)
        .into_keys()
        .filter(|name| name.ends_with("/Dockerfile"));
    let files: Vec<PathBuf> = files.map(|name| out.join(name)).collect();
    let run = Command::new(needs::tool("hadolint")?)
        .arg("--no-color")
        .args(&files)
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr))
}
