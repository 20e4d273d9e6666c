//! A line that is shown: every secret in it masked to its end. In doubt too much goes, for it costs a fact and not a password.

use super::grammar::{self, Given, How, Style};
use super::key::{self, Telling};
use super::search::name_at;
use super::sieve::{self, Hit, What};
use super::{MASK, Redacted, place, token, url, value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// Free text with every recognisable secret taken out.
pub fn redact_line(text: &str) -> Redacted<'_> {
    let bytes = text.as_bytes();
    let hits = sieve::all(bytes);
    if hits.is_empty() {
        return shown(text);
    }
    let mut spans: Vec<(Range<usize>, &'static str)> = Vec::new();
    let passwords = url::all(bytes, &hits).map(|at| (at, "connection-string"));
    spans.extend(passwords.filter(|(at, _)| is_secret(text, at)));
    for form in token::all(bytes, &hits) {
        let end = if form.kind == "private-key" {
            form.at.end
        } else {
            word_end(bytes, form.at.end)
        };
        spans.push((form.at.start..end, form.kind));
    }
    for (at, kind) in place::all(bytes, &hits, true) {
        let at = whole_characters(text, at);
        if is_secret(text, &at) {
            let at = quoted_end(bytes, at);
            spans.push((at, kind));
        }
    }
    named(text, &hits, &mut spans);
    if spans.is_empty() {
        return shown(text);
    }
    let kind = spans.first().map(|(_, kind)| *kind);
    again(text, &mut spans);
    Redacted {
        text: Cow::Owned(masked(text, spans)),
        kind,
    }
}

/// A text with nothing to hide.
fn shown(text: &str) -> Redacted<'_> {
    Redacted {
        text: Cow::Borrowed(text),
        kind: None,
    }
}

/// A span of bytes, widened to the characters that it cuts.
fn whole_characters(text: &str, at: Range<usize>) -> Range<usize> {
    text.floor_char_boundary(at.start)..text.ceil_char_boundary(at.end)
}

/// Values of secrets' names.
fn named(text: &str, hits: &[Hit], spans: &mut Vec<(Range<usize>, &'static str)>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for hit in hits.iter().filter(|hit| hit.what == What::Name) {
        if hit.start < done {
            continue;
        }
        let name = name_at(bytes, hit.start, hit.end);
        done = name.end;
        let Some(key) = text.get(name.clone()) else {
            continue;
        };
        let telling = key::telling(key);
        if telling == Telling::No {
            continue;
        }
        let Some(given) = grammar::given(bytes, &name, Style::Shown) else {
            let rows = grammar::columns(bytes, &name).into_iter();
            let rows = rows.filter(|at| telling == Telling::Strong && is_secret(text, at));
            spans.extend(rows.map(|at| (with_quotes(bytes, at), "password")));
            continue;
        };
        let lower = key.to_ascii_lowercase();
        let given = if lower.ends_with("authorization") {
            whole_header(bytes, given)
        } else {
            given
        };
        let Some(word) = text.get(given.value.clone()) else {
            continue;
        };
        let is_real = value::is_secret_value(word)
            && match telling {
                Telling::Number => value::is_digits(word),
                telling => telling == Telling::Strong || value::is_random(word),
            };
        // What was masked in part before keeps its facts.
        let start = given.value.start;
        let is_masked = word.contains(MASK)
            || [start, start.saturating_sub(1)]
                .iter()
                .any(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(MASK)))
            || spans
                .iter()
                .any(|(at, kind)| *kind == "connection-string" && given.value.contains(&at.start));
        if is_real && !is_masked {
            let at = match given.how {
                How::Quoted(_) => with_quotes(bytes, given.value),
                _ => given.value,
            };
            done = at.end;
            spans.push((at, "password"));
        }
    }
}

fn is_secret(text: &str, at: &Range<usize>) -> bool {
    text.get(at.clone()).is_some_and(value::is_secret_value)
}

/// A header's credentials: the scheme and what follows, to the quote or the end.
fn whole_header(text: &[u8], given: Given) -> Given {
    if matches!(given.how, How::Quoted(_)) {
        return given;
    }
    let rest = text.get(given.value.start..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\'' | b'\n' | b'\r'))
        .unwrap_or(rest.len());
    Given {
        value: given.value.start..given.value.start + length,
        how: given.how,
    }
}

/// What is a secret in one place of a line is one in each: `-k s3cret --token=s3cret`.
fn again(text: &str, spans: &mut Vec<(Range<usize>, &'static str)>) {
    const LEAST: usize = 8;
    let known: BTreeSet<&str> = spans
        .iter()
        .filter_map(|(at, _)| text.get(at.clone()))
        .map(|word| word.trim_matches(['"', '\'', '`']))
        .filter(|word| word.len() >= LEAST && !value::is_message(word))
        .take(32)
        .collect();
    let more: Vec<Range<usize>> = known
        .into_iter()
        .flat_map(|word| text.match_indices(word))
        .map(|(start, word)| start..start + word.len())
        .collect();
    spans.extend(
        more.into_iter()
            .map(|at| (with_quotes(text.as_bytes(), at), "password")),
    );
}

/// The quotes around a value go with it; those written with a backslash too.
fn with_quotes(text: &[u8], value: Range<usize>) -> Range<usize> {
    let is_quote = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'`'))
    };
    let is_slash = |at: Option<usize>| at.and_then(|at| text.get(at)) == Some(&b'\\');
    let mut at = value;
    while is_quote(at.start.checked_sub(1))
        && (is_quote(Some(at.end)) || (is_slash(Some(at.end)) && is_quote(Some(at.end + 1))))
    {
        if is_slash(Some(at.end)) {
            at = at.start - 1 - usize::from(is_slash(at.start.checked_sub(2)))..at.end + 2;
        } else {
            at = at.start - 1..at.end + 1;
        }
    }
    at
}

/// Where a word ends that a form was found in: `AKIA…:SECRET` is one secret.
fn word_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\'' | b'<' | b'>' | b',' | b';' | b')' | b'}' | b']' | b'|'
            )
    };
    at + rest.iter().position(ends).unwrap_or(rest.len())
}

/// A password by position in a quoted word goes on to the word's end: `-u "bob:a b"`.
fn quoted_end(text: &[u8], at: Range<usize>) -> Range<usize> {
    let before = text.get(..at.start).unwrap_or_default();
    let word = before
        .iter()
        .rposition(u8::is_ascii_whitespace)
        .map_or(0, |at| at + 1);
    let quote = before
        .get(word..)
        .unwrap_or_default()
        .iter()
        .find(|byte| matches!(byte, b'"' | b'\''));
    let rest = text.get(at.start..).unwrap_or_default();
    let end = if let Some(quote) = quote {
        memchr::memchr(*quote, rest).map_or(text.len(), |length| at.start + length)
    } else if matches!(rest.first(), Some(b'"' | b'\'')) {
        // `'it'\\''s'`: a shell's word goes on behind a quoted part of it.
        shell_word(text, at.end)
    } else {
        let mut skip = false;
        let ends = |byte: &u8| {
            let ends = !skip && byte.is_ascii_whitespace();
            skip = *byte == b'\\' && !skip;
            ends
        };
        at.start + rest.iter().position(ends).unwrap_or(rest.len())
    };
    let within = before.get(word..).unwrap_or_default().contains(&b'|');
    at.start..if within { at.end } else { end.max(at.end) }
}

/// The end of a shell's word of which the part before `at` was quoted.
fn shell_word(text: &[u8], at: usize) -> usize {
    let (mut open, mut skip) = (None, false);
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.iter().position(|byte| {
        if skip {
            skip = false;
            return false;
        }
        match (open, byte) {
            (Some(quote), byte) if quote == *byte => open = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => open = Some(*byte),
            (None, b'\\') => skip = true,
            (None, byte) => return byte.is_ascii_whitespace() || b"|&;()<>,]".contains(byte),
        }
        false
    });
    at + length.unwrap_or(rest.len())
}

/// The spans, joined where they meet, each replaced by one mask.
fn masked(text: &str, mut spans: Vec<(Range<usize>, &'static str)>) -> String {
    spans.sort_by_key(|(at, _)| (at.start, at.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in spans {
        if at.end <= done {
            continue;
        }
        if at.start >= done {
            out.push_str(text.get(done..at.start).unwrap_or_default());
            out.push_str(MASK);
        }
        done = at.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::redact;

    fn line(text: &str) -> String {
        redact_line(text).text.into_owned()
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
                "openssl enc -pass [redacted]",
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
    fn what_a_variable_holds_is_shown_whole() {
        for text in [
            "run --password=${P} x",
            "run --password ${P} x",
            "run --password=\"${P}\" x",
            "run -p ${P} --user a",
        ] {
            let shown = line(text);
            assert!(
                shown == text
                    || shown
                        .replace(['"', '='], " ")
                        .split_whitespace()
                        .all(|word| !word.contains(['{', '}'])),
                "{shown}"
            );
        }
        assert_eq!(line("mysql -p'it'\\''s9 a' x"), "mysql -p[redacted] x");
        assert_eq!(
            redact(Some("BASIC_AUTH"), "admin:q:x:8").text,
            "admin:[redacted]"
        );
    }

    #[test]
    fn the_mask_itself_hides_nothing_else() {
        assert_eq!(
            line("A=[redacted] DB_PASSWORD=geheim"),
            "A=[redacted] DB_PASSWORD=[redacted]"
        );
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
            assert_eq!(line(text), wanted, "{text}");
            assert_eq!(redact_line(wanted).kind, None, "{wanted}");
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
            assert_eq!(redact_line(text).kind, None, "{text}");
        }
    }

    #[test]
    fn nothing_is_left_of_a_secret() {
        for (text, secret) in [
            (
                "TLS_KEY=\"-----BEGIN PRIVATE KEY-----\\nMIIgeheim\\n-----END PRIVATE KEY-----\\n\"",
                "geheim",
            ),
            ("-----BEGIN RSA PRIVATE KEY----- MIIgeheim", "geheim"),
            ("AWS=AKIAIOSFODNN7EXAMPLE:geheim/x+y", "geheim"),
            ("PGPASSWORD=a\\ geheim psql", "geheim"),
            ("curl -u \"bob:a geheim\" https://x", "geheim"),
            ("curl -u \"bob:geheim'x\" https://x", "geheim"),
            ("sh -c \"mysql -p'a geheim' x\"", "geheim"),
            ("sh -c 'PGPASSWORD=\"a geheim\" psql'", "geheim"),
            ("app --password \"a \\\" geheim\" x", "geheim"),
            ("app --password='it'\\''s geheim' x", "geheim"),
            ("{\\\"password\\\": \\\"geheim\\\"}", "geheim"),
            ("postgres://u:a'geheim@h/d", "geheim"),
            ("requirepass geheim", "geheim"),
            ("password = a geheim", "geheim"),
            ("SetEnv DB_PASSWORD \"geheim\"", "geheim"),
            ("Authorization: Token geheim", "geheim"),
            ("${DB_PASSWORD:-geheim}", "geheim"),
        ] {
            let shown = line(text);
            assert!(!shown.contains(secret), "{text} → {shown}");
            assert!(shown.contains(MASK), "{text} → {shown}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(key in ".{0,20}", text in ".{0,200}") {
            let _ = redact(Some(&key), &text);
        }
    }
}
