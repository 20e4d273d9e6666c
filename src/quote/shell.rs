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

/// The text of a comment: one line, no control characters.
pub fn shell_comment(text: &str) -> String {
    sanitise(text).into_owned()
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
