//! The POSIX shell (Shell Command Language, 2.2 Quoting).

use crate::path::sanitise;

/// One word, whatever is in it; NUL cannot be in a word and is dropped.
pub fn shell(value: &str) -> String {
    let value: String = value.chars().filter(|c| *c != '\0').collect();
    if is_bare(&value) {
        return value;
    }
    format!("'{}'", value.replace('\'', r"'\''"))
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

/// The value of an assignment in a crontab(5): taken as it stands, but for quotes and blanks at its ends.
pub fn table_value(value: &str) -> String {
    let value: String = value.chars().filter(|c| !c.is_control()).collect();
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
