//! Secrets: recognised and taken out before a text becomes a fact.
//!
//! Everything that leaves a detector as text passes through [`redact`] (a value whose key is known) or [`redact_line`]
//! (free text: command lines, excerpts). What is kept of a connection string is scheme, user, address and database,
//! since those are facts; the password is not.

mod content;
mod token;

pub use content::Content;

use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// What stands in place of a secret.
pub const MASK: &str = "[redacted]";

/// A text without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<'a> {
    pub text: Cow<'a, str>,
    /// `password`, `token`, `private-key`, `connection-string`; `None` where there was nothing to hide.
    pub kind: Option<&'static str>,
}

/// A pattern of this file's own; the tests see to it that each compiles.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// `scheme://user:password@`: the password is whatever stands between the first colon and the last `@` before a slash.
static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:'\x22]*:)(?P<secret>[^\s/'\x22]+)@")
});

/// `password=…` inside a DSN, a query string, or a command line.
static PAIR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)(?P<head>\b(?:[a-z0-9_-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key)|pwd|pgpassword|mysql_pwd|redis(?:cli)?_?auth)\s*=\s*)(?P<secret>\x22[^\x22]+\x22|'[^']+'|[^\s;&,'\x22]+)",
    )
});

/// `--password VALUE`, `--requirepass VALUE`, `-a VALUE` of tools whose flag is spelled out.
static FLAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)(?P<head>(?:^|\s)--?(?:pass(?:word|wd|phrase)?|requirepass|masterauth|token|secret|api[-_]?key|auth[-_]?token)\s+)(?P<secret>[^\s-][^\s]*)",
    )
});

/// `-u user:password` and `--user user:password`.
static USER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"(?P<head>(?:^|\s)(?:-u|--user)[ =][^\s:/]+:)(?P<secret>[^\s/:][^\s/]*)")
});

/// `-pPASSWORD` right behind the name of a tool that takes it so (mysql and its kin), and `redis-cli -a PASSWORD`.
static SHORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?P<head>\b(?:[a-z]+dump|[a-z]*sql(?:admin|check|import)?|maria[a-z-]*)\s(?:[^|;&\n]*\s)?-p|-cli\s(?:[^|;&\n]*\s)?-a\s+)(?P<secret>[^\s-][^\s]*)",
    )
});

/// The value of a setting or variable named `key`, its secret taken out.
pub fn redact<'a>(key: Option<&str>, value: &'a str) -> Redacted<'a> {
    if key.is_some_and(is_secret_key) && is_secret_value(value) {
        return Redacted {
            text: Cow::Borrowed(MASK),
            kind: Some(kind_of(key.unwrap_or_default())),
        };
    }
    redact_line(value)
}

/// Free text with every recognisable secret taken out.
pub fn redact_line(text: &str) -> Redacted<'_> {
    if text.contains(MASK) {
        return Redacted {
            text: Cow::Borrowed(text),
            kind: None,
        };
    }
    let mut out = Cow::Borrowed(text);
    let mut kind = None;
    for (regex, name) in [
        (&URL, "connection-string"),
        (&PAIR, "password"),
        (&FLAG, "password"),
        (&USER, "password"),
        (&SHORT, "password"),
    ] {
        let Some(regex) = regex.as_ref() else {
            continue;
        };
        let mut hit = false;
        let replaced = regex.replace_all(&out, |captures: &Captures<'_>| {
            let (head, secret) = (group(captures, "head"), group(captures, "secret"));
            let tail = if name == "connection-string" { "@" } else { "" };
            if is_secret_value(secret) {
                hit = true;
                format!("{head}{MASK}{tail}")
            } else {
                format!("{head}{secret}{tail}")
            }
        });
        if hit {
            out = Cow::Owned(replaced.into_owned());
            kind = kind.or(Some(name));
        }
    }
    if let Some((masked, name)) = token::redact(&out) {
        out = Cow::Owned(masked);
        kind = kind.or(Some(name));
    }
    Redacted { text: out, kind }
}

fn group<'a>(captures: &'a Captures<'_>, name: &str) -> &'a str {
    captures.name(name).map_or("", |found| found.as_str())
}

/// Words that end a key whose value is a secret.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "requirepass",
    "masterauth",
    "authpass",
    "pass",
    "pwd",
    "credential",
    "credentials",
    "encryptionkey",
    "signingkey",
    "secretkeybase",
    "authtoken",
    "licensekey",
    "dbpass",
    "userpass",
    "adminpass",
    "mysqlpass",
    "smtppass",
    "rootpass",
    "redispass",
    "postgrespass",
    "pgpass",
    "keystorepass",
    "truststorepass",
    "keypass",
    "mailpass",
    "ldappass",
    "bindpass",
];

/// Words that make a key a setting about secrets rather than one.
const ABOUT: &[&str] = &[
    "file",
    "path",
    "dir",
    "ttl",
    "timeout",
    "expiry",
    "expires",
    "lifetime",
    "length",
    "policy",
    "encryption",
    "algorithm",
    "prompt",
    "command",
    "hash",
    "authentication",
    "enabled",
    "required",
    "min",
    "max",
    "type",
    "header",
    "name",
    "field",
    "url",
    "uri",
    "reset",
    "change",
    "history",
    "validator",
    "validators",
    "hashers",
    "tokens",
    "server",
    "level",
];

/// Whether a key's name says that its value is a secret: `DB_PASSWORD`, `requirepass`, `secretKey`; not `password_file`.
pub fn is_secret_key(key: &str) -> bool {
    let last = key.rsplit(['/', '.']).next().unwrap_or(key);
    let words = words(last);
    let Some(end) = words.last() else {
        return false;
    };
    if ABOUT.contains(&end.as_str()) || words.iter().any(|word| word == "no" || word == "public") {
        return false;
    }
    // Joined from each word on, so that `api_key` and `SECRET_KEY` are one word each.
    (0..words.len()).any(|from| {
        let joined = words.get(from..).unwrap_or_default().concat();
        // `proxy_pass` hands something on; only a name for somebody's pass is a password.
        let handed_on = joined == "pass" && from > 0;
        SECRET_WORDS.contains(&joined.as_str()) && !handed_on
    }) || words
        .iter()
        .any(|word| ["password", "passwd", "passphrase", "secret"].contains(&word.as_str()))
}

/// `dbPassword`, `DB_PASSWORD` and `db-password` are two words each; lower case.
fn words(key: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for c in key.chars() {
        if (!c.is_alphanumeric() || (c.is_uppercase() && lower)) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        lower = c.is_lowercase() || c.is_numeric();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a value can be a secret at all: not empty, not a switch, not a place holder filled elsewhere, not a path.
pub fn is_secret_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_ascii_lowercase();
    let switch = [
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
        MASK,
    ];
    if switch.contains(&lower.as_str()) {
        return false;
    }
    let elsewhere = [
        "$",
        "%(",
        "{{",
        "<%",
        "<",
        "/",
        "file:",
        "env:",
        "vault:",
        "!vault",
        "os.environ",
        "process.env",
        "getenv(",
    ];
    !elsewhere.iter().any(|start| lower.starts_with(start))
        && !value.chars().all(|c| c == '*' || c == 'x')
}

fn kind_of(key: &str) -> &'static str {
    let key = key.to_ascii_lowercase();
    if key.contains("pass") || key.contains("pwd") {
        "password"
    } else if key.contains("token") {
        "token"
    } else {
        "secret"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        redact_line(text).text.into_owned()
    }

    #[test]
    fn every_pattern_compiles() {
        assert!(
            [&URL, &PAIR, &FLAG, &USER, &SHORT]
                .iter()
                .all(|regex| regex.is_some())
        );
    }

    #[test]
    fn connection_strings_keep_their_facts() {
        let found = redact(
            Some("DATABASE_URL"),
            "postgresql://shop:s3:cr@et@127.0.0.1:5433/shop",
        );
        assert_eq!(
            found.text,
            "postgresql://shop:[redacted]@127.0.0.1:5433/shop"
        );
        assert_eq!(found.kind, Some("connection-string"));
        assert_eq!(
            line("redis://:hunter2@localhost:6380/0"),
            "redis://:[redacted]@localhost:6380/0"
        );
        assert_eq!(
            line("jdbc:mysql://db/x?user=a&password=b&c=d"),
            "jdbc:mysql://db/x?user=a&password=[redacted]&c=d"
        );
        assert_eq!(
            line("Server=db;Password=geheim;Port=1"),
            "Server=db;Password=[redacted];Port=1"
        );
        assert_eq!(redact_line("http://127.0.0.1:8000/a@b").kind, None);
    }

    #[test]
    fn keys() {
        for key in [
            "password",
            "DB_PASSWORD",
            "requirepass",
            "secretKey",
            "API_KEY",
            "auth_token",
            "mysql_pass",
            "SECRET_KEY_BASE",
            "DB_PASS",
            "pass",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in [
            "password_file",
            "PasswordAuthentication",
            "password_encryption",
            "token_ttl",
            "bypass",
            "compass",
            "keyspace",
            "secret_name",
            "max_tokens",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn values_that_are_no_secret() {
        for value in [
            "",
            "yes",
            "${DB_PASSWORD}",
            "%(pw)s",
            "/etc/secret",
            "scram-sha-256",
            "\"\"",
            "********",
        ] {
            assert_eq!(redact(Some("password"), value).kind, None, "{value}");
        }
        assert_eq!(redact(Some("password"), "changeme").text, MASK);
    }

    #[test]
    fn command_lines() {
        assert_eq!(
            line("mysqldump -u root -phunter2 shop"),
            "mysqldump -u root -p[redacted] shop"
        );
        assert_eq!(
            line("PGPASSWORD=x1y2 pg_dump shop"),
            "PGPASSWORD=[redacted] pg_dump shop"
        );
        assert_eq!(
            line("curl -u bob:geheim https://x/"),
            "curl -u bob:[redacted] https://x/"
        );
        assert_eq!(
            line("redis-cli -p 6380 -a geheim ping"),
            "redis-cli -p 6380 -a [redacted] ping"
        );
        assert_eq!(
            line("tool --password geheim --port 1"),
            "tool --password [redacted] --port 1"
        );
        assert_eq!(line("nginx -p /srv -c x"), "nginx -p /srv -c x");
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(key in ".{0,20}", text in ".{0,200}") {
            let _ = redact(Some(&key), &text);
        }
    }
}
