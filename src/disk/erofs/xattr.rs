//! Extended attributes: behind the inode, and those that several files share. `erofs_fs.h`, `struct erofs_xattr_ibody_header`.

use super::FORMAT;
use super::inode::Inode;
use super::volume::Volume;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, Xattrs};

/// Name and value.
type Attribute = (Vec<u8>, Vec<u8>);

/// Bytes of the head behind an inode, and of that of an attribute.
const HEAD: usize = 12;
const ENTRY: usize = 4;

pub fn read(volume: &Volume, inode: &Inode) -> Result<Xattrs, DiskError> {
    let (at, length) = inode.xattrs;
    let length = usize::try_from(length).unwrap_or_default();
    if length < HEAD {
        return Ok(Vec::new());
    }
    // At most 256 KiB: a number of 16 bits, of words.
    let mut bytes = vec![0; length];
    volume.metadata(at, &mut bytes)?;
    let view = Structure::new(FORMAT, "attributes", &bytes);
    let shared = usize::from(view.u8(4)?);
    let mut found = Vec::new();
    for number in 0..shared {
        let id = u64::from(view.le32(HEAD + number * 4)?);
        let place = volume.disk.xattrs.saturating_add(id * 4);
        let head = volume.array::<ENTRY>(place)?;
        let (name, value) = lengths(Structure::new(FORMAT, "attribute", &head))?;
        let mut bytes = vec![0; ENTRY + name + value];
        volume.metadata(place, &mut bytes)?;
        found.extend(one(Structure::new(FORMAT, "attribute", &bytes), 0)?);
    }
    let mut at = HEAD + shared * 4;
    while at + ENTRY <= bytes.len() {
        let rest = Structure::new(FORMAT, "attribute", view.slice(at, bytes.len() - at)?);
        let (name, value) = lengths(rest)?;
        // Nothing but padding follows.
        if name == 0 && value == 0 && rest.u8(1)? == 0 {
            break;
        }
        found.extend(one(view, at)?);
        at += (ENTRY + name + value).next_multiple_of(4);
    }
    found.sort();
    Ok(found)
}

fn lengths(view: Structure<'_>) -> Result<(usize, usize), DiskError> {
    Ok((usize::from(view.u8(0)?), usize::from(view.le16(2)?)))
}

/// `None` of a name space that nobody knows.
fn one(view: Structure<'_>, at: usize) -> Result<Option<Attribute>, DiskError> {
    let name_length = usize::from(view.u8(at)?);
    let prefix: &[u8] = match view.u8(at + 1)? {
        1 => b"user.",
        2 => b"system.posix_acl_access",
        3 => b"system.posix_acl_default",
        4 => b"trusted.",
        6 => b"security.",
        _ => return Ok(None),
    };
    let name = view.slice(at + ENTRY, name_length)?;
    let value = view.slice(at + ENTRY + name_length, usize::from(view.le16(at + 2)?))?;
    Ok(Some(([prefix, name].concat(), value.to_vec())))
}
