//! A file looked through piece by piece, in bounded memory.

use super::nature::Nature;
use super::search::search;
use std::borrow::Cow;

/// What is kept before the piece that counts, so that a name's line is seen, and behind it, so that a value is.
const BEFORE: usize = 1 << 10;
const BEHIND: usize = 64 << 10;

/// A secret in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// From 1.
    pub line: u32,
    /// `password`, `token`, `private-key`, `password-hash`, `connection-string`, `secret`.
    pub kind: &'static str,
    /// The name it is given to; empty where it has none.
    pub key: String,
}

/// Looks through one file.
#[derive(Debug)]
pub struct Search {
    nature: Nature,
    encoding: Encoding,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were looked through.
    done: usize,
    /// Lines before the buffer.
    lines: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// ASCII and whatever extends it.
    Bytes,
    Utf16 {
        little: bool,
    },
}

impl Search {
    /// For a file of this path, `head` being its first bytes (some thousand suffice).
    pub fn new(path: &str, head: &[u8]) -> Self {
        let encoding = encoding(head);
        let head = text(
            encoding,
            head.get(..head.len().min(8192)).unwrap_or_default(),
        );
        Self {
            nature: Nature::of(path, &head),
            encoding,
            buffer: Vec::new(),
            done: 0,
            lines: 0,
        }
    }

    pub fn nature(&self) -> Nature {
        self.nature
    }

    /// The next piece; an even number of bytes unless it is the last. Hits come in the order of their lines.
    pub fn piece(&mut self, bytes: &[u8], is_last: bool, mut found: impl FnMut(Hit)) {
        let bytes = text(self.encoding, bytes);
        if self.buffer.is_empty() && is_last {
            return self.look(&bytes, 0, bytes.len(), &mut found);
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(&bytes);
        let end = if is_last {
            buffer.len()
        } else {
            buffer.len().saturating_sub(BEHIND).max(self.done)
        };
        self.look(&buffer, self.done, end, &mut found);
        let gone = end.saturating_sub(BEFORE);
        self.lines = self
            .lines
            .saturating_add(lines(buffer.get(..gone).unwrap_or_default()));
        buffer.drain(..gone);
        self.done = end - gone;
        self.buffer = buffer;
    }

    fn look(&self, text: &[u8], from: usize, to: usize, found: &mut impl FnMut(Hit)) {
        let (mut line, mut counted) = (self.lines, 0);
        search(text, self.nature, from..to, |hit| {
            line = line.saturating_add(lines(text.get(counted..hit.offset).unwrap_or_default()));
            counted = hit.offset.max(counted);
            found(Hit {
                line: line.saturating_add(1),
                kind: hit.kind,
                key: hit.key,
            });
        });
    }
}

fn lines(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

/// By its byte order mark, or by the zeros that every ASCII character has there.
fn encoding(head: &[u8]) -> Encoding {
    match head {
        [0xff, 0xfe, ..] => return Encoding::Utf16 { little: true },
        [0xfe, 0xff, ..] => return Encoding::Utf16 { little: false },
        _ => {}
    }
    let head = head.get(..head.len().min(256) & !1).unwrap_or_default();
    let zeros = |odd: usize| {
        head.iter()
            .skip(odd)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    if half >= 8 && odd * 10 >= half * 9 && even == 0 {
        Encoding::Utf16 { little: true }
    } else if half >= 8 && even * 10 >= half * 9 && odd == 0 {
        Encoding::Utf16 { little: false }
    } else {
        Encoding::Bytes
    }
}

/// As bytes that ASCII is read from.
fn text(encoding: Encoding, bytes: &[u8]) -> Cow<'_, [u8]> {
    let Encoding::Utf16 { little } = encoding else {
        return Cow::Borrowed(bytes);
    };
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [a, b] if little => u16::from_le_bytes([*a, *b]),
        [a, b] => u16::from_be_bytes([*a, *b]),
        _ => 0,
    });
    let text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or('\u{fffd}'))
        .collect();
    Cow::Owned(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(path: &str, text: &[u8], piece: usize) -> Vec<(u32, String)> {
        let mut all = Vec::new();
        let mut search = Search::new(path, text);
        let mut pieces = text.chunks(piece).peekable();
        while let Some(bytes) = pieces.next() {
            search.piece(bytes, pieces.peek().is_none(), |hit| {
                all.push((hit.line, hit.key));
            });
        }
        all
    }

    #[test]
    fn pieces_do_not_matter() {
        let mut text = Vec::new();
        for line in 0..20_000 {
            let name = if line % 1000 == 7 {
                "DB_PASSWORD"
            } else {
                "DB_HOSTNAME"
            };
            text.extend(format!("{name}=s3cret-{line}\n").bytes());
        }
        let whole = hits("/srv/x.env", &text, text.len());
        assert_eq!(whole.len(), 20);
        assert_eq!(whole.first(), Some(&(8, "DB_PASSWORD".to_owned())));
        for piece in [70_000, 131_072, 4096] {
            assert_eq!(hits("/srv/x.env", &text, piece), whole, "{piece}");
        }
    }

    #[test]
    fn other_encodings() {
        let text = "HOST=a\r\nDB_PASSWORD=s3cret\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{feff}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect();
        for bytes in [&little, &big] {
            assert_eq!(
                hits("/srv/x.ini", bytes, bytes.len()),
                [(2, "DB_PASSWORD".to_owned())]
            );
        }
        assert_eq!(
            hits("/srv/x.ini", b"A=1\n\0\nDB_PASSWORD=s3cret\n", 100).len(),
            1
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000), piece in 1usize..500) {
            let _ = hits("/x", &bytes, piece);
        }
    }
}
