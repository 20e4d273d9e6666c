//! `workloads/ID/rootfs/`: the carried files with their modes and times, content streamed from the machine.

use super::confined::{Confined, times};
use super::hole::Holes;
use super::{Content, Error};
use crate::disk::FileKind;
use crate::path::MachinePath;
use crate::plan::context_mode;
use crate::secret::{self, Search};
use crate::walk::Entry;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// Content is copied in pieces of this many bytes; a piece of zeros becomes a hole.
pub(super) const CHUNK: usize = 64 * 1024;

/// Whether the file gives its process capabilities, which no build context can carry (capabilities(7)).
fn has_capabilities(entry: &Entry, content: &dyn Content) -> bool {
    let names = content.attributes(entry);
    names.iter().any(|(name, _)| name == b"security.capability")
}

/// Writes the entries below `directory`, which exists. Returns the files that could not be read, with the reason.
pub(super) fn write(
    directory: &Path,
    entries: &[Entry],
    content: &dyn Content,
) -> Result<Vec<(MachinePath, String)>, Error> {
    let mut confined = Confined::new(directory)?;
    let mut unread = Vec::new();
    for entry in entries {
        match entry.kind {
            FileKind::Directory => confined.directory(&entry.path)?,
            FileKind::Symlink => {
                let target = entry.target.as_deref().unwrap_or_default();
                if !target.is_empty() && !target.contains(&0) {
                    confined.link(&entry.path, target, entry.mtime)?;
                }
            }
            FileKind::File => {
                if entry.is_executable() && has_capabilities(entry, content) {
                    let reason = "its file capabilities are not carried; give them back in the image with setcap";
                    unread.push((entry.path.clone(), reason.to_owned()));
                }
                let mut file = confined.file(&entry.path, context_mode(entry))?;
                let mut gate = Gate::new(entry);
                let copied = copy_seen(entry, content, &mut file, |piece| gate.piece(piece));
                let to = || directory.join(entry.path.to_string().trim_start_matches('/'));
                if let Some(reason) = copied.map_err(|error| error.at(to()))? {
                    unread.push((entry.path.clone(), reason));
                }
                if let Some(found) = gate.end() {
                    confined.remove(&entry.path)?;
                    let reason =
                        format!("it holds a secret ({found}); put it in place as a secret");
                    unread.push((entry.path.clone(), reason));
                    continue;
                }
                rustix::fs::futimens(&file, &times(entry.mtime))
                    .map_err(|e| Error::io(directory, e))?;
            }
            _ => {}
        }
    }
    for entry in entries.iter().rev().filter(|entry| entry.is_dir()) {
        confined.settle(&entry.path, context_mode(entry), entry.mtime)?;
    }
    Ok(unread)
}

/// The last gate before an image: whatever is copied is looked through on the way. Detection finds secrets and hands them over
/// before a plan is made; what it did not look into (a file too large, one of too many) does not get into a layer either.
pub(super) struct Gate<'a> {
    entry: &'a Entry,
    search: Option<Search>,
    found: Option<String>,
}

impl<'a> Gate<'a> {
    pub(super) fn new(entry: &'a Entry) -> Self {
        Self {
            entry,
            search: None,
            found: None,
        }
    }

    pub(super) fn piece(&mut self, piece: &[u8]) {
        self.look(piece, false);
    }

    /// What was found in all of it.
    pub(super) fn end(mut self) -> Option<String> {
        self.look(&[], true);
        self.found
    }

    fn look(&mut self, piece: &[u8], is_last: bool) {
        if self.found.is_some() || (is_last && self.search.is_none()) {
            return;
        }
        let path = self.entry.path.text();
        if self.search.is_none()
            && let Some(kind) = secret::kind_of_file(&path, piece)
        {
            self.found = Some(kind.to_owned());
            return;
        }
        let search = self.search.get_or_insert_with(|| Search::new(&path, piece));
        let found = &mut self.found;
        search.piece(piece, is_last, |hit| {
            found.get_or_insert_with(|| format!("{} in line {}", hit.kind, hit.line));
        });
    }
}

/// Writes a file of our own among them.
pub(super) fn generated(
    directory: &Path,
    path: &MachinePath,
    mode: u32,
    text: &str,
) -> Result<(), Error> {
    let mut file = Confined::new(directory)?.file(path, mode)?;
    file.write_all(text.as_bytes())
        .map_err(|error| Error::io(path.to_string(), error))
}

/// Copies a file's content; `see` is shown every piece. `Some` says why it could not be read to its end; what was read stands.
fn copy_seen(
    entry: &Entry,
    content: &dyn Content,
    file: &mut File,
    mut see: impl FnMut(&[u8]),
) -> Result<Option<String>, Error> {
    let failed = |error| Error::io(entry.path.to_string(), error);
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0u64;
    let (mut reason, mut holes) = (None, Holes::default());
    while offset < entry.size {
        let want = usize::try_from(entry.size - offset)
            .unwrap_or(CHUNK)
            .min(CHUNK);
        let piece = buffer.get_mut(..want).unwrap_or_default();
        match content.read_at(entry, offset, piece) {
            Ok(0) => {
                reason = Some("it ends before its size says".to_owned());
                break;
            }
            Ok(got) => {
                let piece = piece.get(..got).unwrap_or_default();
                // Before a hole is passed by, a piece of its zeros was seen: no line goes on behind it.
                see(piece);
                write_or_skip(file, piece).map_err(failed)?;
                offset = offset.saturating_add(got as u64);
                offset = match holes.behind(piece, entry, offset, content) {
                    Ok(next) => next,
                    Err(error) => {
                        reason = Some(error);
                        break;
                    }
                };
                file.seek(SeekFrom::Start(offset)).map_err(failed)?;
            }
            Err(error) => {
                reason = Some(error);
                break;
            }
        }
    }
    file.set_len(offset).map_err(failed)?;
    Ok(reason)
}

/// Zeros are skipped, so that a file with holes keeps them.
pub(super) fn write_or_skip(file: &mut File, piece: &[u8]) -> std::io::Result<()> {
    if piece.iter().all(|byte| *byte == 0) {
        file.seek(SeekFrom::Current(i64::try_from(piece.len()).unwrap_or(0)))
            .map(|_| ())
    } else {
        file.write_all(piece)
    }
}
