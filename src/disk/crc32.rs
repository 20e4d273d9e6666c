//! CRC-32 of IEEE 802.3, reflected, as GPT and LVM use it.

use super::crc::Tables;

const TABLES: &Tables = &Tables::new(0xedb8_8320);

/// Continues a checksum without the usual inversion at start and end: LVM begins with a number of its own.
pub fn extend(seed: u32, bytes: &[u8]) -> u32 {
    TABLES.extend(seed, bytes)
}

/// The plain checksum of some parts, one after the other.
pub fn checksum(parts: &[&[u8]]) -> u32 {
    !parts.iter().fold(u32::MAX, |crc, part| extend(crc, part))
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_published_check_value() {
        assert_eq!(super::checksum(&[b"12345", b"", b"6789"]), 0xcbf4_3926);
    }
}
