//! A machine in memory: the small ones that packs carry as their cases.

use super::content::ReadAt;
use super::{Backend, ReadError, Root, SourceInfo, node};
use crate::disk::{FileKind, Xattrs};
use crate::fact::Unexamined;
use crate::path::MachinePath;
use crate::walk::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Files by path. A text that starts with `-> ` is a symbolic link; a path that ends in `/` is a directory.
pub(super) struct Memory {
    entries: Vec<Entry>,
    texts: Vec<String>,
}

impl Root {
    /// A machine made of texts, for cases and tests.
    pub fn memory(files: &BTreeMap<String, String>) -> Self {
        let info = SourceInfo {
            path: "memory".into(),
            format: "directory".into(),
            volumes: Vec::new(),
            files: Vec::new(),
        };
        Self {
            backend: Box::new(Memory::new(files)),
            info,
        }
    }
}

impl Memory {
    fn new(files: &BTreeMap<String, String>) -> Self {
        let mut made = Self {
            entries: Vec::new(),
            texts: Vec::new(),
        };
        let mut known = BTreeSet::new();
        for (name, text) in files {
            let path = MachinePath::new(name);
            let mut above = path.parent();
            while let Some(dir) = above.filter(|dir| known.insert(dir.clone())) {
                above = dir.parent();
                made.add(dir, FileKind::Directory, "");
            }
            match text.strip_prefix("-> ") {
                _ if name.ends_with('/') => {
                    if known.insert(path.clone()) {
                        made.add(path, FileKind::Directory, "");
                    }
                }
                Some(target) => made.add(path, FileKind::Symlink, target),
                None => made.add(path, FileKind::File, text),
            }
        }
        made
    }

    fn add(&mut self, path: MachinePath, kind: FileKind, text: &str) {
        let program = path
            .components()
            .any(|part| part == b"bin" || part == b"sbin")
            || text.starts_with("#!");
        self.entries.push(Entry {
            kind,
            mode: if kind == FileKind::File && !program {
                0o644
            } else {
                0o755
            },
            uid: 0,
            gid: 0,
            size: if kind == FileKind::File {
                text.len() as u64
            } else {
                0
            },
            mtime: 0,
            target: (kind == FileKind::Symlink).then(|| text.as_bytes().into()),
            volume: 0,
            node: node(self.texts.len() as u64),
            path,
        });
        self.texts.push(text.to_owned());
    }
}

struct Text<'a>(&'a [u8]);

impl ReadAt for Text<'_> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(from..).unwrap_or_default();
        let length = rest.len().min(buf.len());
        for (to, byte) in buf.iter_mut().zip(rest) {
            *to = *byte;
        }
        Ok(length)
    }
}

impl Backend for Memory {
    fn entries(&self, _: &mut Vec<Unexamined>) -> Vec<Entry> {
        self.entries.clone()
    }

    fn open<'a>(&'a self, entry: &Entry) -> Result<Box<dyn ReadAt + 'a>, ReadError> {
        let index = usize::try_from(entry.node.inode).unwrap_or(usize::MAX);
        let text = self.texts.get(index).ok_or(ReadError::NotAFile)?;
        Ok(Box::new(Text(text.as_bytes())))
    }

    fn xattrs(&self, _: &Entry) -> Result<Xattrs, ReadError> {
        Ok(Xattrs::new())
    }
}
