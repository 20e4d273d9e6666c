//! Compressed clusters: one cluster's bytes out of a deflate stream (RFC 1951) or a Zstandard frame (RFC 8878).
//!
//! Nothing is ever unpacked beyond the cluster: a stream that would give more is read no further.

use super::FORMAT;
use super::header::Compression;
use crate::disk::DiskError;
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::cell::RefCell;
use std::io::Read;

/// The largest window of a frame; nobody's is larger than the largest cluster.
const WINDOW: u64 = 4 << 20;

thread_local! {
    /// The decoders' own tables, which are large beside a cluster, are made once for each thread.
    static DEFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
    static ZSTD: RefCell<FrameDecoder> = RefCell::new(frame_decoder());
}

fn frame_decoder() -> FrameDecoder {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW);
    decoder
}

/// Fills `out`, which is a whole cluster, from the stream at the beginning of `packed`; what follows it is padding.
pub(super) fn inflate(
    compression: Compression,
    packed: &[u8],
    out: &mut [u8],
) -> Result<(), DiskError> {
    let filled = match compression {
        Compression::Deflate => DEFLATE.with_borrow_mut(|decoder| deflate(decoder, packed, out)),
        Compression::Zstd => ZSTD.with_borrow_mut(|decoder| zstd(decoder, packed, out)),
    };
    match filled {
        Ok(filled) if filled == out.len() => Ok(()),
        Ok(filled) => Err(damaged(format!("ends after {filled} bytes"))),
        Err(error) => Err(damaged(error)),
    }
}

fn damaged(what: impl std::fmt::Display) -> DiskError {
    DiskError::damaged(
        FORMAT,
        format!("a compressed cluster cannot be unpacked: {what}"),
    )
}

fn deflate(decoder: &mut Decompress, packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    decoder.reset(false);
    let status = decoder.decompress(packed, out, FlushDecompress::Finish);
    match status {
        Ok(Status::Ok | Status::BufError | Status::StreamEnd) => {
            Ok(usize::try_from(decoder.total_out()).unwrap_or_default())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn zstd(decoder: &mut FrameDecoder, mut packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
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
