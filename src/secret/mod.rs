//! Secrets: recognised and taken out before a text becomes a fact.
//!
//! Everything that leaves a detector as text passes through [`redact`] (a value whose key is known) or [`redact_line`]
//! (free text: command lines, excerpts). What is kept of a connection string is scheme, user, address and database,
//! since those are facts; the password is not.

mod key;
mod pair;
mod token;
mod value;

pub use key::is_secret_key;
pub use value::is_secret_value;

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

/// A pattern of this file's own, with a group `head` that stays and a group `secret` that goes; the tests see to it that
/// each compiles.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// `scheme://user:password@`: the password is whatever stands between the first colon and the last `@` before a slash.
static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:'\x22\[]*:)(?P<secret>[^\s/'\x22]+)@")
});

/// The same where the password holds a slash that should have been escaped; a port before the slash makes it a path.
static URL_WITH_SLASH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:'\x22\[]*:)(?P<secret>[^\s/'\x22@]*/[^\s'\x22@]*)@",
    )
});

/// `-u user:password`, `--user user:password`, `-U user%password`.
static USER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?P<head>(?:^|\s)(?:(?:-u|--user|--proxy-user)[ =]['\x22]?[^\s:/'\x22]+:|-U[ =]?['\x22]?[^\s%'\x22]+%))(?P<secret>[^\s/:'\x22][^\s'\x22]*)",
    )
});

/// `-pPASSWORD` right behind the name of a tool that takes it so (mysql and its kin), `redis-cli -a PASSWORD`, and tools
/// that take `-p PASSWORD` after `-u NAME`.
static SHORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?P<head>\b(?:[a-z]+dump|[a-z]*sql(?:admin|check|import)?|maria[a-z-]*)\s(?:[^|;&\n]*\s)?-p|-cli\s(?:[^|;&\n]*\s)?-a\s+|\b[a-z]+pass\s+-p\s*|\bldap[a-z]*\s(?:[^|;&\n]*\s)?-w\s*|\s-u\s+[^\s-][^\s]*\s+-p\s+)(?P<secret>\x22[^\x22]+\x22|'[^']+'|[^\s'\x22-][^\s]*)",
    )
});

/// `pass:PASSWORD`, as openssl's pass phrase arguments are written.
static ARGUMENT: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(?P<head>\s['\x22]?pass:)(?P<secret>[^\s'\x22]+)"));

/// `echo user:password | chpasswd`.
static PIPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?P<head>\becho\s+(?:-\w+\s+)?['\x22]?[^\s:'\x22]+:)(?P<secret>[^\s'\x22|]+)['\x22]?\s*\|[^|]*\bchpasswd\b",
    )
});

/// The value of a setting or variable named `key`, its secret taken out.
pub fn redact<'a>(key: Option<&str>, value: &'a str) -> Redacted<'a> {
    if let Some(key) = key.filter(|key| is_secret_key(key))
        && is_secret_value(value)
    {
        // What a connection string tells but for its password are facts, whatever it is called.
        let inside = redact_line(value);
        if inside.kind == Some("connection-string") {
            return inside;
        }
        return Redacted {
            text: Cow::Borrowed(MASK),
            kind: Some(key::kind_of(key)),
        };
    }
    redact_line(value)
}

/// Free text with every recognisable secret taken out.
pub fn redact_line(text: &str) -> Redacted<'_> {
    let mut out = Cow::Borrowed(text);
    let mut kind = None;
    for (regex, name) in [
        (&URL, "connection-string"),
        (&URL_WITH_SLASH, "connection-string"),
        (&USER, "password"),
        (&SHORT, "password"),
        (&ARGUMENT, "password"),
        (&PIPED, "password"),
    ] {
        let masked = regex.as_ref().and_then(|regex| mask(regex, &out));
        if let Some(masked) = masked {
            out = Cow::Owned(masked);
            kind = kind.or(Some(name));
        }
    }
    if let Some(masked) = pair::redact(&out) {
        out = Cow::Owned(masked);
        kind = kind.or(Some("password"));
    }
    if let Some((masked, name)) = token::redact(&out) {
        out = Cow::Owned(masked);
        kind = kind.or(Some(name));
    }
    Redacted { text: out, kind }
}

/// Every match's `secret` masked, the rest as it was; `None` where nothing was a secret.
fn mask(regex: &Regex, text: &str) -> Option<String> {
    let mut hit = false;
    let masked = regex.replace_all(text, |captures: &Captures<'_>| {
        let whole = group(captures, 0);
        let (head, secret) = (named(captures, "head"), named(captures, "secret"));
        let tail = whole.get(head.len() + secret.len()..).unwrap_or_default();
        if is_secret_value(secret) && !is_number(head, secret) {
            hit = true;
            format!("{head}{MASK}{tail}")
        } else {
            whole.to_owned()
        }
    });
    let masked = masked.into_owned();
    hit.then_some(masked)
}

/// A port (`http://x:80/a@b`, `-p 5432`) or a pair of numeric ids (`-u 1000:1000`) where a password could stand.
fn is_number(head: &str, secret: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let port = secret.split_once('/').map_or("", |(port, _)| port);
    let user = head.trim_end_matches(':').rsplit([' ', '=']).next();
    digits(port)
        || (digits(secret) && (head.trim_end().ends_with("-p") && head.ends_with(' ')))
        || (digits(secret) && head.ends_with(':') && user.is_some_and(digits))
}

fn group<'a>(captures: &'a Captures<'_>, index: usize) -> &'a str {
    captures.get(index).map_or("", |found| found.as_str())
}

fn named<'a>(captures: &'a Captures<'_>, name: &str) -> &'a str {
    captures.name(name).map_or("", |found| found.as_str())
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
            [&URL, &URL_WITH_SLASH, &USER, &SHORT, &ARGUMENT, &PIPED]
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
        assert_eq!(
            line("amqp://shop:a/b@mq:5672/x"),
            "amqp://shop:[redacted]@mq:5672/x"
        );
        assert_eq!(
            redact(Some("SECRET_DSN"), "redis://:geheim@h/1").text,
            "redis://:[redacted]@h/1"
        );
        for text in ["http://127.0.0.1:8000/a@b", "http://[::1]:80/a@b"] {
            assert_eq!(redact_line(text).kind, None, "{text}");
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
        for (text, wanted) in [
            ("x-dump -u a -p geheim db", "x-dump -u a -p [redacted] db"),
            (
                "mysqldump -u root -p'a b' shop",
                "mysqldump -u root -p[redacted] shop",
            ),
            ("sshpass -p geheim ssh x", "sshpass -p [redacted] ssh x"),
            ("curl -u 'bob:ge/heim' x", "curl -u 'bob:[redacted]' x"),
            (
                "a; ldapsearch -x -w geheim -b y",
                "a; ldapsearch -x -w [redacted] -b y",
            ),
            (
                "openssl enc -pass pass:geheim",
                "openssl enc -pass pass:[redacted]",
            ),
            (
                "echo 'root:geheim' | chpasswd",
                "echo 'root:[redacted]' | chpasswd",
            ),
            ("smb -U bob%geheim //x/y", "smb -U bob%[redacted] //x/y"),
        ] {
            assert_eq!(line(text), wanted);
            assert_eq!(redact_line(wanted).kind, None, "{wanted}");
        }
        for text in [
            "nginx -p /srv -c x",
            "psql -u a -p 5432",
            "run -u 1000:1000 x",
            "sudo -u shop mkdir -p a",
        ] {
            assert_eq!(redact_line(text).kind, None, "{text}");
        }
    }

    #[test]
    fn the_mask_itself_hides_nothing_else() {
        assert_eq!(
            line("A=[redacted] DB_PASSWORD=geheim"),
            "A=[redacted] DB_PASSWORD=[redacted]"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(key in ".{0,20}", text in ".{0,200}") {
            let _ = redact(Some(&key), &text);
        }
    }
}
