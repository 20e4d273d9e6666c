//! What changes from one answer to the next is taken out before answers are compared: told by asking twice, and dates and
//! times by their form. What is kept as text has its secrets and long tokens taken out too.

use crate::path::sanitise;
use crate::secret::{MASK, redact_line};
use sha2::{Digest, Sha256};

/// Stands for what changes.
const CHANGES: &str = "…";

/// Pieces of a body that are told apart; what follows is one more.
const MOST_PIECES: usize = 2_000;

/// Longest text that is kept, in characters.
const LONGEST: usize = 300;

/// A token of this many letters and digits, mixed, is taken for one that is made anew or is secret.
const LONG: usize = 16;

/// A body that can be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// Each piece, `None` for one that changes.
    pub pieces: Vec<Option<String>>,
}

impl Body {
    /// Of two answers to the same question.
    pub fn of(first: &[u8], second: &[u8]) -> Self {
        let (first, second) = (pieces(first), pieces(second));
        let same = |(a, b): &(&String, &String)| a == b;
        if first.len() == second.len() {
            let both = first.iter().zip(&second);
            let pieces = both.map(|pair| same(&pair).then(|| pair.0.clone()));
            return Self {
                pieces: pieces.collect(),
            };
        }
        // Something is longer now: what is before and behind it stays.
        let shorter = first.len().min(second.len());
        let before = first.iter().zip(&second).take_while(same).count();
        let behind = first.iter().rev().zip(second.iter().rev());
        let behind = behind.take(shorter - before).take_while(same).count();
        let kept = first.iter().take(before).cloned().map(Some);
        let last = first.iter().skip(first.len() - behind).cloned().map(Some);
        Self {
            pieces: kept.chain([None]).chain(last).collect(),
        }
    }

    /// SHA-256 of all of it.
    pub fn digest(&self) -> String {
        let mut all = Sha256::new();
        for piece in &self.pieces {
            all.update(piece.as_deref().unwrap_or(CHANGES));
            all.update([0]);
        }
        hex(&all.finalize(), 64)
    }

    /// The digests of pieces, in short.
    pub fn short(&self) -> String {
        let digests = self.pieces.iter().map(|piece| {
            piece.as_ref().map_or_else(
                || "~".to_owned(),
                |piece| hex(&Sha256::digest(piece.as_bytes()), 8),
            )
        });
        digests.collect::<Vec<_>>().join(" ")
    }
}

fn hex(bytes: &[u8], digits: usize) -> String {
    let mut text = String::new();
    for byte in bytes {
        let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or('0');
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text.truncate(digits);
    text
}

/// A body cut where markup, data and text have their ends, with times taken out.
fn pieces(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let mut found = Vec::new();
    let mut rest: &str = &text;
    while !rest.is_empty() {
        let inner = rest.char_indices().skip(1);
        let mut ends = inner.filter(|(at, c)| {
            let ended = rest.get(..*at).unwrap_or_default();
            *c == '<' || ended.ends_with(['\n', ','])
        });
        let end = ends
            .next()
            .filter(|_| found.len() < MOST_PIECES)
            .map_or(rest.len(), |(at, _)| at);
        let (piece, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let piece = piece.trim();
        if !piece.is_empty() {
            found.push(timeless(piece));
        }
        rest = behind;
    }
    found
}

/// A text without the dates and times in it.
fn timeless(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for word in words(text) {
        if is_time(word) {
            kept.push_str(CHANGES);
        } else {
            kept.push_str(word);
        }
    }
    kept
}

/// Runs of what belongs together, and everything between them, in order.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "-:._+".contains(c);
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| belongs(c) != belongs(first));
        let (word, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = behind;
        Some(word)
    })
}

/// `2026-11-28`, `16:46:00`, `2026-11-28T16:46:00.123Z`, `1795884360` (seconds or milliseconds since 1970), and what stands
/// around them in the dates of mails: `Sat`, `28`, `Nov` are left.
fn is_time(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':', '-']);
    let shape: String = word
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    let is_epoch = shape.chars().all(|c| c == '9' || c == '.')
        && matches!(shape.split('.').next().map(str::len), Some(10 | 13))
        && word.starts_with(['1', '2']);
    is_epoch
        || shape.starts_with("9999-99-99")
        || shape == "99:99"
        || shape.starts_with("99:99:99")
        || shape.starts_with("9:99:99")
}

/// What stays of a text that is kept as it is: times and long tokens go, secrets too, and what no terminal should be sent.
pub fn kept(text: &str) -> String {
    let short: String = text.chars().take(LONGEST * 4).collect();
    let redacted = redact_line(&short).text.into_owned();
    let mut kept = String::new();
    for word in words(&redacted) {
        if is_time(word) || is_token(word) {
            kept.push_str(CHANGES);
        } else {
            kept.push_str(word);
        }
    }
    sanitise(&kept).chars().take(LONGEST).collect()
}

/// Long, and letters and digits mixed: nobody's word.
fn is_token(word: &str) -> bool {
    if word == MASK {
        return false;
    }
    // A name with dots is one of a host or a file; each part is looked at.
    let mut parts = word.split('.');
    parts.any(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
        part.len() >= LONG && digits >= 3 && letters >= 3
    })
}

/// The same of two answers: words that differ go as well.
pub fn kept_of(first: &str, second: &str) -> String {
    let (first, second) = (kept(first), kept(second));
    if first == second {
        return first;
    }
    let (a, b): (Vec<&str>, Vec<&str>) = (words(&first).collect(), words(&second).collect());
    if a.len() != b.len() {
        let same = a.iter().zip(&b).take_while(|(a, b)| a == b);
        let same: String = same.map(|(a, _)| *a).collect();
        return same + CHANGES;
    }
    let both = a.iter().zip(&b);
    both.map(|(a, b)| if a == b { a } else { CHANGES })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_changes_is_masked_and_the_rest_is_kept() {
        let page = |nonce: &str, price: &str| {
            format!("<p>at 2026-11-28 16:46:00</p><input value={nonce}><b>{price}</b>")
        };
        let of = |a: &str, b: &str| Body::of(a.as_bytes(), b.as_bytes());
        let machine = of(&page("abc1", "5"), &page("xyz2", "5"));
        let container = of(
            &page("k3", "5").replace("28", "29"),
            &page("k4", "5").replace("28", "29"),
        );
        assert_eq!(machine.short(), container.short());
        assert_eq!(machine.digest(), container.digest());
        let wrong = of(&page("k3", "6"), &page("k4", "6"));
        assert_ne!(machine.digest(), wrong.digest());
        let differ = machine
            .short()
            .split(' ')
            .zip(wrong.short().split(' '))
            .filter(|(a, b)| a != b)
            .count();
        assert_eq!(differ, 1);
    }

    #[test]
    fn what_is_longer_the_second_time_is_one_change() {
        let body = Body::of(b"a\nb\nc\n", b"a\nx\ny\nc\n");
        let pieces: Vec<&str> = body
            .pieces
            .iter()
            .map(|p| p.as_deref().unwrap_or("~"))
            .collect();
        assert_eq!(pieces, ["a", "~", "c"]);
    }

    #[test]
    fn no_secret_and_no_token_is_kept_as_text() {
        let text = kept("/login?password=hunter2&session=9f8e7d6c5b4a39281706 \x1b[31m");
        assert!(
            !text.contains("hunter2") && !text.contains("9f8e7d") && !text.contains('\x1b'),
            "{text}"
        );
        assert_eq!(
            kept("220 mail-1.example.net ESMTP Postfix (Debian/GNU)"),
            "220 mail-1.example.net ESMTP Postfix (Debian/GNU)"
        );
        assert_eq!(kept_of("hello a b", "hello c b"), "hello … b");
    }

    proptest! {
        #[test]
        fn any_two_answers(a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
            let body = Body::of(&a, &b);
            prop_assert!(body.pieces.len() <= MOST_PIECES + 2);
            let same = Body::of(&a, &a);
            prop_assert!(same.pieces.iter().all(Option::is_some));
            let text = String::from_utf8_lossy(&a);
            prop_assert!(kept(&text).chars().count() <= LONGEST);
        }
    }
}
