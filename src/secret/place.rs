//! Secrets that stand by position: `curl -u user:password`, `stats auth user:password`, `machine … login … password …`.

use super::data::DATA;
use super::sieve::{Hit, What};
use regex::bytes::{Regex, RegexBuilder};
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

/// Longest line a pattern is tried on, in bytes; a line's further part is tried apart.
pub(super) const LONGEST: usize = 4096;

/// The patterns, each made where one of its markers is met: most machines have few of them.
static PATTERNS: LazyLock<Vec<OnceLock<Option<Regex>>>> =
    LazyLock::new(|| DATA.places.iter().map(|_| OnceLock::new()).collect());

fn pattern(place: usize) -> Option<&'static Regex> {
    let made = || {
        let pattern = &DATA.places.get(place)?.pattern;
        let mut builder = RegexBuilder::new(pattern);
        builder.multi_line(true).unicode(false).build().ok()
    };
    PATTERNS.get(place)?.get_or_init(made).as_ref()
}

/// Tries patterns on the lines of a text, each once a line.
#[derive(Default)]
pub(super) struct Places {
    /// How far each pattern was tried.
    tried: Vec<(usize, usize)>,
    /// What patterns of several lines found last.
    found: Vec<(usize, usize)>,
}

impl Places {
    /// What the pattern of a hit finds on its line. Hits come in order.
    pub fn at(
        &mut self,
        text: &[u8],
        hit: Hit,
        is_command: bool,
        mut found: impl FnMut(Range<usize>, &'static str),
    ) {
        let What::Place(place) = hit.what else {
            return;
        };
        let Some(known) = DATA.places.get(place) else {
            return;
        };
        if known.command && !is_command {
            return;
        }
        // Only the last line's tries need to be known.
        self.tried.retain(|(_, until)| *until > hit.start);
        if self.tried.iter().any(|(known, _)| *known == place) {
            return;
        }
        // A marker may begin with the end of the line before.
        let mark = hit.end.saturating_sub(1);
        let line = line(text, mark);
        // Of a line that is cut, what is near its end is tried again with what is behind.
        let is_cut = line.end.saturating_sub(mark) >= LONGEST / 2;
        let until = line.end - if is_cut { LONGEST / 4 } else { 0 };
        self.tried.push((place, until));
        let Some(regex) = pattern(place) else {
            return;
        };
        let end = lines(text, line.end, known.lines);
        self.found.retain(|(_, start)| *start >= line.start);
        let part = text.get(line.start..end).unwrap_or_default();
        for captures in regex.captures_iter(part) {
            let Some(secret) = captures.name("secret") else {
                continue;
            };
            let at = line.start + secret.start()..line.start + secret.end();
            let is_known = known.lines > 0 && self.found.contains(&(place, at.start));
            if is_known || is_number(part, &captures, secret.as_bytes()) {
                continue;
            }
            if known.lines > 0 {
                self.found.push((place, at.start));
            }
            found(at, "password");
        }
    }
}

/// Where each such secret stands among these hits, and its kind.
pub(super) fn all(
    text: &[u8],
    hits: &[Hit],
    is_command: bool,
) -> Vec<(Range<usize>, &'static str)> {
    let mut places = Places::default();
    let mut all = Vec::new();
    for hit in hits {
        places.at(text, *hit, is_command, |at, kind| all.push((at, kind)));
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

/// So many lines on.
fn lines(text: &[u8], end: usize, count: usize) -> usize {
    let rest = text.get(end..text.len().min(end + LONGEST / 2));
    let mut ends = memchr::memchr_iter(b'\n', rest.unwrap_or_default());
    match count {
        0 => end,
        // The first is the line's own end.
        count => ends
            .nth(count)
            .map_or(end + rest.map_or(0, <[u8]>::len), |length| end + length),
    }
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
        for (at, place) in DATA.places.iter().enumerate() {
            let names = pattern(at).unwrap().capture_names();
            assert!(
                names.flatten().any(|name| name == "secret"),
                "{}",
                place.pattern
            );
        }
    }

    #[test]
    fn by_position() {
        let all = |text: &str, is_command| -> Vec<String> {
            let hits = crate::secret::sieve::all(text.as_bytes());
            let found = all(text.as_bytes(), &hits, is_command).into_iter();
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
