//! Files of the machine as a tar archive: modes, owners by number, times, links, devices, holes, extended attributes.
//!
//! Names are those of the machine without the slash before them. Sockets are left out: no archive can hold one.

use super::pax::{BLOCK, Member, pad};
use super::sparse::{self, Runs};
use crate::disk::{FileKind, NodeId, Stat};
use crate::path::MachinePath;
use crate::source::{Content, Root};
use crate::walk::{Entry, Tree};
use std::collections::HashMap;
use std::io::{self, Write};
use tar::EntryType;

const PIECE: usize = 4 << 20;

/// What was left out, each with the reason.
type LeftOut = Vec<(MachinePath, String)>;

/// Writes the archive; fails only where writing does.
pub(super) fn write<'a, W: Write>(
    out: &mut W,
    root: &'a Root,
    tree: &Tree,
    entries: impl Iterator<Item = &'a Entry>,
) -> io::Result<LeftOut> {
    let mut archive = Archive {
        out,
        root,
        linked: HashMap::new(),
        left_out: Vec::new(),
    };
    for entry in entries {
        if let Some(reason) = misplaced(tree, entry) {
            archive
                .left_out
                .push((entry.path.clone(), reason.to_owned()));
        } else if let Err(reason) = archive.entry(entry)? {
            archive.left_out.push((entry.path.clone(), reason));
        }
    }
    archive.out.write_all(&[0; 2 * BLOCK])?;
    Ok(archive.left_out)
}

/// Why unpacking a member would write elsewhere than where it says: a link stands above it.
fn misplaced(tree: &Tree, entry: &Entry) -> Option<&'static str> {
    let mut above = std::iter::successors(entry.path.parent(), MachinePath::parent);
    let is_other = |path: &MachinePath| tree.entry(path).is_some_and(|entry| !entry.is_dir());
    above
        .any(|path| is_other(&path))
        .then_some("it stands below what is no directory")
}

struct Archive<'a, W> {
    out: &'a mut W,
    root: &'a Root,
    /// Files with several names, by the first that was written.
    linked: HashMap<(u32, NodeId), &'a MachinePath>,
    left_out: LeftOut,
}

impl<'a, W: Write> Archive<'a, W> {
    /// The outer error is of writing, the inner one says why this entry is not in the archive.
    fn entry(&mut self, entry: &'a Entry) -> io::Result<Result<(), String>> {
        let stat = match self.root.stat(entry) {
            Ok(stat) => stat,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let kind = match entry.kind {
            FileKind::File => EntryType::Regular,
            FileKind::Directory => EntryType::Directory,
            FileKind::Symlink => EntryType::Symlink,
            FileKind::CharDevice => EntryType::Char,
            FileKind::BlockDevice => EntryType::Block,
            FileKind::Fifo => EntryType::Fifo,
            FileKind::Socket => return Ok(Err("a socket, which no archive can hold".to_owned())),
        };
        let several = stat.is_some_and(|stat| stat.links > 1) && !entry.is_dir();
        let key = (entry.volume, entry.node);
        if let Some(first) = self.linked.get(&key).copied().filter(|_| several) {
            let mut member = Self::member(EntryType::Link, &name(entry), entry, stat);
            member.link(&plain(first));
            return member.write(self.out).map(Ok);
        }
        let done = match entry.kind {
            FileKind::File => self.file(entry, stat)?,
            _ => self.other(kind, entry, stat)?,
        };
        if several && done.is_ok() {
            self.linked.insert(key, &entry.path);
        }
        Ok(done)
    }

    fn other(
        &mut self,
        kind: EntryType,
        entry: &Entry,
        stat: Option<Stat>,
    ) -> io::Result<Result<(), String>> {
        let mut member = Self::member(kind, &name(entry), entry, stat);
        if let Some(target) = &entry.target {
            member.link(target);
        }
        if matches!(kind, EntryType::Char | EntryType::Block) {
            let Some(stat) = stat else {
                let why = "a device, whose numbers only a disk image tells";
                return Ok(Err(why.to_owned()));
            };
            if member.device(stat.device).is_err() {
                return Ok(Err("a device whose numbers no archive can hold".to_owned()));
            }
        }
        self.attributes(&mut member, entry);
        member.write(self.out).map(Ok)
    }

    fn file(&mut self, entry: &Entry, stat: Option<Stat>) -> io::Result<Result<(), String>> {
        let content = match self.root.content(entry) {
            Ok(content) => content,
            Err(error) => return Ok(Err(error.to_string())),
        };
        // A mounted tree does not say how much is allocated, but where the first byte is.
        let begins_late = || content.data_from(0).is_ok_and(|first| first > 0);
        let holes = stat.map_or_else(begins_late, |stat| stat.allocated < entry.size);
        let runs = if holes && entry.size > 2 * BLOCK as u64 {
            match sparse::runs(&content, entry.size) {
                Ok(runs) => runs,
                Err(error) => return Ok(Err(error.to_string())),
            }
        } else {
            None
        };
        let whole = || vec![(0, entry.size)];
        let (mut member, map, runs) = match runs {
            Some(runs) => Self::with_holes(entry, stat, runs),
            None => (
                Self::member(EntryType::Regular, &name(entry), entry, stat),
                Vec::new(),
                whole(),
            ),
        };
        let stored: u64 = runs.iter().map(|(_, length)| length).sum();
        let size = stored.saturating_add(map.len() as u64);
        member.size(size);
        self.attributes(&mut member, entry);
        member.write(self.out)?;
        self.out.write_all(&map)?;
        let problem = self.content(&content, &runs)?;
        pad(self.out, size)?;
        Ok(problem.map_or(Ok(()), Err))
    }

    fn with_holes(entry: &Entry, stat: Option<Stat>, runs: Runs) -> (Member, Vec<u8>, Runs) {
        let mut member = Self::member(EntryType::Regular, b"GNUSparseFile.0/member", entry, stat);
        member.record(b"GNU.sparse.major", b"1");
        member.record(b"GNU.sparse.minor", b"0");
        member.record(b"GNU.sparse.name", &name(entry));
        member.record(b"GNU.sparse.realsize", entry.size.to_string().as_bytes());
        (member, sparse::map(&runs), runs)
    }

    /// Writes the runs. What cannot be read is zeros, so that the archive stays whole, and is told.
    fn content(&mut self, content: &Content<'_>, runs: &Runs) -> io::Result<Option<String>> {
        let mut problem = None;
        let longest = runs.iter().map(|(_, length)| *length).max();
        let longest = usize::try_from(longest.unwrap_or_default()).unwrap_or(PIECE);
        let mut piece = vec![0; longest.min(PIECE)];
        for (start, length) in runs {
            let mut done = 0u64;
            while done < *length {
                let want = usize::try_from(length - done).unwrap_or(PIECE).min(PIECE);
                let piece = piece.get_mut(..want).unwrap_or_default();
                let read = match content.read_at(start + done, piece) {
                    _ if problem.is_some() => 0,
                    Ok(0) => {
                        problem =
                            Some("it ends before its size says; zeros stand there".to_owned());
                        0
                    }
                    Ok(read) => read,
                    Err(error) => {
                        problem = Some(format!("{error}; zeros stand there"));
                        0
                    }
                };
                let rest = piece.get_mut(read..).unwrap_or_default();
                let all = if read == 0 { want } else { read };
                if read == 0 {
                    rest.fill(0);
                }
                self.out.write_all(piece.get(..all).unwrap_or_default())?;
                done += all as u64;
            }
        }
        Ok(problem)
    }

    fn member(kind: EntryType, name: &[u8], entry: &Entry, stat: Option<Stat>) -> Member {
        let mut member = Member::new(kind, name);
        member.owner(entry.mode, entry.uid, entry.gid);
        member.size(0);
        let (seconds, nanoseconds) = stat.map_or((entry.mtime, 0), |stat| stat.mtime);
        member.time(seconds, nanoseconds);
        member
    }

    fn attributes(&mut self, member: &mut Member, entry: &Entry) {
        match self.root.xattrs(entry) {
            Ok(found) => {
                for (key, value) in found {
                    // A key ends at the first `=`.
                    if key.contains(&b'=') {
                        let why = "an attribute with = in its name, which no archive can hold";
                        self.left_out.push((entry.path.clone(), why.to_owned()));
                        continue;
                    }
                    member.record(&[b"SCHILY.xattr.", key.as_slice()].concat(), &value);
                }
            }
            Err(error) => {
                let why = format!("its extended attributes: {error}");
                self.left_out.push((entry.path.clone(), why));
            }
        }
    }
}

/// Without the slash before it; a directory's with one behind it, and the root's as `./`.
fn name(entry: &Entry) -> Vec<u8> {
    let mut name = plain(&entry.path);
    if name.is_empty() {
        name.push(b'.');
    }
    if entry.is_dir() {
        name.push(b'/');
    }
    name
}

fn plain(path: &MachinePath) -> Vec<u8> {
    path.as_bytes().get(1..).unwrap_or_default().to_vec()
}
