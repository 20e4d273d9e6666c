//! A directory of the machine as `ls -l` shows one: names quoted, times in UTC.

use crate::disk::FileKind;
use crate::path::sanitise;
use crate::walk::Entry;
use std::fmt::Write as _;

/// One line for each entry: mode, owner, group, bytes or device numbers, time, name, a link's target.
pub fn lines<'a>(entries: impl IntoIterator<Item = (&'a Entry, Option<(u32, u32)>)>) -> String {
    let rows: Vec<(&Entry, [String; 4])> = entries
        .into_iter()
        .map(|(entry, device)| {
            let size = match device {
                Some((major, minor)) => format!("{major}, {minor}"),
                None => entry.size.to_string(),
            };
            let mode = mode(entry.kind, entry.mode);
            (
                entry,
                [mode, entry.uid.to_string(), entry.gid.to_string(), size],
            )
        })
        .collect();
    let mut widths = [0; 4];
    for (_, cells) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.len().max(*width);
        }
    }
    let mut text = String::new();
    for (entry, cells) in rows {
        for (width, cell) in widths.iter().zip(&cells) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{cell:>width$} ");
        }
        let _ = write!(
            text,
            "{} {}",
            time(entry.mtime),
            quoted(entry.path.file_name())
        );
        if let Some(target) = &entry.target {
            let _ = write!(text, " -> {}", quoted(target));
        }
        text.push('\n');
    }
    text
}

/// A name in double quotes: what is unsafe or not UTF-8 escaped, so that two names never look alike.
fn quoted(name: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in name.utf8_chunks() {
        let valid = chunk.valid().replace('\\', "\\\\").replace('"', "\\\"");
        text.push_str(&sanitise(&valid));
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text.push('"');
    // The root has no name.
    if text == "\"\"" {
        "\"/\"".to_owned()
    } else {
        text
    }
}

/// `drwxr-xr-t`, as ls(1) writes it.
fn mode(kind: FileKind, mode: u32) -> String {
    let mut text = String::from(match kind {
        FileKind::File => "-",
        FileKind::Directory => "d",
        FileKind::Symlink => "l",
        FileKind::CharDevice => "c",
        FileKind::BlockDevice => "b",
        FileKind::Fifo => "p",
        FileKind::Socket => "s",
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Seconds since 1970 as a date and time of UTC; those of no year with four digits as they are.
fn time(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    if !(-719_528..2_932_897).contains(&days) {
        return format!("@{seconds}");
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
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_times_and_names() {
        assert_eq!(mode(FileKind::Directory, 0o1777), "drwxrwxrwt");
        assert_eq!(mode(FileKind::File, 0o6640), "-rwSr-S---");
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(951_782_400), "2000-02-29 00:00");
        assert_eq!(time(-1), "1969-12-31 23:59");
        assert_eq!(time(i64::MIN), format!("@{}", i64::MIN));
        assert_eq!(quoted(b"a\"\x1b[31m\xff"), "\"a\\\"\\u{1b}[31m\\xff\"");
        assert_ne!(quoted(b"\\xff"), quoted(b"\xff"));
    }

    proptest::proptest! {
        #[test]
        fn any_time_and_name_are_shown(seconds in proptest::num::i64::ANY, name in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            proptest::prop_assert!(!time(seconds).is_empty());
            proptest::prop_assert!(!quoted(&name).chars().any(char::is_control));
        }
    }
}
