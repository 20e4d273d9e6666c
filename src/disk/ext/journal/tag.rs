//! Tags of a descriptor block, each naming the place of one data block that follows; and the lists of revoke blocks.

use super::super::FORMAT;
use super::header::{Checks, Header};
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes of the header that every block of the log's own begins with.
const HEADER: usize = 12;
/// Bytes of the checksum that ends such a block.
const TAIL: usize = 4;
/// Bytes of the UUID after a tag that does not share its predecessor's.
const UUID: usize = 16;

const ESCAPED: u32 = 0x1;
const SAME_UUID: u32 = 0x2;
const LAST: u32 = 0x8;

/// One tag: where a data block belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    pub block: u64,
    pub escaped: bool,
    pub checksum: u32,
}

/// The tags of a descriptor block.
pub fn tags(header: &Header, bytes: &[u8]) -> Result<Vec<Tag>, DiskError> {
    let view = Structure::new(FORMAT, "journal descriptor", bytes);
    let v3 = header.checks == Checks::V3;
    let length = match (header.checks, header.is_64bit) {
        (Checks::V3, _) => 16,
        (Checks::V2, true) => 14,
        (Checks::V2, false) => 10,
        (_, true) => 12,
        (_, false) => 8,
    };
    let end = content_end(header, bytes);
    let (mut found, mut at) = (Vec::new(), HEADER);
    while at + length <= end {
        let flags = if v3 {
            view.be32(at + 4)?
        } else {
            u32::from(view.be16(at + 6)?)
        };
        let high = if header.is_64bit {
            view.be32(at + 8)?
        } else {
            0
        };
        found.push(Tag {
            block: u64::from(view.be32(at)?) | u64::from(high) << 32,
            escaped: flags & ESCAPED != 0,
            checksum: if v3 {
                view.be32(at + 12)?
            } else {
                u32::from(view.be16(at + 4)?)
            },
        });
        at += length + if flags & SAME_UUID == 0 { UUID } else { 0 };
        if flags & LAST != 0 {
            break;
        }
    }
    Ok(found)
}

/// The blocks that a revoke block lists.
pub fn revoked(header: &Header, bytes: &[u8]) -> Result<Vec<u64>, DiskError> {
    let view = Structure::new(FORMAT, "journal revocation", bytes);
    let used = usize::try_from(view.be32(HEADER)?).unwrap_or(usize::MAX);
    let end = used.min(content_end(header, bytes));
    let length = if header.is_64bit { 8 } else { 4 };
    let (mut found, mut at) = (Vec::new(), HEADER + 4);
    while at + length <= end {
        found.push(if header.is_64bit {
            view.be64(at)?
        } else {
            u64::from(view.be32(at)?)
        });
        at += length;
    }
    Ok(found)
}

fn content_end(header: &Header, bytes: &[u8]) -> usize {
    match header.checks {
        Checks::V2 | Checks::V3 => bytes.len().saturating_sub(TAIL),
        Checks::None | Checks::Transaction => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(checks: Checks, is_64bit: bool) -> Header {
        Header {
            last: 100,
            first: 1,
            sequence: 1,
            start: 1,
            is_64bit,
            has_fast_commits: false,
            checks,
            seed: 0,
        }
    }

    #[test]
    fn old_tags_carry_a_uuid_after_the_first() {
        let mut bytes = vec![0; HEADER];
        bytes.extend([0, 0, 0, 7, 0, 0, 0, 0]);
        bytes.extend([9; UUID]);
        bytes.extend([0, 0, 0, 8, 0, 0, 0, 0xb]);
        bytes.extend([0, 0, 0, 99, 0, 0, 0, 0]);
        let found = tags(&header(Checks::None, false), &bytes).unwrap();
        let short: Vec<_> = found.iter().map(|tag| (tag.block, tag.escaped)).collect();
        assert_eq!(short, [(7, false), (8, true)]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), wide: bool) {
            for checks in [Checks::None, Checks::V2, Checks::V3] {
                let _ = tags(&header(checks, wide), &bytes);
                let _ = revoked(&header(checks, wide), &bytes);
            }
        }
    }
}
