//! `data/NAME.tar`: the content of a volume, in the order of its names, owners by number.
//!
//! Holes of the machine's files become holes of the archive's own file. Extended attributes are left out: what a volume's
//! file system makes of them is the engine's affair.

use super::rootfs::{CHUNK, write_or_skip};
use super::{Content, Error};
use crate::disk::FileKind;
use crate::path::MachinePath;
use crate::walk::Entry;
use std::fs::File;
use std::io::{Read, Seek, Write};
use tar::{Builder, EntryType, Header};

/// Writes the archive; the first entry is the volume's directory. Returns files that could not be read to their end.
pub(super) fn write(
    file: File,
    entries: &[Entry],
    content: &dyn Content,
) -> Result<Vec<(MachinePath, String)>, Error> {
    let mut unread = Vec::new();
    let Some(top) = entries.first() else {
        return Ok(unread);
    };
    let mut builder = Builder::new(Sparse(file));
    for entry in entries {
        let name = relative(&top.path, &entry.path);
        let mut header = header(entry);
        let done = match (entry.kind, entry.target.as_deref()) {
            (FileKind::File, _) => {
                let mut reader = Reader {
                    entry,
                    content,
                    offset: 0,
                    problem: None,
                };
                let done = builder.append_data(&mut header, name, &mut reader);
                unread.extend(reader.problem.map(|problem| (entry.path.clone(), problem)));
                done
            }
            (FileKind::Directory, _) => {
                header.set_entry_type(EntryType::Directory);
                builder.append_data(&mut header, name, std::io::empty())
            }
            (FileKind::Symlink, Some(target)) => {
                header.set_entry_type(EntryType::Symlink);
                let target: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(target);
                builder.append_link(&mut header, name, target)
            }
            _ => Ok(()),
        };
        done.map_err(|error| Error::io(entry.path.to_string(), error))?;
    }
    let finished = builder.into_inner().and_then(|sparse| {
        let mut file = sparse.0;
        let end = file.stream_position()?;
        file.set_len(end)
    });
    finished.map_err(|error| Error::io(top.path.to_string(), error))?;
    Ok(unread)
}

fn header(entry: &Entry) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(entry.mode & 0o7777);
    header.set_uid(u64::from(entry.uid));
    header.set_gid(u64::from(entry.gid));
    header.set_mtime(u64::try_from(entry.mtime).unwrap_or(0));
    header.set_size(if entry.is_file() { entry.size } else { 0 });
    header
}

/// A name as the archive has it; `.` for the directory itself.
fn relative(top: &MachinePath, path: &MachinePath) -> std::path::PathBuf {
    let skip = top.components().count();
    let mut name = std::path::PathBuf::new();
    for part in path.components().skip(skip) {
        let part: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(part);
        name.push(part);
    }
    if name.as_os_str().is_empty() {
        ".".into()
    } else {
        name
    }
}

/// A file's content; what cannot be read is zeros, so that the archive stays whole, and is told.
struct Reader<'a> {
    entry: &'a Entry,
    content: &'a dyn Content,
    offset: u64,
    problem: Option<String>,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.entry.size.saturating_sub(self.offset);
        let want = usize::try_from(left)
            .unwrap_or(CHUNK)
            .min(buffer.len())
            .min(CHUNK);
        let piece = buffer.get_mut(..want).unwrap_or_default();
        if piece.is_empty() {
            return Ok(0);
        }
        let got = match &self.problem {
            Some(_) => 0,
            None => match self.content.read_at(self.entry, self.offset, piece) {
                Ok(0) => {
                    self.problem = Some("it ends before its size says".to_owned());
                    0
                }
                Ok(got) => got.min(piece.len()),
                Err(error) => {
                    self.problem = Some(error);
                    0
                }
            },
        };
        let got = if got == 0 {
            piece.fill(0);
            piece.len()
        } else {
            got
        };
        self.offset = self.offset.saturating_add(got as u64);
        Ok(got)
    }
}

/// Writes zeros as holes.
struct Sparse(File);

impl Write for Sparse {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        write_or_skip(&mut self.0, piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
