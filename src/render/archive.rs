//! `data/NAME.tar`: the content of a volume, in the order of its names, owners by number.
//!
//! Holes of the machine's files become holes of the archive's own file. Extended attributes are left out: what a volume's
//! file system makes of them is the engine's affair.

use super::hole::Holes;
use super::rootfs::{CHUNK, write_or_skip};
use super::{Content, Error};
use crate::disk::FileKind;
use crate::path::MachinePath;
use crate::walk::Entry;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use tar::{Builder, EntryType, Header};

/// Members begin at multiples of this many bytes.
const BLOCK: u64 = 512;

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
                // The header says the size; the content is ours to write, so that its holes are passed by.
                let done = builder.append_data(&mut header, name, std::io::empty());
                done.and_then(|()| {
                    let problem = copy(entry, content, &mut builder.get_mut().0)?;
                    unread.extend(problem.map(|problem| (entry.path.clone(), problem)));
                    Ok(())
                })
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

/// Writes a file's content up to the next block. What cannot be read is zeros, so that the archive stays whole, and is told.
fn copy(entry: &Entry, content: &dyn Content, file: &mut File) -> std::io::Result<Option<String>> {
    let start = file.stream_position()?;
    let mut buffer = vec![0; CHUNK];
    let (mut offset, mut holes, mut problem) = (0u64, Holes::default(), None);
    while offset < entry.size && problem.is_none() {
        let want = usize::try_from(entry.size - offset).unwrap_or(CHUNK);
        let piece = buffer.get_mut(..want.min(CHUNK)).unwrap_or_default();
        let got = match content.read_at(entry, offset, piece) {
            Ok(0) => Err("it ends before its size says".to_owned()),
            Ok(got) => Ok(got),
            Err(error) => Err(error),
        };
        let next = got.map(|got| (got, offset.saturating_add(got as u64)));
        match next {
            Ok((got, next)) => {
                let piece = piece.get(..got).unwrap_or_default();
                write_or_skip(file, piece)?;
                match holes.behind(piece, entry, next, content) {
                    Ok(next) => offset = next,
                    Err(why) => problem = Some(why),
                }
                file.seek(SeekFrom::Start(start.saturating_add(offset)))?;
            }
            Err(why) => problem = Some(why),
        }
    }
    let end = start.saturating_add(entry.size);
    let end = end.checked_next_multiple_of(BLOCK);
    file.seek(SeekFrom::Start(end.unwrap_or(u64::MAX)))?;
    Ok(problem)
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
