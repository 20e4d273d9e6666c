//! Packed content: the pieces that a read touches, each unpacked whole and the last one kept.

use super::FORMAT;
use super::index::{Index, Piece, Place};
use super::volume::Volume;
use crate::disk::{DiskError, lz4};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a piece, packed and unpacked; the makers stay at 1 MiB packed.
const MOST_PACKED: u64 = 1 << 20;
const MOST_PIECE: u64 = 16 << 20;
/// Pieces that are kept, by their place.
const KEPT: usize = 8;

/// An unpacked piece: file, first byte, content.
type Unpacked = Option<(u64, u64, Arc<[u8]>)>;

/// Unpacked pieces.
pub struct Kept([Mutex<Unpacked>; KEPT]);

impl Kept {
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(None)))
    }

    /// Fills `buf`, all of which lies inside the file of `size` bytes.
    pub fn read(
        &self,
        volume: &Volume,
        (inode, size): (u64, u64),
        index: &Index,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<(), DiskError> {
        let (mut at, mut rest) = (offset, buf);
        let mut number = index.pieces.partition_point(|piece| piece.first <= offset);
        while !rest.is_empty() {
            let missing = || DiskError::damaged(FORMAT, "a piece of a file is missing");
            let piece = number
                .checked_sub(1)
                .and_then(|number| index.pieces.get(number));
            let piece = piece.ok_or_else(missing)?;
            let end = index
                .pieces
                .get(number)
                .map_or(size, |next| next.first.min(size));
            let length = end
                .checked_sub(piece.first)
                .filter(|length| *length <= MOST_PIECE);
            let length = length.ok_or_else(|| {
                DiskError::damaged(FORMAT, format!("a piece of more than {MOST_PIECE} bytes"))
            })?;
            let whole = self.piece(volume, inode, piece, length, index.rotated)?;
            let from = usize::try_from(at - piece.first).unwrap_or(usize::MAX);
            let bytes = whole
                .get(from..)
                .filter(|bytes| !bytes.is_empty())
                .ok_or_else(missing)?;
            let (now, later) = rest.split_at_mut(bytes.len().min(rest.len()));
            now.copy_from_slice(bytes.get(..now.len()).unwrap_or_default());
            at += u64::try_from(now.len()).unwrap_or_default();
            rest = later;
            number += 1;
        }
        Ok(())
    }

    fn piece(
        &self,
        volume: &Volume,
        inode: u64,
        piece: &Piece,
        length: u64,
        rotated: bool,
    ) -> Result<Arc<[u8]>, DiskError> {
        let number =
            usize::try_from(inode ^ (piece.first >> volume.disk.block_bits)).unwrap_or_default();
        let Some(slot) = self.0.get(number % KEPT) else {
            return unpack(volume, piece, length, rotated);
        };
        let held = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, first, bytes)) = held
            && (of, first) == (inode, piece.first)
        {
            return Ok(bytes);
        }
        let bytes = unpack(volume, piece, length, rotated)?;
        let mut held = slot.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((inode, piece.first, Arc::clone(&bytes)));
        Ok(bytes)
    }
}

fn unpack(
    volume: &Volume,
    piece: &Piece,
    length: u64,
    rotated: bool,
) -> Result<Arc<[u8]>, DiskError> {
    let (at, held, inline) = match piece.place {
        Place::Blocks(first, count) => (
            first.saturating_mul(volume.block()),
            count.saturating_mul(volume.block()),
            false,
        ),
        Place::Inline(at, held) => (at, held, true),
    };
    if held > MOST_PACKED {
        let what = format!("a packed piece of {held} bytes");
        return Err(DiskError::damaged(FORMAT, what));
    }
    let mut packed = vec![0; usize::try_from(held).unwrap_or_default()];
    if inline {
        volume.metadata(at, &mut packed)?;
    } else {
        volume.device.read_at(at, &mut packed)?;
    }
    let size = usize::try_from(length).unwrap_or_default();
    if piece.plain {
        // Rotated content begins where it does in the file's block, and goes on at the beginning.
        if rotated && !inline {
            let turn = usize::try_from(piece.first % volume.block()).unwrap_or_default();
            let turn = turn.min(packed.len());
            packed.rotate_left(turn);
        }
        let bytes = packed.get(..size);
        let bytes = bytes.ok_or_else(|| DiskError::damaged(FORMAT, "a piece that is cut short"))?;
        return Ok(bytes.into());
    }
    let start = if volume.disk.padded {
        packed
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or_default()
    } else {
        0
    };
    let mut out = vec![0; size];
    let done = lz4::unpack(packed.get(start..).unwrap_or_default(), &mut out)
        .map_err(|what| DiskError::damaged(FORMAT, what))?;
    if done < size {
        let what = format!("a piece of {done} bytes where {size} belong");
        return Err(DiskError::damaged(FORMAT, what));
    }
    Ok(out.into())
}
