//! Changes to inputs that keep disks what they are: bytes and numbers in place, or a piece rewritten and what follows it
//! left where it was on the disk.

use crate::harness::input::END;

/// Bytes before a piece's own: its gap and its length. A part begins with its size.
const HEAD: usize = 6;
const SIZE: usize = 8;

/// Where the pieces' bytes are in an input: where each begins, and how many there are.
fn pieces(data: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = SIZE;
    while let Some(head) = data.get(at..).and_then(|rest| rest.first_chunk::<HEAD>()) {
        let gap = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        if gap == END {
            at += 4 + SIZE;
            continue;
        }
        let length =
            usize::from(u16::from_le_bytes([head[4], head[5]])).min(data.len() - at - HEAD);
        found.push((at + HEAD, length));
        at += HEAD + length;
    }
    found.retain(|(_, length)| *length > 0);
    found
}

/// Marsaglia's xorshift: a mutator must be a function of its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.next() >> 16) % end.max(1) as u64) as usize
    }
}

/// Changes an input of `size` bytes in the room of `data`; how long it then is.
pub fn mutate(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut random = Random(u64::from(seed) << 8 | 0x9e37_79b9_0000_0001);
    random.next();
    let pieces = pieces(&data[..size]);
    let all: usize = pieces.iter().map(|(_, length)| length).sum();
    if all == 0 || random.below(16) == 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, most);
    }
    // By their length: large pieces are pages of structures, and bytes have an equal chance.
    let mut wanted = random.below(all);
    let (at, length) = *pieces
        .iter()
        .find(|(_, length)| match wanted.checked_sub(*length) {
            Some(left) => {
                wanted = left;
                false
            }
            None => true,
        })
        .unwrap_or(&pieces[0]);
    if random.below(32) == 0 {
        return cut(data, size, at, length);
    }
    if random.below(3) == 0 {
        return rewrite(data, size, most, at, length);
    }
    for _ in 0..=random.below(4) {
        let other = random.below(length);
        let place = if random.below(2) == 0 { wanted } else { other };
        number(data, size, at + place, at + length, &mut random);
    }
    size
}

/// Changes a number, or some bytes, at a place of a piece that goes on until `end`.
fn number(data: &mut [u8], size: usize, place: usize, end: usize, random: &mut Random) {
    let width = (1 << random.below(4)).min(end - place);
    if random.below(8) == 0 {
        // Something from elsewhere: a pointer to where others lead, a node in another's place.
        let length = (width << random.below(6)).min(end - place);
        let from = random.below(size.saturating_sub(length));
        data.copy_within(from..from + length, place);
        return;
    }
    let mut bytes = [0; 8];
    bytes[..width].copy_from_slice(&data[place..place + width]);
    let value = u64::from_le_bytes(bytes);
    let changed = match random.below(6) {
        0 => random.next(),
        1 => value ^ 1 << random.below(width * 8),
        2 => [0, 1, u64::MAX, 1 << 63, 1 << 31, 1 << 15][random.below(6)],
        3 => value.wrapping_add(random.below(16) as u64 + 1),
        4 => value.wrapping_sub(random.below(16) as u64 + 1),
        _ => random.next() >> random.below(64),
    };
    let changed = changed.to_le_bytes();
    let big = random.below(2) == 0;
    for at in 0..width {
        let from = if big { width - 1 - at } else { at };
        data[place + at] = changed[from];
    }
}

/// Leaves zeros in a piece's place, and so a smaller input of the same disk, where another follows that takes its gap.
fn cut(data: &mut [u8], size: usize, at: usize, length: usize) -> usize {
    let (start, end) = (at - HEAD, at + length);
    let gap = |at: usize| data[..size].get(at..).and_then(|rest| rest.first_chunk());
    let gap = |at: usize| gap(at).map(|gap| u32::from_le_bytes(*gap));
    let sum = match (gap(start), gap(end)) {
        (Some(before), Some(next)) if next != END => before
            .checked_add(next)
            .and_then(|sum| sum.checked_add(length as u32)),
        _ => None,
    };
    if let Some(sum) = sum.filter(|sum| *sum != END) {
        data[end..end + 4].copy_from_slice(&sum.to_le_bytes());
        data.copy_within(end..size, start);
        return size - HEAD - length;
    }
    data[at..end].fill(0);
    size
}

/// Lets libFuzzer rewrite one piece, and moves nothing that follows it on the disk.
fn rewrite(data: &mut [u8], size: usize, most: usize, at: usize, length: usize) -> usize {
    const ROOM: usize = 64;
    let mut piece = vec![0; length + ROOM];
    piece[..length].copy_from_slice(&data[at..at + length]);
    let room = (length + ROOM)
        .min(usize::from(u16::MAX))
        .min(length + (most - size));
    let new = libfuzzer_sys::fuzzer_mutate(&mut piece, length, room);
    let end = at + length;
    // The gap of the next piece gives or takes what this one has less or more.
    let next = data.get(end..end + 4).filter(|_| end + 4 <= size);
    let gap = next.map(|gap| u32::from_le_bytes([gap[0], gap[1], gap[2], gap[3]]));
    let adjusted = match gap {
        Some(gap) if gap != END => u32::try_from(i64::from(gap) + length as i64 - new as i64).ok(),
        _ => Some(END),
    };
    let Some(adjusted) = adjusted else {
        data[at..at + length.min(new)].copy_from_slice(&piece[..length.min(new)]);
        return size;
    };
    data.copy_within(end..size, at + new);
    data[at..at + new].copy_from_slice(&piece[..new]);
    data[at - 2..at].copy_from_slice(&(new as u16).to_le_bytes());
    if gap.is_some_and(|gap| gap != END) {
        data[at + new..at + new + 4].copy_from_slice(&adjusted.to_le_bytes());
    }
    size - length + new
}
