//! Where functions start, as the table for unwinding says: it stays in files whose symbols are gone (LSB core, ".eh_frame_hdr").

use super::image::Image;

/// Most entries taken; the largest programs there are have a tenth.
const ENTRIES: u32 = 4 << 20;

/// DW_EH_PE_datarel | DW_EH_PE_sdata4, which every linker writes.
const TABLE: u8 = 0x3b;

/// First addresses of all frames in the table at `header`.
pub(super) fn starts(image: &Image<'_>, header: u64) -> Vec<u64> {
    let Some(bytes) = image.bytes(header) else {
        return Vec::new();
    };
    // Version, encodings of the frame pointer, the count and the table; then a four-byte frame pointer and the count.
    let [1, _, count, TABLE, rest @ ..] = bytes else {
        return Vec::new();
    };
    let number = |at: usize| -> Option<i32> {
        let raw = rest.get(at..at.checked_add(4)?)?;
        Some(i32::from_le_bytes(raw.try_into().ok()?))
    };
    // DW_EH_PE_udata4.
    if *count != 0x03 {
        return Vec::new();
    }
    let count = number(4).map_or(0, i32::cast_unsigned).min(ENTRIES);
    (0..count as usize)
        .map_while(|entry| number(8 + entry * 8))
        .map(|start| header.wrapping_add_signed(start.into()))
        .collect()
}
