//! Secrets that are recognised by their own form, whatever names them: tokens, password hashes, private keys.

use super::data::{Check, DATA};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// A place of such a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub at: Range<usize>,
    pub kind: &'static str,
    /// Its check sum is right, or it has none.
    pub proven: bool,
}

struct Forms {
    /// Where a form may start, and the form of each start.
    starts: AhoCorasick,
    of: Vec<usize>,
    /// What has to follow, by form.
    rest: Vec<Regex>,
}

static FORMS: LazyLock<Option<Forms>> = LazyLock::new(|| {
    let starts = DATA.tokens.iter().enumerate();
    let starts =
        starts.flat_map(|(form, token)| token.start.iter().map(move |start| (form, start)));
    let (of, mut texts): (Vec<usize>, Vec<&str>) =
        starts.map(|(form, start)| (form, start.as_str())).unzip();
    texts.push(ARMOUR);
    let starts = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(texts)
        .ok()?;
    let rest = DATA
        .tokens
        .iter()
        .map(|token| Regex::new(&format!(r"\A(?:{})", token.rest)));
    let rest: Result<Vec<Regex>, _> = rest.collect();
    Some(Forms {
        starts,
        of,
        rest: rest.ok()?,
    })
});

/// The head of an armoured key (RFC 7468, RFC 4716, RFC 9580, OpenVPN's static keys): dashes, and then a label.
const ARMOUR: &str = "BEGIN ";
/// What a private key's label holds.
const LABELS: [&[u8]; 2] = [b"PRIVATE KEY", b"Static key"];
/// Longest label and longest key looked through, in bytes.
const LONGEST_LABEL: usize = 64;
const LONGEST_KEY: usize = 64 << 10;

/// Every form in a text, in order.
pub(super) fn find(text: &[u8], mut found: impl FnMut(Form)) {
    let Some(forms) = FORMS.as_ref() else {
        return;
    };
    for hit in forms.starts.find_iter(text) {
        let form = hit.pattern().as_usize();
        match forms.of.get(form) {
            Some(form) => {
                let Some(token) = DATA.tokens.get(*form) else {
                    continue;
                };
                if let Some(end) = forms
                    .rest
                    .get(*form)
                    .and_then(|rest| rest.find(tail(text, hit.end())))
                {
                    let at = hit.start()..hit.end() + end.end();
                    if is_apart(text, at.start) {
                        let proven =
                            proves(token.check, text.get(hit.end()..at.end).unwrap_or_default());
                        found(Form {
                            at,
                            kind: kind(&token.kind),
                            proven,
                        });
                    }
                }
            }
            None => {
                if let Some(at) = key(text, hit.start(), hit.end()) {
                    let proven = has_body(text.get(hit.end()..at.end).unwrap_or_default())
                        || is_alone(text, &at);
                    found(Form {
                        at,
                        kind: "private-key",
                        proven,
                    });
                }
            }
        }
    }
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

/// Not within a longer word. A letter behind a backslash is a line's end in a string.
fn is_apart(text: &[u8], at: usize) -> bool {
    let back = |by: usize| at.checked_sub(by).and_then(|at| text.get(at)).copied();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
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

    fn kinds(text: &str) -> Vec<(&'static str, bool)> {
        let mut all = Vec::new();
        find(text.as_bytes(), |form| all.push((form.kind, form.proven)));
        all
    }

    #[test]
    fn published_forms() {
        assert!(FORMS.is_some());
        for text in [
            "key AKIAIOSFODNN7EXAMPLE end",
            "\\nAKIAIOSFODNN7EXAMPLE",
            "Basic dXNlcjpwYXNzdw==",
            "Bearer a1b2c3d4e5f6",
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
        let mut end = 0;
        let text = "a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b";
        find(text.as_bytes(), |form| end = form.at.end);
        assert_eq!(text.get(end..), Some(" b"));
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
