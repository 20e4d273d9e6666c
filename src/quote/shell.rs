//! The POSIX shell (Shell Command Language, 2.2 Quoting).

use crate::path::{is_unsafe, sanitise};
use std::fmt::Write;

/// One word, whatever is in it; NUL cannot be in a word and is dropped. What steers a terminal, or is not seen, is printed
/// by the shell when it reads the word; ends of lines and tabs stand as they are.
pub fn shell(value: &str) -> String {
    let value: String = value.chars().filter(|c| *c != '\0').collect();
    if is_bare(&value) {
        return value;
    }
    if value.contains(must_be_printed) {
        return printed(&value, shell);
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

pub(super) fn must_be_printed(c: char) -> bool {
    is_unsafe(c) && !matches!(c, '\n' | '\t')
}

/// A word of which some characters are made by printf(1), which every shell has, from their bytes' numbers (`$'…'` is not
/// known to all); `quote` does the rest of it.
pub(super) fn printed(value: &str, quote: fn(&str) -> String) -> String {
    let mut word = String::new();
    let mut rest = value;
    while let Some(at) = rest.find(must_be_printed) {
        let (plain, tail) = rest.split_at(at);
        let end = tail.find(|c| !must_be_printed(c)).unwrap_or(tail.len());
        let (hidden, tail) = tail.split_at(end);
        if !plain.is_empty() {
            word.push_str(&quote(plain));
        }
        word.push_str("\"$(printf '");
        for byte in hidden.bytes() {
            // Writing to a String cannot fail.
            let _ = write!(word, "\\{byte:03o}");
        }
        word.push_str("')\"");
        rest = tail;
    }
    if !rest.is_empty() {
        word.push_str(&quote(rest));
    }
    word
}

/// Characters that no shell reads anything into, wherever they stand in a word.
pub(super) fn is_bare(value: &str) -> bool {
    let fits = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '_' | '-' | '.' | '/' | ':' | '=' | ',' | '+' | '@' | '%')
    };
    // An assignment in front of a command is not a word.
    let assignment = value.contains('=') && !value.starts_with('-') && !value.starts_with('/');
    !value.is_empty() && value.chars().all(fits) && !assignment
}

/// Words with which a comment speaks to builders, linters and editors where it begins with them.
const SPEAKS: &[&str] = &[
    "hadolint",
    "shellcheck",
    "yaml-language-server",
    "syntax",
    "escape",
    "check",
    "yamllint",
    "noqa",
];

/// Words that speak to an editor wherever they stand, where a colon or an equals sign follows.
const ANYWHERE: &[&str] = &["vim", "vi", "ex", "coding", "variables"];

/// The text of a comment: one line, no control characters, and nothing that a builder, a linter or an editor takes for
/// an instruction to itself.
pub fn shell_comment(text: &str) -> String {
    let text = sanitise(text).replace("-*-", "-\\u{2a}-");
    let mut safe = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        let known = word.trim_end_matches(|c: char| c.is_ascii_digit());
        if matches!(c, ':' | '=') && ANYWHERE.contains(&known) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
        // `vim>700:` is one too.
        match c {
            '<' | '>' => {}
            c if c.is_ascii_alphanumeric() => word.push(c.to_ascii_lowercase()),
            _ => word.clear(),
        }
    }
    let first = safe.trim_start().to_ascii_lowercase();
    let speaks = |word: &str| {
        let rest = first.strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    };
    if SPEAKS.iter().any(|word| speaks(word)) || safe.starts_with(['!', '%']) {
        return format!("\"{safe}\"");
    }
    safe
}

/// The value of an assignment in a crontab(5): taken as it stands, but for quotes and blanks at its ends. There
/// is no escape in it, so that whatever the machine's table holds is here too; a line's end is in no value.
pub fn table_value(value: &str) -> String {
    let value: String = value
        .chars()
        .filter(|c| !matches!(c, '\0' | '\n'))
        .collect();
    let ends = value.trim() != value || value.starts_with(['"', '\'']) || value.is_empty();
    match (ends, value.contains('"')) {
        (false, _) => value,
        (true, false) => format!("\"{value}\""),
        (true, true) => format!("'{value}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_speaks_to_nobody() {
        for (text, shown) in [
            ("nginx: a web server", "nginx: a web server"),
            ("/etc/x:12", "/etc/x:12"),
            ("syntax=evil/x:1", "\"syntax=evil/x:1\""),
            ("hadolint ignore=DL3008", "\"hadolint ignore=DL3008\""),
            ("a vim700: set x:", "a vim700\\u{3a} set x:"),
            ("coding=x", "coding\\u{3d}x"),
            ("checks everything", "checks everything"),
        ] {
            assert_eq!(shell_comment(text), shown);
        }
    }
}
