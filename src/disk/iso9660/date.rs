//! The two forms of dates: seven bytes in records, seventeen letters in descriptors and Rock Ridge. ECMA-119, 8.4.26.1
//! and 9.1.5.

use crate::disk::fat::time::days;

/// Seconds since 1970: years since 1900, month, day, hour, minute, second, and the distance from UTC in quarters of an hour.
pub fn short(bytes: [u8; 7]) -> i64 {
    let [year, month, day, hour, minute, second, zone] = bytes;
    let clock = [hour, minute, second].map(i64::from);
    seconds(
        1900 + i64::from(year),
        i64::from(month),
        i64::from(day),
        clock,
        zone,
    )
}

/// The same of the long form: four letters for the year, two for each of the others, hundredths, and the zone as a byte.
pub fn long(bytes: [u8; 17]) -> Option<i64> {
    let (letters, zone) = bytes.split_at(16);
    let text = std::str::from_utf8(letters).ok()?;
    let field = |range: std::ops::Range<usize>| -> Option<i64> { text.get(range)?.parse().ok() };
    let clock = [field(8..10)?, field(10..12)?, field(12..14)?];
    let zone = zone.first().copied().unwrap_or_default();
    Some(seconds(
        field(0..4)?,
        field(4..6)?,
        field(6..8)?,
        clock,
        zone,
    ))
}

fn seconds(year: i64, month: i64, day: i64, [hour, minute, second]: [i64; 3], zone: u8) -> i64 {
    let ahead = i64::from(zone.cast_signed()) * 900;
    let date = days(year, month.clamp(1, 12), day.max(1));
    date * 86_400 + hour * 3600 + minute * 60 + second - ahead
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_both_forms() {
        assert_eq!(short([126, 11, 23, 17, 30, 12, 0]), 1_795_455_012);
        assert_eq!(short([126, 11, 23, 17, 30, 12, 4]), 1_795_455_012 - 3600);
        assert_eq!(short([126, 11, 23, 17, 30, 12, 252]), 1_795_455_012 + 3600);
        assert_eq!(long(*b"2026112317301200\0"), Some(1_795_455_012));
        assert_eq!(long([0; 17]), None);
    }
}
