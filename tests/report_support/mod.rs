//! Scans for tests of reports: a small one that was read, and a large one that was made.

use std::path::PathBuf;
use transvase::assess;
use transvase::fact::{Evidence, Unexamined};
use transvase::path::MachinePath;
use transvase::rule::catalogue;
use transvase::scan::{Package, Scan, UsedDirectory, Workload};

pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The shop of the fixtures, as its golden scan says.
pub fn shop() -> Scan {
    let path = repository().join("tests/golden/shop/scan.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What four servers of Debian 12 (nginx, PostgreSQL, Redis, Gunicorn) and a script ask of the kernel, as a scan of a disk
/// with them says.
fn kernels() -> Vec<serde_json::Value> {
    let path = repository().join("tests/report_support/kernels.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A server on which nothing was found.
pub fn empty() -> Scan {
    let mut scan = shop();
    scan.workloads.clear();
    scan.services.clear();
    scan.concerns.clear();
    scan.packages.items.clear();
    scan.packages.count = 0;
    scan.usage = transvase::scan::Usage::default();
    scan.assessment.machine.factors.clear();
    scan.assessment.score = 100;
    scan
}

/// A full server: 40 workloads with what they ask of the kernel, 3,000 concerns over every rule, 1,500 packages, parts that
/// were not examined.
pub fn large() -> Scan {
    let mut scan = shop();
    let models = scan.workloads.clone();
    let kernels = kernels();
    scan.workloads = (0..40)
        .map(|at| workload(&models[at % models.len()], &kernels[at % kernels.len()], at))
        .collect();
    let rules: Vec<&String> = catalogue::rules().keys().collect();
    scan.concerns = (0..3000)
        .map(|at| {
            let id = format!("service-{}", at % 47);
            let path = format!("/etc/service-{}/conf.d/part-{at}.conf", at % 47);
            let line = u32::try_from(at % 300).unwrap() + 1;
            let evidence = vec![
                Evidence::line(
                    &path.as_str().into(),
                    line,
                    &format!("option_{at} = value of some length {at}"),
                ),
                Evidence::offset(&"/usr/sbin/some-daemon".into(), at * 64, "call"),
            ];
            let of = (at % 47 < 40).then_some(id.as_str());
            let rule = rules[usize::try_from(at).unwrap() * 7 % rules.len()];
            catalogue::concern(
                rule,
                of,
                format!("the setting number {at} asks for something"),
                evidence,
            )
            .unwrap()
        })
        .collect();
    transvase::assess::rules::sort(&mut scan.concerns);
    for workload in &mut scan.workloads {
        let own = scan
            .concerns
            .iter()
            .filter(|c| c.workload.as_ref() == Some(&workload.id));
        let few: Vec<_> = own.take(6).cloned().collect();
        workload.assessment = assess::assess(assess::usual(), &few);
    }
    scan.packages.items = (0..1500).map(package).collect();
    scan.packages.count = 1500;
    scan.coverage.unexamined = (0..40)
        .map(|at| Unexamined {
            path: format!("/srv/damaged/{at}").as_str().into(),
            detector: "source".into(),
            reason: "the file's blocks lie outside of the file system".into(),
        })
        .collect();
    scan.usage.bytes = 40 << 30;
    scan.usage.moves = 9 << 30;
    scan.usage.directories = std::iter::once(("/".to_owned(), 40u64 << 30))
        .chain((1..100u64).map(|at| (format!("/srv/tree-{}/part-{at}", at % 9), (1 << 30) / at)))
        .map(|(path, bytes)| UsedDirectory {
            path: path.as_str().into(),
            bytes,
            moves: bytes / 5,
        })
        .collect();
    scan
}

fn workload(model: &Workload, kernel: &serde_json::Value, at: usize) -> Workload {
    let mut workload = model.clone();
    // No two servers are the same program: calls are made elsewhere, and now and then another one.
    let own = kernel
        .to_string()
        .replace("/usr/", &format!("/opt/service-{at}/"));
    workload.kernel = serde_json::from_str(&own).unwrap();
    workload.kernel.syscalls.insert(format!("call_{at}"));
    workload.id = format!("service-{at}");
    workload.services = vec![format!("service-{at}.service")];
    // Pods of one, two, three, five: some in a chain, some alone.
    let (pod, needs) = match at {
        0..5 => (0, at + 1 < 5),
        5..8 => (5, at + 1 < 8),
        8..10 => (8, at == 8),
        _ => (at, false),
    };
    workload.needs = needs
        .then(|| format!("service-{}", at + 1))
        .into_iter()
        .collect();
    if let Some(plan) = &mut workload.plan {
        plan.id.clone_from(&workload.id);
        plan.network.pod = format!("service-{pod}");
    }
    workload
}

fn package(at: usize) -> Package {
    let name = format!("package-{at}");
    let line = u32::try_from(at).unwrap() * 20 + 1;
    Package {
        purl: format!("pkg:deb/debian/{name}@1.{at}-1?arch=amd64"),
        name,
        version: format!("1.{at}-1"),
        arch: "amd64".into(),
        origin: "debian".into(),
        origin_evidence: Vec::new(),
        source: "source".into(),
        manual: at.is_multiple_of(7),
        bytes: 10_000_000 / (at as u64 + 1),
        moves: at.is_multiple_of(5),
        evidence: Some(Evidence::line(
            &MachinePath::from("/var/lib/dpkg/status"),
            line,
            "Package",
        )),
    }
}
