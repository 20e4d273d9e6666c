//! Records of a pax extended header: `LENGTH KEY=VALUE\n`, the length counting itself and the newline.

/// One record; the value may hold any byte.
pub(super) type Record = (Vec<u8>, Vec<u8>);

/// What vendors put before an attribute's name.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// Reads all records; `None` where a length contradicts the data.
pub(super) fn records(mut data: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    while !data.is_empty() {
        let space = data.iter().take(20).position(|b| *b == b' ')?;
        let length: usize = number(data.get(..space)?)?.try_into().ok()?;
        let body = data.get(space + 1..length.checked_sub(1)?)?;
        if data.get(length - 1) != Some(&b'\n') {
            return None;
        }
        let equals = body.iter().position(|b| *b == b'=')?;
        let (key, value) = body.split_at_checked(equals)?;
        records.push((key.to_vec(), value.get(1..)?.to_vec()));
        data = data.get(length..)?;
    }
    Some(records)
}

/// The last record of that name: a later one replaces an earlier one.
pub(super) fn value<'a>(records: &'a [Record], key: &[u8]) -> Option<&'a [u8]> {
    let found = records.iter().rev().find(|(name, _)| name == key);
    found.map(|(_, value)| value.as_slice())
}

/// A record's whole number; a fraction of a second is dropped.
pub(super) fn integer(records: &[Record], key: &[u8]) -> Option<u64> {
    let value = value(records, key)?;
    number(value.split(|b| *b == b'.').next()?)
}

/// Extended attributes among the records, sorted by name.
pub(super) fn xattrs(records: &[Record]) -> Vec<Record> {
    let mut found: Vec<Record> = records
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(XATTR)?.to_vec(), value.clone())))
        .collect();
    found.sort();
    found
}

/// Decimal digits and nothing else.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_newlines() {
        let data = b"14 path=/a\nb/\n27 SCHILY.xattr.user.x=\n\n=\n13 mtime=7.5\n";
        let records = records(data).unwrap();
        assert_eq!(value(&records, b"path"), Some(&b"/a\nb/"[..]));
        assert_eq!(integer(&records, b"mtime"), Some(7));
        assert_eq!(xattrs(&records), [(b"user.x".to_vec(), b"\n\n=".to_vec())]);
    }

    #[test]
    fn wrong_lengths_are_damage() {
        for data in [
            &b"5 path=/a\n"[..],
            b"99 path=/a\n",
            b"0 a=b\n",
            b"x a=b\n",
            b"7 a=b",
            b"6 abc\n",
        ] {
            assert_eq!(records(data), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(data in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            records(&data);
        }

        #[test]
        fn what_is_written_is_read(value in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            let mut data = format!("{} k=", value.len() + 6).into_bytes();
            data.extend_from_slice(&value);
            data.push(b'\n');
            if value.len() + 6 >= 10 {
                proptest::prop_assert_eq!(records(&data).unwrap(), vec![(b"k".to_vec(), value)]);
            }
        }
    }
}
