//! What kind of source a path is: by its content, never by its name.

use super::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) enum Kind {
    Directory,
    Tar,
    Disk,
}

/// Compressed files, by their first bytes: name, magic, and how to undo it.
const COMPRESSED: &[(&str, &[u8], &str)] = &[
    ("gzip", &[0x1f, 0x8b], "gunzip FILE"),
    ("xz", &[0xfd, b'7', b'z', b'X', b'Z', 0], "xz -d FILE"),
    ("bzip2", b"BZh", "bunzip2 FILE"),
    ("zstd", &[0x28, 0xb5, 0x2f, 0xfd], "zstd -d FILE"),
    ("zip", b"PK\x03\x04", "unzip FILE"),
];

pub(super) fn kind(path: &Path) -> Result<Kind, Error> {
    let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, error))?;
    if metadata.is_dir() {
        return Ok(Kind::Directory);
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(Error::Empty(path.to_path_buf()));
    }
    let mut head = Vec::with_capacity(512);
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    file.take(512)
        .read_to_end(&mut head)
        .map_err(|error| Error::io(path, error))?;
    for (with, magic, hint) in COMPRESSED {
        if head.starts_with(magic) {
            return Err(Error::Compressed {
                path: path.to_path_buf(),
                with,
                hint,
            });
        }
    }
    // POSIX ustar and GNU tar, at offset 257 of the first header; an OVA is a tar whose first member is its descriptor.
    let is_tar = head.get(257..262) == Some(b"ustar");
    let name = head.split(|b| *b == 0).next().unwrap_or_default();
    if is_tar && !name.ends_with(b".ovf") {
        return Ok(Kind::Tar);
    }
    Ok(Kind::Disk)
}
