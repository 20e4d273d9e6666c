//! Members one after the other: a header, with the long names and pax records that went before it.

use super::pax::{self, Record};
use crate::disk::image::RawFile;
use crate::disk::{BlockDevice, DiskError};
use std::borrow::Cow;
use std::io;
use tar::{EntryType, Header};

/// Headers and contents stand at multiples of this many bytes.
pub(in crate::source) const BLOCK: usize = 512;

/// Longest name or extended header that is read, in bytes. Attributes are at most 64 KiB each.
const MOST_EXTENSION: u64 = 1 << 20;

#[derive(Debug)]
pub(super) enum TarError {
    Io(io::Error),
    /// The whole sentence, the archive's path left out.
    Damaged(String),
}

impl From<io::Error> for TarError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What the crate says of a field that holds no number.
            io::ErrorKind::Other => Self::Damaged(format!("damaged tar archive: {error}")),
            _ => Self::Io(error),
        }
    }
}

impl From<DiskError> for TarError {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Io(error) => Self::Io(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// A member as its headers describe it.
pub(super) struct Member {
    pub header: Box<Header>,
    /// As stored: not cleaned, perhaps relative.
    pub name: Vec<u8>,
    pub link: Vec<u8>,
    pub records: Vec<Record>,
    /// Where the content starts, in bytes from the beginning of the archive.
    pub start: u64,
    /// Bytes of content in the archive.
    pub stored: u64,
}

/// Whether the first block of a file is a tar header: its checksum says so, in every dialect.
pub(in crate::source) fn looks_right(head: &[u8]) -> bool {
    let block: Option<&[u8; BLOCK]> = head.first_chunk();
    block.is_some_and(|block| {
        block.iter().any(|b| *b != 0) && checksum_holds(Header::from_byte_slice(block))
    })
}

fn checksum_holds(header: &Header) -> bool {
    let sum = |signed: bool| {
        let bytes = header.as_bytes().iter().enumerate();
        bytes.fold(0i64, |sum, (at, byte)| match at {
            // The checksum's own field counts as spaces.
            148..156 => sum + i64::from(b' '),
            _ if signed => sum + i64::from(byte.cast_signed()),
            _ => sum + i64::from(*byte),
        })
    };
    // Some old writers summed signed bytes.
    header
        .cksum()
        .is_ok_and(|stored| [sum(false), sum(true)].contains(&i64::from(stored)))
}

/// Reads members in order.
pub(super) struct Members<'a> {
    file: &'a RawFile,
    size: u64,
    at: u64,
    /// Of a global pax header: what holds for all members behind it.
    global: Vec<Record>,
    /// The two zero blocks at the end were seen.
    pub ended: bool,
}

impl<'a> Members<'a> {
    pub(super) fn new(file: &'a RawFile) -> Self {
        Self {
            file,
            size: file.size(),
            at: 0,
            global: Vec::new(),
            ended: false,
        }
    }

    /// The next member; `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Member>, TarError> {
        let (mut name, mut link, mut local) = (None, None, Vec::new());
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let kind = header.entry_type();
            let start = self.at;
            if !is_extension(kind) {
                return self.member(header, name, link, local).map(Some);
            }
            let size = header.entry_size()?;
            let data = self.extension(size)?;
            match kind {
                EntryType::GNULongName => name = Some(cut(data)),
                EntryType::GNULongLink => link = Some(cut(data)),
                kind => {
                    let Some(records) = pax::records(&data) else {
                        return Err(damaged(start, "a pax header's lengths are wrong"));
                    };
                    if kind == EntryType::XGlobalHeader {
                        self.global = records;
                    } else {
                        local = records;
                    }
                }
            }
        }
    }

    fn member(
        &mut self,
        header: Box<Header>,
        name: Option<Vec<u8>>,
        link: Option<Vec<u8>>,
        local: Vec<Record>,
    ) -> Result<Member, TarError> {
        let is_pax = !local.is_empty();
        let mut records = self.global.clone();
        records.extend(local);
        let start = self.at;
        let stored = match header.entry_type() {
            EntryType::Symlink
            | EntryType::Directory
            | EntryType::Char
            | EntryType::Block
            | EntryType::Fifo => 0,
            // Old archives repeat the file's size at a hard link that has no content; in pax it has if it says so.
            EntryType::Link if !is_pax => 0,
            _ => pax::integer(&records, b"size").map_or_else(|| header.entry_size(), Ok)?,
        };
        let pax = |key: &[u8]| pax::value(&records, key).map(<[u8]>::to_vec);
        let own = || header.path_bytes().into_owned();
        let own_link = || header.link_name_bytes().map(Cow::into_owned);
        let (name, link) = (
            name.or_else(|| pax(b"path")).unwrap_or_else(own),
            link.or_else(|| pax(b"linkpath")).or_else(own_link),
        );
        // A sparse file's map may go on in blocks behind its header, which its size does not count.
        self.at = start;
        Ok(Member {
            header,
            name,
            link: link.unwrap_or_default(),
            records,
            start,
            stored,
        })
    }

    /// Where content ends, which must be there.
    pub(super) fn end(&self, start: u64, stored: u64) -> Result<u64, TarError> {
        let end = start.checked_add(stored).filter(|end| *end <= self.size);
        end.ok_or_else(|| self.truncated())
    }

    /// Goes on behind a member's content.
    pub(super) fn skip(&mut self, start: u64, stored: u64) -> Result<(), TarError> {
        let end = self.end(start, stored)?;
        self.at = end.checked_next_multiple_of(BLOCK as u64).unwrap_or(end);
        Ok(())
    }

    /// One block as it stands, and goes on behind it.
    pub(super) fn block(&mut self) -> Result<[u8; BLOCK], TarError> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        self.at += BLOCK as u64;
        Ok(block)
    }

    fn header(&mut self) -> Result<Option<Box<Header>>, TarError> {
        if self.at >= self.size {
            return Ok(None);
        }
        let start = self.at;
        let block = self.block()?;
        if block.iter().all(|b| *b == 0) {
            self.ended = true;
            return Ok(None);
        }
        let header = Box::new(Header::from_byte_slice(&block).clone());
        if checksum_holds(&header) {
            Ok(Some(header))
        } else {
            Err(damaged(start, "a header's checksum is wrong"))
        }
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > MOST_EXTENSION {
            return Err(damaged(
                self.at,
                format!("a name or extended header has more than {MOST_EXTENSION} bytes"),
            ));
        }
        let mut data = vec![0; usize::try_from(size).unwrap_or_default()];
        self.fill(&mut data)?;
        self.skip(self.at, size)?;
        Ok(data)
    }

    fn fill(&self, buf: &mut [u8]) -> Result<(), TarError> {
        let read = self.file.read_at(self.at, buf);
        read.map_err(|error| match error {
            DiskError::OutOfBounds { .. } => self.truncated(),
            // It has become shorter.
            DiskError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.truncated()
            }
            other => other.into(),
        })
    }

    fn truncated(&self) -> TarError {
        let what = "the tar archive is truncated; get it again whole";
        TarError::Damaged(format!("{what} ({} bytes)", self.size))
    }
}

fn is_extension(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::GNULongName
            | EntryType::GNULongLink
            | EntryType::XHeader
            | EntryType::XGlobalHeader
    )
}

/// GNU's long names end with a NUL.
fn cut(mut name: Vec<u8>) -> Vec<u8> {
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    name.truncate(end);
    name
}

pub(super) fn damaged(at: u64, what: impl std::fmt::Display) -> TarError {
    TarError::Damaged(format!("damaged tar archive: {what} (at byte {at})"))
}
