//! X.509 certificates in PEM files: whom each names, and until when it is valid (RFC 5280, section 4.1; RFC 7468).
//!
//! Of the DER structure only the way to these two is walked; nothing is verified.

use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Certificate, Evidence, Fact};
use crate::words::armour;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Certificates told of one file: a chain has a handful, a bundle of authorities hundreds.
const MOST: usize = 8;

/// Asked for of what workloads carry.
pub struct Certificates;

impl Certificates {
    pub const ID: &str = "certificates/x509";
    /// Largest file looked into, in bytes.
    pub const LIMIT: u64 = 64 << 10;
}

impl Detector for Certificates {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Certificates",
            recognises: "X.509 certificates in PEM files that workloads carry",
            why: "a certificate is renewed on the machine, and an image is not",
            cannot_see: "certificates in key stores and in DER, and whether a chain is whole",
            references: &["RFC 5280", "RFC 7468"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: Self::LIMIT,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let text = file.text();
        let mut at = 0;
        for _ in 0..MOST {
            let rest = text.get(at..).unwrap_or_default();
            let Some(start) = rest.find(BEGIN) else {
                return;
            };
            let body = rest.get(start + BEGIN.len()..).unwrap_or_default();
            let Some(end) = body.find(END) else { return };
            let line = text
                .get(..at + start)
                .unwrap_or_default()
                .matches('\n')
                .count()
                + 1;
            let der = armour::decoded(body.get(..end).unwrap_or_default());
            if let Some((subject, until)) = der.as_deref().and_then(read) {
                let line = u32::try_from(line).unwrap_or(u32::MAX);
                sink.fact(Fact::Certificate(Certificate {
                    evidence: Evidence::line(file.path, line, &format!("{subject}, until {until}")),
                    subject,
                    until,
                }));
            }
            at += start + BEGIN.len() + end + END.len();
        }
    }
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// id-at-commonName (2.5.4.3).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Subject and end of validity (`2026-12-31`).
fn read(der: &[u8]) -> Option<(String, String)> {
    let (certificate, _) = within(der, SEQUENCE)?;
    let (signed, _) = within(certificate, SEQUENCE)?;
    let mut rest = signed;
    if rest.first() == Some(&VERSION) {
        rest = next(rest)?.2;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        rest = next(rest)?.2;
    }
    let (validity, rest) = within(rest, SEQUENCE)?;
    let (_, _, after) = next(validity)?;
    let (tag, time, _) = next(after)?;
    let until = date(tag, time)?;
    let (subject, _) = within(rest, SEQUENCE)?;
    Some((
        common_name(subject).unwrap_or_else(|| "no common name".to_owned()),
        until,
    ))
}

/// Tag, content, and what follows.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        let length = digits
            .iter()
            .fold(0usize, |sum, digit| (sum << 8) | usize::from(*digit));
        (length, rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

fn within(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, after) = next(bytes)?;
    (tag == wanted).then_some((content, after))
}

/// RFC 5280, section 4.1.2.5: years from 50 on are of the last century.
fn date(tag: u8, time: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(time).ok()?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let number: u32 = year.parse().ok()?;
            (number + if number < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let (month, rest) = rest.split_at_checked(2)?;
    let (day, _) = rest.split_at_checked(2)?;
    let fits = |text: &str, most: u32| text.parse().is_ok_and(|n: u32| (1..=most).contains(&n));
    (fits(month, 12) && fits(day, 31)).then(|| format!("{year:04}-{month}-{day}"))
}

fn common_name(mut name: &[u8]) -> Option<String> {
    while let Some((tag, set, after)) = next(name) {
        name = after;
        if tag != SET {
            continue;
        }
        let (pair, _) = within(set, SEQUENCE)?;
        let (id, value) = within(pair, OBJECT_ID)?;
        if id == COMMON_NAME {
            let (_, text, _) = next(value)?;
            let text = String::from_utf8_lossy(text);
            return Some(text.chars().filter(|c| !c.is_control()).take(64).collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl req -x509 -newkey ed25519 -nodes -subj /O=Acme/CN=shop.example.net -days 9 -set_serial 7`, the first bytes
    /// that matter, made by hand from its parts.
    fn certificate(not_after: (u8, &str)) -> Vec<u8> {
        let tlv = |tag: u8, content: &[u8]| {
            let mut all = vec![tag, u8::try_from(content.len()).unwrap()];
            all.extend(content);
            all
        };
        let name = |oid: &[u8], text: &str| {
            let pair = [tlv(OBJECT_ID, oid), tlv(0x0c, text.as_bytes())].concat();
            tlv(SET, &tlv(SEQUENCE, &pair))
        };
        let subject = [
            name(&[0x55, 4, 10], "Acme"),
            name(COMMON_NAME, "shop.example.net"),
        ]
        .concat();
        let validity = [
            tlv(UTC_TIME, b"250101000000Z"),
            tlv(not_after.0, not_after.1.as_bytes()),
        ]
        .concat();
        let signed = [
            tlv(VERSION, &[2, 1, 2]),
            tlv(2, &[7]),
            tlv(SEQUENCE, &[]),
            tlv(SEQUENCE, &[]),
            tlv(SEQUENCE, &validity),
            tlv(SEQUENCE, &subject),
        ]
        .concat();
        tlv(SEQUENCE, &tlv(SEQUENCE, &signed))
    }

    #[test]
    fn whom_it_names_and_until_when() {
        let named = "shop.example.net".to_owned();
        let of = |not_after| read(&certificate(not_after));
        let expected = Some((named.clone(), "2026-12-31".to_owned()));
        assert_eq!(of((UTC_TIME, "261231235959Z")), expected);
        let expected = Some((named, "2050-01-01".to_owned()));
        assert_eq!(of((GENERALIZED_TIME, "20500101000000Z")), expected);
        assert_eq!(of((UTC_TIME, "261331235959Z")), None);
        assert_eq!(read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), at in 0usize..100, to: u8) {
            let _ = read(&bytes);
            let mut whole = certificate((UTC_TIME, "261231235959Z"));
            if let Some(byte) = whole.get_mut(at) {
                *byte = to;
            }
            let _ = read(&whole);
        }
    }
}
