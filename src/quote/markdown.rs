//! CommonMark with tables: text and code spans, on one line.

use crate::path::sanitise;

/// Text: markup characters are escaped, so is the bar that parts table cells.
pub fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in sanitise(text).chars() {
        if matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '|'
                | '~'
                | '&'
                | '!'
        ) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// A sentence of ours in which backticks mark code; everything else is text.
pub fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let whole = parts.len() % 2 == 1;
    let mut safe = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 1 && whole {
            safe.push_str(&code(part));
        } else {
            if at > 0 && !whole {
                safe.push_str("\\`");
            }
            safe.push_str(&markdown(part));
        }
    }
    safe
}

/// A code span, fenced with one more backtick than any run inside; a bar is escaped even there, since tables come first.
pub fn code(text: &str) -> String {
    let text = sanitise(text).replace('|', "\\|");
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}
