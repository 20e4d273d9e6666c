//! Paths as Windows writes them into images: UTF-16, with backslashes.

/// The path up to the first NUL, with slashes; each unit is put together from two bytes by `unit`.
pub(super) fn path(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let pairs = bytes
        .chunks_exact(2)
        .filter_map(|pair| pair.try_into().ok());
    let units: Vec<u16> = pairs.map(unit).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units).replace('\\', "/")
}

/// The last part of a path with slashes.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_at_the_first_nul_and_have_slashes() {
        let units = ".\\f\u{fc}r\\disk.vhd\0junk".encode_utf16();
        let bytes: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
        let found = path(&bytes, u16::from_be_bytes);
        assert_eq!(
            (&*found, file_name(&found)),
            ("./f\u{fc}r/disk.vhd", "disk.vhd")
        );
        assert_eq!(file_name("disk"), "disk");
    }
}
