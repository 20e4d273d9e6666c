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
    no_links(&safe)
}

/// Addresses that GitHub and its kin make links of without being asked (GFM, "Autolinks (extension)"): the sign that
/// makes one is written as a reference to the character, which reads the same and links to nothing.
fn no_links(text: &str) -> String {
    let mut safe = text.replace('@', "&#64;").replace("://", "&#58;//");
    let lower = safe.to_ascii_lowercase();
    for (at, _) in lower.rmatch_indices("www.") {
        safe.replace_range(at + 3..at + 4, "&#46;");
    }
    for scheme in ["mailto:", "xmpp:"] {
        let lower = safe.to_ascii_lowercase();
        for (at, found) in lower.rmatch_indices(scheme) {
            safe.replace_range(at + found.len() - 1..at + found.len(), "&#58;");
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_machine_are_no_links() {
        let text = markdown("see HTTP://a.example, WWW.a.example, me@a.example, mailto:x");
        assert_eq!(
            text,
            "see HTTP&#58;//a.example, WWW&#46;a.example, me&#64;a.example, mailto&#58;x"
        );
    }

    #[test]
    fn what_is_not_seen_is_shown() {
        for c in [
            '\u{ad}',
            '\u{200b}',
            '\u{202e}',
            '\u{2028}',
            '\u{85}',
            '\u{9b}',
            '\u{1b}',
            '\u{e0041}',
        ] {
            assert!(!markdown(&format!("a{c}b")).contains(c), "{c:?}");
            assert!(!code(&format!("a{c}b")).contains(c), "{c:?}");
        }
    }
}
