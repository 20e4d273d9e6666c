//! The index of packed content: for each block of a file ("logical cluster") whether a packed piece begins in it, where
//! in the block, and where on the disk it lies. `erofs_fs.h`, `struct z_erofs_map_header` and below; the compact form is
//! described by the kernel's `fs/erofs/zmap.c` alone.

use super::FORMAT;
use super::inode::{Inode, Layout};
use super::volume::Volume;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Blocks of one file: 4 GiB of the usual size.
const MOST: u64 = 1 << 20;
/// Bits of the header's advice: pairs of bytes in the compact form, several blocks for a piece, the last piece behind the
/// index, pieces that are only rotated, the end in a fragment of another file.
const PAIRS: u16 = 1;
const BIG: u16 = 2 | 4;
const TAIL: u16 = 8;
const ROTATED: u16 = 16;
const FRAGMENT: u16 = 32;
/// Kinds of entries. The kinds of heads differ in the way of packing.
const PLAIN: u16 = 0;
const BODY: u16 = 2;
/// In an entry behind a head: this is the number of the piece's blocks.
const COUNT: u16 = 0x800;

/// A piece of a file as it is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Byte of the file at which it begins.
    pub first: u64,
    pub place: Place,
    /// Not packed.
    pub plain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A block's number, and how many there are.
    Blocks(u64, u64),
    /// In metadata: byte and length.
    Inline(u64, u64),
}

/// All pieces of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub pieces: Vec<Piece>,
    /// Plain pieces begin inside their block where they begin inside the file's.
    pub rotated: bool,
}

/// One entry.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: u16,
    /// Where in the block the piece begins or, behind a head, how far away that is, or the number of blocks.
    low: u16,
    block: u64,
}

struct Header {
    advice: u16,
    tail: u64,
    bits: u32,
}

impl Index {
    pub fn load(volume: &Volume, inode: &Inode) -> Result<Self, DiskError> {
        let at = inode.behind().next_multiple_of(8);
        let header = header(volume, at)?;
        let count = inode.size.div_ceil(1 << header.bits);
        if count > MOST {
            let what = format!("a packed file of {} bytes is not read", inode.size);
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let is_compact = inode.layout == (Layout::Packed { compact: true });
        let least = count * if is_compact { 2 } else { 8 };
        if at.saturating_add(least) > volume.device.size() {
            let what = "an index that leaves the device";
            return Err(DiskError::damaged(FORMAT, what));
        }
        let count = usize::try_from(count).unwrap_or_default();
        let mut entries = Vec::new();
        let end = if is_compact {
            compact(volume, at + 8, count, &header, &mut entries)?
        } else {
            full(volume, at + 16, count, &mut entries)?
        };
        let mut pieces = pieces(&entries, header.bits, header.advice & BIG != 0)?;
        // Where the last piece ends inside the file's last block, an empty one may stand for the end.
        pieces.retain(|piece| piece.first < inode.size);
        if let Some(last) = pieces.last_mut().filter(|_| header.advice & TAIL != 0) {
            last.place = Place::Inline(end, header.tail);
        }
        Ok(Self {
            pieces,
            rotated: header.advice & ROTATED != 0,
        })
    }
}

fn header(volume: &Volume, at: u64) -> Result<Header, DiskError> {
    let bytes = volume.array::<8>(at)?;
    let view = Structure::new(FORMAT, "index", &bytes);
    let (advice, ways, bits) = (view.le16(4)?, view.u8(6)?, view.u8(7)?);
    if advice & FRAGMENT != 0 || bits & 0x80 != 0 {
        let what = "content in fragments shared by files is not read";
        return Err(DiskError::unsupported(FORMAT, what));
    }
    if ways != 0 {
        let what = "content packed otherwise than by LZ4 is not read";
        return Err(DiskError::unsupported(FORMAT, what));
    }
    let bits = volume.disk.block_bits + u32::from(bits & 7);
    if bits > 14 {
        return Err(view.damaged(format_args!("blocks of 2^{bits} bytes")));
    }
    Ok(Header {
        advice,
        tail: u64::from(view.le16(2)?),
        bits,
    })
}

/// Entries of eight bytes; returns where they end.
fn full(
    volume: &Volume,
    at: u64,
    count: usize,
    entries: &mut Vec<Entry>,
) -> Result<u64, DiskError> {
    let mut at = at;
    for _ in 0..count {
        let bytes = volume.array::<8>(at)?;
        let view = Structure::new(FORMAT, "index entry", &bytes);
        let kind = view.le16(0)? & 3;
        entries.push(Entry {
            kind,
            low: view.le16(if kind == BODY { 4 } else { 2 })?,
            block: u64::from(view.le32(4)?),
        });
        at = at.saturating_add(8);
    }
    Ok(at)
}

/// Packs of two entries in eight bytes, then, if so advised, of sixteen in 32 from the first multiple of 32 bytes on, and
/// of two again at the end; returns where they end. Each pack ends with the block before the first that begins in it.
fn compact(
    volume: &Volume,
    at: u64,
    count: usize,
    header: &Header,
    entries: &mut Vec<Entry>,
) -> Result<u64, DiskError> {
    let big = header.advice & BIG != 0;
    let to_multiple = usize::try_from((32 - at % 32) / 4 % 8).unwrap_or_default();
    let pairs = if header.advice & PAIRS != 0 && to_multiple < count {
        (count - to_multiple) / 16 * 16
    } else {
        0
    };
    let mut at = at;
    while entries.len() < count {
        let done = entries.len();
        let wide = done < to_multiple || done >= to_multiple + pairs;
        if wide {
            pack::<8>(&volume.array(at)?, 2, header.bits, big, entries)?;
            at = at.saturating_add(8);
        } else {
            pack::<32>(&volume.array(at)?, 16, header.bits, big, entries)?;
            at = at.saturating_add(32);
        }
    }
    entries.truncate(count);
    Ok(at)
}

fn pack<const N: usize>(
    bytes: &[u8; N],
    count: usize,
    low_bits: u32,
    big: bool,
    entries: &mut Vec<Entry>,
) -> Result<(), DiskError> {
    let view = Structure::new(FORMAT, "pack of index entries", bytes);
    let mut block = u64::from(view.le32(N - 4)?);
    let width = (N - 4) * 8 / count;
    // A head's block is the one behind the piece before it.
    let mut next = if big { block } else { block + 1 };
    let mut pending = false;
    for number in 0..count {
        let bit = width * number;
        // The last four bytes of a pack are the block: an entry read with three bytes never leaves the pack.
        let start = bit / 8;
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(bytes.iter().skip(start)) {
            *to = *from;
        }
        let value = u32::from_le_bytes(word) >> (bit % 8);
        let low = u16::try_from(value & ((1 << low_bits) - 1)).unwrap_or_default();
        let kind = u16::try_from(value >> low_bits & 3).unwrap_or_default();
        if kind == BODY {
            if big && low & COUNT != 0 {
                next = next.saturating_add(u64::from(low & !COUNT));
                pending = false;
            }
        } else {
            // A head without a body behind it has one block.
            next = next.saturating_add(u64::from(big && pending));
            block = next;
            pending = true;
            if !big {
                next = next.saturating_add(1);
            }
        }
        entries.push(Entry { kind, low, block });
    }
    Ok(())
}

/// Puts heads and what is behind them together.
fn pieces(entries: &[Entry], bits: u32, big: bool) -> Result<Vec<Piece>, DiskError> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut after_head = false;
    for (number, entry) in (0_u64..).zip(entries) {
        if entry.kind == BODY {
            let count = entry.low & !COUNT;
            if let Some(last) = pieces
                .last_mut()
                .filter(|_| after_head && big && entry.low & COUNT != 0)
                && let Place::Blocks(_, blocks) = &mut last.place
            {
                *blocks = u64::from(count);
            }
            after_head = false;
            continue;
        }
        let first = (number << bits).saturating_add(u64::from(entry.low));
        if entry.low >> bits != 0 || pieces.last().is_some_and(|last| last.first >= first) {
            return Err(DiskError::damaged(FORMAT, "pieces of a file out of order"));
        }
        pieces.push(Piece {
            first,
            place: Place::Blocks(entry.block, 1),
            plain: entry.kind == PLAIN,
        });
        after_head = true;
    }
    if pieces.first().is_some_and(|piece| piece.first != 0)
        || pieces.is_empty() != entries.is_empty()
    {
        return Err(DiskError::damaged(FORMAT, "a file without its first piece"));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_of_two() {
        let mut entries = Vec::new();
        // A head at byte 5, then a body one away; blocks are counted from 7.
        let bytes = [5, 0x10, 1, 0x20, 7, 0, 0, 0];
        pack::<8>(&bytes, 2, 12, false, &mut entries).unwrap();
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (entry.kind, entry.low, entry.block))
            .collect();
        assert_eq!(found, [(1, 5, 8), (BODY, 1, 8)]);
    }

    proptest::proptest! {
        #[test]
        fn any_pack_survives(bytes in proptest::array::uniform32(0u8..), big: bool, bits in 9_u32..15) {
            let mut entries = Vec::new();
            let _ = pack::<32>(&bytes, 16, bits, big, &mut entries);
            let _ = pieces(&entries, bits, big);
        }
    }
}
