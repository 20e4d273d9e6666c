//! State that must outlive the container: what the product keeps, and what the unit may write.

use super::{Data, Workload, claims};
use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;
use crate::product::Product;
use crate::service::{DirectoryKind, Service};
use crate::walk::Entry;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub(super) fn data(
    service: &Service,
    product: Option<&Product>,
    program: &[MachinePath],
    facts: &Facts,
) -> Vec<Data> {
    let mut found: Vec<Data> = Vec::new();
    let mut add = |path: &MachinePath, why: &str, evidence: Evidence| {
        let named = path;
        let path = place_of(facts, path);
        if !found.iter().any(|data| path.is_within(&data.path)) {
            let real = facts.tree.resolve(&path).unwrap_or_else(|| path.clone());
            let bytes = claims::files(facts, &real).map(|entry| entry.size).sum();
            found.push(Data {
                path: path.clone(),
                bytes,
                why: why.to_owned(),
                evidence,
                link: (*named != path).then(|| named.clone()),
                is_inner: false,
                is_supposed: false,
            });
        }
    };
    for (path, why, evidence) in product.iter().flat_map(|product| &product.data) {
        add(path, why, evidence.clone());
    }
    let kept = [DirectoryKind::State, DirectoryKind::Cache];
    for directory in service
        .directories
        .iter()
        .filter(|directory| kept.contains(&directory.kind))
    {
        add(
            &directory.path,
            "the state directory of its unit",
            service.evidence.clone(),
        );
    }
    for path in &service.writable {
        // What a service may write of these is configuration, or a package's.
        let mut others = ["/etc", "/usr"].iter();
        let of_system = others.any(|dir| path.is_within(&MachinePath::new(*dir)));
        let is_application = program.iter().any(|file| file.is_within(path));
        if !is_passing(path) && !of_system && !is_application && !claims::is_shelf(path) {
            add(
                path,
                "its unit lets it write there",
                service.evidence.clone(),
            );
        }
    }
    found
}

/// Where the state of services without an account of their own lies, behind links that only they see through
/// (systemd.exec(5), `DynamicUser=`): nobody else may enter, so that it is used by the link's name.
const PRIVATE: &[&str] = &["/var/lib/private", "/var/cache/private", "/var/log/private"];

/// Where a container has a directory of data: where it leads, links followed.
pub fn place_of(facts: &Facts, path: &MachinePath) -> MachinePath {
    let real = facts.tree.resolve(path).unwrap_or_else(|| path.clone());
    let is_private = PRIVATE
        .iter()
        .any(|dir| real.is_within(&MachinePath::new(*dir)));
    if is_private { path.clone() } else { real }
}

/// Whether what is there is gone at the next start, or is the system's own: nothing is kept there.
pub(super) fn is_passing(path: &MachinePath) -> bool {
    const PASSING: [&str; 8] = [
        "/dev", "/proc", "/run", "/sys", "/tmp", "/var/log", "/var/run", "/var/tmp",
    ];
    let mut all = PASSING.iter();
    all.any(|dir| path.is_within(&MachinePath::new(*dir)))
}

/// What the workloads' users write inside the applications, added to each: whoever serves an application may write there,
/// and jobs own what nobody else does.
pub(super) fn add_written(workloads: &mut [Workload], facts: &Facts) {
    for has_jobs in [false, true] {
        let known: Vec<MachinePath> = workloads
            .iter()
            .filter(|workload| has_jobs && workload.jobs.is_empty())
            .flat_map(|workload| workload.data.iter().map(|data| data.path.clone()))
            .collect();
        for workload in workloads.iter_mut() {
            if workload.jobs.is_empty() == has_jobs || workload.answer.state.is_some() {
                continue;
            }
            for path in written(workload, facts) {
                let own = workload.data.iter().map(|data| &data.path);
                let mounts = workload.mounts.iter().map(|mount| &mount.path);
                if own
                    .chain(&known)
                    .chain(mounts)
                    .all(|data| !path.is_within(data))
                {
                    workload.data.push(Data {
                        bytes: claims::files(facts, &path).map(|entry| entry.size).sum(),
                        why: "written by the user that runs it".to_owned(),
                        link: None,
                        is_inner: true,
                        is_supposed: false,
                        evidence: Evidence::file(&path),
                        path,
                    });
                }
            }
        }
    }
}

/// Directories inside the application that its user owns while somebody else owns the application, or whose name says
/// that applications write there; and directories that hold an SQLite database.
fn written(workload: &Workload, facts: &Facts) -> Vec<MachinePath> {
    let users = writers(workload, facts);
    let mut found = Vec::new();
    for root in &workload.claims {
        let Some(entry) = facts.tree.entry(root).filter(|entry| entry.is_dir()) else {
            continue;
        };
        let below = facts.tree.below(root);
        for inner in below.filter(|inner| users.contains(&inner.uid)) {
            let name = inner.path.name();
            let is_database = inner.is_file()
                && [".db", ".sqlite", ".sqlite3"]
                    .iter()
                    .any(|end| name.ends_with(end));
            let is_own = inner.uid != entry.uid || is_written(&name);
            if inner.is_dir() && is_own {
                found.push(inner.path.clone());
            } else if is_database {
                found.extend(inner.path.parent().filter(|dir| dir != root));
            }
        }
    }
    claims::outermost(found)
}

/// Where packages and administrators have what programs keep.
const KEPT: &[&str] = &["/var/lib", "/var/spool", "/var/opt", "/var/games"];

/// Where data of services is, and nothing else (hier(7)).
const SERVED: &[&str] = &["/srv"];

/// Where nothing says what a service keeps: the directories of an account that no other service runs as, where machines keep
/// state. To leave them behind would be the worse guess. What a known server keeps is known, but not what it serves.
pub(super) fn add_supposed(workloads: &mut [Workload], facts: &Facts) {
    let (kept, served) = (homes(KEPT, facts), homes(SERVED, facts));
    let mut runs: BTreeMap<u32, usize> = BTreeMap::new();
    for uid in workloads
        .iter()
        .flat_map(|workload| writers(workload, facts))
    {
        *runs.entry(uid).or_default() += 1;
    }
    let mut found: Vec<(usize, MachinePath)> = Vec::new();
    for (at, workload) in workloads.iter().enumerate() {
        if workload.answer.state.is_some() || workload.services.is_empty() {
            continue;
        }
        let is_known = workload.product.iter().any(|product| product.says.state);
        let is_said = is_known || !workload.data.is_empty();
        let places = [Some(&served), (!is_said).then_some(&kept)];
        let users = writers(workload, facts);
        let own = users.iter().filter(|uid| runs.get(uid) == Some(&1));
        let own = own.flat_map(|uid| {
            places
                .into_iter()
                .flatten()
                .filter_map(|place| place.get(uid))
        });
        let free = own
            .flatten()
            .filter(|path| is_nobodys(path, workload, workloads));
        found.extend(free.map(|path| (at, path.clone())));
    }
    for (at, path) in found {
        if let Some(workload) = workloads.get_mut(at) {
            workload.data.push(Data {
                bytes: claims::files(facts, &path).map(|entry| entry.size).sum(),
                why: "the user that it runs as has it where state is kept".to_owned(),
                link: None,
                is_inner: false,
                is_supposed: true,
                evidence: Evidence::file(&path),
                path,
            });
        }
    }
}

/// The topmost directories of each account on shelves of state.
fn homes(shelves: &[&str], facts: &Facts) -> BTreeMap<u32, Vec<MachinePath>> {
    let mut homes: BTreeMap<u32, Vec<MachinePath>> = BTreeMap::new();
    for shelf in shelves.iter().map(MachinePath::new) {
        let below = facts.tree.below(&shelf);
        for entry in below.filter(|entry| entry.is_dir() && entry.uid != 0) {
            let known = homes.entry(entry.uid).or_default();
            if !known.last().is_some_and(|last| entry.path.is_within(last)) {
                known.push(entry.path.clone());
            }
        }
    }
    homes
}

/// Whether a directory is no application, and no other workload's data.
fn is_nobodys(path: &MachinePath, workload: &Workload, all: &[Workload]) -> bool {
    let mut programs = workload.executables.iter();
    let mut claims = workload.claims.iter();
    let data = all.iter().flat_map(|other| &other.data);
    let mut data = data.map(|data| &data.path).chain(&workload.logs);
    programs.all(|program| !program.is_within(path))
        && claims.all(|claim| !path.is_within(claim))
        && data.all(|data| !path.is_within(data) && !data.is_within(path))
}

/// Numbers of the users that processes of the workload run as, root aside.
fn writers(workload: &Workload, facts: &Facts) -> BTreeSet<u32> {
    let product = workload.product.iter();
    let workers = product.flat_map(|product| product.workers.iter().chain(&product.user));
    let services = workload.services.iter().map(|service| &service.user);
    let jobs = workload.jobs.iter().map(|job| &job.user);
    let names = workers.chain(services).chain(jobs).chain([&workload.user]);
    let users = names.filter_map(|name| facts.user(name));
    users.map(|user| user.uid).filter(|uid| *uid != 0).collect()
}

/// Habits of frameworks, which are data.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Habits {
    written: BTreeSet<String>,
    manifests: BTreeSet<String>,
}

static HABITS: LazyLock<Habits> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/written.toml")).unwrap_or_default()
});

/// Names of directories that applications of many kinds write to.
fn is_written(name: &str) -> bool {
    HABITS.written.contains(name)
}

/// The application that a directory is a part of: the nearest one above it, or itself, that has at its top what
/// applications have there; it is not looked for beyond what was put on the machine as one.
pub(super) fn application(directory: &MachinePath, facts: &Facts) -> Option<MachinePath> {
    let real = facts.tree.resolve(directory)?;
    let top = claims::topmost(facts, &real)?;
    let has_one = |path: &MachinePath| {
        let mut names = HABITS.manifests.iter();
        names.any(|name| facts.tree.get(&path.join(name)).is_some_and(Entry::is_file))
    };
    let above = std::iter::successors(Some(real), MachinePath::parent);
    above.take_while(|path| path.is_within(&top)).find(has_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_names_is_read() {
        assert!(is_written("uploads") && !is_written("src"));
        assert!(HABITS.manifests.contains("composer.json"));
    }
}
