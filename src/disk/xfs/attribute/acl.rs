//! Access control lists: the file system's form turned into the kernel's (`posix_acl_xattr.h`), which is what `getxattr`
//! returns and `tar` archives carry.

use super::super::FORMAT;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

const KERNEL_VERSION: u32 = 2;
/// Bytes of a stored entry: tag, identifier, permissions.
const ENTRY: usize = 12;
/// Tags whose entries carry an identifier: a named user, a named group.
const NAMED: [u16; 2] = [0x02, 0x08];

/// Turns a stored list into the kernel's representation.
pub fn to_kernel(stored: &[u8]) -> Result<Vec<u8>, DiskError> {
    let view = Structure::new(FORMAT, "access control list", stored);
    let count = usize::try_from(view.be32(0)?).unwrap_or(usize::MAX);
    if count > stored.len() / ENTRY {
        return Err(view.damaged(format_args!("{count} entries in {} bytes", stored.len())));
    }
    let mut out = KERNEL_VERSION.to_le_bytes().to_vec();
    for at in (0..count).map(|index| 4 + index * ENTRY) {
        let tag = u16::try_from(view.be32(at)?)
            .map_err(|_| view.damaged("a tag of more than sixteen bits"))?;
        let id = if NAMED.contains(&tag) {
            view.be32(at + 4)?
        } else {
            u32::MAX
        };
        out.extend(tag.to_le_bytes());
        out.extend(view.be16(at + 8)?.to_le_bytes());
        out.extend(id.to_le_bytes());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_change_their_order_and_their_end() {
        let stored = [
            [0, 0, 0, 2].as_slice(),
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 6, 0, 0],
            &[0, 0, 0, 2, 0, 0, 3, 0xe8, 0, 4, 0, 0],
        ]
        .concat();
        let expected = [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0,
        ];
        assert_eq!(to_kernel(&stored).unwrap(), expected);
        assert!(to_kernel(&stored[..20]).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = to_kernel(&bytes);
        }
    }
}
