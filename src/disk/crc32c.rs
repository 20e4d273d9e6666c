//! CRC-32C (Castagnoli, reflected), as ext4's journal, XFS, btrfs and VHDX use it.

use super::crc::Tables;

const TABLES: &Tables = &Tables::new(0x82f6_3b78);

/// Continues a checksum without the usual inversion at start and end: ext4 chains seeds this way.
pub fn extend(seed: u32, bytes: &[u8]) -> u32 {
    TABLES.extend(seed, bytes)
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
