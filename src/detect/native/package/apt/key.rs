//! Keys of archives: OpenPGP packets (RFC 9580), bare or in armor. Of a file that holds a secret key nothing is kept.

use super::doc;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;
use crate::fact::archive::{Key, OfArchive};
use crate::words::armour;

pub struct Keys;

impl Keys {
    pub(in super::super) const ID: &str = "packages/apt-keys";
    /// Purpose: what every archive may be signed with that names no key.
    pub(super) const TRUSTED: &str = "trusted";
}

impl Detector for Keys {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        doc(
            "Keys of archives",
            "the files of public keys that source lists name, or that every archive may be signed with",
            "whether a key really signed what the archive has today",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 1 << 20,
            total: 256 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let key = read(file.bytes);
        sink.fact(Fact::Archive(OfArchive::Key {
            path: file.path.clone(),
            key,
            trusted: file.purpose.context == Self::TRUSTED,
        }));
    }
}

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// What the bytes of a file of keys are.
pub(super) fn read(bytes: &[u8]) -> Key {
    let text = String::from_utf8_lossy(bytes);
    if text.contains("PRIVATE KEY") {
        return Key::Secret;
    }
    if !text.contains(BEGIN) {
        return packets(bytes);
    }
    let mut all = Vec::new();
    for block in text.split(BEGIN).skip(1) {
        let body = block.split(END).next().unwrap_or_default();
        let Some(packed) = unarmored(body) else {
            return Key::Unreadable;
        };
        match packets(&packed) {
            Key::Public(mut found) => all.append(&mut found),
            other => return other,
        }
    }
    Key::Public(all)
}

/// The packets of a block: headers up to an empty line, then base64, then a checksum behind `=`.
fn unarmored(body: &str) -> Option<Vec<u8>> {
    let mut lines = body.lines().map(str::trim).peekable();
    // What is left of the first line.
    lines.next_if(|line| line.is_empty());
    while lines.next_if(|line| line.contains(": ")).is_some() {}
    let coded: Vec<&str> = lines.take_while(|line| !line.starts_with('=')).collect();
    armour::decoded(&coded.concat())
}

/// Tags of packets.
const PUBLIC_KEY: u8 = 6;
const SECRET: [u8; 2] = [5, 7];
/// What belongs to a public key: signatures, subkeys, names and pictures, notes of trust.
const BESIDE: [u8; 6] = [2, 14, 13, 17, 12, 10];

fn packets(bytes: &[u8]) -> Key {
    let mut rest = bytes;
    let mut is_first = true;
    while let Some((tag, length, body)) = header(rest) {
        if SECRET.contains(&tag) {
            return Key::Secret;
        }
        if tag != PUBLIC_KEY && (is_first || !BESIDE.contains(&tag)) {
            return Key::Unreadable;
        }
        is_first = false;
        // A last packet that is cut short is left to those who check signatures.
        rest = body.get(length..).unwrap_or_default();
    }
    if is_first || !rest.is_empty() {
        return Key::Unreadable;
    }
    Key::Public(bytes.to_vec())
}

/// A packet's tag and length, and what follows its header. `None` for what is no header, and at the end.
fn header(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let number = |bytes: &[u8]| bytes.iter().fold(0usize, |n, b| (n << 8) | usize::from(*b));
    if first & 0x40 == 0 {
        let (tag, width) = ((first >> 2) & 15, first & 3);
        let width = [1, 2, 4].get(usize::from(width)).copied()?;
        let (length, rest) = rest.split_at_checked(width)?;
        return Some((tag, number(length), rest));
    }
    let tag = first & 63;
    let (one, behind) = rest.split_first()?;
    match *one {
        0..192 => Some((tag, usize::from(*one), behind)),
        192..224 => {
            let (two, behind) = behind.split_first()?;
            let length = ((usize::from(*one) - 192) << 8) + usize::from(*two) + 192;
            Some((tag, length, behind))
        }
        255 => {
            let (length, behind) = behind.split_at_checked(4)?;
            Some((tag, number(length), behind))
        }
        // In parts, which keys never are.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_are_kept_and_secret_ones_are_not() {
        let public = [0x98, 3, 4, 0, 0, 0xc2, 1, 9];
        assert_eq!(read(&public), Key::Public(public.to_vec()));
        let armored = format!("text\n{BEGIN}\nComment: x\n\nmAMEAADCAQk=\n=abcd\n{END}\n");
        assert_eq!(read(armored.as_bytes()), Key::Public(public.to_vec()));
        let two = armored.repeat(2);
        assert_eq!(read(two.as_bytes()), Key::Public(public.repeat(2)));
        assert_eq!(read(&[0x94, 1, 4]), Key::Secret);
        assert_eq!(read(&[0x98, 1, 4, 0x9c, 1, 0]), Key::Secret);
        assert_eq!(read(&[0xc6, 1, 4, 0xc7, 1, 0]), Key::Secret);
        let private = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ==\n";
        assert_eq!(read(private.as_bytes()), Key::Secret);
        let wrapped = armored.replace("mAMEAADCAQk=", "lAMEAADCAQk=");
        assert_eq!(read(wrapped.as_bytes()), Key::Secret);
        for nothing in [
            &b""[..],
            b"text",
            b"\0\0\0\x20\x01\x01\0\x02KBXf",
            &[0xc2, 1, 9],
        ] {
            assert_eq!(read(nothing), Key::Unreadable, "{nothing:?}");
        }
        let broken = armored.replace("mAME", "m\u{e4}ME");
        assert_eq!(read(broken.as_bytes()), Key::Unreadable);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = read(&bytes);
            let mut key = vec![0x98, 1, 4];
            key.extend(&bytes);
            let _ = read(&key);
        }
    }
}
