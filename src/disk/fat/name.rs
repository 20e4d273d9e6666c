//! Names: short ones of 8 and 3 letters, and the parts of a long one that stand before its short one.
//! "FAT: General Overview of On-Disk Format", "FAT Long Directory Entries".

use super::entry::SIZE;

/// UTF-16 units in one part of a long name, and the most of them that a name has.
const UNITS: usize = 13;
const MOST: usize = 255;
/// Code page 437, which the kernel takes where no other is named, from 128 on.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The short name in an entry, in small letters where Windows has marked it so.
pub fn short(bytes: &[u8; SIZE]) -> Vec<u8> {
    let (base, rest) = bytes.split_at(8);
    let extension = rest.get(..3).unwrap_or_default();
    let case = bytes.get(12).copied().unwrap_or_default();
    let mut base = base.to_vec();
    // The first byte 0xe5 marks a deleted entry; a name that begins with that letter has 5 there.
    if let Some(first) = base.first_mut().filter(|first| **first == 5) {
        *first = 0xe5;
    }
    let mut name = part(&base, case & 8 != 0);
    let extension = part(extension, case & 16 != 0);
    if !extension.is_empty() {
        name.push('.');
        name.push_str(&extension);
    }
    name.into_bytes()
}

fn part(bytes: &[u8], small: bool) -> String {
    let end = bytes.iter().rposition(|byte| *byte != b' ');
    let bytes = bytes
        .get(..end.map_or(0, |end| end + 1))
        .unwrap_or_default();
    let letter = |byte: &u8| match byte.checked_sub(128) {
        None if small => char::from(byte.to_ascii_lowercase()),
        None => char::from(*byte),
        Some(upper) => {
            let letter = UPPER.chars().nth(usize::from(upper));
            letter.unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    };
    bytes.iter().map(letter).collect()
}

/// What parts of a long name carry of the short one they belong to.
pub fn checksum(bytes: &[u8; SIZE]) -> u8 {
    let name = bytes.iter().take(11);
    name.fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// The parts of a long name met so far: they stand in front of the short name, the last part first.
#[derive(Debug, Default)]
pub struct Long {
    units: Vec<u16>,
    /// The number of the next part: 0 when the name is whole.
    next: u8,
    sum: u8,
}

impl Long {
    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes in a part; one out of order ends the name.
    pub fn part(&mut self, bytes: &[u8; SIZE]) {
        let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
        let (order, sum) = (byte(0), byte(13));
        let number = order & 0x3f;
        if order & 0x40 != 0 {
            self.clear();
            self.sum = sum;
        } else if self.next != number || self.sum != sum {
            self.clear();
            return;
        }
        if number == 0 || usize::from(number) > MOST.div_ceil(UNITS) {
            self.clear();
            return;
        }
        self.next = number - 1;
        let places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
        let units = places.map(|at| u16::from_le_bytes([byte(at), byte(at + 1)]));
        let end = units.iter().position(|unit| *unit == 0).unwrap_or(UNITS);
        let whole = units.get(..end).unwrap_or_default();
        self.units.splice(0..0, whole.iter().copied());
    }

    /// The name, if all its parts were there and belong to this short entry.
    pub fn take(&mut self, short: &[u8; SIZE]) -> Option<Vec<u8>> {
        let name = std::mem::take(self);
        let whole = name.next == 0 && !name.units.is_empty() && name.units.len() <= MOST;
        (whole && name.sum == checksum(short)).then(|| utf8(&name.units))
    }
}

/// UTF-16 as UTF-8; halves of pairs, which Windows does not forbid, become the replacement character.
pub fn utf8(units: &[u16]) -> Vec<u8> {
    String::from_utf16_lossy(units).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &[u8; 11], case: u8) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..11].copy_from_slice(name);
        bytes[12] = case;
        bytes
    }

    fn parts(name: &str, sum: u8) -> Vec<[u8; SIZE]> {
        let units: Vec<u16> = name.encode_utf16().collect();
        let chunks: Vec<&[u16]> = units.chunks(UNITS).collect();
        let mut out = Vec::new();
        for (at, chunk) in chunks.iter().enumerate().rev() {
            let mut bytes = [0xff; SIZE];
            let last = if at + 1 == chunks.len() { 0x40 } else { 0 };
            bytes[0] = u8::try_from(at + 1).unwrap() | last;
            bytes[13] = sum;
            let places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
            let ended = chunk.iter().copied().chain([0]);
            for (unit, place) in ended.zip(places) {
                bytes[place..place + 2].copy_from_slice(&unit.to_le_bytes());
            }
            out.push(bytes);
        }
        out
    }

    #[test]
    fn short_names() {
        assert_eq!(short(&entry(b"BOOTX64 EFI", 0)), b"BOOTX64.EFI");
        assert_eq!(short(&entry(b"GRUB    CFG", 24)), b"grub.cfg");
        assert_eq!(short(&entry(b"A       C  ", 8)), b"a.C");
        assert_eq!(short(&entry(b"\x05\x84         ", 0)), "σä".as_bytes());
        assert_eq!(UPPER.chars().count(), 128);
    }

    #[test]
    fn long_names_are_whole_or_not_at_all() {
        let own = entry(b"LONGNA~1TXT", 0);
        let name = "a longer name, in small letters: ä€𐍈.txt";
        let all = parts(name, checksum(&own));
        let gather = |parts: &[[u8; SIZE]]| {
            let mut long = Long::default();
            for part in parts {
                long.part(part);
            }
            long.take(&own)
        };
        assert_eq!(gather(&all), Some(name.as_bytes().to_vec()));
        assert_eq!(gather(&all[1..]), None);
        assert_eq!(gather(&all[..all.len() - 1]), None);
        assert_eq!(gather(&[]), None);
        assert_eq!(gather(&parts(name, checksum(&own) ^ 1)), None);
        let exact = "exactly 26 letters, no end";
        assert_eq!(
            gather(&parts(exact, checksum(&own))),
            Some(exact.as_bytes().to_vec())
        );
    }

    proptest::proptest! {
        #[test]
        fn any_parts_survive(parts in proptest::collection::vec(proptest::array::uniform32(0u8..), 0..40)) {
            let mut long = Long::default();
            for bytes in &parts {
                long.part(bytes);
                let _ = short(bytes);
            }
            let _ = long.take(&[0; SIZE]);
        }
    }
}
