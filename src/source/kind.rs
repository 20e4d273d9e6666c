//! What kind of source a path is: by its content, never by its name.

use super::{Error, tar};
use crate::disk::image::{self, RawFile};
use crate::path::sanitise;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    Tar,
    /// Or nothing we know; the disk room says which.
    Disk,
}

/// Compressed files: name, first bytes, and the command that undoes it.
const COMPRESSED: [(&str, &[u8], &str); 8] = [
    ("gzip", &[0x1f, 0x8b], "gunzip"),
    ("xz", &[0xfd, b'7', b'z', b'X', b'Z', 0], "unxz"),
    ("bzip2", b"BZh", "bunzip2"),
    ("zstd", &[0x28, 0xb5, 0x2f, 0xfd], "unzstd"),
    ("lz4", &[0x04, 0x22, 0x4d, 0x18], "unlz4"),
    ("lzop", &[0x89, b'L', b'Z', b'O', 0], "lzop -d"),
    ("zip", b"PK\x03\x04", "unzip"),
    ("7-Zip", &[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c], "7z x"),
];

/// Looks at a path: its kind on this system, then the first 512 bytes.
pub(super) fn kind(path: &Path) -> Result<Kind, Error> {
    let metadata = fs::metadata(path).map_err(|error| Error::io(path, error))?;
    let file_type = metadata.file_type();
    if file_type.is_dir() {
        return Ok(Kind::Directory);
    }
    // Opening a FIFO or a terminal would wait for ever.
    if !file_type.is_file() && !file_type.is_block_device() {
        let (path, what) = (path.to_path_buf(), "neither a file nor a directory");
        return Err(Error::WrongKind { path, what });
    }
    if file_type.is_file() && metadata.len() == 0 {
        return Err(Error::Empty(path.to_path_buf()));
    }
    let io = |error| Error::io(path, error);
    let mut head = Vec::with_capacity(tar::BLOCK);
    let file = File::open(path).map_err(io)?;
    let limit = u64::try_from(tar::BLOCK).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut head).map_err(io)?;
    for (with, magic, command) in COMPRESSED {
        if head.starts_with(magic) {
            let shown = sanitise(&path.to_string_lossy()).into_owned();
            return Err(Error::Compressed {
                path: path.to_path_buf(),
                with,
                command: format!("{command} {shown}"),
            });
        }
    }
    // An appliance (OVA) is a tar archive of disk images, its descriptor first.
    if tar::looks_right(&head) && !is_appliance(path) {
        return Ok(Kind::Tar);
    }
    Ok(Kind::Disk)
}

fn is_appliance(path: &Path) -> bool {
    let opened = File::open(path)
        .ok()
        .and_then(|file| RawFile::new(file).ok());
    opened.is_some_and(|file| image::is_archive(&file))
}
