//! Compressed blocks: one block's bytes out of a deflate stream (RFC 1951), bare or in zlib's wrapping (RFC 1950), or a
//! Zstandard frame (RFC 8878).
//!
//! Nothing is ever unpacked beyond the block: a stream that would give more is read no further.

use crate::disk::DiskError;
use flate2::{Decompress, FlushDecompress, Status};
use std::cell::RefCell;
use zrip_decode::context::DecompressContext;

/// What a Zstandard frame begins with.
const ZSTD: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
/// Bytes that a block inside a frame gives at most.
const ZSTD_BLOCK: usize = 128 << 10;

thread_local! {
    /// The decoders' own tables, which are large beside a block, are made once for each thread.
    static DEFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
    static ZSTD_DECODER: RefCell<(DecompressContext, Vec<u8>)> = RefCell::default();
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

/// What a Zstandard frame gives, at most `out`; a frame that would give much more is damage.
pub fn zstd_start(packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let frame = packed
        .strip_prefix(&ZSTD)
        .ok_or("its magic number is missing")?;
    ZSTD_DECODER.with_borrow_mut(|(decoder, unpacked)| {
        unpacked.clear();
        let most = out.len().saturating_add(ZSTD_BLOCK);
        let given = decoder.decompress_after_magic_into(frame, unpacked, most);
        given.map_err(|error| error.to_string())?;
        let filled = unpacked.len().min(out.len());
        let (to, _) = out.split_at_mut(filled);
        to.copy_from_slice(unpacked.get(..filled).unwrap_or_default());
        Ok(filled)
    })
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
