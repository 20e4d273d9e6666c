//! Extended attributes: sets of them in a table, names and values in metadata. `squashfs_fs.h`, `struct squashfs_xattr_id`.

use super::FORMAT;
use super::volume::{Cursor, Volume};
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, Xattrs};

/// Attributes of one file, and bytes of a value: what the kernel allows.
const MOST: u32 = 65_536;
const MOST_VALUE: u32 = 65_536;
/// Set where a value stands elsewhere, because several files share it.
const ELSEWHERE: u16 = 0x100;
/// Bytes of all values and names of one file.
const MOST_BYTES: usize = 4 << 20;

/// The attributes of the set with this number; `table` is where the table's head is.
pub fn read(volume: &Volume, table: u64, index: u32) -> Result<Xattrs, DiskError> {
    let head = volume.raw::<16>(table)?;
    let head = Structure::new(FORMAT, "table of attributes", &head);
    let (start, sets) = (head.le64(0)?, head.le32(8)?);
    if index >= sets {
        return Err(head.damaged(format_args!("set {index} of {sets}")));
    }
    let set = volume.entry::<16>(table.saturating_add(16), index)?;
    let set = Structure::new(FORMAT, "set of attributes", &set);
    let mut cursor = Cursor::of(start, set.le64(0)?);
    let count = set.le32(8)?;
    if count > MOST {
        return Err(set.damaged(format_args!("{count} attributes")));
    }
    let (mut found, mut bytes) = (Vec::new(), 0);
    for _ in 0..count {
        let (name, value) = one(volume, start, &mut cursor)?;
        bytes += name.len() + value.len();
        if bytes > MOST_BYTES {
            return Err(set.damaged("attributes without end"));
        }
        found.push((name, value));
    }
    found.sort();
    Ok(found)
}

fn one(volume: &Volume, start: u64, cursor: &mut Cursor) -> Result<(Vec<u8>, Vec<u8>), DiskError> {
    let kind = u16::from_le_bytes(volume.array(cursor)?);
    let length = u16::from_le_bytes(volume.array(cursor)?);
    let mut name = match kind & 0xff {
        0 => b"user.".to_vec(),
        1 => b"trusted.".to_vec(),
        2 => b"security.".to_vec(),
        other => {
            let what = format!("an attribute of the kind {other}");
            return Err(DiskError::damaged(FORMAT, what));
        }
    };
    let prefix = name.len();
    name.resize(prefix + usize::from(length), 0);
    volume.read(cursor, name.get_mut(prefix..).unwrap_or_default())?;
    let size = u32::from_le_bytes(volume.array(cursor)?);
    if kind & ELSEWHERE == 0 {
        return Ok((name, value(volume, cursor, size)?));
    }
    let reference = u64::from_le_bytes(volume.array(cursor)?);
    let mut there = Cursor::of(start, reference);
    let size = u32::from_le_bytes(volume.array(&mut there)?);
    Ok((name, value(volume, &mut there, size)?))
}

fn value(volume: &Volume, cursor: &mut Cursor, size: u32) -> Result<Vec<u8>, DiskError> {
    if size > MOST_VALUE {
        return Err(DiskError::damaged(
            FORMAT,
            format!("an attribute of {size} bytes"),
        ));
    }
    let mut value = vec![0; usize::try_from(size).unwrap_or_default()];
    volume.read(cursor, &mut value)?;
    Ok(value)
}
