//! Sparse files: GNU's own type `S`, and its pax forms 0.0, 0.1 and 1.0.

use super::member::{BLOCK, Member, Members, TarError, damaged};
use super::pax::{self, Record};
use crate::disk::BlockDevice;
use crate::disk::image::RawFile;
use crate::source::ReadError;
use crate::source::content::ReadAt;
use tar::{GnuExtSparseHeader, GnuSparseHeader};

/// More pieces than a file of ours has; a map is read into memory.
const MOST_PIECES: usize = 1 << 20;

/// Bytes of the file that lie in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Of the file.
    offset: u64,
    length: u64,
    /// In the archive.
    position: u64,
}

/// A sparse member's map, its full size, and its name where the header has a made-up one.
pub(super) struct Map {
    pub pieces: Vec<Piece>,
    pub size: u64,
    pub name: Option<Vec<u8>>,
    /// Where the content starts behind the map.
    pub start: u64,
}

/// Reads the map of a member of type `S`; it may go on in blocks behind the header.
pub(super) fn gnu(member: &Member, members: &mut Members<'_>) -> Result<Map, TarError> {
    let Some(header) = member.header.as_gnu() else {
        return Err(damaged(member.start, "a sparse file without GNU's header"));
    };
    let mut extents = Vec::new();
    collect(&header.sparse, &mut extents)?;
    let mut start = member.start;
    let mut more = header.is_extended();
    while more {
        let mut next = GnuExtSparseHeader::new();
        next.as_mut_bytes().copy_from_slice(&members.block()?);
        start = start.saturating_add(BLOCK as u64);
        collect(next.sparse(), &mut extents)?;
        more = next.is_extended();
        if extents.len() > MOST_PIECES {
            return Err(damaged(
                start,
                format!("a sparse file of more than {MOST_PIECES} pieces"),
            ));
        }
    }
    finish(extents, header.real_size()?, start, member.stored, start)
}

fn collect(from: &[GnuSparseHeader], extents: &mut Vec<(u64, u64)>) -> Result<(), TarError> {
    for extent in from.iter().filter(|extent| !extent.is_empty()) {
        extents.push((extent.offset()?, extent.length()?));
    }
    Ok(())
}

/// Reads the map that pax records describe, if they do.
pub(super) fn pax(
    member: &Member,
    members: &Members<'_>,
    file: &RawFile,
) -> Result<Option<Map>, TarError> {
    members.end(member.start, member.stored)?;
    let records = &member.records;
    let size = pax::integer(records, b"GNU.sparse.realsize")
        .or_else(|| pax::integer(records, b"GNU.sparse.size"));
    let Some(size) = size else {
        return Ok(None);
    };
    let (extents, used) = if pax::integer(records, b"GNU.sparse.major") == Some(1) {
        map_in_content(member, file)?
    } else {
        let numbers = numbers(records);
        let numbers = numbers.ok_or_else(|| damaged(member.start, "a sparse file without map"))?;
        (pairs(&numbers), 0)
    };
    let start = member.start.saturating_add(used);
    let stored = member.stored.saturating_sub(used);
    let mut map = finish(extents, size, start, stored, member.start)?;
    map.name = pax::value(records, b"GNU.sparse.name").map(<[u8]>::to_vec);
    Ok(Some(map))
}

/// Form 0.1 has one record of numbers parted by commas, form 0.0 repeats two records.
fn numbers(records: &[Record]) -> Option<Vec<u64>> {
    if let Some(map) = pax::value(records, b"GNU.sparse.map") {
        return map.split(|b| *b == b',').map(pax::number).collect();
    }
    let each = records.iter().filter(|(key, _)| {
        matches!(
            key.as_slice(),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes"
        )
    });
    each.map(|(_, value)| pax::number(value)).collect()
}

/// Form 1.0: decimal numbers, a line each, before the content and padded to whole blocks; the first is the count.
fn map_in_content(member: &Member, file: &RawFile) -> Result<(Vec<(u64, u64)>, u64), TarError> {
    let bad = || damaged(member.start, "a sparse file's map is wrong");
    let mut numbers: Vec<u64> = Vec::new();
    let mut digits = Vec::new();
    let mut used = 0;
    loop {
        if used >= member.stored {
            return Err(bad());
        }
        let mut block = [0; BLOCK];
        file.read_at(member.start.saturating_add(used), &mut block)?;
        used += BLOCK as u64;
        for byte in block {
            if byte != b'\n' {
                digits.push(byte);
                if digits.len() > 20 {
                    return Err(bad());
                }
                continue;
            }
            numbers.push(pax::number(&digits).ok_or_else(bad)?);
            digits.clear();
            let count = numbers.first().copied().unwrap_or_default();
            let count = usize::try_from(count).ok().filter(|n| *n <= MOST_PIECES);
            let count = count.ok_or_else(bad)?;
            if numbers.len() > count.saturating_mul(2) {
                return Ok((pairs(numbers.get(1..).unwrap_or_default()), used));
            }
        }
    }
}

fn pairs(numbers: &[u64]) -> Vec<(u64, u64)> {
    let (pairs, _) = numbers.as_chunks::<2>();
    pairs
        .iter()
        .map(|[offset, length]| (*offset, *length))
        .collect()
}

/// Gives each extent its place; they must be in order, within the file, and within what is stored.
fn finish(
    extents: Vec<(u64, u64)>,
    size: u64,
    start: u64,
    stored: u64,
    at: u64,
) -> Result<Map, TarError> {
    let bad = || damaged(at, "a sparse file's map is wrong");
    let (mut pieces, mut behind, mut used) = (Vec::new(), 0u64, 0u64);
    for (offset, length) in extents {
        if offset < behind {
            return Err(bad());
        }
        behind = offset
            .checked_add(length)
            .filter(|end| *end <= size)
            .ok_or_else(bad)?;
        let position = start.checked_add(used).ok_or_else(bad)?;
        used = used
            .checked_add(length)
            .filter(|end| *end <= stored)
            .ok_or_else(bad)?;
        if length > 0 {
            pieces.push(Piece {
                offset,
                length,
                position,
            });
        }
    }
    let name = None;
    Ok(Map {
        pieces,
        size,
        name,
        start,
    })
}

/// The content of a sparse file.
pub(super) struct Sparse<'a> {
    pub file: &'a RawFile,
    pub size: u64,
    pub pieces: &'a [Piece],
}

impl ReadAt for Sparse<'_> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let part = buf.get_mut(..length).unwrap_or_default();
        part.fill(0);
        let end = offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        let first = self
            .pieces
            .partition_point(|piece| piece.offset + piece.length <= offset);
        let pieces = self.pieces.get(first..).unwrap_or_default();
        for piece in pieces.iter().take_while(|piece| piece.offset < end) {
            let from = piece.offset.max(offset);
            let to = (piece.offset + piece.length).min(end);
            let place = |at: u64| usize::try_from(at - offset).unwrap_or(usize::MAX);
            if let Some(into) = part.get_mut(place(from)..place(to)) {
                let position = piece.position.saturating_add(from - piece.offset);
                self.file.read_at(position, into)?;
            }
        }
        Ok(length)
    }
    fn data_from(&self, offset: u64) -> Result<u64, ReadError> {
        let behind = |piece: &Piece| piece.offset + piece.length <= offset;
        let next = self.pieces.get(self.pieces.partition_point(behind));
        let next = next.map_or(self.size, |piece| piece.offset);
        Ok(next.max(offset))
    }
}
