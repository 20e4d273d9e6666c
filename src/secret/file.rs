//! Files that are secrets as a whole: by their path, by their first bytes, or because a setting says so.

use super::data::DATA;
use super::key;
use crate::walk::glob;
use std::sync::LazyLock;

/// The kind of secret that a file is, whatever its lines say.
pub fn kind_of_file(path: &str, head: &[u8]) -> Option<&'static str> {
    let last = path.bytes().next_back().map_or(0, usize::from);
    let same = BY_END.get(last).into_iter().flatten();
    let fitting = same.chain(BY_END.last().into_iter().flatten());
    let by_path = fitting
        .filter(|(_, pattern)| glob::matches_path(pattern, path))
        .map(|(kind, _)| *kind);
    let by_magic = || {
        let starts = |magic: &String| {
            !magic.is_empty() && hex(head, magic.len() / 2).starts_with(magic.as_str())
        };
        let mut kinds = DATA.files.iter();
        kinds.position(|kind| kind.magic.iter().any(starts))
    };
    if let Some(kind) = by_path.min().or_else(by_magic) {
        return DATA.files.get(kind).map(|kind| known(&kind.name));
    }
    der(head)
}

/// Patterns of paths by their last byte, and behind those the ones that may end with any; with the kind of each. There are many of
/// them and many files, and nearly no two end alike.
static BY_END: LazyLock<Vec<Vec<(usize, &'static str)>>> = LazyLock::new(|| {
    let mut all = vec![Vec::new(); 257];
    for (kind, file) in DATA.files.iter().enumerate() {
        for pattern in &file.paths {
            let last = pattern.bytes().next_back().unwrap_or(b'*');
            let is_open = matches!(last, b'*' | b'?' | b']');
            let end = if is_open { 256 } else { usize::from(last) };
            if let Some(list) = all.get_mut(end) {
                list.push((kind, pattern.as_str()));
            }
        }
    }
    all
});

/// Whether a file's name says that its content is packed, encrypted or a database: what is in it nobody looked at.
pub fn is_packed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    DATA.natures
        .packed
        .iter()
        .any(|end| name.ends_with(end.as_str()))
}

/// Kinds are a closed list in reports.
fn known(kind: &str) -> &'static str {
    match kind {
        "private-key" => "private-key",
        "key-store" => "key-store",
        "keytab" => "keytab",
        _ => "password-file",
    }
}

fn hex(head: &[u8], count: usize) -> String {
    let digits = head
        .iter()
        .take(count)
        .flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// A DER sequence that is a key: PKCS#12 (version 3 and the pkcs7-data object id), PKCS#8 and PKCS#1 (RFC 5958, RFC 8017: version 0
/// and then an algorithm, or a number), SEC1 (RFC 5915: version 1 and an octet string).
fn der(head: &[u8]) -> Option<&'static str> {
    const PKCS7_DATA: &[u8] = &[
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01,
    ];
    let (&tag, rest) = head.split_first()?;
    if tag != 0x30 {
        return None;
    }
    let (&length, rest) = rest.split_first()?;
    let skip = if length >= 0x80 {
        usize::from(length & 0x7f)
    } else {
        0
    };
    let body = rest.get(skip..)?;
    let body = body.get(..body.len().min(64)).unwrap_or_default();
    if body.starts_with(&[2, 1, 3])
        && body
            .windows(PKCS7_DATA.len())
            .any(|part| part == PKCS7_DATA)
    {
        return Some("key-store");
    }
    // PKCS#8: an algorithm identifier, a sequence that begins with an object id; PKCS#1: the modulus, of 64 bytes or more.
    let pkcs8 = body.starts_with(&[2, 1, 0, 0x30]) && body.get(5) == Some(&6);
    let pkcs1 =
        body.starts_with(&[2, 1, 0, 2]) && body.get(4).is_some_and(|length| *length >= 0x40);
    let sec1 = body.starts_with(&[2, 1, 1, 4])
        && body
            .get(4)
            .is_some_and(|length| matches!(length, 0x1c..=0x42));
    (pkcs8 || pkcs1 || sec1).then_some("private-key")
}

/// The files that a setting of this name leads to, where it says that they hold a secret: `hash:/etc/x/sasl_passwd` is the table and
/// what it is compiled to.
pub fn named_files(key: &str, value: &str) -> Vec<String> {
    if !key::names_a_file(key) {
        return Vec::new();
    }
    let words = value
        .split([',', ' ', '\t'])
        .map(|word| word.trim_matches(['"', '\'', ';']));
    let paths = words.filter_map(|word| {
        let at = word.find('/')?;
        let map = word.get(..at)?;
        let is_map = map.is_empty()
            || (map.ends_with(':')
                && map
                    .trim_end_matches(':')
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        let path = word.get(at..)?;
        (is_map && path.len() > 1).then_some(path)
    });
    paths
        .flat_map(|path| {
            let compiled = ["", ".db", ".lmdb", ".cdb", ".dir", ".pag"];
            compiled.map(|end| format!("{path}{end}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        for (path, head, kind) in [
            ("/home/x/.ssh/id_ed25519", &b"x"[..], Some("private-key")),
            ("/etc/postfix/sasl_passwd", b"h u:p", Some("password-file")),
            ("/etc/postfix/sasl_passwd.db", b"", Some("password-file")),
            (
                "/srv/x",
                &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2],
                Some("key-store"),
            ),
            (
                "/srv/x",
                &[0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2],
                Some("key-store"),
            ),
            ("/srv/x", &[5, 2, 0, 0, 0, 0x45], Some("keytab")),
            (
                "/srv/x",
                &[0x30, 0x82, 4, 0xbd, 2, 1, 0, 0x30, 13, 6, 9],
                Some("private-key"),
            ),
            (
                "/srv/x",
                &[0x30, 0x77, 2, 1, 1, 4, 0x20, 1],
                Some("private-key"),
            ),
            (
                "/srv/x",
                &[0x30, 0x82, 4, 0xa4, 2, 1, 0, 2, 0x82, 1, 1],
                Some("private-key"),
            ),
            (
                "/srv/cert.der",
                &[0x30, 0x82, 4, 0xa4, 0x30, 0x82, 3, 0x8c],
                None,
            ),
            ("/srv/x.conf", b"a=1", None),
        ] {
            assert_eq!(kind_of_file(path, head), kind, "{path}");
        }
    }

    #[test]
    fn files_that_settings_name() {
        let found = named_files("smtp_sasl_password_maps", "hash:/etc/postfix/relay");
        assert!(found.iter().any(|path| path == "/etc/postfix/relay"));
        assert!(found.iter().any(|path| path == "/etc/postfix/relay.db"));
        assert!(named_files("log_file", "/var/log/x").is_empty());
        assert!(named_files("password_file", "relative").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_head_survives(path in ".{0,40}", head in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            let _ = kind_of_file(&path, &head);
            let _ = named_files(&path, &path);
        }
    }
}
