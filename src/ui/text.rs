//! Text in columns: wrapped, cut, and legible in the reader's locale.

use crate::path::is_unsafe;
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A text over as many lines as it needs: the first starts with `first`, the others with as many blanks as `hang` says. A
/// word that is longer than a line is broken after a slash, or where the line ends.
pub fn wrap(first: &str, text: &str, hang: usize, width: usize) -> String {
    let mut lines = String::from(first);
    let mut used = columns(first);
    let mut fresh = true;
    for word in text.split_whitespace() {
        let mut word = word;
        while !word.is_empty() {
            let gap = usize::from(!fresh);
            if used + gap + columns(word) <= width {
                lines.push_str(if fresh { "" } else { " " });
                lines.push_str(word);
                used += gap + columns(word);
                word = "";
            } else if fresh {
                let (head, tail) = broken(word, width.saturating_sub(used).max(1));
                lines.push_str(head);
                word = tail;
                used = width;
            } else {
                lines.push('\n');
                lines.push_str(&" ".repeat(hang));
                used = hang;
            }
            fresh = used == hang && !word.is_empty();
        }
        fresh = false;
    }
    lines.push('\n');
    lines
}

/// A word in two: at most `room` columns, and the rest.
fn broken(word: &str, room: usize) -> (&str, &str) {
    let mut used = 0;
    let mut fits = 0;
    let mut slash = 0;
    for (at, c) in word.char_indices() {
        used += c.width().unwrap_or_default();
        // One letter at least, so that this ends however narrow the line is.
        if used > room && at > 0 {
            break;
        }
        fits = at + c.len_utf8();
        if c == '/' && at > 0 {
            slash = fits;
        }
    }
    word.split_at(if slash > 0 && fits < word.len() {
        slash
    } else {
        fits
    })
}

/// At most so many columns of a text, an ellipsis where something is missing.
pub fn cut(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut used = 1;
    let kept = text.chars().take_while(|c| {
        used += c.width().unwrap_or_default();
        used <= room
    });
    let kept: String = kept.collect();
    format!("{}…", kept.trim_end())
}

/// Text that steers no terminal but by its lines and colours. Names are sanitised where they are put in; whatever was
/// forgotten ends here.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let is_ours = |c: char| matches!(c, '\n' | '\t') || !is_unsafe(c);
    if text.chars().all(is_ours) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if is_ours(c) || c == '\u{1b}' && is_colour(text.get(at + 1..).unwrap_or_default()) {
            safe.push(c);
        } else {
            safe.extend(c.escape_default());
        }
    }
    safe.into()
}

/// What follows an escape in SGR (ECMA-48), the only sequence that is ours.
fn is_colour(rest: &str) -> bool {
    let codes = rest.strip_prefix('[').unwrap_or_default();
    let end = codes.find(|c: char| !c.is_ascii_digit() && c != ';');
    end.is_some_and(|end| codes.get(end..).unwrap_or_default().starts_with('m'))
}

/// Text in ASCII: lines of trees by their nearest, other letters by their number, so that two names never look alike.
pub fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '└' => plain.push('`'),
            '├' | '│' => plain.push('|'),
            '─' | '−' | '–' => plain.push('-'),
            '…' => plain.push_str("..."),
            c if c.is_ascii() => plain.push(c),
            c => plain.extend(c.escape_unicode()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_asked() {
        assert_eq!(wrap("  ", "one two three", 4, 10), "  one two\n    three\n");
        assert_eq!(wrap("a: ", "", 2, 10), "a: \n");
        assert_eq!(wrap("", "/etc/some/path", 2, 10), "/etc/some/\n  path\n");
        assert_eq!(wrap("", "abcdefghijklmno", 2, 10), "abcdefghij\n  klmno\n");
    }

    #[test]
    fn a_terminal_is_steered_by_nothing_but_colour() {
        assert_eq!(
            harmless("\u{1b}[1ma\u{1b}[0m\n\u{1b}[2Jb\u{1b}]0;x\u{7}\u{202e}"),
            "\u{1b}[1ma\u{1b}[0m\n\\u{1b}[2Jb\\u{1b}]0;x\\u{7}\\u{202e}"
        );
        assert_eq!(harmless("\r"), "\\r");
    }

    #[test]
    fn cut_and_plain() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(ascii("└─ é…"), "`- \\u{e9}...");
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_overflows(words in "[a-z/é日 ]{0,120}", hang in 0usize..8, width in 12usize..60) {
            let text = wrap("", &words, hang, width);
            for line in text.lines() {
                proptest::prop_assert!(columns(line) <= width, "{line:?}");
            }
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            proptest::prop_assert_eq!(bare(&text), bare(&words));
        }
    }
}
