//! Extended attributes: in the inode, or in leaves under a tree of hashes, large values in blocks of their own.
//! "XFS Algorithms & Data Structures", "Extended Attributes".

mod acl;
mod leaf;

use super::FORMAT;
use super::fork::{Fork, Format};
use super::inode::Inode;
use super::superblock::Superblock;
use super::volume::Volume;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, Xattrs};
use std::collections::BTreeMap;

/// Name spaces, by flag; without one it is the user's.
const ROOT: u8 = 0x2;
const SECURE: u8 = 0x4;
/// A directory that names this node: not an attribute to anyone but the file system.
const PARENT: u8 = 0x8;
/// Written halfway when the machine stopped; the kernel does not show it.
const INCOMPLETE: u8 = 0x80;
/// Bytes of all values together: leaves may name the same blocks of values thousands of times.
const MAX_TOTAL: usize = 16 << 20;

/// The attributes found so far.
#[derive(Default)]
struct Found {
    all: BTreeMap<Vec<u8>, Vec<u8>>,
    total: usize,
}

/// Attributes by full name, sorted.
pub fn read(volume: &Volume, disk: &Superblock, inode: &Inode) -> Result<Xattrs, DiskError> {
    let mut found = Found::default();
    if let Some(fork) = &inode.attributes {
        match fork.format {
            Format::Local => short(fork, &mut found)?,
            Format::Extents | Format::Tree => leaf::read(volume, disk, fork, &mut found)?,
            // What an empty fork looks like that was never used.
            Format::Device => {}
        }
    }
    Ok(found.all.into_iter().collect())
}

impl Found {
    /// Keeps an attribute under its full name; access control lists in the form that the kernel hands out.
    fn keep(&mut self, flags: u8, name: &[u8], value: Vec<u8>) -> Result<(), DiskError> {
        self.total = self.total.saturating_add(value.len());
        if self.total > MAX_TOTAL {
            let what = format!("attributes of more than {MAX_TOTAL} bytes");
            return Err(DiskError::damaged(FORMAT, what));
        }
        let (name, value) = match (flags & (ROOT | SECURE), name) {
            (ROOT, b"SGI_ACL_FILE") => {
                (b"system.posix_acl_access".to_vec(), acl::to_kernel(&value)?)
            }
            (ROOT, b"SGI_ACL_DEFAULT") => (
                b"system.posix_acl_default".to_vec(),
                acl::to_kernel(&value)?,
            ),
            (ROOT, name) => ([b"trusted.", name].concat(), value),
            (SECURE, name) => ([b"security.", name].concat(), value),
            (_, name) => ([b"user.", name].concat(), value),
        };
        self.all.insert(name, value);
        Ok(())
    }
}

/// Whether an entry is one to show.
fn is_shown(flags: u8) -> bool {
    flags & (PARENT | INCOMPLETE) == 0
}

/// Attributes inside the inode.
fn short(fork: &Fork, found: &mut Found) -> Result<(), DiskError> {
    let view = Structure::new(FORMAT, "short attributes", &fork.bytes);
    let mut at = 4;
    for _ in 0..view.u8(2)? {
        let (name, value) = (usize::from(view.u8(at)?), usize::from(view.u8(at + 1)?));
        let flags = view.u8(at + 2)?;
        at += 3;
        if is_shown(flags) {
            let bytes = view.slice(at + name, value)?.to_vec();
            found.keep(flags, view.slice(at, name)?, bytes)?;
        }
        at += name + value;
    }
    Ok(())
}
