//! YAML, as double-quoted scalars that are JSON strings too (YAML 1.2, 5.7): no plain scalars, so that `no`, `1e3` and
//! `12:30` stay text in every reader.

use crate::path::is_unsafe;
use std::fmt::Write;

/// What reads a string: both know `\\uXXXX`, but only one of them two of these for one character, and only the other
/// `\\UXXXXXXXX`.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Reader {
    /// A backslash that stands before another, before a quote or at the end is written by its number.
    Json,
    Yaml,
}

/// A double-quoted string; everything but printable ASCII and plainly visible letters is escaped.
pub(super) fn double_quoted(value: &str, reader: Reader) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if reader == Reader::Json && matches!(chars.peek(), None | Some('"' | '\\')) => {
                text.push_str("\\u005c");
            }
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if is_hidden(c) && reader == Reader::Yaml && c > '\u{ffff}' => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\U{:08x}", u32::from(c));
            }
            c if is_hidden(c) => numbers(&mut text, c),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// A character as JSON writes it by number.
fn numbers(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(text, "\\u{unit:04x}");
    }
}

fn is_hidden(c: char) -> bool {
    is_unsafe(c) || matches!(c, '\u{a0}' | '\u{fffe}' | '\u{ffff}')
}

/// A finished JSON document with every character that a terminal or an editor would obey, or not show, by its number. It
/// reads back as what it was: such a character stands in strings only, and writers of JSON escape but those below a blank.
pub fn json_document(text: String) -> String {
    if !text.chars().any(|c| c >= ' ' && is_unsafe(c)) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c >= ' ' && is_unsafe(c) {
            numbers(&mut safe, c);
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A scalar of a compose file: `$` is doubled, since compose reads variables in every value.
pub fn yaml(value: &str) -> String {
    double_quoted(&value.replace('$', "$$"), Reader::Yaml)
}

/// A scalar with compose's own `${…}` in it; the caller has made it of safe parts only.
pub fn yaml_interpolated(value: &str) -> String {
    double_quoted(value, Reader::Yaml)
}
