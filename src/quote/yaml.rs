//! YAML, as double-quoted scalars that are JSON strings too (YAML 1.2, 5.7): no plain scalars, so that `no`, `1e3` and
//! `12:30` stay text in every reader.

use std::fmt::Write;

/// A JSON string; everything but printable ASCII and plainly visible letters is escaped. `numbered`: a backslash that
/// stands before another, before a quote or at the end is written by its number.
pub(super) fn json(value: &str, numbered: bool) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if numbered && matches!(chars.peek(), None | Some('"' | '\\')) => {
                text.push_str("\\u005c");
            }
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() || is_hidden(c) => {
                let mut units = [0u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

fn is_hidden(c: char) -> bool {
    // Inside the basic plane only: YAML readers need not join the halves of an escaped pair.
    let cut = crate::path::sanitise(c.encode_utf8(&mut [0; 4])).len() > c.len_utf8();
    cut || matches!(
        c,
        '\u{85}' | '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// A scalar of a compose file: `$` is doubled, since compose reads variables in every value.
pub fn yaml(value: &str) -> String {
    json(&value.replace('$', "$$"), false)
}

/// A scalar with compose's own `${…}` in it; the caller has made it of safe parts only.
pub fn yaml_interpolated(value: &str) -> String {
    json(value, false)
}
