//! How wide a text is, before any font is known: as wide as the widest of the usual fonts makes it. A character that is not
//! seen counts as what is written for it.

use crate::path::sanitise;
use unicode_width::UnicodeWidthChar;

/// A letter's width in hundredths of the size, after DejaVu Sans Bold, which is wider than what most systems have.
fn letter(c: char) -> u32 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' => 40,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | ' ' => 50,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 112,
        'A'..='Z' => 86,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' => 66,
        c if c.is_ascii() => 72,
        c => match c.width() {
            Some(0) | None => 0,
            Some(1) => 90,
            Some(_) => 110,
        },
    }
}

/// Whether a text fits into so many pixels at a size in tenths of one.
pub(super) fn fits(text: &str, pixels: u32, size: u32) -> bool {
    let width: u32 = sanitise(text)
        .chars()
        .map(letter)
        .fold(0, u32::saturating_add);
    width <= pixels.saturating_mul(1000) / size.max(1)
}

/// As much of a text as fits into so many pixels at a size in tenths of one; a path keeps its end, which tells more.
pub(super) fn cut(text: &str, pixels: u32, size: u32) -> String {
    let text = &*sanitise(text);
    if fits(text, pixels, size) {
        return text.to_owned();
    }
    let room = pixels.saturating_mul(1000) / size.max(1);
    let mut left = room.saturating_sub(letter('…'));
    let mut fits = |c: &char| {
        let rest = left.checked_sub(letter(*c));
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    if text.starts_with('/') {
        let tail: Vec<char> = text.chars().rev().take_while(&mut fits).collect();
        let tail: String = tail.into_iter().rev().collect();
        // From a slash on, unless that leaves little.
        let whole = tail.find('/').and_then(|slash| tail.get(slash..));
        let whole = whole.filter(|whole| 2 * whole.len() > tail.len());
        format!("…{}", whole.unwrap_or(&tail))
    } else {
        let head: String = text.chars().take_while(&mut fits).collect();
        format!("{}…", head.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_where_they_tell_least() {
        assert_eq!(cut("/var/lib/postgresql/15/main", 100, 130), "…/15/main");
        assert_eq!(cut("/srv/averyveryverylongname", 100, 130), "…ylongname");
        assert_eq!(cut("a-rather-long-service-name", 100, 130), "a-rather-lo…");
        assert_eq!(cut("short", 100, 130), "short");
        assert_eq!(cut("日本語日本語日本語", 100, 130), "日本語日本…");
        assert_eq!(cut("anything", 0, 130), "…");
        assert_eq!(cut("a\u{202e}bc-service", 100, 130), r"a\u{202e}…");
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_wider_than_its_room(text in "\\PC{0,40}|.{0,40}", pixels in 20u32..300) {
            let width: u32 = cut(&text, pixels, 130).chars().map(letter).sum();
            proptest::prop_assert!(width * 130 <= pixels * 1000);
        }
    }
}
