//! Named things: the entries of directories and the extended attributes have one form. "On-disk format", "DIR_ITEM".

use super::FORMAT;
use super::key::Key;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes before the name.
const HEADER: usize = 30;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What a directory's entry leads to.
    pub location: Key,
    pub name: &'a [u8],
    /// An attribute's value.
    pub value: &'a [u8],
}

/// Those of one item: more than one where names share a hash.
pub fn entries(bytes: &[u8]) -> Result<Vec<Entry<'_>>, DiskError> {
    let view = Structure::new(FORMAT, "entry", bytes);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let value = usize::from(view.le16(at + 25)?);
        let name = usize::from(view.le16(at + 27)?);
        found.push(Entry {
            location: Key::parse(view, at)?,
            name: view.slice(at + HEADER, name)?,
            value: view.slice(at + HEADER + name, value)?,
        });
        at += HEADER + name + value;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_in_one_item() {
        let one = |object: u8, name: &[u8], value: &[u8]| {
            let mut out = vec![0; HEADER];
            out[0] = object;
            out[8] = 1;
            out[25] = u8::try_from(value.len()).unwrap();
            out[27] = u8::try_from(name.len()).unwrap();
            [&out, name, value].concat()
        };
        let bytes = [one(5, b"ab", b""), one(6, b"c", b"value")].concat();
        let found = entries(&bytes).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].location.object, found[0].name),
            (5, b"ab".as_slice())
        );
        assert_eq!(found[1].value, b"value");
        assert!(entries(&bytes[..bytes.len() - 1]).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = entries(&bytes);
        }
    }
}
