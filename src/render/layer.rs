//! Layers of lifted images: tar archives with the machine's owners, modes, links and capabilities. The same bytes go into a
//! Dockerfile's context and into an OCI image.
//!
//! Names that a layer would give another meaning (`.wh.…` deletes what a lower layer has; image-spec, layer.md, "Whiteouts") stay
//! out and are told. So do access control lists, which engines read from no layer, and labels of SELinux, which are the host's.

use super::hole::Holes;
use super::rootfs::{CHUNK, Gate};
use super::{Content, Error};
use crate::disk::{FileKind, NodeId};
use crate::path::MachinePath;
use crate::plan::{Written, WrittenFile};
use crate::walk::Entry;
use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use tar::{Builder, EntryType, Header};

/// What a layer is made of.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub entries: &'a [&'a Entry],
    /// In the place of entries with their names.
    pub written: &'a [WrittenFile],
    /// Entries that no package brought as they are: these are searched for secrets.
    pub searched: Searched<'a>,
}

/// Which entries the last gate looks through.
#[derive(Clone, Copy)]
pub(super) enum Searched<'a> {
    All,
    These(&'a BTreeSet<MachinePath>),
}

impl Searched<'_> {
    fn has(self, path: &MachinePath) -> bool {
        match self {
            Self::All => true,
            Self::These(paths) => paths.contains(path),
        }
    }
}

/// Whiteouts begin so.
const WHITEOUT: &[u8] = b".wh.";

/// Attributes that a process or an application sees; all others belong to the machine's own security.
fn is_carried(name: &[u8]) -> bool {
    // A record of pax ends its name at the first `=`.
    let can_be_said = name
        .iter()
        .all(|byte| byte.is_ascii_graphic() && *byte != b'=');
    can_be_said && (name == b"security.capability" || name.starts_with(b"user."))
}

/// Writes the archive. Returns what could not be written as it is, with the reason.
pub(super) fn write(
    to: impl Write,
    parts: Parts<'_>,
    content: &dyn Content,
) -> Result<Vec<(MachinePath, String)>, Error> {
    let mut layer = Layer {
        builder: Builder::new(to),
        content,
        first: HashMap::default(),
        unread: Vec::new(),
    };
    let written: BTreeMap<&MachinePath, &WrittenFile> = parts
        .written
        .iter()
        .map(|file| (&file.path, file))
        .collect();
    let mut all: BTreeMap<&MachinePath, Member<'_>> = (parts.entries.iter())
        .map(|entry| (&entry.path, Member::Entry(entry)))
        .collect();
    all.extend(
        written
            .iter()
            .map(|(path, file)| (*path, Member::Written(file))),
    );
    // The root itself has no name, and every image has it.
    for (path, member) in all.into_iter().filter(|(path, _)| path.as_bytes() != b"/") {
        if path.components().any(|name| name.starts_with(WHITEOUT)) {
            let reason = "its name would delete another file of the image; it is left out";
            layer.unread.push((path.clone(), reason.to_owned()));
            continue;
        }
        let done = match member {
            Member::Entry(entry) => layer.entry(entry, parts.searched),
            Member::Written(file) => layer.written(file),
        };
        done.map_err(|error| Error::io(path.to_string(), error))?;
    }
    let finished = layer.builder.into_inner().and_then(|mut to| to.flush());
    finished.map_err(|error| Error::io("layer", error))?;
    Ok(layer.unread)
}

enum Member<'a> {
    Entry(&'a Entry),
    Written(&'a WrittenFile),
}

struct Layer<'a, W: Write> {
    builder: Builder<W>,
    content: &'a dyn Content,
    /// The first name of each file, for its further ones.
    first: HashMap<(u32, NodeId), &'a MachinePath>,
    unread: Vec<(MachinePath, String)>,
}

impl<'a, W: Write> Layer<'a, W> {
    fn entry(&mut self, entry: &'a Entry, searched: Searched<'_>) -> std::io::Result<()> {
        let mut header = header(entry.mode, entry.uid, entry.gid);
        header.set_mtime(u64::try_from(entry.mtime).unwrap_or(0));
        let name = name(&entry.path);
        match entry.kind {
            FileKind::Directory => {
                header.set_entry_type(EntryType::Directory);
                self.builder
                    .append_data(&mut header, name, std::io::empty())
            }
            FileKind::Symlink => {
                let target = entry.target.as_deref().unwrap_or_default();
                if target.is_empty() || target.contains(&0) {
                    return Ok(());
                }
                header.set_entry_type(EntryType::Symlink);
                let target = OsStr::from_bytes(target);
                self.builder.append_link(&mut header, name, target)
            }
            FileKind::File => self.file(entry, header, searched),
            _ => Ok(()),
        }
    }

    fn file(
        &mut self,
        entry: &'a Entry,
        mut header: Header,
        searched: Searched<'_>,
    ) -> std::io::Result<()> {
        let node = (entry.volume, entry.node);
        if let Some(first) = self.first.get(&node).filter(|_| entry.size > 0) {
            header.set_entry_type(EntryType::Link);
            let first = name(first);
            return self
                .builder
                .append_link(&mut header, name(&entry.path), first);
        }
        if searched.has(&entry.path)
            && let Some(found) = held(entry, self.content)
        {
            let reason = format!("it holds a secret ({found}); put it in place as a secret");
            self.unread.push((entry.path.clone(), reason));
            return Ok(());
        }
        let attributes = self.content.attributes(entry);
        let attributes: Vec<(String, Vec<u8>)> = (attributes.into_iter())
            .filter(|(name, _)| is_carried(name))
            .filter_map(|(name, value)| {
                let name = String::from_utf8(name).ok()?;
                Some((format!("SCHILY.xattr.{name}"), value))
            })
            .collect();
        let records = attributes.iter();
        self.builder.append_pax_extensions(
            records.map(|(name, value)| (name.as_str(), value.as_slice())),
        )?;
        header.set_size(entry.size);
        let mut reader = Reader::new(entry, self.content);
        self.builder
            .append_data(&mut header, name(&entry.path), &mut reader)?;
        if let Some(problem) = reader.problem {
            self.unread.push((entry.path.clone(), problem));
        }
        self.first.insert(node, &entry.path);
        Ok(())
    }

    fn written(&mut self, file: &WrittenFile) -> std::io::Result<()> {
        let mut header = header(file.mode, file.uid, file.gid);
        let name = name(&file.path);
        match &file.what {
            Written::Text(text) => {
                header.set_size(text.len() as u64);
                self.builder.append_data(&mut header, name, text.as_bytes())
            }
            Written::Directory => {
                header.set_entry_type(EntryType::Directory);
                self.builder
                    .append_data(&mut header, name, std::io::empty())
            }
            Written::Link(to) => {
                header.set_entry_type(EntryType::Symlink);
                self.builder.append_link(&mut header, name, to)
            }
        }
    }
}

fn header(mode: u32, uid: u32, gid: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode & 0o7777);
    header.set_uid(u64::from(uid));
    header.set_gid(u64::from(gid));
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// A member's name: relative, as layers have them.
fn name(path: &MachinePath) -> &OsStr {
    let bytes = path.as_bytes();
    OsStr::from_bytes(bytes.strip_prefix(b"/").unwrap_or(bytes))
}

/// The kind of secret that a file holds. What cannot be read here cannot be read later either, and is told then.
fn held(entry: &Entry, content: &dyn Content) -> Option<String> {
    let mut gate = Gate::new(entry);
    let mut reader = Reader::new(entry, content);
    let mut buffer = vec![0; CHUNK];
    while let Ok(got) = reader.read(&mut buffer) {
        if got == 0 {
            break;
        }
        gate.piece(buffer.get(..got).unwrap_or_default());
    }
    gate.end()
}

/// A file's content to the length that its entry says: what cannot be read is zeros, and is told.
struct Reader<'a> {
    entry: &'a Entry,
    content: &'a dyn Content,
    offset: u64,
    /// Zeros are handed out up to here.
    hole: u64,
    holes: Holes,
    problem: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(entry: &'a Entry, content: &'a dyn Content) -> Self {
        Self {
            entry,
            content,
            offset: 0,
            hole: 0,
            holes: Holes::default(),
            problem: None,
        }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.entry.size.saturating_sub(self.offset);
        let want = usize::try_from(left)
            .unwrap_or(CHUNK)
            .min(CHUNK)
            .min(buffer.len());
        let zeros = usize::try_from(self.hole.saturating_sub(self.offset)).unwrap_or(CHUNK);
        let Some(piece) = buffer.get_mut(..want).filter(|piece| !piece.is_empty()) else {
            return Ok(0);
        };
        if self.problem.is_some() || zeros > 0 {
            let zeros = if self.problem.is_some() {
                want
            } else {
                zeros.min(want)
            };
            piece.iter_mut().take(zeros).for_each(|byte| *byte = 0);
            self.offset = self.offset.saturating_add(zeros as u64);
            return Ok(zeros);
        }
        match self.content.read_at(self.entry, self.offset, piece) {
            Ok(got) if got > 0 => {
                self.offset = self.offset.saturating_add(got as u64);
                let piece = piece.get(..got).unwrap_or_default();
                match self
                    .holes
                    .behind(piece, self.entry, self.offset, self.content)
                {
                    Ok(next) => self.hole = next,
                    Err(problem) => self.problem = Some(problem),
                }
                Ok(got)
            }
            Ok(_) => {
                self.problem = Some("it ends before its size says".to_owned());
                self.read(buffer)
            }
            Err(problem) => {
                self.problem = Some(problem);
                self.read(buffer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Files of zeros, with an attribute of each kind.
    struct Zeros;

    impl Content for Zeros {
        fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String> {
            let left = usize::try_from(entry.size.saturating_sub(offset)).unwrap_or(usize::MAX);
            let got = left.min(buf.len());
            buf.iter_mut().take(got).for_each(|byte| *byte = 0);
            Ok(got)
        }

        fn data_from(&self, _: &Entry, offset: u64) -> Result<u64, String> {
            Ok(offset)
        }

        fn attributes(&self, _: &Entry) -> Vec<(Vec<u8>, Vec<u8>)> {
            vec![
                (b"security.capability".to_vec(), vec![1, 0, 0, 2]),
                (b"security.selinux".to_vec(), b"label".to_vec()),
                (b"user.\n=x".to_vec(), b"\n9 path=../etc\n".to_vec()),
            ]
        }
    }

    fn packed(entries: &[Entry]) -> (Vec<u8>, Vec<(MachinePath, String)>) {
        let entries: Vec<&Entry> = entries.iter().collect();
        let none = BTreeSet::new();
        let parts = Parts {
            entries: &entries,
            written: &[],
            searched: Searched::These(&none),
        };
        let mut archive = Vec::new();
        let unread = write(&mut archive, parts, &Zeros);
        (archive, unread.unwrap_or_default())
    }

    fn file(path: &str, size: u64, inode: u64) -> Entry {
        Entry {
            size,
            node: NodeId {
                subvolume: 0,
                inode,
            },
            ..Entry::file(&MachinePath::new(path), 0o6755)
        }
    }

    #[test]
    fn second_names_are_links_and_only_what_a_process_sees_is_carried() {
        let entries = [file("/a", 5, 7), file("/b", 5, 7), file("/.wh.a", 1, 8)];
        let (archive, unread) = packed(&entries);
        assert_eq!(unread.len(), 1, "a name that would delete another");
        let mut archive = tar::Archive::new(archive.as_slice());
        let mut kinds = Vec::new();
        for entry in archive.entries().expect("an archive") {
            let mut entry = entry.expect("a member");
            kinds.push((entry.header().entry_type(), entry.header().mode().ok()));
            let records = entry.pax_extensions().expect("records");
            let records = records.into_iter().flatten().filter_map(Result::ok);
            for record in records {
                assert_ne!(record.key_bytes(), b"SCHILY.xattr.security.selinux");
            }
        }
        let expected = [EntryType::Regular, EntryType::Link].map(|kind| (kind, Some(0o6755)));
        assert_eq!(kinds, expected);
    }

    proptest! {
        #[test]
        fn whatever_names_there_are_members_stay_inside_and_are_there_once(
            names in proptest::collection::vec("/(\\PC|\\.\\.|\\.wh\\.|[\n\\\\ ]|/){0,120}", 0..20),
            targets in proptest::collection::vec("(\\PC|\\.\\./|/){0,200}", 20),
        ) {
            let entries: Vec<Entry> = names.iter().zip(&targets).enumerate().map(|(at, (name, target))| {
                let kind = [FileKind::File, FileKind::Directory, FileKind::Symlink, FileKind::CharDevice][at % 4];
                Entry {
                    kind,
                    target: (kind == FileKind::Symlink).then(|| target.as_bytes().into()),
                    ..file(name, at as u64, at as u64)
                }
            }).collect();
            let (archive, _) = packed(&entries);
            let mut archive = tar::Archive::new(archive.as_slice());
            let mut seen = BTreeSet::new();
            for entry in archive.entries().expect("an archive") {
                let entry = entry.expect("a member");
                let name = entry.path_bytes().into_owned();
                let parts = name.split(|byte| *byte == b'/');
                prop_assert!(!name.starts_with(b"/") && parts.clone().all(|part| part != b".." && !part.starts_with(WHITEOUT)));
                prop_assert!(seen.insert(name.strip_suffix(b"/").unwrap_or(&name).to_vec()));
                prop_assert!(matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Directory | EntryType::Symlink | EntryType::Link));
            }
        }
    }
}
