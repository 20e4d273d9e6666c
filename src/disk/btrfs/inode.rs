//! The inode: what a node is, whose, how large. "On-disk format", "INODE_ITEM".

use super::FORMAT;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, FileKind, Stat};

/// Bytes of the structure.
pub const SIZE: usize = 160;

/// Reads the inode that `bytes` begin with.
pub fn parse(number: u64, bytes: &[u8]) -> Result<Stat, DiskError> {
    let view = Structure::new(FORMAT, "inode", bytes);
    let (mode, size) = (view.le32(52)?, view.le64(16)?);
    let kind = kind_of(mode)
        .ok_or_else(|| view.damaged(format_args!("{number} has the mode {mode:#o}")))?;
    if i64::try_from(size).is_err() {
        return Err(view.damaged(format_args!("{number} has {size} bytes")));
    }
    let device = view.le64(56)?;
    let is_device = matches!(kind, FileKind::CharDevice | FileKind::BlockDevice);
    let part = |number: u64| u32::try_from(number).unwrap_or_default();
    Ok(Stat {
        kind,
        mode: mode & 0o7777,
        uid: view.le32(44)?,
        gid: view.le32(48)?,
        size,
        allocated: view.le64(24)?,
        mtime: (
            i64::from_le_bytes(view.array(136)?),
            view.le32(144)?.min(999_999_999),
        ),
        links: view.le32(40)?,
        device: if is_device {
            (part((device >> 20) & 0xfff), part(device & 0xf_ffff))
        } else {
            (0, 0)
        },
    })
}

fn kind_of(mode: u32) -> Option<FileKind> {
    Some(match mode & 0o17_0000 {
        0o01_0000 => FileKind::Fifo,
        0o02_0000 => FileKind::CharDevice,
        0o04_0000 => FileKind::Directory,
        0o06_0000 => FileKind::BlockDevice,
        0o10_0000 => FileKind::File,
        0o12_0000 => FileKind::Symlink,
        0o14_0000 => FileKind::Socket,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_where_they_belong() {
        let mut bytes = vec![0; SIZE];
        for (at, value) in [(16, 10_u64), (24, 4096), (56, 8 << 20 | 3), (136, u64::MAX)] {
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        for (at, value) in [
            (40, 2_u32),
            (44, 1000),
            (48, 100),
            (52, 0o06_4660),
            (144, 7),
        ] {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let expected = Stat {
            kind: FileKind::BlockDevice,
            mode: 0o4660,
            uid: 1000,
            gid: 100,
            size: 10,
            allocated: 4096,
            mtime: (-1, 7),
            links: 2,
            device: (8, 3),
        };
        assert_eq!(parse(1, &bytes).unwrap(), expected);
        assert!(parse(1, &bytes[..SIZE - 20]).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(1, &bytes);
        }
    }
}
