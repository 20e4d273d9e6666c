//! LZ4 blocks, as squashfs and erofs store them: the LZ4 project's `lz4_Block_format.md`.

/// Unpacks at most `out`, and stops where that is full: how many bytes there are, or why there are none.
pub fn unpack(packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    unpack_behind(packed, out, 0)
}

/// The same behind `start` bytes that were unpacked before, which the block may copy from; the new end.
pub fn unpack_behind(packed: &[u8], out: &mut [u8], start: usize) -> Result<usize, String> {
    run(packed, out, start).ok_or_else(|| "a damaged LZ4 block".to_owned())
}

fn run(packed: &[u8], out: &mut [u8], start: usize) -> Option<usize> {
    let (mut rest, mut done) = (packed, start);
    loop {
        let (token, behind) = rest.split_first()?;
        rest = behind;
        let literals = length(usize::from(token >> 4), &mut rest)?;
        let room = out.len().checked_sub(done)?;
        let now = rest.get(..literals.min(room))?;
        out.get_mut(done..done + now.len())?.copy_from_slice(now);
        done += now.len();
        if done == out.len() {
            return Some(done);
        }
        rest = rest.get(literals..)?;
        // The last sequence has no copy.
        if rest.is_empty() {
            return Some(done);
        }
        let (distance, behind) = rest.split_first_chunk::<2>()?;
        rest = behind;
        let copied = length(usize::from(token & 15), &mut rest)?.checked_add(4)?;
        let copied = copied.min(out.len() - done);
        let distance = usize::from(u16::from_le_bytes(*distance));
        done = copy_back(out, done, distance, copied)?;
        if done == out.len() {
            return Some(done);
        }
    }
}

/// A length of four bits, which 15 means to go on in the bytes that follow.
fn length(bits: usize, rest: &mut &[u8]) -> Option<usize> {
    let mut length = bits;
    let mut more = bits == 15;
    while more {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        length = length.checked_add(usize::from(*byte))?;
        more = *byte == 255;
    }
    Some(length)
}

/// Repeats `length` bytes from `distance` before `done`, which may reach into what is being written; the new end.
fn copy_back(out: &mut [u8], done: usize, distance: usize, length: usize) -> Option<usize> {
    let from = done.checked_sub(distance).filter(|_| distance > 0)?;
    let end = done.checked_add(length)?;
    let window = out.get_mut(from..end)?;
    let mut have = distance;
    while have < window.len() {
        let (before, behind) = window.split_at_mut(have);
        let now = behind.len().min(have);
        let (to, from) = (behind.get_mut(..now)?, before.get(..now)?);
        to.copy_from_slice(from);
        have += now;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_copies_and_a_full_block() {
        let packed = [0x42, b'a', b'b', b'c', b'd', 4, 0, 0x10, b'x'];
        let mut out = [0; 20];
        assert_eq!(unpack(&packed, &mut out), Ok(11));
        assert_eq!(&out[..11], b"abcdabcdabx");
        assert_eq!(unpack(&packed, &mut out[..7]), Ok(7));
        assert!(unpack(&packed[..6], &mut out).is_err());
        assert!(unpack(&[0x42, b'a', b'b', b'c', b'd', 5, 0], &mut out).is_err());
        assert!(unpack(&[0x42, b'a', b'b', b'c', b'd', 0, 0], &mut out).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(packed in proptest::collection::vec(0u8.., 0..400)) {
            let _ = unpack(&packed, &mut [0; 5000]);
        }
    }
}
