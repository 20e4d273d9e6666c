//! A tar archive: indexed once, then read by position; never unpacked.
//!
//! POSIX ustar and pax (IEEE Std 1003.1, pax), GNU long names. Sparse members are named as unexamined, since their content
//! is not one range of the archive. Names are cleaned, so `../` stays inside.

use super::{Backend, Error, node};
use crate::disk::FileKind;
use crate::fact::Unexamined;
use crate::path::MachinePath;
use crate::walk::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use tar::EntryType;

/// More members than any machine has files; an archive of empty members must not exhaust memory.
const MOST: usize = 5_000_000;

pub(super) struct Archive {
    file: File,
    entries: Vec<Entry>,
    /// Where the content of entry `inode` starts.
    offsets: Vec<u64>,
    problems: Vec<Unexamined>,
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let io = |error| Error::io(path, error);
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let mut archive = Self {
            file,
            entries: Vec::new(),
            offsets: Vec::new(),
            problems: Vec::new(),
        };
        let mut reader = tar::Archive::new(File::open(path).map_err(io)?);
        let mut hard_links = Vec::new();
        let damaged = |error: std::io::Error| Error::Disk {
            path: path.to_path_buf(),
            what: format!("damaged tar archive: {error}; the download may be incomplete"),
        };
        for member in reader.entries_with_seek().map_err(damaged)? {
            let member = member.map_err(damaged)?;
            if archive.entries.len() >= MOST {
                return Err(Error::Disk {
                    path: path.to_path_buf(),
                    what: format!("more than {MOST} members"),
                });
            }
            let end = member.raw_file_position().saturating_add(member.size());
            if member.header().entry_type().is_file() && end > size {
                return Err(damaged(std::io::ErrorKind::UnexpectedEof.into()));
            }
            archive.add(&member, &mut hard_links);
        }
        archive.link(hard_links);
        archive.parents();
        let has = |name: &str| {
            archive
                .entries
                .iter()
                .any(|e| e.path.as_bytes() == name.as_bytes())
        };
        if !has("/etc") || !(has("/usr") || has("/bin")) {
            let what = "a tar archive without a root file system".to_owned();
            return Err(Error::NotAMachine {
                path: path.to_path_buf(),
                what,
            });
        }
        Ok(archive)
    }

    fn add(&mut self, member: &tar::Entry<'_, File>, hard_links: &mut Vec<(usize, MachinePath)>) {
        let path = MachinePath::new(member.path_bytes());
        let header = member.header();
        let kind = match header.entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::Link => FileKind::File,
            EntryType::Directory => FileKind::Directory,
            EntryType::Symlink => FileKind::Symlink,
            EntryType::Char => FileKind::CharDevice,
            EntryType::Block => FileKind::BlockDevice,
            EntryType::Fifo => FileKind::Fifo,
            EntryType::GNUSparse => {
                let reason = "a sparse member of a tar archive".to_owned();
                self.problems.push(Unexamined {
                    path,
                    detector: "source".into(),
                    reason,
                });
                return;
            }
            _ => return,
        };
        let index = self.offsets.len();
        let target = member.link_name_bytes();
        if header.entry_type() == EntryType::Link
            && let Some(target) = &target
        {
            hard_links.push((index, MachinePath::new(target)));
        }
        self.offsets.push(member.raw_file_position());
        self.entries.push(Entry {
            path,
            kind,
            mode: header.mode().unwrap_or(0) & 0o7777,
            uid: u32::try_from(header.uid().unwrap_or(0)).unwrap_or(0),
            gid: u32::try_from(header.gid().unwrap_or(0)).unwrap_or(0),
            size: if kind == FileKind::File {
                member.size()
            } else {
                0
            },
            mtime: i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0),
            target: target
                .filter(|_| kind == FileKind::Symlink)
                .map(|t| t.into_owned().into_boxed_slice()),
            volume: 0,
            node: node(index as u64),
        });
    }

    /// A hard link is its target's content under another name.
    fn link(&mut self, hard_links: Vec<(usize, MachinePath)>) {
        let by_path: BTreeMap<MachinePath, usize> = self
            .entries
            .iter()
            .enumerate()
            .map(|(i, e)| (e.path.clone(), i))
            .collect();
        for (index, target) in hard_links {
            let Some(original) = by_path
                .get(&target)
                .and_then(|i| self.entries.get(*i))
                .cloned()
            else {
                continue;
            };
            if let Some(entry) = self.entries.get_mut(index) {
                *entry = Entry {
                    path: entry.path.clone(),
                    ..original
                };
            }
        }
    }

    /// Archives need not hold the directories above a member; the tree does.
    fn parents(&mut self) {
        let mut known: BTreeSet<MachinePath> =
            self.entries.iter().map(|e| e.path.clone()).collect();
        let mut missing = Vec::new();
        for entry in &self.entries {
            let mut at = entry.path.parent();
            while let Some(dir) = at.filter(|dir| known.insert(dir.clone())) {
                at = dir.parent();
                missing.push(Entry {
                    path: dir,
                    kind: FileKind::Directory,
                    mode: 0o755,
                    target: None,
                    size: 0,
                    uid: 0,
                    gid: 0,
                    ..entry.clone()
                });
            }
        }
        self.entries.extend(missing);
    }
}

impl Backend for Archive {
    fn entries(&self, problems: &mut Vec<Unexamined>) -> Vec<Entry> {
        problems.extend(self.problems.iter().cloned());
        self.entries.clone()
    }

    fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String> {
        let index = usize::try_from(entry.node.inode).map_err(|error| error.to_string())?;
        let start = self.offsets.get(index).ok_or("no such member")?;
        let left = usize::try_from(entry.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = buf.len().min(left);
        let part = buf.get_mut(..length).unwrap_or_default();
        self.file
            .read_exact_at(part, start.saturating_add(offset))
            .map_err(|error| error.to_string())?;
        Ok(length)
    }

    fn xattrs(&self, _: &Entry) -> Result<crate::disk::Xattrs, String> {
        // Kept in pax headers (SCHILY.xattr.*) by some writers; no rule asks for them of an archive yet.
        Ok(Vec::new())
    }
}
