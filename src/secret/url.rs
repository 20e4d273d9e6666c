//! Passwords in URLs: `scheme://user:password@host`.

use std::ops::Range;

/// Longest word that is looked through for its end, in bytes.
const FAR: usize = 2048;

/// Where each password stands: from the first colon behind the user to the last `@` of the word, since a password may hold
/// any of `/`, `:` and `@` though it should not.
pub(super) fn find(text: &[u8]) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut from = 0;
    let finder = memchr::memmem::Finder::new(b"://");
    while let Some(hit) = text.get(from..).and_then(|rest| finder.find(rest)) {
        let start = from + hit + 3;
        from = start;
        let has_scheme = text
            .get(..start - 3)
            .and_then(|before| before.last())
            .is_some_and(u8::is_ascii_alphanumeric);
        if !has_scheme {
            continue;
        }
        let word = text
            .get(start..text.len().min(start + FAR))
            .unwrap_or_default();
        let quote = open_quote(text, start);
        let ends = |byte: &u8| byte.is_ascii_whitespace() || quote == Some(*byte);
        let mut word = word
            .get(..word.iter().position(ends).unwrap_or(word.len()))
            .unwrap_or_default();
        // Without a quote of its own it ends with one behind its host; a password may hold one.
        let closes =
            |byte: &u8| quote.is_none() && matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`');
        if let Some(head) = word.iter().position(closes).and_then(|end| word.get(..end))
            && head.contains(&b'@')
        {
            word = head;
        }
        if let Some(at) = password(word) {
            from = start + at.end;
            all.push(start + at.start..start + at.end);
        }
    }
    all
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
    let is_place =
        *first == b'[' || user.contains(&b'/') || user.contains(&b'@') || host.is_empty();
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

    fn all(text: &str) -> Vec<&str> {
        find(text.as_bytes())
            .into_iter()
            .filter_map(|at| text.get(at))
            .collect()
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
            assert_eq!(all(text), [wanted], "{text}");
        }
        for text in [
            "http://127.0.0.1:8000/a@b",
            "http://[::1]:80/a@b",
            "https://x/y:z@w",
            "mailto://a@b",
            "https://u@h:80/",
            "://a:b@c",
        ] {
            assert!(all(text).is_empty(), "{text}");
        }
    }
}
