//! Secrets that stand by position: `curl -u user:password`, `stats auth user:password`, `machine … login … password …`.

use super::data::{DATA, Place};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Longest line a pattern is tried on, in bytes; a line's further part is tried apart.
const LONGEST: usize = 4096;

/// An automaton of markers, and the patterns of each marker.
struct Places {
    markers: AhoCorasick,
    of: Vec<Vec<usize>>,
}

static PATTERNS: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| {
    DATA.places
        .iter()
        .map(|place| Regex::new(&format!("(?m){}", place.pattern)).ok())
        .collect()
});

static ALL: LazyLock<Option<Places>> = LazyLock::new(|| places(|_| true));
static SETTINGS: LazyLock<Option<Places>> = LazyLock::new(|| places(|place| !place.command));

fn places(of: impl Fn(&Place) -> bool) -> Option<Places> {
    let mut markers: Vec<&str> = Vec::new();
    let mut patterns: Vec<Vec<usize>> = Vec::new();
    for (at, place) in DATA
        .places
        .iter()
        .enumerate()
        .filter(|(_, place)| of(place))
    {
        for marker in &place.markers {
            let known = markers.iter().position(|known| known == marker);
            if let Some(known) = known {
                patterns.get_mut(known)?.push(at);
            } else {
                markers.push(marker);
                patterns.push(vec![at]);
            }
        }
    }
    let markers = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(markers)
        .ok()?;
    Some(Places {
        markers,
        of: patterns,
    })
}

/// Where each such secret stands, and its kind.
pub(super) fn find(text: &[u8], is_command: bool) -> Vec<(Range<usize>, &'static str)> {
    let mut all: Vec<(Range<usize>, &'static str)> = Vec::new();
    let Some(places) = (if is_command {
        ALL.as_ref()
    } else {
        SETTINGS.as_ref()
    }) else {
        return all;
    };
    let mut tried: Vec<(usize, usize)> = Vec::new();
    for hit in places.markers.find_overlapping_iter(text) {
        let line = line(text, hit.start());
        for pattern in places
            .of
            .get(hit.pattern().as_usize())
            .into_iter()
            .flatten()
        {
            // Hits come in order: only the last line's tries need to be known.
            tried.retain(|(start, _)| *start == line.start);
            if tried.contains(&(line.start, *pattern)) {
                continue;
            }
            tried.push((line.start, *pattern));
            let Some(regex) = PATTERNS.get(*pattern).and_then(Option::as_ref) else {
                continue;
            };
            let part = text.get(line.clone()).unwrap_or_default();
            for captures in regex.captures_iter(part) {
                if let Some(secret) = captures.name("secret") {
                    let at = line.start + secret.start()..line.start + secret.end();
                    if !is_number(part, &captures, secret.as_bytes()) {
                        all.push((at, "password"));
                    }
                }
            }
        }
    }
    all
}

/// A port (`-u a -p 5432`), or a pair of numeric ids (`-u 1000:1000`), where a password could stand.
fn is_number(line: &[u8], captures: &regex::bytes::Captures<'_>, secret: &[u8]) -> bool {
    // `-p 5432`, `-p 127.0.0.1:8080:80/tcp`; six digits and more are no port.
    let ports = secret
        .strip_suffix(b"/tcp")
        .or_else(|| secret.strip_suffix(b"/udp"))
        .unwrap_or(secret);
    let is_port =
        |part: &[u8]| part.len() < 6 && part.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    let are_ports = ports
        .split(|byte| matches!(byte, b':' | b'-'))
        .all(|part| is_port(part) || memchr::memchr_iter(b'.', part).count() == 3);
    if secret.is_empty() || !are_ports {
        return false;
    }
    let start = captures.name("secret").map_or(0, |found| found.start());
    let before = line.get(..start).unwrap_or_default();
    let user = before.strip_suffix(b":").map(|before| {
        let digits = before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        digits > 0
            && before
                .iter()
                .rev()
                .nth(digits)
                .is_none_or(|byte| b" =\"'".contains(byte))
    });
    before.trim_ascii_end().ends_with(b"-p") && before.ends_with(b" ") || user == Some(true)
}

/// The line around a place, no longer than a pattern is tried on.
fn line(text: &[u8], at: usize) -> Range<usize> {
    let from = at.saturating_sub(LONGEST / 2);
    let before = text.get(from..at).unwrap_or_default();
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(from, |found| from + found + 1);
    let to = text.len().min(at + LONGEST / 2);
    let end = memchr::memchr2(b'\n', b'\r', text.get(at..to).unwrap_or_default())
        .map_or(to, |found| at + found);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_has_its_group() {
        for (place, regex) in DATA.places.iter().zip(PATTERNS.iter()) {
            let names = regex.as_ref().unwrap().capture_names();
            assert!(
                names.flatten().any(|name| name == "secret"),
                "{}",
                place.pattern
            );
        }
        assert!(ALL.is_some() && SETTINGS.is_some());
    }

    #[test]
    fn by_position() {
        let all = |text: &str, is_command| -> Vec<String> {
            let found = find(text.as_bytes(), is_command).into_iter();
            found
                .filter_map(|(at, _)| text.get(at).map(str::to_owned))
                .collect()
        };
        for (text, wanted) in [
            ("  stats auth admin:s3cret", "s3cret"),
            ("machine h login u password s3cret", "s3cret"),
            ("sentinel auth-pass main s3cret", "s3cret"),
            ("user default on >s3cret ~* +@all", "s3cret"),
            ("CREATE USER x IDENTIFIED BY 's3cret';", "s3cret"),
            ("ALTER ROLE x WITH PASSWORD 's3cret'", "s3cret"),
            ("rocommunity s3cret 10.0.0.0/8", "s3cret"),
            ("createUser bob SHA \"s3cret x\" AES", "\"s3cret x\""),
            ("%any : PSK \"s3cret\"", "\"s3cret\""),
        ] {
            assert_eq!(all(text, false), [wanted], "{text}");
        }
        assert_eq!(all("curl -u bob:geheim x", true), ["geheim"]);
        for text in [
            "nginx -p /srv -c x",
            "psql -u a -p 5432",
            "run -u 1000:1000 x",
            "sudo -u shop mkdir -p a",
        ] {
            assert!(all(text, true).is_empty(), "{text}");
        }
    }
}
