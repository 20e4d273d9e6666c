//! Where the machine's bytes are, and what of them moves. A pure function over facts and plans.
//!
//! Every regular file is counted once, however many names it has. A file moves when an image carries it, when it is data of
//! a workload, or when its package is in an image: one that a workload names, what that one depends on, or what every
//! base image brings.

use crate::distribution::closure::Installed;
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::plan::Plan;
use crate::scan::{Usage, UsedDirectory};
use crate::workload::Workload;
use foldhash::HashSet;
use std::collections::{BTreeMap, BTreeSet};

/// A directory that holds less than this part of the machine is counted with its parent.
const SMALLEST: u64 = 250;

/// Directories that are shown; the largest first.
const MOST: usize = 160;

/// Deepest directory that is shown by itself.
const DEPTH: usize = 6;

/// Bytes of a package's files, and whether its files move, by the package's place in the facts.
#[derive(Debug, Clone, Copy, Default)]
pub struct PackageUsage {
    pub bytes: u64,
    pub moves: bool,
}

/// Counts the whole machine.
pub fn usage(facts: &Facts, workloads: &[Workload], plans: &[Plan]) -> (Usage, Vec<PackageUsage>) {
    let wanted = closure(facts, workloads, plans);
    let carried = Carried::new(workloads, plans);
    let mut packages: Vec<PackageUsage> = (0..facts.packages.len())
        .map(|at| PackageUsage {
            bytes: 0,
            moves: wanted.contains(&at),
        })
        .collect();
    let mut own: BTreeMap<MachinePath, (u64, u64)> = BTreeMap::new();
    let mut seen = HashSet::default();
    for entry in facts.tree.entries().iter().filter(|entry| entry.is_file()) {
        if !seen.insert((entry.volume, entry.node)) {
            continue;
        }
        let package = facts
            .ownership
            .owner(&entry.path)
            .and_then(|index| packages.get_mut(index));
        let mut moves = carried.holds(&entry.path);
        if let Some(package) = package {
            package.bytes = package.bytes.saturating_add(entry.size);
            moves |= package.moves;
        }
        if let Some(directory) = entry.path.parent() {
            let size = (entry.size, if moves { entry.size } else { 0 });
            add(own.entry(directory).or_default(), size);
        }
    }
    let sums = with_all_below(own);
    let (bytes, moves) = sums.get(&MachinePath::root()).copied().unwrap_or_default();
    let usage = Usage {
        bytes,
        moves,
        directories: shown(sums, bytes),
    };
    (usage, packages)
}

fn add(sum: &mut (u64, u64), more: (u64, u64)) {
    *sum = (sum.0.saturating_add(more.0), sum.1.saturating_add(more.1));
}

/// What each directory holds itself, with what those below it do.
fn with_all_below(own: BTreeMap<MachinePath, (u64, u64)>) -> BTreeMap<MachinePath, (u64, u64)> {
    let mut sums: BTreeMap<MachinePath, (u64, u64)> = BTreeMap::new();
    for (directory, size) in own {
        for directory in std::iter::successors(Some(directory), MachinePath::parent) {
            add(sums.entry(directory).or_default(), size);
        }
    }
    sums
}

/// The directories worth a name: large enough, not too deep, with all directories above them.
fn shown(sums: BTreeMap<MachinePath, (u64, u64)>, whole: u64) -> Vec<UsedDirectory> {
    let depth = |path: &MachinePath| path.components().count();
    let mut large: Vec<(MachinePath, (u64, u64))> = sums
        .into_iter()
        .filter(|(path, (bytes, _))| {
            *bytes > 0 && *bytes >= whole / SMALLEST && depth(path) <= DEPTH
        })
        .collect();
    // A parent is never smaller than its child and never sorts after it, so that no child is left without one.
    large.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    large.truncate(MOST);
    large.sort_by(|a, b| a.0.cmp(&b.0));
    large
        .into_iter()
        .map(|(path, (bytes, moves))| UsedDirectory { path, bytes, moves })
        .collect()
}

/// Paths that images and volumes carry.
struct Carried {
    names: HashSet<MachinePath>,
    trees: BTreeSet<MachinePath>,
}

impl Carried {
    fn new(workloads: &[Workload], plans: &[Plan]) -> Self {
        let entries = plans.iter().flat_map(|plan| {
            let lift = plan.image.lift.iter();
            let layers = lift.flat_map(|lift| &lift.layers);
            let layers = layers.flat_map(|layer| &layer.entries);
            let own = plan.image.entries.iter().chain(&plan.state.secret_entries);
            own.chain(layers).filter(|entry| !entry.is_dir())
        });
        let data = workloads.iter().flat_map(|workload| &workload.data);
        Self {
            names: entries.map(|entry| entry.path.clone()).collect(),
            trees: data.map(|data| data.path.clone()).collect(),
        }
    }

    fn holds(&self, path: &MachinePath) -> bool {
        self.names.contains(path)
            || std::iter::successors(Some(path.clone()), MachinePath::parent)
                .any(|above| self.trees.contains(&above))
    }
}

/// The packages that an image has, by their places: named by a workload or its plan, or depended on from there.
fn closure(facts: &Facts, workloads: &[Workload], plans: &[Plan]) -> BTreeSet<usize> {
    if workloads.is_empty() {
        return BTreeSet::new();
    }
    // Lifted images have some files of a package and others not: these count by themselves.
    let is_lifted = |workload: &&Workload| {
        let mut plans = plans.iter().filter(|plan| plan.id == workload.id);
        plans.any(|plan| plan.image.lift.is_some())
    };
    let installed: Vec<&Workload> = workloads.iter().filter(|w| !is_lifted(w)).collect();
    let named = installed
        .iter()
        .flat_map(|workload| workload.packages.iter().map(String::as_str));
    let planned = plans.iter().flat_map(|plan| {
        plan.image
            .packages
            .iter()
            .map(|package| package.name.as_str())
    });
    let essential = facts
        .packages
        .iter()
        .filter(|package| package.essential && !installed.is_empty())
        .map(|package| package.name.as_str());
    Installed::new(&facts.packages).closure(named.chain(planned).chain(essential))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{FileKind, NodeId};
    use crate::fact::{Evidence, Ownership, Package};
    use crate::walk::{Entry, Tree};

    fn file(path: &str, size: u64, inode: u64) -> Entry {
        Entry {
            path: path.into(),
            kind: FileKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size,
            mtime: 0,
            target: None,
            volume: 0,
            node: NodeId {
                subvolume: 0,
                inode,
            },
        }
    }

    fn package(name: &str, depends: &[&str]) -> Package {
        Package {
            name: name.into(),
            version: "1".into(),
            arch: "all".into(),
            source: name.into(),
            depends: depends.iter().map(|d| vec![(*d).to_owned()]).collect(),
            ..Package::new(Evidence::file(&"/var/lib/dpkg/status".into()))
        }
    }

    /// `web` needs `lib`; `editor` nobody needs. /srv/site is data.
    fn facts() -> Facts {
        let entries = vec![
            file("/usr/bin/web", 100, 1),
            file("/usr/lib/lib.so", 50, 2),
            file("/usr/lib/lib.so.1", 50, 2),
            file("/usr/bin/editor", 30, 3),
            file("/srv/site/index", 7, 4),
            file("/var/junk", 13, 5),
        ];
        let owners = [
            ("/usr/bin/web", 0),
            ("/usr/lib/lib.so", 1),
            ("/usr/bin/editor", 2),
        ];
        let owners = owners
            .map(|(path, package)| (path.into(), package))
            .to_vec();
        Facts {
            tree: Tree::new(entries),
            packages: vec![
                package("web", &["lib"]),
                package("lib", &["web"]),
                package("editor", &[]),
            ],
            ownership: Ownership::new(owners, Vec::new()),
            ..Facts::default()
        }
    }

    fn workload() -> Workload {
        Workload {
            id: "web".into(),
            title: String::new(),
            kind: String::new(),
            services: Vec::new(),
            jobs: Vec::new(),
            product: None,
            packages: vec!["web".into()],
            executables: Vec::new(),
            listens: Vec::new(),
            connects: Vec::new(),
            clients_of: Vec::new(),
            calls: Vec::new(),
            mounts: Vec::new(),
            user: String::new(),
            group: String::new(),
            environment: Vec::new(),
            configuration: Vec::new(),
            claims: Vec::new(),
            data: vec![crate::workload::Data {
                path: "/srv/site".into(),
                bytes: 7,
                why: String::new(),
                link: None,
                is_inner: false,
                is_supposed: false,
                evidence: Evidence::file(&"/etc/x".into()),
            }],
            logs: Vec::new(),
            schedule: None,
            secrets: Vec::new(),
            needs: Vec::new(),
            answer: crate::fact::Answer::default(),
        }
    }

    #[test]
    fn what_moves_is_needed_by_an_image_or_is_data() {
        let (usage, packages) = usage(&facts(), &[workload()], &[]);
        assert_eq!(
            (usage.bytes, usage.moves),
            (200, 157),
            "a hard link is one file"
        );
        let found: Vec<(u64, bool)> = packages.iter().map(|p| (p.bytes, p.moves)).collect();
        assert_eq!(found, [(100, true), (50, true), (30, false)]);
        let of = |path: &str| {
            let found = usage.directories.iter().find(|d| d.path == path.into());
            found.map(|d| (d.bytes, d.moves))
        };
        assert_eq!(of("/usr/bin"), Some((130, 100)));
        assert_eq!(of("/srv"), Some((7, 7)));
        assert_eq!(of("/"), Some((200, 157)));
    }

    #[test]
    fn nothing_moves_where_there_is_no_workload() {
        assert_eq!(usage(&facts(), &[], &[]).0.moves, 0);
    }
}
