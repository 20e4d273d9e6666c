//! Passwords in URLs: `scheme://user:password@host`.

use super::sieve::{Hit, What};
use std::ops::Range;

/// Longest word that is looked through for its end, in bytes.
const FAR: usize = 2048;

/// Where the password of the URL stands whose `://` ends at `start`: from the first colon behind the user to the last `@` of the word,
/// since a password may hold any of `/`, `:` and `@` though it should not.
pub(super) fn at(text: &[u8], start: usize) -> Option<Range<usize>> {
    let before = text.get(..start.checked_sub(3)?)?;
    if !before.last().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let word = text.get(start..text.len().min(start + FAR))?;
    let quote = open_quote(text, start);
    let mut skip = false;
    let ends = |byte: &u8| {
        let ends = byte.is_ascii_whitespace() || (quote == Some(*byte) && !skip);
        skip = *byte == b'\\' && !skip;
        ends
    };
    let mut word = word.get(..word.iter().position(ends).unwrap_or(word.len()))?;
    // Without a quote of its own it ends with one behind its host; a password may hold one.
    let closes = |byte: &u8| quote.is_none() && matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`');
    if let Some(head) = word.iter().position(closes).and_then(|end| word.get(..end))
        && head.contains(&b'@')
    {
        word = head;
    }
    let at = password(word)?;
    Some(start + at.start..start + at.end)
}

/// Of each URL among these hits.
pub(super) fn all<'a>(text: &'a [u8], hits: &'a [Hit]) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut done = 0;
    let hits = hits.iter().filter(|hit| hit.what == What::Url);
    hits.filter_map(move |hit| {
        let at = (hit.start >= done).then(|| at(text, hit.end))??;
        done = at.end;
        Some(at)
    })
}

/// The quote that the URL's word begins with, if it does.
fn open_quote(text: &[u8], start: usize) -> Option<u8> {
    let before = text.get(start.saturating_sub(48)..start)?;
    let word = before
        .iter()
        .rev()
        .find(|byte| !(byte.is_ascii_alphanumeric() || b"+-.:/".contains(byte)))?;
    matches!(word, b'"' | b'\'' | b'`').then_some(*word)
}

/// Whether the URL stands in single quotes.
pub(super) fn is_literal(text: &[u8], start: usize) -> bool {
    open_quote(text, start) == Some(b'\'')
}

/// Within what follows `://`.
fn password(word: &[u8]) -> Option<Range<usize>> {
    let first = word.first()?;
    let last = memchr::memrchr(b'@', word)?;
    let before = word.get(..last)?;
    let colon = memchr::memchr(b':', before)?;
    let user = before.get(..colon)?;
    let secret = before.get(colon + 1..)?;
    // `[::1]:80/a@b`, `host/a:b@c`, and a port: `host:80/a@b`.
    let host = word.get(last + 1..)?;
    // `http://(user:password@)host`
    let is_place = matches!(*first, b'[' | b'(')
        || user.contains(&b'/')
        || user.contains(&b'@')
        || host.is_empty();
    let port = secret
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let is_port = port > 0 && secret.get(port) == Some(&b'/');
    // `user@host:port,user@host:port`
    (!is_place && !is_port && !secret.is_empty()).then_some(colon + 1..last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(text: &str) -> Vec<&str> {
        let hits = crate::secret::sieve::all(text.as_bytes());
        let all = all(text.as_bytes(), &hits);
        all.filter_map(|at| text.get(at)).collect()
    }

    #[test]
    fn passwords_of_urls() {
        for (text, wanted) in [
            ("postgresql://shop:s3:cr@et@127.0.0.1:5433/shop", "s3:cr@et"),
            ("redis://:hunter2@localhost:6380/0", "hunter2"),
            ("amqp://shop:a/b@mq:5672/x", "a/b"),
            ("URL='mysql://a:b\"c@h/d' x", "b\"c"),
            ("a<url>ftp://u:p@h</url>", "p"),
        ] {
            assert_eq!(passwords(text), [wanted], "{text}");
        }
        for text in [
            "http://127.0.0.1:8000/a@b",
            "http://[::1]:80/a@b",
            "https://x/y:z@w",
            "mailto://a@b",
            "https://u@h:80/",
            "://a:b@c",
        ] {
            assert!(passwords(text).is_empty(), "{text}");
        }
    }
}
