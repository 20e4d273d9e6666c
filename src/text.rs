//! Numbers and lists as people read them.

/// A size as people read it: `1.4 GiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 {
        format!("{n} B")
    } else {
        format!("{value:.1} {name}")
    }
}

/// The first few of a list, and how many more there are.
pub fn list(items: &[String], most: usize) -> String {
    let shown = items
        .iter()
        .take(most)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match items.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Seconds since 1970 as a date and time of UTC; those of no year with four digits as they are.
pub fn time(seconds: i64) -> String {
    let Some(day) = day(seconds) else {
        return format!("@{seconds}");
    };
    let second = seconds.rem_euclid(86_400);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{day} {hour:02}:{minute:02}")
}

/// The day of a time in UTC (ISO 8601); `None` for those of no year with four digits.
pub fn day(seconds: i64) -> Option<String> {
    let days = seconds.div_euclid(86_400);
    if !(-719_528..2_932_897).contains(&days) {
        return None;
    }
    // Howard Hinnant's civil_from_days, years that begin in March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month < 3);
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// Bytes as text that [`unescaped`] reads back: what is not printable ASCII is written as an escape.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => {
                let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or('0');
                text.push_str("\\x");
                text.extend([digit(other >> 4), digit(other & 15)]);
            }
        }
    }
    text
}

/// The bytes that a text stands for: `\r`, `\n`, `\t`, `\0`, `\\` and `\xNN` are one each. `None` for another escape.
pub fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        bytes.push(match rest.next()? {
            'r' => b'\r',
            'n' => b'\n',
            't' => b'\t',
            '0' => 0,
            '\\' => b'\\',
            'x' => {
                let digits = [rest.next()?.to_digit(16)?, rest.next()?.to_digit(16)?];
                u8::try_from(digits[0] * 16 + digits[1]).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescaped(&escaped(&all)).as_deref(), Some(all.as_slice()));
        assert_eq!(unescaped(r"a\0b\r\n").as_deref(), Some(&b"a\0b\r\n"[..]));
        assert_eq!(escaped(b"\x1b[31m"), r"\x1b[31m");
        for wrong in [r"\", r"\x1", r"\xg0", r"\q"] {
            assert_eq!(unescaped(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
    }

    #[test]
    fn times() {
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(951_782_400), "2000-02-29 00:00");
        assert_eq!(time(-1), "1969-12-31 23:59");
        assert_eq!(time(i64::MIN), format!("@{}", i64::MIN));
        assert_eq!(day(951_782_400).as_deref(), Some("2000-02-29"));
    }

    proptest::proptest! {
        #[test]
        fn any_time_is_shown(seconds in proptest::num::i64::ANY) {
            proptest::prop_assert!(!time(seconds).is_empty());
        }
    }
}
