//! Compressed blocks: one block's bytes out of a deflate stream (RFC 1951), bare or in zlib's wrapping (RFC 1950), or a
//! Zstandard frame (RFC 8878).
//!
//! Nothing is ever unpacked beyond the block: a stream that would give more is read no further.

use crate::disk::DiskError;
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::cell::RefCell;
use std::io::Read;

/// The largest window of a frame; nobody's is larger than the largest block.
const WINDOW: u64 = 4 << 20;

thread_local! {
    /// The decoders' own tables, which are large beside a block, are made once for each thread.
    static DEFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
    static ZSTD: RefCell<FrameDecoder> = RefCell::new(frame_decoder());
}

fn frame_decoder() -> FrameDecoder {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW);
    decoder
}

/// Fills `out`, which is a whole block, from the deflate stream at the beginning of `packed`; what follows is padding.
pub fn deflate(format: &'static str, packed: &[u8], out: &mut [u8]) -> Result<(), DiskError> {
    let filled = DEFLATE.with_borrow_mut(|decoder| {
        decoder.reset(false);
        unpack(decoder, packed, out)
    });
    whole(format, filled, out)
}

/// The same from a deflate stream in zlib's wrapping.
pub fn zlib(format: &'static str, packed: &[u8], out: &mut [u8]) -> Result<(), DiskError> {
    let filled = zlib_start(packed, out);
    whole(format, filled, out)
}

/// The same from a Zstandard frame.
pub fn zstd(format: &'static str, packed: &[u8], out: &mut [u8]) -> Result<(), DiskError> {
    let filled = zstd_start(packed, out);
    whole(format, filled, out)
}

/// What a stream in zlib's wrapping gives, at most `out`: how many bytes, or why it gives none.
pub fn zlib_start(packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    DEFLATE.with_borrow_mut(|decoder| {
        decoder.reset(true);
        unpack(decoder, packed, out)
    })
}

/// What a Zstandard frame gives, at most `out`.
pub fn zstd_start(packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    ZSTD.with_borrow_mut(|decoder| decode(decoder, packed, out))
}

fn whole(format: &'static str, filled: Result<usize, String>, out: &[u8]) -> Result<(), DiskError> {
    let what = match filled {
        Ok(filled) if filled == out.len() => return Ok(()),
        Ok(filled) => format!("it ends after {filled} bytes"),
        Err(error) => error,
    };
    let what = format!("a compressed block cannot be unpacked: {what}");
    Err(DiskError::damaged(format, what))
}

fn unpack(decoder: &mut Decompress, packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let status = decoder.decompress(packed, out, FlushDecompress::Finish);
    match status {
        Ok(Status::Ok | Status::BufError | Status::StreamEnd) => {
            Ok(usize::try_from(decoder.total_out()).unwrap_or_default())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn decode(decoder: &mut FrameDecoder, mut packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    decoder.reset(&mut packed).map_err(|error| text(&error))?;
    let mut filled = 0;
    while let Some(left) = out.get_mut(filled..).filter(|left| !left.is_empty()) {
        if decoder.can_collect() == 0 {
            if decoder.is_finished() {
                break;
            }
            let enough = BlockDecodingStrategy::UptoBytes(left.len());
            let decoded = decoder.decode_blocks(&mut packed, enough);
            decoded.map_err(|error| text(&error))?;
        }
        let read = decoder.read(left).map_err(|error| text(&error))?;
        filled += read;
    }
    Ok(filled)
}
