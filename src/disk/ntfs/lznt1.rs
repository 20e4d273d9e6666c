//! LZNT1: chunks of 4 KiB, each literals and copies from what is before them. MS-XCA, section 2.5.

use super::FORMAT;
use crate::disk::DiskError;

/// Bytes that a chunk holds unpacked.
const CHUNK: usize = 4096;

/// Unpacks into `out`; what the chunks do not reach is zero.
pub fn unpack(packed: &[u8], out: &mut [u8]) -> Result<(), DiskError> {
    let mut rest = packed;
    for chunk in out.chunks_mut(CHUNK) {
        chunk.fill(0);
        let [low, high, body @ ..] = rest else {
            continue;
        };
        let head = u16::from_le_bytes([*low, *high]);
        if head == 0 {
            rest = &[];
            continue;
        }
        let length = usize::from(head & 0xfff) + 1;
        let (body, behind) = body
            .split_at_checked(length)
            .ok_or_else(|| DiskError::damaged(FORMAT, "compressed content that is cut short"))?;
        rest = behind;
        if head & 0x8000 == 0 {
            let length = length.min(chunk.len());
            let (from, to) = (body.get(..length), chunk.get_mut(..length));
            to.unwrap_or_default()
                .copy_from_slice(from.unwrap_or_default());
        } else {
            unpack_chunk(body, chunk)?;
        }
    }
    Ok(())
}

fn unpack_chunk(packed: &[u8], out: &mut [u8]) -> Result<(), DiskError> {
    let damaged = || DiskError::damaged(FORMAT, "compressed content that makes no sense");
    let (mut bytes, mut done) = (packed.iter().copied(), 0);
    while let Some(mut tags) = bytes.next() {
        for _ in 0..8 {
            let Some(byte) = bytes.next() else {
                return Ok(());
            };
            if tags & 1 == 0 {
                *out.get_mut(done).ok_or_else(damaged)? = byte;
                done += 1;
            } else {
                let pair = u16::from_le_bytes([byte, bytes.next().ok_or_else(damaged)?]);
                // The further into the chunk, the more bits tell the distance, and the fewer the length.
                let reach = done.checked_sub(1).ok_or_else(damaged)?;
                let shift = (reach.max(8) >> 3).ilog2();
                let distance = usize::from(pair >> (12 - shift)) + 1;
                let length = usize::from(pair & (0xfff >> shift)) + 3;
                for _ in 0..length {
                    let from = done.checked_sub(distance).ok_or_else(damaged)?;
                    let byte = *out.get(from).ok_or_else(damaged)?;
                    *out.get_mut(done).ok_or_else(damaged)? = byte;
                    done += 1;
                }
            }
            tags >>= 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example() {
        // MS-XCA, 3.3.
        let packed = [
            0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2,
            0x47, 0x01, 0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0,
            0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58,
            0x02, 0x8c, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01,
            0x18, 0x90, 0x00,
        ];
        let text = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# G F# E D E \
                    A F# F# G A A G F# E D D E F# E D D\0";
        let mut out = vec![0xaa; 200];
        unpack(&packed, &mut out).unwrap();
        assert_eq!(&out[..text.len()], text.as_bytes());
        assert!(out[text.len()..].iter().all(|byte| *byte == 0));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(packed in proptest::collection::vec(0u8.., 0..6000)) {
            let mut out = vec![0; 65_536];
            let _ = unpack(&packed, &mut out);
            let _ = unpack_chunk(&packed, &mut out[..CHUNK]);
        }
    }
}
