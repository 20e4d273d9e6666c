//! Access control lists: the file system's short form turned into the kernel's (`posix_acl_xattr.h`), which is what
//! `getxattr` returns and `tar` archives carry.

use super::FORMAT;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

const DISK_VERSION: u32 = 1;
const KERNEL_VERSION: u32 = 2;
/// Tags whose entries carry an identifier: a named user, a named group.
const NAMED: [u16; 2] = [0x02, 0x08];

/// Turns a stored list into the kernel's representation.
pub fn to_kernel(stored: &[u8]) -> Result<Vec<u8>, DiskError> {
    let view = Structure::new(FORMAT, "access control list", stored);
    let version = view.le32(0)?;
    if version != DISK_VERSION {
        return Err(view.damaged(format_args!("version {version}")));
    }
    let mut out = KERNEL_VERSION.to_le_bytes().to_vec();
    let mut at = 4;
    while at < view.len() {
        let tag = view.le16(at)?;
        out.extend(view.slice(at, 4)?);
        at += 4;
        if NAMED.contains(&tag) {
            out.extend(view.slice(at, 4)?);
            at += 4;
        } else {
            out.extend(u32::MAX.to_le_bytes());
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_entries_gain_the_undefined_identifier() {
        let stored = [1, 0, 0, 0, 1, 0, 6, 0, 2, 0, 4, 0, 0xe8, 3, 0, 0];
        let kernel = to_kernel(&stored).unwrap();
        let expected = [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0,
        ];
        assert_eq!(kernel, expected);
        assert!(to_kernel(&stored[..14]).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = to_kernel(&bytes);
        }
    }
}
