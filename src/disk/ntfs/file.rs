//! A file: its record, and the records that hold what does not fit into it. "NTFS Documentation", "$ATTRIBUTE_LIST".

use super::FORMAT;
use super::record::{Attribute, Body, Record, number};
use super::reparse::{MOST_SPECIAL, Reparse, Special, special};
use super::stream::{Clusters, Stream};
use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use std::collections::BTreeSet;

/// Kinds of attributes.
const TIMES: u32 = 0x10;
const LIST: u32 = 0x20;
const NAME: u32 = 0x30;
const DATA: u32 = 0x80;
const REPARSE: u32 = 0xc0;
/// Bytes of an attribute list, and of a reparse point: what Windows allows.
const MOST_LIST: u64 = 256 << 10;
const MOST_REPARSE: u64 = 16 << 10;
/// Bits of the DOS attributes.
const READ_ONLY: u32 = 1;
const SYSTEM: u32 = 4;
/// Times count tenths of microseconds from 1601 on; seconds until 1970.
const EPOCH: i64 = 11_644_473_600;

/// A file with all its attributes.
#[derive(Debug)]
pub struct File {
    pub is_directory: bool,
    pub is_read_only: bool,
    /// Names that are not the short one of another.
    pub links: u32,
    pub mtime: (i64, u32),
    pub attributes: Vec<Attribute>,
    /// The content of a regular file.
    pub data: Option<Stream>,
    pub reparse: Option<Reparse>,
    pub special: Option<Special>,
}

impl File {
    /// From the file's first record; `load` reads others by their number.
    pub fn load(
        of: u64,
        first: Record,
        clusters: &Clusters<'_>,
        load: &dyn Fn(u64) -> Result<Record, DiskError>,
    ) -> Result<Self, DiskError> {
        if first.base != 0 {
            let what = format!("record {of} is a part of another file");
            return Err(DiskError::damaged(FORMAT, what));
        }
        let is_directory = first.is_directory;
        let mut attributes = first.attributes;
        for other in others(of, &attributes, clusters)? {
            let record = load(other)?;
            if record.base != of {
                let what = format!("record {other} is no part of file {of}");
                return Err(DiskError::damaged(FORMAT, what));
            }
            attributes.extend(record.attributes);
        }
        Self::of(is_directory, attributes, clusters)
    }

    fn of(
        is_directory: bool,
        attributes: Vec<Attribute>,
        clusters: &Clusters<'_>,
    ) -> Result<Self, DiskError> {
        let resident = |kind| {
            let mut own = attributes.iter().filter(move |own| own.kind == kind);
            own.find_map(|own| match &own.body {
                Body::Resident(bytes) => Some(bytes.as_slice()),
                Body::Mapped(_) => None,
            })
        };
        let times = Structure::new(FORMAT, "times", resident(TIMES).unwrap_or_default());
        let mtime = times.le64(8).map(time).unwrap_or_default();
        let flags = times.le32(32).unwrap_or_default();
        let names = attributes.iter().filter(|own| match &own.body {
            Body::Resident(bytes) => own.kind == NAME && bytes.get(65) != Some(&2),
            Body::Mapped(_) => false,
        });
        let links = u32::try_from(names.count()).unwrap_or(u32::MAX);
        let reparse = Stream::gather(&attributes, REPARSE, "")?
            .map(|stream| Reparse::parse(&stream.whole(clusters, MOST_REPARSE)?))
            .transpose()?;
        let data = if is_directory {
            None
        } else {
            Stream::gather(&attributes, DATA, "")?
        };
        let small = data
            .as_ref()
            .filter(|data| flags & SYSTEM != 0 && data.size <= MOST_SPECIAL);
        let special = small
            .map(|data| data.whole(clusters, MOST_SPECIAL))
            .transpose()?
            .and_then(|bytes| special(&bytes));
        Ok(Self {
            is_directory,
            is_read_only: flags & READ_ONLY != 0 && !is_directory,
            links: links.max(1),
            mtime,
            attributes,
            data,
            reparse,
            special,
        })
    }
}

/// The other records of a file, in order.
fn others(
    of: u64,
    attributes: &[Attribute],
    clusters: &Clusters<'_>,
) -> Result<BTreeSet<u64>, DiskError> {
    let Some(list) = Stream::gather(attributes, LIST, "")? else {
        return Ok(BTreeSet::new());
    };
    let bytes = list.whole(clusters, MOST_LIST)?;
    let view = Structure::new(FORMAT, "attribute list", &bytes);
    let (mut at, mut found) = (0, BTreeSet::new());
    while at < bytes.len() {
        let length = usize::from(view.le16(at + 4)?);
        if length < 26 {
            return Err(view.damaged(format_args!("an entry of {length} bytes")));
        }
        found.insert(number(view.le64(at + 16)?));
        at += length;
    }
    found.remove(&of);
    Ok(found)
}

/// The table of files itself, whose own records lie in it: each one found may tell where the next lies.
pub fn table(
    first: Record,
    clusters: &Clusters<'_>,
    load: &dyn Fn(&Stream, u64) -> Result<Record, DiskError>,
) -> Result<Stream, DiskError> {
    let whole = |attributes: &[Attribute]| {
        Stream::gather(attributes, DATA, "")?
            .ok_or_else(|| DiskError::damaged(FORMAT, "a table of files without content"))
    };
    let others = others(0, &first.attributes, clusters)?;
    let mut attributes = first.attributes;
    let mut table = whole(&attributes)?;
    for other in others {
        let record = load(&table, other)?;
        // Only the table says of its parts that they belong to record 0.
        if record.base == 0 {
            attributes.extend(record.attributes);
            table = whole(&attributes)?;
        }
    }
    Ok(table)
}

fn time(tenths: u64) -> (i64, u32) {
    let seconds = i64::try_from(tenths / 10_000_000).unwrap_or(i64::MAX);
    let rest = u32::try_from(tenths % 10_000_000).unwrap_or_default();
    (seconds.saturating_sub(EPOCH), rest * 100)
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_from_1601_on() {
        assert_eq!(time(116_444_736_000_000_000), (0, 0));
        assert_eq!(time(116_444_736_015_000_007), (1, 500_000_700));
        assert_eq!(time(0), (-11_644_473_600, 0));
    }
}
