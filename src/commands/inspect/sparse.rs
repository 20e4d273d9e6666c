//! Holes of a file, kept in an archive: GNU tar's "PAX Format, Version 1.0" (the manual's appendix on sparse formats).

use super::pax::BLOCK;
use crate::source::Content;
use std::fmt::Write as _;
use std::io;

/// Pieces that are looked at for zeros; the block of most file systems.
const GRAIN: usize = 4096;
const PIECE: usize = 256 << 10;
/// A file in more pieces than this is written with its holes: its map would cost more than it spares.
const MOST_RUNS: usize = 65_536;

/// Stretches of a file that hold something: offset and length in bytes.
pub(super) type Runs = Vec<(u64, u64)>;

/// Reads a file once for what it holds; nothing where it is in too many pieces.
pub(super) fn runs(content: &Content<'_>, size: u64) -> io::Result<Option<Runs>> {
    let mut runs: Runs = Vec::new();
    let mut piece = vec![0; PIECE];
    let mut at = 0u64;
    while at < size {
        let next = content.data_from(at).unwrap_or(at).min(size);
        if next > at {
            // In grains from the file's beginning, as the rest is.
            at = next - next % GRAIN as u64;
            if next == size {
                break;
            }
        }
        let want = usize::try_from(size - at).unwrap_or(PIECE).min(PIECE);
        let read = content.read_at(at, piece.get_mut(..want).unwrap_or_default())?;
        if read == 0 {
            break;
        }
        for grain in piece.get(..read).unwrap_or_default().chunks(GRAIN) {
            let length = grain.len() as u64;
            if grain.iter().any(|byte| *byte != 0) {
                match runs.last_mut() {
                    Some((start, old)) if *start + *old == at => *old += length,
                    _ => runs.push((at, length)),
                }
            }
            at += length;
        }
        if runs.len() > MOST_RUNS {
            return Ok(None);
        }
    }
    // GNU tar ends a map with the file's end, so that a hole there is one.
    if runs
        .last()
        .is_none_or(|(start, length)| start + length < size)
    {
        runs.push((size, 0));
    }
    Ok(Some(runs))
}

/// The map as it stands before the content, whole blocks long.
pub(super) fn map(runs: &Runs) -> Vec<u8> {
    let mut text = format!("{}\n", runs.len());
    for (start, length) in runs {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{start}\n{length}");
    }
    let mut map = text.into_bytes();
    map.resize(map.len().next_multiple_of(BLOCK), 0);
    map
}
