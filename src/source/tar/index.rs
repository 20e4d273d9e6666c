//! From members to the entries of a tree: names cleaned, hard links joined, missing directories put in.

use super::member::{Member, Members, TarError, damaged};
use super::{Archive, Place, pax, sparse};
use crate::disk::image::RawFile;
use crate::disk::{FileKind, Xattrs};
use crate::fact::Unexamined;
use crate::path::MachinePath;
use crate::source::budget::Budget;
use crate::source::{node, unexamined};
use crate::walk::{Entry, Tree};
use std::collections::{BTreeMap, HashMap, HashSet};
use tar::EntryType;

/// The kernel's own limit for a path (PATH_MAX), in bytes.
const LONGEST_NAME: usize = 4096;

/// Directories that no member stands for; a few long names must not become a tree that fills the memory.
const MOST_IMPLIED: usize = 1 << 16;

/// Links followed in one name.
const MOST_LINKS: usize = 8;

/// What is said of a member that has no directory to be in.
const MISPLACED: &str =
    "a member below what is no directory, or below a link that leads to none; it was left out";

#[derive(Default)]
pub(super) struct Index {
    entries: Vec<Entry>,
    places: Vec<Place>,
    xattrs: BTreeMap<u64, Xattrs>,
    problems: Vec<Unexamined>,
    /// Index of an entry, and the name whose content it shares.
    links: Vec<(usize, MachinePath)>,
}

impl Index {
    pub(super) fn read(file: &RawFile) -> Result<Self, TarError> {
        let mut index = Self::default();
        let mut members = Members::new(file);
        let mut budget = Budget::new();
        while let Some(member) = members.next()? {
            if !budget.take(&MachinePath::new(&member.name)) {
                return Err(damaged(
                    member.start,
                    "more members than any machine has files",
                ));
            }
            index.add(member, &mut members, file)?;
        }
        if !members.ended {
            let reason = "the archive ends without its end mark; members may be missing";
            index
                .problems
                .push(unexamined(&MachinePath::root(), reason));
        }
        Ok(index)
    }

    fn add(
        &mut self,
        mut member: Member,
        members: &mut Members<'_>,
        file: &RawFile,
    ) -> Result<(), TarError> {
        let kind = member.header.entry_type();
        let map = match kind {
            EntryType::GNUSparse => Some(sparse::gnu(&member, members)?),
            EntryType::Regular | EntryType::Continuous => sparse::pax(&member, members, file)?,
            _ => None,
        };
        // Behind the map's own blocks, which the size of type `S` does not count and the pax forms' does.
        let start = match kind {
            EntryType::GNUSparse => map.as_ref().map_or(member.start, |map| map.start),
            _ => member.start,
        };
        members.skip(start, member.stored)?;
        let (mut size, mut place) = (member.stored, Place::Whole(member.start));
        if let Some(map) = map {
            (size, place) = (map.size, Place::Pieces(map.pieces));
            member.name = map.name.unwrap_or(member.name);
        }
        let Some(kind) = file_kind(kind, &member.name) else {
            self.pass_over(&member);
            return Ok(());
        };
        if member.name.len() > LONGEST_NAME {
            let path = MachinePath::new(member.name.get(..255).unwrap_or_default());
            let reason = format!("a member with a name of more than {LONGEST_NAME} bytes");
            self.problems.push(unexamined(&path, reason));
            return Ok(());
        }
        if member.header.entry_type() == EntryType::Link && member.stored == 0 {
            let target = MachinePath::new(&member.link);
            self.links.push((self.entries.len(), target));
            place = Place::Unreadable("a hard link to a file that the archive does not hold");
        }
        let inode = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        let xattrs = pax::xattrs(&member.records);
        if !xattrs.is_empty() {
            self.xattrs.insert(inode, xattrs);
        }
        if kind != FileKind::File {
            size = 0;
        }
        self.places.push(place);
        self.entries.push(entry(&member, kind, size, inode));
        Ok(())
    }

    fn pass_over(&mut self, member: &Member) {
        let kind = member.header.entry_type();
        // A volume's label is no file.
        if kind.as_byte() != b'V' {
            let path = MachinePath::new(&member.name);
            let letter = char::from(kind.as_byte()).escape_default();
            let reason = format!("a member of unknown type {letter}");
            self.problems.push(unexamined(&path, reason));
        }
    }

    pub(super) fn finish(mut self, file: RawFile) -> Archive {
        self.join_links();
        self.add_directories();
        self.follow_links_in_names();
        self.leave_out_misplaced();
        Archive {
            file,
            entries: self.entries,
            places: self.places,
            xattrs: self.xattrs,
            problems: self.problems,
        }
    }

    /// A hard link is an earlier member's content under another name.
    fn join_links(&mut self) {
        if self.links.is_empty() {
            return;
        }
        let mut named: BTreeMap<MachinePath, usize> = BTreeMap::new();
        let mut links = std::mem::take(&mut self.links).into_iter().peekable();
        for at in 0..self.entries.len() {
            if let Some((_, target)) = links.next_if(|(link, _)| *link == at) {
                let original = named.get(&target).and_then(|i| self.entries.get(*i));
                if let (Some(original), Some(entry)) = (original.cloned(), self.entries.get_mut(at))
                {
                    let path = entry.path.clone();
                    *entry = Entry { path, ..original };
                }
            }
            if let Some(entry) = self.entries.get(at) {
                named.insert(entry.path.clone(), at);
            }
        }
    }

    /// A member below a link (`bin -> usr/bin`, then `bin/sh`) lies where unpacking would have put it.
    fn follow_links_in_names(&mut self) {
        let links = self.entries.iter().filter(|e| e.kind == FileKind::Symlink);
        let links: HashSet<&[u8]> = links.map(|entry| entry.path.as_bytes()).collect();
        let link_above = |path: &MachinePath| {
            let link = directories(path).find(|dir| links.contains(dir))?;
            Some((
                MachinePath::new(link),
                path.as_bytes().get(link.len()..)?.to_vec(),
            ))
        };
        if !self
            .entries
            .iter()
            .any(|entry| link_above(&entry.path).is_some())
        {
            return;
        }
        let tree = Tree::new(self.entries.clone());
        let paths: Vec<MachinePath> = self
            .entries
            .iter()
            .map(|entry| {
                let mut path = entry.path.clone();
                // Where it leads may lie below another link.
                for _ in 0..MOST_LINKS {
                    let Some((link, rest)) = link_above(&path) else {
                        break;
                    };
                    let Some(real) = tree.resolve(&link) else {
                        break;
                    };
                    path = MachinePath::new([real.as_bytes(), &rest].concat());
                }
                path
            })
            .collect();
        for (entry, path) in self.entries.iter_mut().zip(paths) {
            entry.path = path;
        }
    }

    /// A member below what is no directory: no unpacking would have put it there.
    fn leave_out_misplaced(&mut self) {
        // Of two members with one name the later stands.
        let mut kinds: HashMap<&[u8], FileKind> = HashMap::new();
        for entry in &self.entries {
            kinds.insert(entry.path.as_bytes(), entry.kind);
        }
        let is_misplaced = |entry: &Entry| {
            let mut above = directories(&entry.path);
            above.any(|dir| {
                kinds
                    .get(dir)
                    .is_some_and(|kind| *kind != FileKind::Directory)
            })
        };
        let misplaced: Vec<bool> = self.entries.iter().map(is_misplaced).collect();
        let mut flags = misplaced.into_iter();
        let problems = &mut self.problems;
        self.entries.retain(|entry| {
            let is_misplaced = flags.next() == Some(true);
            if is_misplaced {
                problems.push(unexamined(&entry.path, MISPLACED));
            }
            !is_misplaced
        });
    }

    /// Archives need not hold the directories above a member; a tree does.
    fn add_directories(&mut self) {
        let known: HashSet<&[u8]> = self.entries.iter().map(|e| e.path.as_bytes()).collect();
        let mut missing: BTreeMap<&[u8], i64> = BTreeMap::new();
        for entry in &self.entries {
            for dir in directories(&entry.path).filter(|dir| !known.contains(dir)) {
                missing.entry(dir).or_insert(entry.mtime);
            }
            if missing.len() > MOST_IMPLIED {
                let reason = format!(
                    "more than {MOST_IMPLIED} directories that only names of members tell of"
                );
                self.problems.push(unexamined(&entry.path, reason));
                break;
            }
        }
        let missing: Vec<Entry> = missing
            .into_iter()
            .map(|(path, mtime)| Entry {
                path: MachinePath::new(path),
                kind: FileKind::Directory,
                mode: 0o755,
                uid: 0,
                gid: 0,
                size: 0,
                mtime,
                target: None,
                volume: 0,
                node: node(u64::MAX),
            })
            .collect();
        self.entries.extend(missing);
    }
}

/// The directories above a path, the root first.
fn directories(path: &MachinePath) -> impl Iterator<Item = &[u8]> {
    let bytes = path.as_bytes();
    let slashes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes.filter_map(move |(at, _)| match at {
        0 if bytes.len() == 1 => None,
        0 => bytes.get(..1),
        _ => bytes.get(..at),
    })
}

fn file_kind(kind: EntryType, name: &[u8]) -> Option<FileKind> {
    Some(match kind {
        // Before POSIX, a slash at the end was all that told a directory.
        EntryType::Regular if name.ends_with(b"/") => FileKind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::Link | EntryType::GNUSparse => {
            FileKind::File
        }
        EntryType::Directory => FileKind::Directory,
        EntryType::Symlink => FileKind::Symlink,
        EntryType::Char => FileKind::CharDevice,
        EntryType::Block => FileKind::BlockDevice,
        EntryType::Fifo => FileKind::Fifo,
        // GNU's incremental archives list a directory's names as its content.
        other if other.as_byte() == b'D' => FileKind::Directory,
        _ => return None,
    })
}

fn entry(member: &Member, kind: FileKind, size: u64, inode: u64) -> Entry {
    let (header, records) = (&member.header, &member.records);
    let id = |key: &[u8], own: std::io::Result<u64>| {
        let id = pax::integer(records, key).or(own.ok()).unwrap_or_default();
        u32::try_from(id).unwrap_or_default()
    };
    let mtime = pax::integer(records, b"mtime").or(header.mtime().ok());
    Entry {
        path: MachinePath::new(&member.name),
        kind,
        mode: header.mode().unwrap_or_default() & 0o7777,
        uid: id(b"uid", header.uid()),
        gid: id(b"gid", header.gid()),
        size,
        mtime: mtime
            .and_then(|time| i64::try_from(time).ok())
            .unwrap_or_default(),
        target: (kind == FileKind::Symlink).then(|| member.link.clone().into_boxed_slice()),
        volume: 0,
        node: node(inode),
    }
}
