//! Lists as apt may pack them: gzip, xz and LZ4 frames, unpacked while they are read.

use crate::disk::lz4;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use std::io::{self, Read};

/// Memory that an xz stream may ask for, in KiB.
const MEMORY: u32 = 64 << 10;

/// What a list holds, by the ending of its name.
pub(super) fn unpacked<'a>(name: &str, content: &'a mut dyn Read) -> Box<dyn Read + 'a> {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("gz") => Box::new(MultiGzDecoder::new(content)),
        Some("xz") => Box::new(XzReader::new_mem_limit(content, true, MEMORY)),
        Some("lz4") => Box::new(Lz4::new(content)),
        _ => Box::new(content),
    }
}

/// An LZ4 frame (the LZ4 project's `lz4_Frame_format.md`). Checksums are not looked at: what is damaged ends the list, or
/// names packages that are not installed.
struct Lz4<'a> {
    content: &'a mut dyn Read,
    started: bool,
    ended: bool,
    /// Blocks have checksums of their own.
    checked: bool,
    largest: usize,
    /// Up to 64 KiB that blocks may copy from, and the block behind.
    window: Vec<u8>,
    /// Of the window, what was handed out.
    given: usize,
}

/// How far back a copy reaches.
const REACH: usize = 64 << 10;
const MAGIC: u32 = 0x184D_2204;

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<'a> Lz4<'a> {
    fn new(content: &'a mut dyn Read) -> Self {
        Self {
            content,
            started: false,
            ended: false,
            checked: false,
            largest: 0,
            window: Vec::new(),
            given: 0,
        }
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.content.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        io::copy(&mut self.content.take(bytes), &mut io::sink()).map(|_| ())
    }

    fn start(&mut self) -> io::Result<()> {
        if self.number()? != MAGIC {
            return Err(damaged("no LZ4 frame"));
        }
        let mut flags = [0; 2];
        self.content.read_exact(&mut flags)?;
        let [flags, size] = flags;
        self.checked = flags & 0x10 != 0;
        self.largest = match (size >> 4) & 7 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(damaged("an LZ4 frame without a size of blocks")),
        };
        let size = if flags & 8 == 0 { 0 } else { 8 };
        let dictionary = if flags & 1 == 0 { 0 } else { 4 };
        self.started = true;
        self.skip(size + dictionary + 1)
    }

    fn block(&mut self) -> io::Result<()> {
        let size = self.number()?;
        if size == 0 {
            self.ended = true;
            return Ok(());
        }
        let (stored, size) = (size >> 31 == 1, (size & 0x7fff_ffff) as usize);
        if size > self.largest {
            return Err(damaged("an LZ4 block larger than its frame allows"));
        }
        let mut packed = vec![0; size];
        self.content.read_exact(&mut packed)?;
        if self.checked {
            self.skip(4)?;
        }
        let old = self.window.len().saturating_sub(REACH);
        self.window.drain(..old);
        let start = self.window.len();
        if stored {
            self.window.extend(packed);
        } else {
            self.window.resize(start + self.largest, 0);
            let end = lz4::unpack_behind(&packed, &mut self.window, start);
            let end = end.map_err(|_| damaged("a damaged LZ4 block"))?;
            self.window.truncate(end);
        }
        self.given = start;
        Ok(())
    }
}

impl Read for Lz4<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.started {
            self.start()?;
        }
        while self.given >= self.window.len() {
            if self.ended {
                return Ok(0);
            }
            self.block()?;
        }
        let ready = self.window.get(self.given..).unwrap_or_default();
        let now = ready.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..now), ready.get(..now)) {
            to.copy_from_slice(from);
        }
        self.given += now;
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let (mut content, mut out) = (bytes, Vec::new());
        let mut reader = unpacked(name, &mut content).take(1 << 20);
        reader.read_to_end(&mut out).ok().map(|_| out)
    }

    /// Two blocks, the second a copy out of the first.
    fn frame() -> Vec<u8> {
        let mut frame = vec![0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0];
        frame.extend((4u32 | 1 << 31).to_le_bytes());
        frame.extend(b"abcd");
        let block = [0x00, 4, 0, 0x10, b'x'];
        frame.extend(5u32.to_le_bytes());
        frame.extend(block);
        frame.extend([0; 4]);
        frame
    }

    #[test]
    fn lists_are_unpacked_by_their_names() {
        assert_eq!(all("a_Packages", b"text"), Some(b"text".to_vec()));
        assert_eq!(all("a_Packages.lz4", &frame()), Some(b"abcdabcdx".to_vec()));
        assert_eq!(all("a_Packages.lz4", b"text and more"), None);
        assert_eq!(all("a_Packages.gz", b"text"), None);
        assert_eq!(all("a_Packages.xz", b"text"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), at in 0usize..30, value: u8) {
            for name in ["a.lz4", "a.gz", "a.xz"] {
                let _ = all(name, &bytes);
            }
            let mut frame = frame();
            let place = at % frame.len();
            frame[place] = value;
            let _ = all("a.lz4", &frame);
        }
    }
}
