//! Secrets that are recognised by their own form, whatever names them: tokens, password hashes, private keys.

use super::data::{Check, DATA};
use super::sieve::{Hit, What};
use regex::bytes::{Regex, RegexBuilder};
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

/// A place of such a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub at: Range<usize>,
    pub kind: &'static str,
    /// Its check sum is right, or it has none.
    pub proven: bool,
}

/// What has to follow, by form; made where a form is met, since most are in no file.
static REST: LazyLock<Vec<OnceLock<Option<Regex>>>> =
    LazyLock::new(|| DATA.tokens.iter().map(|_| OnceLock::new()).collect());

fn rest(form: usize) -> Option<&'static Regex> {
    let made = || {
        let pattern = format!(r"\A(?:{})", DATA.tokens.get(form)?.rest);
        RegexBuilder::new(&pattern).unicode(false).build().ok()
    };
    REST.get(form)?.get_or_init(made).as_ref()
}

/// What a private key's label holds.
const LABELS: [&[u8]; 2] = [b"PRIVATE KEY", b"Static key"];
/// Longest label and longest key looked through, in bytes.
const LONGEST_LABEL: usize = 64;
const LONGEST_KEY: usize = 64 << 10;

/// The form that begins at a hit, if one does.
pub(super) fn at(text: &[u8], hit: Hit) -> Option<Form> {
    match hit.what {
        What::Form(form) => {
            let token = DATA.tokens.get(form)?;
            let start = hit.start.checked_sub(token.before)?;
            let before = text.get(start..hit.start)?;
            if !is_apart(text, start)
                || !before
                    .iter()
                    .all(|byte| is_word(*byte) || b"~.-".contains(byte))
            {
                return None;
            }
            let end = rest(form)?.find(tail(text, hit.end))?;
            let at = start..hit.end + end.end();
            let proven = proves(token.check, text.get(hit.end..at.end).unwrap_or_default());
            Some(Form {
                at,
                kind: kind(&token.kind),
                proven,
            })
        }
        What::Armour => {
            let at = key(text, hit.start, hit.end)?;
            let proven =
                has_body(text.get(hit.end..at.end).unwrap_or_default()) || is_alone(text, &at);
            Some(Form {
                at,
                kind: "private-key",
                proven,
            })
        }
        _ => None,
    }
}

/// Every form among these hits, in order. What begins within another's beginning is a part of it.
pub(super) fn all<'a>(text: &'a [u8], hits: &'a [Hit]) -> impl Iterator<Item = Form> + 'a {
    let mut done = 0;
    hits.iter().filter_map(move |hit| {
        let form = (hit.start >= done).then(|| at(text, *hit))??;
        done = hit.end;
        Some(form)
    })
}

fn tail(text: &[u8], from: usize) -> &[u8] {
    text.get(from..).unwrap_or_default()
}

/// Kinds are a closed list in reports.
fn kind(name: &str) -> &'static str {
    match name {
        "private-key" => "private-key",
        "password-hash" => "password-hash",
        _ => "token",
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Not within a longer word. A letter behind a backslash is a line's end in a string.
fn is_apart(text: &[u8], at: usize) -> bool {
    let back = |by: usize| at.checked_sub(by).and_then(|at| text.get(at)).copied();
    match (back(1), text.get(at)) {
        (Some(before), Some(first)) if is_word(before) && is_word(*first) => {
            matches!(before, b'n' | b'r' | b't') && back(2) == Some(b'\\')
        }
        _ => true,
    }
}

/// An armoured private key from its dashes to the end of its last line; without one, as far as a key may go.
fn key(text: &[u8], start: usize, label: usize) -> Option<Range<usize>> {
    let before = text.get(..start)?;
    let dashes = before
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'-' | b' '))
        .count();
    if dashes < 4 {
        return None;
    }
    let window = text.get(label..text.len().min(label + LONGEST_LABEL))?;
    let end = window.windows(4).position(|four| four == b"----")?;
    let name = window.get(..end)?;
    LABELS
        .iter()
        .find(|wanted| name.windows(wanted.len()).any(|part| part == **wanted))?;
    let all = text.get(label..text.len().min(label + LONGEST_KEY))?;
    let last = memchr::memmem::find(all, b"END ").and_then(|end| {
        let after = all.get(end..)?;
        let open = after.windows(4).position(|four| four == b"----")?;
        let close = after
            .get(open..)?
            .iter()
            .take_while(|byte| **byte == b'-')
            .count();
        Some(label + end + open + close)
    });
    Some(start - dashes..last.unwrap_or(label + all.len()))
}

/// Whether something like a key follows the head: code and manuals name heads alone.
fn has_body(text: &[u8]) -> bool {
    let Some(end) = text.windows(4).position(|four| four == b"----") else {
        return false;
    };
    let body = tail(text, end);
    let body = body.iter().skip_while(|byte| **byte == b'-');
    let mut run = 0;
    let mut escaped = false;
    for byte in body.take(2048) {
        if *byte == b'-' && run == 0 {
            return false;
        }
        if !escaped && (byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')) {
            run += 1;
            if run >= 8 {
                return true;
            }
        } else {
            run = 0;
        }
        escaped = *byte == b'\\';
    }
    false
}

/// Whether the head has its line for itself, and another line of a key follows, however short.
fn is_alone(text: &[u8], at: &Range<usize>) -> bool {
    let before = text.get(..at.start).and_then(|before| before.last());
    let all = tail(text, at.start);
    let line = memchr::memchr(b'\n', all).unwrap_or(all.len());
    let head = all.get(..line).unwrap_or_default().trim_ascii_end();
    before.is_none_or(|byte| *byte == b'\n')
        && head.ends_with(b"-----")
        && all.get(line + 1).is_some_and(u8::is_ascii_alphanumeric)
}

fn proves(check: Option<Check>, rest: &[u8]) -> bool {
    match check {
        None => true,
        Some(Check::Crc32Base62) => {
            let Some((body, sum)) = rest
                .len()
                .checked_sub(6)
                .and_then(|at| rest.split_at_checked(at))
            else {
                return false;
            };
            base62(crc32(body)) == sum
        }
    }
}

/// CRC-32 as in ISO 3309, bit by bit: the texts have thirty bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    };
    !bytes.iter().fold(!0, step)
}

/// Six digits of `0-9A-Za-z`, zeros in front.
fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 6];
    for digit in out.iter_mut().rev() {
        *digit = usize::try_from(number % 62)
            .ok()
            .and_then(|at| DIGITS.get(at))
            .copied()
            .unwrap_or(b'0');
        number /= 62;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::sieve;

    fn kinds(text: &str) -> Vec<(&'static str, bool)> {
        let hits = sieve::all(text.as_bytes());
        let forms = all(text.as_bytes(), &hits);
        forms.map(|form| (form.kind, form.proven)).collect()
    }

    #[test]
    fn published_forms() {
        for (form, token) in DATA.tokens.iter().enumerate() {
            assert!(rest(form).is_some(), "{}", token.rest);
        }
        for text in [
            "key AKIAIOSFODNN7EXAMPLE end",
            "\\nAKIAIOSFODNN7EXAMPLE",
            "Basic dXNlcjpwYXNzdw==",
            "Bearer a1b2c3d4e5f6",
            "<password>{AQAAABAAAAAQnotreal}</password>",
            "x=npm_abcdefghijklmnopqrstuvwxyz0123456789",
            "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
            "dop_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(
                kinds(text).first().map(|(kind, _)| *kind),
                Some("token"),
                "{text}"
            );
        }
        for hash in [
            "dev:$7$101$i9oyBxPJE1Cz/+4x$JfkYq3dAYbS0Ef+q==",
            "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "userPassword: {SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
            "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$aGFzaGhhc2hoYXNoaGFzaA==:c2VydmVyc2VydmVy",
            "pbkdf2_sha256$260000$saltsalt$aGFzaGhhc2hoYXNoaGFzaGhhc2g=",
            "bob:$apr1$abcdefgh$0123456789012345678901",
        ] {
            assert_eq!(
                kinds(hash).first().map(|(kind, _)| *kind),
                Some("password-hash"),
                "{hash}"
            );
        }
        for text in [
            "Basic authentication is needed",
            "-----BEGIN CERTIFICATE-----",
            "echo $1$2 $7$x",
            "xAKIAIOSFODNN7EXAMPLE",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }

    #[test]
    fn a_key_needs_its_body_to_be_proven() {
        assert_eq!(
            kinds("-----BEGIN RSA PRIVATE KEY-----"),
            [("private-key", false)]
        );
        assert_eq!(
            kinds(
                "K=\"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBg\\n-----END PRIVATE KEY-----\\n\""
            ),
            [("private-key", true)]
        );
        assert_eq!(
            kinds("-----BEGIN OpenVPN Static key V1-----\n0123456789abcdef"),
            [("private-key", true)]
        );
        assert_eq!(
            kinds("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\nMIIEvQIB"),
            [("private-key", true)]
        );
        let text = "a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b";
        let hits = sieve::all(text.as_bytes());
        let end = all(text.as_bytes(), &hits).map(|form| form.at.end).last();
        assert_eq!(end.and_then(|end| text.get(end..)), Some(" b"));
    }

    #[test]
    fn check_sums() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let body = "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123";
        let sum = base62(crc32(body.as_bytes()));
        let right = format!("ghp_{body}{}", String::from_utf8(sum.to_vec()).unwrap());
        assert_eq!(kinds(&right), [("token", true)]);
        assert_eq!(kinds(&format!("ghp_{body}AAAAAA")), [("token", false)]);
    }
}
