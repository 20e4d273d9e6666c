//! LZO1X, from the kernel's documentation "LZO stream format as understood by Linux's LZO decompressor" (staging/lzo).
//!
//! A stream is a row of instructions: some bytes as they are, or some bytes from further back in what was unpacked, each
//! followed by up to three bytes as they are. What an instruction below 16 means depends on the one before it.

/// What the instruction before left: how many bytes it ended with as they are, 4 meaning a row of its own.
type State = usize;
const ROW: State = 4;

struct Stream<'a> {
    packed: &'a [u8],
    at: usize,
    out: &'a mut [u8],
    filled: usize,
}

/// A copy from further back: how far, how many bytes, and how many as they are follow.
struct Copy {
    distance: usize,
    length: usize,
    then: State,
}

/// Unpacks a stream into `out` and says how many bytes it gave; a stream that would give more ends at its room.
pub fn unpack(packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let mut stream = Stream {
        packed,
        at: 0,
        out,
        filled: 0,
    };
    match stream.run() {
        Some(()) => Ok(stream.filled),
        None if stream.filled == stream.out.len() => Ok(stream.filled),
        None => Err(format!(
            "an LZO stream breaks off at its byte {}",
            stream.at
        )),
    }
}

impl Stream<'_> {
    /// Until the end marker; `None` where the stream breaks off, or there is no more room.
    fn run(&mut self) -> Option<()> {
        let mut state = self.first()?;
        loop {
            let instruction = usize::from(self.byte()?);
            if instruction < 16 && state == 0 {
                let length = self.length(instruction, 15)?.checked_add(3)?;
                self.literals(length)?;
                state = ROW;
                continue;
            }
            let Some(copy) = self.copy_of(instruction, state)? else {
                return Some(());
            };
            self.repeat(copy.distance, copy.length)?;
            self.literals(copy.then)?;
            state = copy.then;
        }
    }

    /// A first byte above 17 is a number of bytes as they are.
    fn first(&mut self) -> Option<State> {
        match self.packed.first() {
            Some(first @ 18..) => {
                let length = usize::from(first - 17);
                self.at = 1;
                self.literals(length)?;
                Some(length.min(ROW))
            }
            _ => Some(0),
        }
    }

    /// An instruction that copies; the inner `None` is the end of the stream.
    #[expect(
        clippy::option_option,
        reason = "broken off, ended, and a copy are three things"
    )]
    fn copy_of(&mut self, instruction: usize, state: State) -> Option<Option<Copy>> {
        let (distance, length, then) = match instruction {
            128.. => {
                let near = instruction >> 2 & 7;
                let far = usize::from(self.byte()?) << 3;
                (far + near + 1, 5 + (instruction >> 5 & 3), instruction)
            }
            64.. => {
                let near = instruction >> 2 & 7;
                let far = usize::from(self.byte()?) << 3;
                (far + near + 1, 3 + (instruction >> 5 & 1), instruction)
            }
            32.. => {
                let length = self.length(instruction & 31, 31)?.checked_add(2)?;
                let word = self.word()?;
                ((word >> 2) + 1, length, word)
            }
            16.. => {
                let length = self.length(instruction & 7, 7)?.checked_add(2)?;
                let word = self.word()?;
                let distance = 16384 + ((instruction >> 3 & 1) << 14) + (word >> 2);
                if distance == 16384 {
                    return Some(None);
                }
                (distance, length, word)
            }
            _ => {
                let near = instruction >> 2;
                let far = usize::from(self.byte()?) << 2;
                let (least, length) = if state == ROW { (2049, 3) } else { (1, 2) };
                (far + near + least, length, instruction)
            }
        };
        let then = then & 3;
        Some(Some(Copy {
            distance,
            length,
            then,
        }))
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.packed.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn word(&mut self) -> Option<usize> {
        let low = usize::from(self.byte()?);
        Some(low | usize::from(self.byte()?) << 8)
    }

    /// A length; where its bits are zero it goes on: 255 for each zero byte, and what follows.
    fn length(&mut self, bits: usize, most: usize) -> Option<usize> {
        if bits > 0 {
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

    /// Bytes as they are.
    fn literals(&mut self, length: usize) -> Option<()> {
        let room = self.out.len().saturating_sub(self.filled);
        let taken = length.min(room);
        let from = self.packed.get(self.at..self.at.checked_add(taken)?)?;
        let to = self.out.get_mut(self.filled..self.filled + taken)?;
        to.copy_from_slice(from);
        self.at += taken;
        self.filled += taken;
        (taken == length).then_some(())
    }

    /// Bytes from further back; the copy may run into what it writes, which then repeats, so that each turn may take twice
    /// as much as the one before.
    fn repeat(&mut self, distance: usize, length: usize) -> Option<()> {
        let from = self.filled.checked_sub(distance)?;
        let end = self.filled.saturating_add(length).min(self.out.len());
        let whole = end - self.filled == length;
        while self.filled < end {
            let step = (end - self.filled).min(self.filled - from);
            self.out.copy_within(from..from + step, self.filled);
            self.filled += step;
        }
        whole.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(packed: &[u8], room: usize) -> String {
        let mut out = vec![0; room];
        let filled = unpack(packed, &mut out).unwrap();
        String::from_utf8(out[..filled].to_vec()).unwrap()
    }

    #[test]
    fn each_instruction() {
        // Four as they are, then "4 bytes from 4 back" (64..), "1 as it is", end.
        let packed = [
            21,
            b'a',
            b'b',
            b'c',
            b'd',
            64 + 32 + (3 << 2) + 1,
            0,
            b'!',
            17,
            0,
            0,
        ];
        assert_eq!(text(&packed, 100), "abcdabcd!");
        // A copy of 40 from 1 back repeats.
        let packed = [18, b'x', 32, 40 - 2 - 31, 0, 0, 17, 0, 0];
        assert_eq!(text(&packed, 100), "x".repeat(41));
        // A row of 18 + 20 as they are; then three from 2,049 back cannot be.
        let row = [[0, 20].as_slice(), &[b'y'; 38], &[17, 0, 0]].concat();
        assert_eq!(text(&row, 100), "y".repeat(38));
        let row = [[0, 20].as_slice(), &[b'y'; 38], &[0, 0]].concat();
        assert!(unpack(&row, &mut [0; 100]).is_err());
        // Two from 1 back, after a copy that ended with one as it is.
        let packed = [18, b'z', 0, 0, 17, 0, 0];
        assert_eq!(text(&packed, 100), "zzz");
    }

    #[test]
    fn a_stream_ends_at_its_room() {
        let packed = [18, b'x', 32, 200, 0, 0, 17, 0, 0];
        assert_eq!(text(&packed, 50), "x".repeat(50));
        assert!(unpack(&packed[..3], &mut [0; 50]).is_err());
        assert!(unpack(&[], &mut [0; 50]).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(packed in proptest::collection::vec(any::<u8>(), 0..200), room in 0_usize..300) {
            let _ = unpack(&packed, &mut vec![0; room]);
        }

        #[test]
        fn copies_repeat_as_byte_by_byte(start in proptest::collection::vec(any::<u8>(), 4..60), back in 1_usize..60, length in 3_usize..300) {
            let back = back.min(start.len());
            let mut expected = start.clone();
            for _ in 0..length {
                expected.push(expected[expected.len() - back]);
            }
            let mut out = vec![0; expected.len()];
            out[..start.len()].copy_from_slice(&start);
            let filled = start.len();
            let mut stream = Stream { packed: &[], at: 0, out: &mut out, filled };
            prop_assert_eq!(stream.repeat(back, length), Some(()));
            prop_assert_eq!(out, expected);
        }
    }
}
