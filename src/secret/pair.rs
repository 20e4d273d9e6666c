//! Secrets named where they stand in free text: `NAME=value`, `"name": "value"`, `name => 'value'`, `--name value`.
//!
//! The names are those of `key`, so that a variable before a command, a DSN, a flag and a setting are judged alike. A
//! value is masked to its end even where that takes more than the secret: too much costs a fact, too little a password.

use super::{MASK, is_secret_key, is_secret_value};
use regex::Regex;
use std::sync::LazyLock;

/// Only lines with one of these can hold a name of a secret; most lines end here.
static TELLING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("(?i)pass|pwd|secret|token|key|salt|credential|auth|psk|pw").ok());

/// A name, and what parts it from its value. White space alone parts only a flag from its value.
static HEAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<flag>(?:^|\s)--?)? (?P<key>[A-Za-z_][A-Za-z0-9_.-]*)
        (?: (?P<assigned> \\?["']?\]?\s*(?:=>|:=|=)\s* | \\?["']\s*:\s* | :\s+ ) | (?P<space>\s+) )"#,
    )
    .ok()
});

/// A quoted value, or all up to white space.
static VALUE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S+)"#).ok());

/// Where an unquoted value ends before white space: the next member of a list or query, or a shell's next command.
static NEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[,;&](?:[A-Za-z_][A-Za-z0-9_.-]*=|[;&]|$)|[)}\]>,;'\x22]*$").ok()
});

/// What follows a header's name: the scheme and its credentials, to the quote or the end.
static CREDENTIALS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^["']?[^"'\r\n]+"#).ok());

/// The text with the values of secret names masked; `None` where there are none.
pub(super) fn redact(text: &str) -> Option<String> {
    let head = HEAD.as_ref()?;
    if !TELLING.as_ref()?.is_match(text) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut hit = false;
    while let Some(found) = head.captures(rest) {
        let end = found.get(0).map_or(rest.len(), |whole| whole.end());
        let (before, after) = rest.split_at_checked(end)?;
        out.push_str(before);
        rest = after;
        let flag = found.name("flag").is_some();
        let named = found.name("assigned").is_some() || (flag && !rest.starts_with('-'));
        let key = found.name("key").map_or("", |key| key.as_str());
        let is_header = found.name("assigned").is_some() && is_authorization(key);
        if !named || rest.starts_with(MASK) || !(is_header || is_secret_key(key)) {
            continue;
        }
        let length = if is_header {
            CREDENTIALS.as_ref()?.find(rest).map_or(0, |m| m.end())
        } else {
            length(rest, flag && found.name("space").is_some())
        };
        let (value, after) = rest.split_at_checked(length)?;
        // What was masked in part before keeps its facts.
        if is_secret_value(value) && !value.contains(MASK) {
            hit = true;
            out.push_str(MASK);
        } else {
            out.push_str(value);
        }
        rest = after;
    }
    out.push_str(rest);
    hit.then_some(out)
}

fn is_authorization(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "authorization" || key == "proxy-authorization"
}

/// Bytes of the value at the start of `text`; a flag's is a word of its own.
fn length(text: &str, is_word: bool) -> usize {
    let all = VALUE
        .as_ref()
        .and_then(|value| value.find(text))
        .map_or(0, |found| found.end());
    if is_word || text.starts_with(['"', '\'']) {
        return all;
    }
    let value = text.get(..all).unwrap_or_default();
    NEXT.as_ref()
        .and_then(|next| next.find(value))
        .map_or(all, |found| found.start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        let all = [&TELLING, &HEAD, &VALUE, &NEXT, &CREDENTIALS];
        assert!(all.iter().all(|regex| regex.is_some()));
    }

    #[test]
    fn values_go_whole_and_alone() {
        for (text, wanted) in [
            (
                "Server=db;Password=geheim;Port=1",
                "Server=db;Password=[redacted];Port=1",
            ),
            (
                "x?user=a&password=b&c=d",
                "x?user=a&password=[redacted]&c=d",
            ),
            ("password=a,b;c&d", "password=[redacted]"),
            ("MAIL_PASS=x1y2 /srv/run", "MAIL_PASS=[redacted] /srv/run"),
            (
                "t --db-password 'a b' --port 1",
                "t --db-password [redacted] --port 1",
            ),
            ("t --password \"a \\\" b\" c", "t --password [redacted] c"),
            (
                "t options=\"host=a password=b c=d\"",
                "t options=\"host=a password=[redacted] c=d\"",
            ),
            (
                "{\"password\":\"x y\",\"port\":1}",
                "{\"password\":[redacted],\"port\":1}",
            ),
            (
                "curl -H 'Authorization: Bearer a.b' u",
                "curl -H 'Authorization: [redacted]' u",
            ),
            (
                "curl -H 'X-Api-Token: abc' u",
                "curl -H 'X-Api-Token: [redacted]' u",
            ),
            ("connect(password=abc)", "connect(password=[redacted])"),
            (
                "A=1 password=a password=b",
                "A=1 password=[redacted] password=[redacted]",
            ),
        ] {
            assert_eq!(redact(text).as_deref(), Some(wanted), "{text}");
            assert_eq!(redact(wanted), None, "{wanted}");
        }
    }

    #[test]
    fn nothing_to_hide() {
        for text in [
            "token=$arg_token",
            "password_file=/etc/x/y",
            "--password --verbose",
            "the password is set elsewhere",
            "proxy_pass http://127.0.0.1:8000;",
            "Authorization: $http_authorization",
            "key=value",
        ] {
            assert_eq!(redact(text), None, "{text}");
        }
    }
}
