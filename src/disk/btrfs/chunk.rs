//! Chunks: which bytes of which devices a range of logical addresses is. "On-disk format", "CHUNK_ITEM".

use super::FORMAT;
use super::key::{self, Key, kind};
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes before the stripes, and of each stripe.
const HEADER: usize = 48;
const STRIPE: usize = 32;

/// Bits of a chunk's type that say its profile.
mod profile {
    pub const RAID0: u64 = 0x8;
    pub const RAID10: u64 = 0x40;
    pub const RAID5: u64 = 0x80;
    pub const RAID6: u64 = 0x100;
}

/// How the stripes share the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Each holds all of it: single, DUP, RAID1 with two, three or four copies.
    Copies,
    /// In turn, each piece on as many stripes that follow one another: RAID0 has one, RAID10 two.
    Striped(u64),
    /// In turn, this many of each row being parity, one place further in each row: RAID5, RAID6.
    Parity(u64),
}

/// A range of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stripe {
    pub device: u64,
    pub offset: u64,
}

/// Where a byte lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub device: u64,
    pub offset: u64,
    /// Bytes that lie together from there on; at least one.
    pub run: u64,
}

/// One chunk, checked.
#[derive(Debug, Clone)]
pub struct Chunk {
    pub logical: u64,
    pub length: u64,
    layout: Layout,
    /// Bytes of a piece; a power of two.
    piece: u64,
    stripes: Vec<Stripe>,
}

impl Chunk {
    /// Reads the chunk that begins at `logical`, and says how many bytes it took.
    pub fn parse(logical: u64, bytes: &[u8]) -> Result<(Self, usize), DiskError> {
        let view = Structure::new(FORMAT, "chunk", bytes);
        let (length, piece, flags) = (view.le64(0)?, view.le64(16)?, view.le64(24)?);
        let count = usize::from(view.le16(44)?);
        let stripes = (0..count).map(|number| {
            let at = HEADER + number * STRIPE;
            Ok(Stripe {
                device: view.le64(at)?,
                offset: view.le64(at + 8)?,
            })
        });
        let chunk = Self {
            logical,
            length,
            layout: layout(flags, view.le16(46)?),
            piece,
            stripes: stripes.collect::<Result<_, DiskError>>()?,
        };
        if length == 0
            || logical.checked_add(length).is_none()
            || !piece.is_power_of_two()
            || !chunk.has_enough_stripes()
        {
            let what = format!("{length} bytes in {count} stripes of pieces of {piece}");
            return Err(view.damaged(what));
        }
        Ok((chunk, HEADER + count * STRIPE))
    }

    fn count(&self) -> u64 {
        u64::try_from(self.stripes.len()).unwrap_or_default()
    }

    fn has_enough_stripes(&self) -> bool {
        let count = self.count();
        match self.layout {
            Layout::Copies => count > 0,
            Layout::Striped(copies) => {
                copies > 0 && count >= copies && count.is_multiple_of(copies)
            }
            Layout::Parity(parity) => count > parity,
        }
    }

    /// How many places each byte has.
    pub fn copies(&self) -> u64 {
        match self.layout {
            Layout::Copies => self.count(),
            Layout::Striped(copies) => copies,
            Layout::Parity(_) => 1,
        }
    }

    /// Where copy number `copy` of the byte `offset` bytes into the chunk lies; `None` beyond its end.
    pub fn place(&self, offset: u64, copy: u64) -> Option<Place> {
        let left = self.length.checked_sub(offset).filter(|left| *left > 0)?;
        let (turn, within) = (offset / self.piece, offset % self.piece);
        let run = left.min(self.piece - within);
        let (stripe, row) = match self.layout {
            Layout::Copies => return self.on(copy, offset, left),
            Layout::Striped(copies) => {
                let groups = (self.count() / copies).max(1);
                ((turn % groups) * copies + copy % copies, turn / groups)
            }
            Layout::Parity(parity) => {
                let content = self.count().saturating_sub(parity).max(1);
                let row = turn / content;
                ((row % self.count() + turn % content) % self.count(), row)
            }
        };
        self.on(
            stripe,
            row.checked_mul(self.piece)?.checked_add(within)?,
            run,
        )
    }

    fn on(&self, stripe: u64, offset: u64, run: u64) -> Option<Place> {
        let stripe = self.stripes.get(usize::try_from(stripe).ok()?)?;
        Some(Place {
            device: stripe.device,
            offset: stripe.offset.checked_add(offset)?,
            run,
        })
    }
}

fn layout(flags: u64, sub_stripes: u16) -> Layout {
    if flags & profile::RAID5 != 0 {
        Layout::Parity(1)
    } else if flags & profile::RAID6 != 0 {
        Layout::Parity(2)
    } else if flags & profile::RAID10 != 0 {
        Layout::Striped(u64::from(sub_stripes))
    } else if flags & profile::RAID0 != 0 {
        Layout::Striped(1)
    } else {
        Layout::Copies
    }
}

/// All chunks, by logical address.
#[derive(Debug, Default)]
pub struct Chunks(Vec<Chunk>);

impl Chunks {
    /// Chunks in any order; of two at one address the first counts.
    pub fn new(mut chunks: Vec<Chunk>) -> Self {
        chunks.sort_by_key(|chunk| chunk.logical);
        chunks.dedup_by_key(|chunk| chunk.logical);
        Self(chunks)
    }

    /// Those that the superblock lists: each behind its key.
    pub fn of_superblock(bytes: &[u8]) -> Result<Vec<Chunk>, DiskError> {
        let view = Structure::new(FORMAT, "list of system chunks", bytes);
        let (mut chunks, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let key = Key::parse(view, at)?;
            if key.kind != kind::CHUNK {
                return Err(view.damaged(format_args!("an item of the kind {}", key.kind)));
            }
            at += key::SIZE;
            let (chunk, length) = Chunk::parse(key.offset, bytes.get(at..).unwrap_or_default())?;
            chunks.push(chunk);
            at += length;
        }
        Ok(chunks)
    }

    /// The chunk that holds a logical address.
    pub fn at(&self, logical: u64) -> Option<&Chunk> {
        let behind = self.0.partition_point(|chunk| chunk.logical <= logical);
        let chunk = self.0.get(behind.checked_sub(1)?)?;
        (logical - chunk.logical < chunk.length).then_some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PIECE: u64 = 65536;

    fn stored(flags: u64, sub_stripes: u16, stripes: u64) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [1 << 30, 2, PIECE, flags] {
            out.extend(u64::to_le_bytes(word));
        }
        out.extend([0; 12]);
        out.extend(u16::try_from(stripes).unwrap().to_le_bytes());
        out.extend(sub_stripes.to_le_bytes());
        for number in 0..stripes {
            out.extend((number + 1).to_le_bytes());
            out.extend((number << 40).to_le_bytes());
            out.extend([7; 16]);
        }
        out
    }

    /// Device, bytes into its stripe, and run of the byte at `offset`.
    fn place(chunk: &Chunk, offset: u64, copy: u64) -> (u64, u64, u64) {
        let Place {
            device,
            offset,
            run,
        } = chunk.place(offset, copy).unwrap();
        (device, offset - ((device - 1) << 40), run)
    }

    fn chunk(flags: u64, sub_stripes: u16, stripes: u64) -> Chunk {
        let bytes = stored(flags, sub_stripes, stripes);
        let (chunk, length) = Chunk::parse(5 << 30, &bytes).unwrap();
        assert_eq!(length, bytes.len());
        chunk
    }

    #[test]
    fn copies_lie_at_the_same_place_of_each_stripe() {
        let chunk = chunk(0x11, 1, 2);
        assert_eq!(chunk.copies(), 2);
        assert_eq!(place(&chunk, 70_000, 1), (2, 70_000, (1 << 30) - 70_000));
        assert_eq!(chunk.place(1 << 30, 0), None);
    }

    #[test]
    fn pieces_go_round_the_stripes() {
        let striped = chunk(0x9, 1, 3);
        assert_eq!(place(&striped, 4 * PIECE + 5, 0), (2, PIECE + 5, PIECE - 5));
        let mirrored = chunk(0x41, 2, 4);
        assert_eq!(mirrored.copies(), 2);
        assert_eq!(place(&mirrored, 3 * PIECE, 0), (3, PIECE, PIECE));
        assert_eq!(place(&mirrored, 3 * PIECE, 1), (4, PIECE, PIECE));
        let parity = chunk(0x81, 1, 3);
        assert_eq!(place(&parity, 2 * PIECE, 0), (2, PIECE, PIECE));
        assert_eq!(place(&parity, 5 * PIECE, 0), (1, 2 * PIECE, PIECE));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (flags, sub_stripes, stripes) in [(1, 1, 0), (0x41, 0, 4), (0x41, 2, 3), (0x101, 1, 2)]
        {
            let bytes = stored(flags, sub_stripes, stripes);
            assert!(Chunk::parse(0, &bytes).is_err(), "{flags:#x}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), logical: u64, offset: u64, copy in 0_u64..5) {
            let _ = Chunks::of_superblock(&bytes);
            let mut bytes = [&stored(u64::from(bytes.first().copied().unwrap_or_default()), 2, 4)[..48], &bytes].concat();
            bytes[0..8].copy_from_slice(&offset.saturating_add(1).to_le_bytes());
            if let Ok((chunk, _)) = Chunk::parse(logical, &bytes) {
                let _ = (chunk.place(offset, copy), chunk.place(0, copy));
            }
        }
    }
}
