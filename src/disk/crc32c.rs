//! CRC-32C (Castagnoli, reflected), as ext4's journal, XFS, btrfs and VHDX use it.

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0_u32;
    while at < 256 {
        let mut value = at;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0x82f6_3b78
            } else {
                value >> 1
            };
            bit += 1;
        }
        #[expect(
            clippy::indexing_slicing,
            reason = "a constant: an index out of range would not compile"
        )]
        {
            table[at as usize] = value;
        }
        at += 1;
    }
    table
}

/// Continues a checksum without the usual inversion at start and end: ext4 chains seeds this way.
pub fn extend(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |crc, byte| {
        let index = usize::from(crc.to_le_bytes()[0] ^ byte);
        TABLE.get(index).copied().unwrap_or_default() ^ (crc >> 8)
    })
}

/// The plain checksum of some bytes.
pub fn checksum(bytes: &[u8]) -> u32 {
    !extend(u32::MAX, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_check_values() {
        // RFC 3720, appendix B.4.
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(checksum(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn a_checksum_may_be_taken_in_parts() {
        let whole = extend(u32::MAX, b"123456789");
        assert_eq!(extend(extend(u32::MAX, b"1234"), b"56789"), whole);
    }
}
