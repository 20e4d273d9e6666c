//! LZO1X, as squashfs and btrfs store it: the kernel's `Documentation/staging/lzo.rst`, first version of the stream.

/// Unpacks at most `out`: how many bytes there were, or why there are none.
pub fn unpack(packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let mut stream = Stream {
        packed,
        out,
        done: 0,
    };
    match stream.run() {
        Some(()) => Ok(stream.done),
        None => Err("a damaged LZO stream".to_owned()),
    }
}

struct Stream<'a> {
    /// What is left.
    packed: &'a [u8],
    out: &'a mut [u8],
    done: usize,
}

impl Stream<'_> {
    /// `None` where the stream is damaged or longer than it may be.
    fn run(&mut self) -> Option<()> {
        // Literals since the last copy, 4 for more than three: they decide what small instructions mean.
        let mut literals = 0;
        if let Some(first) = self.packed.first().copied().filter(|first| *first > 17) {
            self.byte()?;
            let count = usize::from(first) - 17;
            self.literals(count)?;
            literals = count.min(4);
        }
        loop {
            let code = usize::from(self.byte()?);
            if code < 16 && literals == 0 {
                let count = 3 + self.length(code, 15)?;
                self.literals(count)?;
                literals = 4;
                continue;
            }
            let (length, distance, trailing) = match code {
                0..16 => {
                    let far = if literals == 4 { 2048 } else { 0 };
                    let distance = 1 + far + (code >> 2) + (usize::from(self.byte()?) << 2);
                    (if literals == 4 { 3 } else { 2 }, distance, code)
                }
                16..32 => {
                    let length = 2 + self.length(code & 7, 7)?;
                    let pair = self.pair()?;
                    let distance = ((code & 8) << 11) + (pair >> 2);
                    if distance == 0 {
                        return Some(());
                    }
                    (length, distance + 0x4000, pair)
                }
                32..64 => {
                    let length = 2 + self.length(code & 31, 31)?;
                    let pair = self.pair()?;
                    (length, 1 + (pair >> 2), pair)
                }
                _ => {
                    let distance = 1 + (code >> 2 & 7) + (usize::from(self.byte()?) << 3);
                    ((code >> 5) + 1, distance, code)
                }
            };
            self.copy(distance, length)?;
            literals = trailing & 3;
            self.literals(literals)?;
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.packed.split_first()?;
        self.packed = rest;
        Some(*first)
    }

    fn pair(&mut self) -> Option<usize> {
        let (pair, rest) = self.packed.split_first_chunk::<2>()?;
        self.packed = rest;
        Some(usize::from(u16::from_le_bytes(*pair)))
    }

    /// A length that fits into its bits, or goes on behind them: each zero byte is 255 more.
    fn length(&mut self, bits: usize, most: usize) -> Option<usize> {
        if bits != 0 {
            return Some(bits);
        }
        let mut length = most;
        loop {
            match self.byte()? {
                0 => length = length.checked_add(255)?,
                last => return length.checked_add(usize::from(last)),
            }
        }
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        let (now, rest) = self.packed.split_at_checked(count)?;
        let end = self.done.checked_add(count)?;
        self.out.get_mut(self.done..end)?.copy_from_slice(now);
        (self.packed, self.done) = (rest, end);
        Some(())
    }

    fn copy(&mut self, distance: usize, length: usize) -> Option<()> {
        self.done = copy_back(self.out, self.done, distance, length)?;
        Some(())
    }
}

/// Repeats `length` bytes from `distance` before `done`, which may reach into what is being written; the new end.
pub(super) fn copy_back(
    out: &mut [u8],
    done: usize,
    distance: usize,
    length: usize,
) -> Option<usize> {
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
    fn literals_copies_and_the_end() {
        let mut out = [0; 64];
        // 3 + 1 literals, a copy of 4 from 4 before, one literal behind it, the mark of the end.
        let packed = [1, b'a', b'b', b'c', b'd', 0x6d, 0, b'x', 0x11, 0, 0];
        assert_eq!(unpack(&packed, &mut out), Ok(9));
        assert_eq!(&out[..9], b"abcdabcdx");
        assert!(unpack(&packed[..8], &mut out).is_err());
        assert!(unpack(&packed, &mut out[..8]).is_err());
        assert!(unpack(&[1, b'a', b'b', b'c', b'd', 0x71, 0], &mut out).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(packed in proptest::collection::vec(0u8.., 0..400)) {
            let _ = unpack(&packed, &mut [0; 5000]);
        }
    }
}
