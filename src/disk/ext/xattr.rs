//! Extended attributes: behind the inode's fields, in a block of their own, or, for large values, in an inode.
//! Kernel documentation, "Extended Attributes".

use super::inode::{Inode, flag};
use super::volume::Volume;
use super::{Ext, FORMAT, acl, content};
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, Xattrs};
use std::collections::BTreeMap;

const MAGIC: u32 = 0xea02_0000;
/// Bytes of an entry before its name.
const ENTRY: usize = 16;
/// Bytes of the header of an attribute block.
const BLOCK_HEADER: usize = 32;
/// The largest value the kernel's interface can pass.
const MAX_VALUE: u64 = 1 << 16;
/// Bytes of all values together. A block of entries may name thousands of inodes with the largest of values.
const MAX_TOTAL: usize = 16 << 20;
/// The name space of what the file system keeps for itself.
const SYSTEM: u8 = 7;

/// Name spaces by number. What is not here is the file system's own business (inline data, encryption contexts).
fn prefix(index: u8) -> Option<&'static [u8]> {
    Some(match index {
        1 => b"user.",
        2 => b"system.posix_acl_access",
        3 => b"system.posix_acl_default",
        4 => b"trusted.",
        6 => b"security.",
        8 => b"system.richacl",
        10 => b"gnu.",
        _ => return None,
    })
}

/// One attribute as stored.
struct Stored<'a> {
    index: u8,
    name: &'a [u8],
    value: Value<'a>,
}

enum Value<'a> {
    Here(&'a [u8]),
    /// In an inode of its own: its number, and the value's length.
    Inode(u64, u64),
}

/// Attributes by full name, sorted, those of the inode before those of the block.
pub fn read(ext: &Ext, inode: &Inode) -> Result<Xattrs, DiskError> {
    let mut all = BTreeMap::new();
    for stored in in_inode(inode)? {
        collect(ext, &stored, &mut all)?;
    }
    if inode.xattr_block != 0 {
        let block = block(ext.volume(), inode.xattr_block)?;
        let view = Structure::new(FORMAT, "extended attributes", &block);
        for stored in entries(view, BLOCK_HEADER, 0)? {
            collect(ext, &stored, &mut all)?;
        }
    }
    Ok(all.into_iter().collect())
}

fn collect(
    ext: &Ext,
    stored: &Stored<'_>,
    all: &mut BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<(), DiskError> {
    let Some(prefix) = prefix(stored.index) else {
        return Ok(());
    };
    let name = [prefix, stored.name].concat();
    if all.contains_key(&name) {
        return Ok(());
    }
    let value = match stored.value {
        Value::Here(bytes) => bytes.to_vec(),
        Value::Inode(number, length) => in_value_inode(ext, number, length)?,
    };
    let value = match stored.index {
        2 | 3 => acl::to_kernel(&value)?,
        _ => value,
    };
    let total: usize = all.values().map(Vec::len).sum();
    if total.saturating_add(value.len()) > MAX_TOTAL {
        let what = format!("attributes of more than {MAX_TOTAL} bytes");
        return Err(DiskError::damaged(FORMAT, what));
    }
    all.insert(name, value);
    Ok(())
}

/// The attribute that holds the rest of inline data; empty where there is none.
pub fn inline_data(inode: &Inode) -> Result<&[u8], DiskError> {
    for stored in in_inode(inode)? {
        if let (SYSTEM, b"data", Value::Here(bytes)) = (stored.index, stored.name, stored.value) {
            return Ok(bytes);
        }
    }
    Ok(&[])
}

fn in_inode(inode: &Inode) -> Result<Vec<Stored<'_>>, DiskError> {
    let view = Structure::new(FORMAT, "extended attributes", &inode.tail);
    if !view.le32(0).is_ok_and(|magic| magic == MAGIC) {
        return Ok(Vec::new());
    }
    // Offsets of values count from the first entry, behind the magic.
    entries(view, 4, 4)
}

fn block(volume: &Volume, number: u64) -> Result<std::sync::Arc<[u8]>, DiskError> {
    let block = volume.block(number)?;
    let view = Structure::new(FORMAT, "extended attributes", &block);
    if view.le32(0)? != MAGIC {
        return Err(view.damaged("a block without its magic"));
    }
    Ok(block)
}

/// The entries from `at` on, up to four zero bytes; values count from `base`.
fn entries(view: Structure<'_>, mut at: usize, base: usize) -> Result<Vec<Stored<'_>>, DiskError> {
    let mut found = Vec::new();
    // A region too small for a terminator ends where it ends.
    while view.le32(at).is_ok_and(|head| head != 0) {
        let (length, index) = (usize::from(view.u8(at)?), view.u8(at + 1)?);
        let name = view.slice(at + ENTRY, length)?;
        let offset = base + usize::from(view.le16(at + 2)?);
        let (inode, size) = (view.le32(at + 4)?, view.le32(at + 8)?);
        let value = if inode != 0 {
            Value::Inode(u64::from(inode), u64::from(size))
        } else if size == 0 {
            Value::Here(&[])
        } else {
            Value::Here(view.slice(offset, usize::try_from(size).unwrap_or(usize::MAX))?)
        };
        found.push(Stored { index, name, value });
        at = at.saturating_add((ENTRY + length).next_multiple_of(4));
    }
    Ok(found)
}

fn in_value_inode(ext: &Ext, number: u64, length: u64) -> Result<Vec<u8>, DiskError> {
    let inode = ext.inode(number)?;
    if !inode.has(flag::EA_INODE) || inode.size < length {
        let what = format!("inode {number} does not hold the value of an attribute");
        return Err(DiskError::damaged(FORMAT, what));
    }
    let mut value = content::read_whole(ext.volume(), &inode, MAX_VALUE)?;
    value.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), base in 0_usize..40) {
            let _ = entries(Structure::new(FORMAT, "test", &bytes), base, base);
        }
    }

    #[test]
    fn a_value_outside_its_region_is_damage() {
        let mut bytes = vec![
            1, 1, 200, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, b'a', 0, 0, 0,
        ];
        bytes.extend([0; 12]);
        assert!(entries(Structure::new(FORMAT, "test", &bytes), 0, 0).is_err());
        bytes[2] = 20;
        let found = entries(Structure::new(FORMAT, "test", &bytes), 0, 0).unwrap();
        assert_eq!((found.len(), found[0].name), (1, b"a".as_slice()));
    }
}
