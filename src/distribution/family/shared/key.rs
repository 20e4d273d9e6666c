//! Keys of archives, as every installer reads them.

use std::fmt::Write as _;

/// Keys in ASCII armor (RFC 9580, 6.2).
pub(in super::super) fn armored(packets: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |bytes: &[u8]| -> String {
        let triples = bytes.chunks(3).flat_map(|three| {
            let number = (0..3).fold(0usize, |n, at| {
                (n << 8) | usize::from(three.get(at).copied().unwrap_or_default())
            });
            (0..4).map(move |at| {
                let sign = SIGNS.get((number >> (18 - 6 * at)) & 63);
                if at <= three.len() {
                    sign.map_or('=', |sign| char::from(*sign))
                } else {
                    '='
                }
            })
        });
        triples.collect()
    };
    let mut text = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n".to_owned();
    for line in packets.chunks(48) {
        text.push_str(&encode(line));
        text.push('\n');
    }
    let sum = packets.iter().fold(0x00B7_04CE_u32, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 16), |sum, _| {
            let next = sum << 1;
            if next & 0x0100_0000 == 0 {
                next
            } else {
                next ^ 0x0186_4CFB
            }
        })
    });
    let [_, sum @ ..] = sum.to_be_bytes();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "={}", encode(&sum));
    text.push_str("-----END PGP PUBLIC KEY BLOCK-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armor_is_what_others_write() {
        // `printf '\x98\x03\x04\x00\x00\xc2\x01\x09' | gpg --enarmor` writes the same lines.
        let text = armored(&[0x98, 3, 4, 0, 0, 0xc2, 1, 9]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[2], "mAMEAADCAQk=");
        assert!(lines[3].len() == 5 && lines[3].starts_with('='));
        assert!(armored(&[7; 100]).lines().all(|line| line.len() <= 64));
    }
}
