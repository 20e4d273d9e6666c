//! Whether a value can be a secret at all: not empty, not a switch, not a place holder filled elsewhere, not a path.

use super::MASK;

/// Values that choose rather than tell.
const SWITCHES: &[&str] = &[
    "",
    "yes",
    "no",
    "true",
    "false",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "md5",
    "scram-sha-256",
    "default",
    "required",
    "optional",
    "prompt",
    "ask",
    "undef",
    "undefined",
    "disabled",
    "enabled",
    "builtin",
    MASK,
];

/// Beginnings that say where the secret is instead of what it is.
const ELSEWHERE: &[&str] = &[
    "${",
    "$(",
    "%(",
    "%{",
    "{{",
    "<%",
    "file:",
    "env:",
    "exec:",
    "vault:",
    "!vault",
    "os.environ",
    "process.env",
    "getenv(",
];

pub fn is_secret_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_ascii_lowercase();
    let elsewhere = ELSEWHERE.iter().any(|start| lower.starts_with(start));
    let blanked = value.chars().all(|c| c == '*' || c == 'x');
    !(SWITCHES.contains(&lower.as_str())
        || elsewhere
        || blanked
        || is_place_holder(value)
        || is_version(value)
        || is_path(value))
}

/// `$NAME`, `%s`, `<password>`, `{password}`, `@PASSWORD@`: the whole value, since a password may begin like one.
fn is_place_holder(value: &str) -> bool {
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c))
    };
    let between = |open: char, close: char| {
        value
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .is_some_and(is_name)
    };
    value.strip_prefix('$').is_some_and(is_name)
        || value == "%s"
        || between('<', '>')
        || between('{', '}')
        || between('@', '@')
        || between('%', '%')
}

/// `^8.11.0`, `1.x`, `>=2.0.1`: a list of dependencies may hold a package whose name ends like a password's.
fn is_version(value: &str) -> bool {
    let bare = value.trim_start_matches(['^', '~', '>', '<', '=', 'v', ' ']);
    let release = bare.split(['-', '+']).next().unwrap_or_default();
    let is_part = |part: &str| {
        matches!(part, "x" | "*")
            || (!part.is_empty() && part.len() < 5 && part.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(release.split('.').count(), 2..=4) && release.split('.').all(is_part)
}

/// An absolute path of two names or more. A password of base64 may begin with a slash, but holds no second one and only
/// such characters but by chance.
fn is_path(value: &str) -> bool {
    let value = value.strip_prefix('~').unwrap_or(value);
    value.starts_with('/')
        && value.matches('/').count() > 1
        && value
            .chars()
            .all(|c| c.is_alphanumeric() || "/._-@:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for value in [
            "",
            "1.x",
            "^8.11.0",
            ">=2.0.0-rc.1",
            "yes",
            "${DB_PASSWORD}",
            "$arg_token",
            "%(pw)s",
            "/etc/secret",
            "~/.ssh/key",
            "scram-sha-256",
            "\"\"",
            "********",
            "<your password>",
            "@DB_PASSWORD@",
            "{password}",
        ] {
            assert!(!is_secret_value(value), "{value}");
        }
        for value in ["changeme", "$ecr3t!", "<3cats", "/9j4AAQ==", "{a", "%x%y"] {
            assert!(is_secret_value(value), "{value}");
        }
    }
}
