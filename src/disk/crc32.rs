//! CRC-32 of IEEE 802.3, reflected, as GPT and LVM use it.

/// Continues a checksum without the usual inversion at start and end: LVM begins with a number of its own. Bit by bit:
/// what is checked so is small and read once.
pub fn extend(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
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
