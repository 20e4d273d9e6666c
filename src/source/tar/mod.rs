//! A tar archive, indexed in one pass over its headers and read in place; never unpacked.
//!
//! IEEE Std 1003.1-2017, pax (ustar and pax interchange formats), and the GNU tar manual, "Basic Tar Format" and "Storing
//! Sparse Files". The headers' fields are read by the crate `tar`. Its own iterator is not used: it reads extended
//! headers of any claimed size into memory, parts pax records at newlines (binary attributes hold them), and does not
//! say where a sparse file's pieces lie.

mod index;
mod member;
mod pax;
mod sparse;

use super::content::ReadAt;
use super::{Backend, Error, ReadError, root};
use crate::disk::image::RawFile;
use crate::disk::{BlockDevice, DiskError, Xattrs};
use crate::fact::Unexamined;
use crate::path::MachinePath;
use crate::walk::Entry;
use sparse::Piece;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

pub(super) use member::{BLOCK, looks_right};

/// Where a member's content lies.
#[derive(Debug, Clone)]
enum Place {
    /// In one piece, from this byte of the archive.
    Whole(u64),
    /// In pieces, sorted; between them the file reads as zero.
    Pieces(Vec<Piece>),
    Unreadable(&'static str),
}

pub(super) struct Archive {
    file: RawFile,
    entries: Vec<Entry>,
    /// By the entries' node.
    places: Vec<Place>,
    xattrs: BTreeMap<u64, Xattrs>,
    problems: Vec<Unexamined>,
}

impl Archive {
    /// Indexes the archive; fails where it is damaged, for nothing behind a bad header can be trusted.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        let file = RawFile::new(file).map_err(|error| match error {
            DiskError::Io(error) => Error::io(path, error),
            other => Error::damaged(path, other.to_string()),
        })?;
        Self::read(file, path)
    }

    /// The same of what is in no folder of this system.
    pub(super) fn read(file: RawFile, path: &Path) -> Result<Self, Error> {
        let index = index::Index::read(&file).map_err(|error| match error {
            member::TarError::Io(error) => Error::io(path, error),
            member::TarError::Damaged(what) => Error::damaged(path, what),
        })?;
        let archive = index.finish(file);
        let has = |name: &str| {
            let path = MachinePath::new(name);
            archive.entries.iter().any(|entry| entry.path == path)
        };
        if !root::is_root(has) {
            let (path, hint) = (path.to_path_buf(), archive.hint());
            return Err(Error::NotARoot { path, hint });
        }
        Ok(archive)
    }

    /// An archive made from outside its root has one folder too many.
    fn hint(&self) -> String {
        let top = self.entries.iter().find_map(|entry| {
            let mut components = entry.path.components();
            let top = components.next()?;
            (components.next() == Some(b"etc")).then(|| MachinePath::new(top))
        });
        match top {
            Some(top) => format!("; it holds one in {top}: pack it from inside, with tar -C"),
            None => String::new(),
        }
    }

    fn place(&self, entry: &Entry) -> Option<&Place> {
        self.places.get(usize::try_from(entry.node.inode).ok()?)
    }
}

impl Backend for Archive {
    fn entries(&self, problems: &mut Vec<Unexamined>) -> Vec<Entry> {
        problems.extend(self.problems.iter().cloned());
        self.entries.clone()
    }

    fn open<'a>(&'a self, entry: &Entry) -> Result<Box<dyn ReadAt + 'a>, ReadError> {
        let (file, size) = (&self.file, entry.size);
        match self.place(entry) {
            Some(Place::Whole(start)) => {
                let start = *start;
                Ok(Box::new(Range { file, start, size }))
            }
            Some(Place::Pieces(pieces)) => Ok(Box::new(sparse::Sparse { file, size, pieces })),
            Some(Place::Unreadable(why)) => Err(ReadError::Unsupported(why)),
            None => Err(ReadError::NotAFile),
        }
    }

    fn xattrs(&self, entry: &Entry) -> Result<Xattrs, ReadError> {
        let found = self.xattrs.get(&entry.node.inode);
        Ok(found.cloned().unwrap_or_default())
    }
}

/// Content in one piece.
struct Range<'a> {
    file: &'a RawFile,
    start: u64,
    size: u64,
}

impl ReadAt for Range<'_> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let part = buf.get_mut(..length).unwrap_or_default();
        let at = self.start.saturating_add(offset);
        self.file.read_at(at, part)?;
        Ok(length)
    }
}
