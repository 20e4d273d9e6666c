//! Whether a value can be a secret at all: not empty, not a switch, not a place holder filled elsewhere, not a path.

use super::MASK;
use super::data::DATA;

/// Whether the value of a secret's name is one. In doubt it is: what is shown less costs a fact, what is shown more a password.
pub fn is_secret_value(value: &str) -> bool {
    let value = bare(value);
    let lower = value.to_ascii_lowercase();
    let blanked = value.chars().all(|c| "*xX:".contains(c));
    // What an object, a list or a call begins or ends with.
    let is_bracket = value.chars().all(|c| "{}[](),;".contains(c));
    !(blanked
        || is_bracket
        || value == MASK
        || is_switch(&lower)
        || is_reference(value, &lower)
        || is_place_holder(value)
        || is_version(value)
        || is_path(value))
}

/// One switch, or a list of some.
fn is_switch(lower: &str) -> bool {
    let switches = &DATA.values.switches;
    switches.contains(lower)
        || (lower.contains(' ') && lower.split_whitespace().all(|word| switches.contains(word)))
}

/// An address that holds no secret of its own: where a token is fetched, a page about one.
pub(super) fn is_address(value: &str) -> bool {
    let value = bare(value);
    let web = ["http://", "https://"];
    web.iter()
        .find_map(|scheme| value.strip_prefix(scheme))
        .is_some_and(|rest| !rest.contains('@') && !rest.contains(char::is_whitespace))
}

/// A call, or a pattern that values have to fit: `crypto.randomBytes(16)`, `^[0-9a-f]{64}$`.
pub(super) fn is_expression(value: &str) -> bool {
    let value = bare(value).trim_end_matches(';');
    let name = value
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .unwrap_or(value.len());
    let is_call = name > 2 && value.get(name..).is_some_and(|rest| rest.starts_with('('));
    (is_call && value.ends_with(')'))
        || (value.starts_with(['^', '(']) && value.contains(['[', '$']))
}

fn bare(value: &str) -> &str {
    value.trim().trim_matches(['"', '\'', '`'])
}

/// `${NAME}`, `$(cat x)`, `{{ name }}`, `%(name)s`, `env:NAME`: says where the secret is instead of what it is. A default inside
/// is a secret like any (`${NAME:-s3cret}`); a password may begin like one.
fn is_reference(value: &str, lower: &str) -> bool {
    let starts = DATA.values.elsewhere.iter();
    let Some(start) = starts
        .filter(|start| lower.starts_with(start.as_str()))
        .max_by_key(|start| start.len())
    else {
        return false;
    };
    let rest = value.get(start.len()..).unwrap_or_default();
    let close = match start.as_str() {
        "${" | "#{" | "%{" => "}",
        "$(" | "getenv(" | "env(" | "lookup(" => ")",
        "{{" => "}}",
        "%(" => ")s",
        "<%" | "<?" => ">",
        "@@" => "@@",
        // A word and what it leads to: no blank in it.
        _ => return !rest.is_empty() && !rest.contains(char::is_whitespace),
    };
    let Some(inside) = rest.strip_suffix(close) else {
        return false;
    };
    if matches!(start.as_str(), "<%" | "{{") && in_template(inside).is_some_and(is_secret_value) {
        return false;
    }
    let default = (start == "${" || start == "%{")
        .then(|| inside.split_once([':', '-', '=']))
        .flatten()
        .map(|(_, default)| default.trim_start_matches(['-', '=']));
    !default.is_some_and(|text| !text.starts_with(['?', '+', '$']) && is_secret_value(text))
}

/// What a template falls back to: `ENV['X'] || 'value'`, `x | default("value")`, `ENV.fetch('X', 'value')`.
fn in_template(inside: &str) -> Option<&str> {
    let text = inside.trim_end_matches([')', ' ', '%', '-', '?']);
    let text = text
        .strip_suffix("| quote")
        .unwrap_or(text)
        .trim_end_matches([')', ' ']);
    let quote = text.chars().last().filter(|c| matches!(c, '"' | '\''))?;
    let (before, value) = text.strip_suffix(quote)?.rsplit_once(quote)?;
    let before = before.trim_end();
    let falls = ["||", " or", "default(", "default", ","];
    falls
        .iter()
        .any(|end| before.ends_with(end))
        .then_some(value)
}

/// `$NAME`, `%s`, `<password>`, `{password}`, `@PASSWORD@`: the whole value, and a name rather than a password.
fn is_place_holder(value: &str) -> bool {
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphabetic() || "_-. ".contains(c))
    };
    let between = |open: char, close: char| {
        value
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .is_some_and(is_name)
    };
    value
        .strip_prefix('$')
        .is_some_and(|name| is_name(&name.replace("::", ".")))
        || matches!(value, "%s" | "%d" | "?" | "-")
        || (value.len() == 2 && value.starts_with('$'))
        || between('<', '>')
        || between('{', '}')
        || between('[', ']')
        || between('@', '@')
        || between('%', '%')
        || between('_', '_')
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

/// Letters and digits together, at least `least` of them in one word.
pub(super) fn is_mixed(value: &str, least: usize) -> bool {
    let value = bare(value);
    value.len() >= least
        && !value.contains(char::is_whitespace)
        && value.chars().any(char::is_alphabetic)
        && value.chars().any(|c| c.is_ascii_digit())
}

/// `%s`, `%(name)s`, `%-10d`: filled later. A password may begin with the same sign.
pub(super) fn is_format(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('%') else {
        return false;
    };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || "-+ .#*".contains(c));
    let mut letters = rest.chars();
    letters.next().is_none_or(|c| !c.is_alphabetic())
        || !letters.next().is_some_and(char::is_alphanumeric)
}

/// What is typed where only digits are taken.
pub(super) fn is_digits(value: &str) -> bool {
    let value = bare(value);
    (4..=16).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Nothing but a secret looks so: long, mixed, and hardly a character that comes often.
pub(super) fn is_random(value: &str) -> bool {
    let value = bare(value);
    is_mixed(value, 12) && value.len() <= 512 && entropy(value) >= 2.75 && !is_dull(value)
}

/// A UUID, a reference (`#/definitions/x`, `arn:…`), a name in capitals, a pattern: what stands for something rather than opens it.
pub(super) fn is_identifier(value: &str) -> bool {
    let value = bare(value);
    let groups: Vec<usize> = value.split('-').map(str::len).collect();
    let is_hex = value.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    (is_hex && groups == [8, 4, 4, 4, 12])
        || value.starts_with(['#', '^', '/', '(', '[', '<'])
        || value.contains("arn:")
        || value
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// A path, a URL, a date, an identifier of words, a version with its build.
fn is_dull(value: &str) -> bool {
    let words = value.split(['-', '_', '.', '/', ':', '@', '#']);
    let dull = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        word.len() < 3
            || letters.is_empty()
            || (letters.chars().all(char::is_alphabetic) && word.len() - letters.len() <= 2)
    };
    // `PublicIpv4Pools`
    let mut humps = value.split(|c: char| c.is_ascii_uppercase()).skip(1);
    let is_camel = value.chars().all(char::is_alphanumeric)
        && value.matches(|c: char| c.is_ascii_uppercase()).count() > 1
        && humps.all(|hump| {
            let word = hump
                .strip_suffix(|c: char| c.is_ascii_digit())
                .unwrap_or(hump);
            word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase())
        });
    is_camel || value.contains("://") || words.clone().count() > 1 && words.clone().all(dull)
}

/// Bits a character, after Shannon.
fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let all = value.len() as f64;
    let share = |count: &u32| {
        let share = f64::from(*count) / all;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(share).sum()
}

/// A label, a message or a sentence about secrets, rather than one.
pub(super) fn is_prose(value: &str) -> bool {
    let lower = bare(value).to_lowercase();
    let is_word = |word: &str| {
        DATA.values
            .prose
            .contains(word.trim_matches(|c: char| !c.is_alphanumeric()))
    };
    let mut words = lower.split_whitespace();
    is_message(value) || words.clone().count() > 1 && words.any(is_word)
}

/// What names a secret, or ends as a sentence does.
pub(super) fn is_message(value: &str) -> bool {
    let value = bare(value);
    let lower = value.to_lowercase();
    DATA.values
        .labels
        .iter()
        .any(|label| lower.contains(label.as_str()))
        || (value.contains(char::is_whitespace) && value.ends_with([':', '?', '.', '!', '…']))
}

/// What stands in examples and templates.
pub(super) fn is_example(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_alone = |word: &String| {
        lower.match_indices(word.as_str()).any(|(at, word)| {
            let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
            let (before, after) = (lower.get(..at), lower.get(at + word.len()..));
            !is_letter(before.and_then(|text| text.chars().next_back()))
                && !is_letter(after.and_then(|text| text.chars().next()))
        })
    };
    let values = &DATA.values;
    values
        .examples
        .iter()
        .any(|word| lower.contains(word.as_str()))
        || values.examples_alone.iter().any(is_alone)
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
            "${DB_PASSWORD:-}",
            "$arg_token",
            "%(pw)s",
            "{{ vault_password }}",
            "hash:/etc/postfix/sasl_passwd",
            "$(cat /run/secrets/x)",
            "/etc/secret",
            "~/.ssh/key",
            "scram-sha-256",
            "\"\"",
            "********",
            "<your password>",
            "@DB_PASSWORD@",
            "{password}",
            "env:DB_PASSWORD",
        ] {
            assert!(!is_secret_value(value), "{value}");
        }
        for value in [
            "changeme",
            "$ecr3t!",
            "<3cats",
            "/9j4AAQ==",
            "{a",
            "%x%y",
            "${abc",
            "{{abc",
            "${DB_PASSWORD:-hunter2}",
            "{abc123}",
            "$ecret123",
            "correct horse battery staple",
            "file: is the word",
        ] {
            assert!(is_secret_value(value), "{value}");
        }
    }

    #[test]
    fn looks() {
        for value in [
            "Zk3jf92KdlsLw0f93KLs",
            "8f14e45fceea167a5a36dedd4bea2543",
            "dXNlcjpwYXNzd29yZDEy",
        ] {
            assert!(is_random(value), "{value}");
        }
        for value in [
            "user-service-v2",
            "https://example.org/a1/b2",
            "aaaaaaaaaaaaaaaa1",
            "hello world 12 times",
            "my_application_2",
        ] {
            assert!(!is_random(value), "{value}");
        }
        for value in [
            "Enter your password",
            "Mot de passe",
            "Passwort:",
            "is not valid",
            "token_type",
        ] {
            assert!(is_prose(value), "{value}");
        }
        for value in ["correct horse battery staple", "hunter2", "keyboard cat"] {
            assert!(!is_prose(value), "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_value_survives(value in ".{0,200}") {
            let _ = (is_secret_value(&value), is_random(&value), is_prose(&value), is_example(&value));
        }
    }
}
