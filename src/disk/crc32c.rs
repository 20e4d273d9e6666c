//! CRC-32C (Castagnoli, reflected), as ext4's journal, XFS, btrfs and VHDX use it.

/// How a byte changes the checksum, and how it does with one to seven bytes of zero behind it: eight bytes are taken at
/// once, each by its own table.
const TABLES: [[u32; 256]; 8] = tables();

#[expect(
    clippy::indexing_slicing,
    reason = "a constant: an index out of range would not compile"
)]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut at = 0_u32;
    while at < 256 {
        let mut value = at;
        let mut bit = 0;
        while bit < 8 * 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0x82f6_3b78
            } else {
                value >> 1
            };
            bit += 1;
            if bit % 8 == 0 {
                tables[bit / 8 - 1][at as usize] = value;
            }
        }
        at += 1;
    }
    tables
}

/// Continues a checksum without the usual inversion at start and end: ext4 chains seeds this way.
pub fn extend(seed: u32, bytes: &[u8]) -> u32 {
    let [last, seventh, sixth, fifth, fourth, third, second, first] = &TABLES;
    let of =
        |table: &[u32; 256], byte: u8| table.get(usize::from(byte)).copied().unwrap_or_default();
    let (eights, rest) = bytes.as_chunks::<8>();
    let whole = eights.iter().fold(seed, |crc, [a, b, c, d, e, f, g, h]| {
        let [w, x, y, z] = crc.to_le_bytes();
        of(first, a ^ w)
            ^ of(second, b ^ x)
            ^ of(third, c ^ y)
            ^ of(fourth, d ^ z)
            ^ of(fifth, *e)
            ^ of(sixth, *f)
            ^ of(seventh, *g)
            ^ of(last, *h)
    });
    rest.iter().fold(whole, |crc, byte| {
        of(last, crc.to_le_bytes()[0] ^ byte) ^ (crc >> 8)
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
        // Byte by byte, and eight at a time.
        let bytes: Vec<u8> = (0..=255).cycle().take(1003).collect();
        let single = |crc, byte: &u8| extend(crc, &[*byte]);
        assert_eq!(bytes.iter().fold(7, single), extend(7, &bytes));
    }
}
