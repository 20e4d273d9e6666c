//! From the files of a lifted image to its layers, to the trees of its build context, and to the files that no machine has.

use super::contents::Entries;
use super::table::TABLE;
use super::{Layer, Lift, Tree, Written, WrittenFile, accounts, bom};
use crate::disk::FileKind;
use crate::fact::{Facts, FileState};
use crate::path::MachinePath;
use crate::plan::file::needs_mode;
use crate::plan::{Image, Schedule};
use crate::walk::Entry;
use std::collections::BTreeSet;

/// What all of several have; one alone shares nothing.
pub(super) fn shared<'a, 'm>(
    mut all: impl Iterator<Item = &'m Entries<'a>>,
) -> BTreeSet<&'a MachinePath>
where
    'a: 'm,
{
    let first = all.next();
    let mut shared: BTreeSet<&MachinePath> = first
        .into_iter()
        .flat_map(|first| first.keys().copied())
        .collect();
    let mut others = 0;
    for entries in all {
        shared.retain(|path| entries.contains_key(*path));
        others += 1;
    }
    if others == 0 { BTreeSet::new() } else { shared }
}

/// Puts every file into the layer it belongs to; none is in two.
pub(super) fn layers(
    lift: &mut Lift,
    image: &mut Image,
    entries: &Entries<'_>,
    shared: &BTreeSet<&MachinePath>,
    schedule: &Schedule,
    facts: &Facts,
) {
    let own_paths = own_paths(lift, schedule);
    image
        .entries
        .retain(|entry| !TABLE.is_replaced(&entry.path));
    let (below, own): (Vec<&Entry>, Vec<&Entry>) =
        (entries.values().copied()).partition(|entry| shared.contains(&entry.path));
    let etc = MachinePath::from("/etc");
    let added = image
        .entries
        .iter()
        .filter(|entry| !entries.contains_key(&entry.path));
    let (configuration, application): (Vec<&Entry>, Vec<&Entry>) =
        added.partition(|entry| entry.path.is_within(&etc));
    lift.trees = trees(image, schedule);
    let all = entries.values().copied().chain(&image.entries);
    lift.written = written(image, all, facts);
    if lift.record.is_none() && !TABLE.has_directories(facts) {
        lift.written.extend(bom::file(&lift.chosen, facts));
    }
    // What is there already, as it is to be, keeps its time.
    lift.written.retain(|file| {
        let there = entries.get(&file.path).filter(|entry| entry.is_dir());
        !there.is_some_and(|entry| {
            file.what == Written::Directory
                && (entry.mode, entry.uid, entry.gid) == (file.mode, file.uid, file.gid)
        })
    });
    let files = entries.values().filter(|entry| entry.is_file());
    let changed = files.filter(|entry| facts.state(&entry.path) != FileState::Pristine);
    lift.unproven = changed.map(|entry| entry.path.clone()).collect();
    let parts = [
        ("shared", below),
        ("packages", own),
        ("application", application),
        ("configuration", configuration),
    ];
    let parts = parts
        .into_iter()
        .filter(|(name, part)| !part.is_empty() || *name == "configuration");
    lift.layers = parts
        .map(|(name, entries)| {
            let own = lift.written.iter().map(|file| &file.path);
            let own = own.chain(&own_paths).filter(|_| name == "configuration");
            layer(name, with_above(entries, own, facts))
        })
        .collect();
}

/// Trees that a Dockerfile names one by one.
const TREES: usize = 40;

/// What of the carried files a build context can hold with nothing lost: a tree of one owner, whose modes need no help, and
/// whose name an instruction can say.
fn trees(image: &Image, schedule: &Schedule) -> Vec<Tree> {
    // Tables of our own making take the place of the machine's.
    let tables = schedule.scheduler.as_ref().map(|own| &own.tables);
    let mut found: Vec<Tree> = Vec::new();
    for root in image
        .files
        .iter()
        .filter(|root| !TABLE.is_replaced(&root.path))
    {
        let path = &root.path;
        if tables.is_some_and(|tables| path.is_within(tables)) {
            continue;
        }
        let from = image.entries.partition_point(|entry| entry.path < *path);
        let below = image.entries.iter().skip(from);
        let below: Vec<&Entry> = below
            .take_while(|entry| entry.path.as_bytes().starts_with(path.as_bytes()))
            .filter(|entry| entry.path.is_within(path))
            .collect();
        let is_link = below
            .first()
            .is_none_or(|first| first.kind == FileKind::Symlink);
        let is_alike =
            |entry: &&Entry| (entry.uid, entry.gid) == (root.uid, root.gid) && !needs_mode(entry);
        // Git keeps no directory without a file.
        let has_files = below.iter().any(|entry| !entry.is_dir());
        let fits = has_files && !is_link && is_plain(path);
        if found.len() < TREES && fits && below.iter().all(is_alike) {
            found.push(Tree {
                path: path.clone(),
                directory: below.len() > 1 || below.iter().any(|entry| entry.is_dir()),
                uid: root.uid,
                gid: root.gid,
                why: root.why.clone(),
            });
        }
    }
    found
}

/// No blank, pattern or escape of a Dockerfile.
fn is_plain(path: &MachinePath) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c);
    path.as_str().is_some_and(|text| text.chars().all(fits))
}

/// Files of our own making that are written with the image: the record of packages, tables of jobs, and who takes their mail.
fn own_paths(lift: &Lift, schedule: &Schedule) -> Vec<MachinePath> {
    let record = lift.record.iter().map(|record| record.path.clone());
    let scheduler = schedule.scheduler.iter();
    let tables = scheduler
        .clone()
        .map(|scheduler| scheduler.tables.join("jobs"));
    let mailer = scheduler.filter_map(|scheduler| scheduler.mailer.clone());
    record.chain(tables).chain(mailer).collect()
}

/// The same with the directories above, which engines make anew in each layer that does not have them, as root's.
fn with_above<'e>(
    entries: Vec<&'e Entry>,
    written: impl Iterator<Item = &'e MachinePath>,
    facts: &'e Facts,
) -> Vec<&'e Entry> {
    let mut all: Entries<'e> = entries
        .into_iter()
        .map(|entry| (&entry.path, entry))
        .collect();
    let paths: Vec<&MachinePath> = all.keys().copied().chain(written).collect();
    let mut seen = BTreeSet::new();
    for path in paths {
        let above = std::iter::successors(path.parent(), MachinePath::parent);
        for directory in above.take_while(|above| above.as_bytes() != b"/") {
            if !seen.insert(directory.clone()) {
                break;
            }
            if let Some(entry) = facts.tree.entry(&directory) {
                all.entry(&entry.path).or_insert(entry);
            }
        }
    }
    all.into_values().collect()
}

fn layer(name: &str, entries: Vec<&Entry>) -> Layer {
    let mut seen = BTreeSet::new();
    let files = entries.iter().filter(|entry| entry.is_file());
    let once =
        files.filter(|entry| seen.insert((entry.volume, entry.node.subvolume, entry.node.inode)));
    Layer {
        name: name.to_owned(),
        names: entries.len() as u64,
        bytes: once.map(|entry| entry.size).fold(0, u64::saturating_add),
        entries: entries.into_iter().cloned().collect(),
    }
}

/// Directories that every boot makes, and that a disk at rest may not have.
const EVERYWHERE: [(&str, u32); 4] = [
    ("/run", 0o755),
    ("/run/lock", 0o1777),
    ("/tmp", 0o1777),
    ("/var/tmp", 0o1777),
];

/// Files of our own making: accounts, and what a Dockerfile would make with commands.
fn written<'e>(
    image: &Image,
    entries: impl Iterator<Item = &'e Entry>,
    facts: &Facts,
) -> Vec<WrittenFile> {
    let mut made: Vec<WrittenFile> = accounts::files(image, entries, facts).into();
    let directories = image
        .directories
        .iter()
        .filter(|directory| !directory.runtime);
    made.extend(directories.map(|directory| WrittenFile {
        path: directory.path.clone(),
        mode: directory.mode,
        uid: directory.uid,
        gid: directory.gid,
        what: Written::Directory,
    }));
    made.extend(image.log_files.iter().map(|file| WrittenFile {
        path: file.path.clone(),
        mode: file.mode,
        uid: file.uid,
        gid: file.gid,
        what: Written::Text(String::new()),
    }));
    made.extend(image.log_links.iter().map(|(path, to)| WrittenFile {
        path: path.clone(),
        mode: 0o777,
        uid: 0,
        gid: 0,
        what: Written::Link(to.clone()),
    }));
    made.extend(EVERYWHERE.iter().map(|(path, mode)| WrittenFile {
        path: MachinePath::new(path),
        mode: *mode,
        uid: 0,
        gid: 0,
        what: Written::Directory,
    }));
    made.sort_by(|a, b| a.path.cmp(&b.path));
    made.dedup_by(|a, b| a.path == b.path);
    made
}
