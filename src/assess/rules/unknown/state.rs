//! A program that can write, and nobody says where its state is.

use super::index::Index;
use super::witness::{Witness, witness};
use super::{Seen, absent, program};
use crate::fact::Evidence;
use crate::path::MachinePath;
use crate::rule::catalogue::concern;
use crate::rule::{Concern, Severity};
use crate::service::Service;
use crate::text::{bytes, list};
use crate::workload::{Workload, claims};
use foldhash::HashMap;

/// Calls of whoever changes files.
const WRITE: &[&str] = &[
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "ftruncate",
    "truncate",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "fsync",
    "fdatasync",
    "fallocate",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
];

/// Calls that may write a file, and do less harmful things too.
const APPEND: &[&str] = &["pwrite64", "writev", "write"];

/// Places of what is not kept: gone at a boot, made anew, or somebody else's.
const PASSING: &[&str] = &[
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/tmp",
    "/var/tmp",
    "/var/cache",
    "/var/log",
    "/var/run",
    "/var/lock",
    "/var/mail",
];

/// Where packages put what their programs keep.
const KEPT: &[&str] = &["/var/lib", "/var/spool", "/var/opt", "/var/games"];

/// Directories named in one concern.
const NAMED: usize = 4;

/// Directories by who owns them: the topmost of each user, root aside.
pub(super) struct Homes(HashMap<u32, Vec<MachinePath>>);

impl Homes {
    pub(super) fn new(seen: &Seen<'_>) -> Self {
        let mut homes: HashMap<u32, Vec<MachinePath>> = HashMap::default();
        let directories = seen
            .facts
            .tree
            .entries()
            .iter()
            .filter(|entry| entry.is_dir());
        for entry in directories.filter(|entry| entry.uid != 0 && !is_passing(&entry.path)) {
            let known = homes.entry(entry.uid).or_default();
            // Entries are sorted, so that what is above comes before.
            if !known.last().is_some_and(|last| entry.path.is_within(last)) {
                known.push(entry.path.clone());
            }
        }
        Self(homes)
    }
}

fn is_passing(path: &MachinePath) -> bool {
    PASSING
        .iter()
        .any(|passing| path.is_within(&MachinePath::new(passing)))
}

pub(super) fn concern_of(
    seen: &Seen<'_>,
    index: &Index<'_>,
    workload: &Workload,
) -> Option<Concern> {
    let service = workload.services.first()?;
    let product = workload.product.as_ref();
    let is_known = product.is_some_and(|product| product.says.state);
    if let Some(answered) = &workload.answer.state {
        return absent(seen, workload, "unknown/state", answered);
    }
    if is_known || workload.data.iter().any(|data| !data.is_supposed) {
        return None;
    }
    let program = program(workload);
    let places = candidates(seen, index, workload, service);
    // Whoever has a directory of its own may do no more there than add to a file.
    let calls = [WRITE, if places.is_empty() { &[] } else { APPEND }].concat();
    let (can, evidence) = match witness(seen, index, workload, &calls, &[]) {
        Witness::Never => return None,
        Witness::Does(call, evidence) => {
            (format!("{program} can write (it reaches {call})"), evidence)
        }
        Witness::Unread => {
            let evidence = service.evidence.clone();
            (
                format!("the code of {program} was not read, or not all of it, and may write"),
                evidence,
            )
        }
    };
    let id = Some(workload.id.as_str());
    if places.is_empty() {
        // Who owns nothing has nowhere to write.
        if !users(workload).any(|user| user == "root") {
            return None;
        }
        let detail = format!("{can}, runs as root, and nothing says where its state is");
        let found = concern(
            "unknown/state",
            id,
            detail,
            vec![service.evidence.clone(), evidence],
        )?;
        return Some(Concern {
            severity: Severity::Minor,
            ..found
        });
    }
    let shown: Vec<String> = places
        .iter()
        .map(|path| {
            let files = claims::files(seen.facts, path);
            let (names, size) = files.fold((0u64, 0u64), |(names, size), entry| {
                (names + 1, size.saturating_add(entry.size))
            });
            format!("{path} ({names} files, {})", bytes(size))
        })
        .collect();
    let detail = format!("{can}, and its state may be in {}", list(&shown, NAMED));
    let evidence = std::iter::once(service.evidence.clone())
        .chain(places.iter().map(Evidence::file))
        .chain([evidence])
        .collect();
    let found = concern("unknown/state", id, detail, evidence)?;
    Some(found.likely(places.iter().map(|path| path.text().into_owned())))
}

/// Who does the work: the product's workers where it names any, else the user that it is started as.
fn users(workload: &Workload) -> impl Iterator<Item = &str> {
    let workers = workload.product.iter().flat_map(|product| &product.workers);
    let workers = workers.map(String::as_str);
    let started = Some(workload.user.as_str()).filter(|_| workers.clone().next().is_none());
    workers.chain(started)
}

/// Where its state may be: what its user owns, where it works, what its variables and packages name; but for what is known.
fn candidates(
    seen: &Seen<'_>,
    index: &Index<'_>,
    workload: &Workload,
    service: &Service,
) -> Vec<MachinePath> {
    let facts = seen.facts;
    let mut found: Vec<MachinePath> = Vec::new();
    let users = users(workload).filter_map(|name| facts.user(name));
    for user in users.filter(|user| user.uid != 0) {
        found.extend(index.homes.0.get(&user.uid).into_iter().flatten().cloned());
    }
    found.extend(service.working_directory.clone());
    let own = home(seen, workload);
    let homes = service.environment.variables.iter();
    let homes = homes.filter(|(name, value)| name.ends_with("HOME") && value.starts_with('/'));
    found.extend(homes.map(|(_, value)| MachinePath::new(value)));
    found.extend(of_packages(seen, workload));
    let kept: Vec<MachinePath> = KEPT.iter().map(MachinePath::new).collect();
    let known = |path: &MachinePath| {
        // A copy of state is in the image with it, and does not make it less of a question.
        let is_state = |claim: &&MachinePath| kept.iter().any(|kept| claim.is_within(kept));
        let programs = workload.claims.iter().filter(|claim| !is_state(claim));
        let runtime = service.directories.iter().map(|directory| &directory.path);
        let mut all = programs.chain(&workload.logs).chain(runtime);
        all.any(|known| path.is_within(known)) || index.is_data(path)
    };
    found.retain(|path| {
        let is_there = facts.tree.get(path).is_some_and(crate::walk::Entry::is_dir);
        is_there && !is_passing(path) && !claims::is_shelf(path) && !known(path)
    });
    found.extend(own.filter(|path| !known(path)));
    claims::outermost(found)
}

/// A person's home, which is a shelf, where a program that is kept elsewhere runs as that person.
fn home(seen: &Seen<'_>, workload: &Workload) -> Option<MachinePath> {
    let user = seen
        .facts
        .user(&workload.user)
        .filter(|user| user.uid != 0)?;
    let home = seen.facts.tree.resolve(&MachinePath::new(&user.home))?;
    let is_persons = home.parent() == Some(MachinePath::new("/home"));
    let is_kept_there = workload.claims.iter().any(|claim| claim.is_within(&home));
    (is_persons && !is_kept_there).then_some(home)
}

/// Directories that its packages keep state in.
fn of_packages(seen: &Seen<'_>, workload: &Workload) -> Vec<MachinePath> {
    let facts = seen.facts;
    let kept = || KEPT.iter().map(MachinePath::new);
    let is_own = |path: &MachinePath| {
        let owner = facts.owner(path);
        owner.is_some_and(|package| workload.packages.contains(&package.name))
    };
    let owned = kept().flat_map(|kept| facts.tree.children(&kept));
    owned
        .filter(|entry| entry.is_dir() && is_own(&entry.path))
        .map(|entry| entry.path.clone())
        .collect()
}
