//! A whole machine out of one input: files one after the other, each behind a byte that no text has and its number.

use std::collections::BTreeMap;
use std::hint::black_box;
use transvase::detect::{Registry, engine, native};
use transvase::product::pack::Packs;
use transvase::progress::Silent;
use transvase::service;
use transvase::source::Root;

/// Stands before each file's number.
const NEXT: u8 = 0xff;

/// What files there may be; the first is there without its head.
const PATHS: &[&str] = &[
    "/etc/systemd/system/a.service",
    "/etc/systemd/system/a.service.d/x.conf",
    "/etc/systemd/system/b@.service",
    "/etc/systemd/system/multi-user.target.wants/b@c.service",
    "/etc/systemd/system/a.timer",
    "/etc/systemd/system/a.socket",
    "/etc/systemd/system/a.mount",
    "/etc/a.env",
    "/etc/default/old",
    "/etc/init.d/old",
    "/etc/rc2.d/S01old",
    "/etc/crontab",
    "/etc/cron.d/jobs",
    "/etc/passwd",
    "/etc/group",
    "/etc/hosts",
    "/etc/os-release",
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/info/a.list",
    "/usr/bin/a",
    "/etc/systemd/system/multi-user.target.wants/a.service",
];

/// Links, whatever the files say: what starts.
const LINKS: &[(&str, &str)] = &[
    (
        "/etc/systemd/system/default.target",
        "-> /usr/lib/systemd/system/multi-user.target",
    ),
    (
        "/usr/lib/systemd/system/multi-user.target",
        "[Unit]\nWants=a.service a.timer a.socket b@c.service\n",
    ),
];

pub fn read(data: &[u8]) {
    let mut files = BTreeMap::new();
    for (at, piece) in data.split(|byte| *byte == NEXT).enumerate() {
        let (path, text) = match piece.split_first() {
            Some((number, text)) if at > 0 => (PATHS[usize::from(*number) % PATHS.len()], text),
            _ => (PATHS[0], piece),
        };
        files.insert(path.to_owned(), super::text(text));
    }
    ask(&Packs::default(), &files);
}

/// What a scan reads of such a machine, its services, and what the packs make of both.
pub fn ask(packs: &Packs, files: &BTreeMap<String, String>) {
    let mut files = files.clone();
    for (path, text) in LINKS {
        files.insert((*path).to_owned(), (*text).to_owned());
    }
    let root = Root::memory(&files);
    let detectors = native::all().into_iter().chain(packs.detectors());
    // A pack may be called as a detector is, which nobody takes.
    if let Ok(registry) = Registry::of(detectors) {
        examine(packs, &root, &registry);
    }
}

fn examine(packs: &Packs, root: &Root, registry: &Registry) {
    let facts = engine::examine_with(root, registry, Vec::new(), &mut [], &Silent);
    for part in &facts.unexamined {
        assert!(!part.reason.contains("detector failed"), "{part:?}");
    }
    let services = service::services(&facts, &packs.generated_units(&facts)).services;
    black_box(packs.wants(&facts, &services));
    black_box(packs.concerns(&facts, &services));
    for service in &services {
        black_box(packs.recognise(service, &facts));
    }
}
