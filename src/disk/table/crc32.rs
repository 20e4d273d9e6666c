//! CRC-32 of IEEE 802.3, reflected, as GPT uses it.

/// The checksum of some parts, one after the other. Bit by bit: a table is checked once, and is small.
pub(super) fn checksum(parts: &[&[u8]]) -> u32 {
    let bytes = parts.iter().copied().flatten();
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_published_check_value() {
        assert_eq!(super::checksum(&[b"12345", b"", b"6789"]), 0xcbf4_3926);
    }
}
