//! Dates of DOS: local times in steps of two seconds, from 1980 on.

/// Seconds since 1970 of a date (year since 1980, month, day: 7, 4 and 5 bits) and a time (hour, minute, half of the
/// second: 5, 6 and 5 bits), taken as UTC. A date that is none is that of the beginning of its month or year.
pub fn seconds(date: u16, time: u16) -> i64 {
    let day = i64::from(date & 0x1f).max(1);
    let month = i64::from(date >> 5 & 0xf).clamp(1, 12);
    let year = 1980 + i64::from(date >> 9);
    let (hour, minute) = (i64::from(time >> 11), i64::from(time >> 5 & 0x3f));
    let clock = hour * 3600 + minute * 60 + i64::from(time & 0x1f) * 2;
    days(year, month, day) * 86_400 + clock
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(days(1969, 12, 31), -1);
        // 2026-11-23 17:30:12
        let date = 0x5d77;
        let time = 0x8bc6;
        assert_eq!(seconds(date, time), 1_795_455_012);
        assert_eq!(seconds(0, 0), 315_532_800);
        assert_eq!(days(2026, 11, 23) * 86_400 + 63_012, 1_795_455_012);
    }
}
