//! What a certificate says (X.509, RFC 5280, in DER): subject, issuer, dates, names. Nothing of it is checked, and what
//! is not understood is left empty.

use super::mask::kept;
use super::recorded::Tls;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Names that are kept.
const MOST: usize = 100;

const SEQUENCE: u8 = 0x30;
const EXTENSIONS: u8 = 0xa3;
const ALTERNATIVE_NAME: [u8; 3] = [0x55, 0x1d, 0x11];

/// Tag, content, and what follows.
type Element<'a> = (u8, &'a [u8], &'a [u8]);

fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) {
            return None;
        }
        let digits = rest.get(..count)?;
        let length = digits
            .iter()
            .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        (length, rest.get(count..)?)
    };
    Some((*tag, rest.get(..length)?, rest.get(length..)?))
}

fn elements(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = element(bytes)?;
        bytes = rest;
        Some((tag, content))
    })
}

/// The content of a certificate.
pub(super) fn read(der: &[u8]) -> Option<Tls> {
    let (_, certificate, _) = element(der)?;
    let (_, signed, _) = element(certificate)?;
    // Version, where there is one; serial number and algorithm; then what is looked for.
    let mut parts = elements(signed).skip_while(|(tag, _)| *tag != SEQUENCE);
    let (_, _algorithm) = parts.next()?;
    let (_, issuer) = parts.next()?;
    let (_, validity) = parts.next()?;
    let (_, subject) = parts.next()?;
    let mut times = elements(validity).map(|(tag, text)| time(tag, text));
    let extensions = parts.find(|(tag, _)| *tag == EXTENSIONS);
    let names = extensions.and_then(|(_, list)| element(list));
    Some(Tls {
        name: None,
        version: String::new(),
        subject: name(subject),
        issuer: name(issuer),
        not_before: times.next().unwrap_or_default(),
        not_after: times.next().unwrap_or_default(),
        names: names
            .map(|(_, list, _)| alternative(list))
            .unwrap_or_default(),
    })
}

/// `CN=a.example, O=Example`.
fn name(bytes: &[u8]) -> String {
    let mut parts = Vec::new();
    for (_, set) in elements(bytes).take(MOST) {
        for (_, pair) in elements(set) {
            let mut pair = elements(pair);
            let (Some((_, kind)), Some((_, value))) = (pair.next(), pair.next()) else {
                continue;
            };
            let known = match kind {
                [0x55, 4, 3] => "CN",
                [0x55, 4, 6] => "C",
                [0x55, 4, 7] => "L",
                [0x55, 4, 8] => "ST",
                [0x55, 4, 10] => "O",
                [0x55, 4, 11] => "OU",
                _ => "other",
            };
            parts.push(format!("{known}={}", kept(&String::from_utf8_lossy(value))));
        }
    }
    parts.join(", ")
}

/// `2026-11-28 16:46:00` of `YYMMDDhhmmssZ` (1950 to 2049) or `YYYYMMDDhhmmssZ`.
fn time(tag: u8, text: &[u8]) -> String {
    const SHORT: u8 = 0x17;
    let text: String = text.iter().map(|byte| char::from(*byte)).collect();
    let long = match (tag, text.as_bytes().first()) {
        (SHORT, Some(b'0'..=b'4')) => format!("20{text}"),
        (SHORT, _) => format!("19{text}"),
        _ => text,
    };
    let is_time = long.len() == 15
        && long.ends_with('Z')
        && long.bytes().take(14).all(|c| c.is_ascii_digit());
    if !is_time {
        return String::new();
    }
    let part = |from: usize, to: usize| long.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{} {}:{}:{}",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    )
}

/// Hosts and addresses of the subject's alternative names.
fn alternative(extensions: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for (_, extension) in elements(extensions).take(MOST) {
        let mut parts = elements(extension);
        if parts
            .next()
            .is_none_or(|(_, kind)| kind != ALTERNATIVE_NAME)
        {
            continue;
        }
        // Whether it is critical may stand between.
        let Some((_, value)) = parts.last() else {
            continue;
        };
        let Some((_, names, _)) = element(value) else {
            continue;
        };
        for (tag, value) in elements(names).take(MOST) {
            match tag {
                0x82 => found.push(kept(&String::from_utf8_lossy(value))),
                0x87 => found.extend(address(value)),
                _ => {}
            }
        }
    }
    found
}

fn address(bytes: &[u8]) -> Option<String> {
    let address: IpAddr = if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        four.into()
    } else {
        <[u8; 16]>::try_from(bytes).ok()?.into()
    };
    let mut text = String::new();
    write!(text, "{address}").ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, length[0], length[1]], content.as_slice()].concat()
    }

    fn named(name: &[u8]) -> Vec<u8> {
        der(
            0x30,
            &[&der(
                0x31,
                &[&der(0x30, &[&[6, 3, 0x55, 4, 3], &der(0x0c, &[name])])],
            )],
        )
    }

    #[test]
    fn subject_issuer_dates_names() {
        let names = der(
            0x30,
            &[&der(0x82, &[b"a.example"]), &der(0x87, &[&[10, 0, 0, 5]])],
        );
        let extension = der(0x30, &[&[6, 3, 0x55, 0x1d, 0x11], &der(4, &[&names])]);
        let signed = der(
            0x30,
            &[
                &[0xa0, 3, 2, 1, 2],
                &[2, 1, 7],
                &der(0x30, &[]),
                &named(b"the issuer"),
                &der(
                    0x30,
                    &[
                        &der(0x17, &[b"261128164600Z"]),
                        &der(0x18, &[b"20501231000000Z"]),
                    ],
                ),
                &named(b"a.example"),
                &der(0x30, &[]),
                &der(0xa3, &[&der(0x30, &[&extension])]),
            ],
        );
        let read = read(&der(0x30, &[&signed])).unwrap();
        assert_eq!(
            (read.subject.as_str(), read.issuer.as_str()),
            ("CN=a.example", "CN=the issuer")
        );
        assert_eq!(
            (read.not_before.as_str(), read.not_after.as_str()),
            ("2026-11-28 16:46:00", "2050-12-31 00:00:00")
        );
        assert_eq!(read.names, ["a.example", "10.0.0.5"]);
    }

    proptest! {
        #[test]
        fn whatever_is_shown(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
            let _ = read(&der(0x30, &[&der(0x30, &[&bytes])]));
        }
    }
}
