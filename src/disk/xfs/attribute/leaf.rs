//! Leaves of attributes: found from the root of a tree of hashes down its first branch, then from one to the next.

use super::super::FORMAT;
use super::super::fork::Fork;
use super::super::superblock::Superblock;
use super::super::volume::Volume;
use super::{Found, is_shown};
use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use std::collections::BTreeSet;

/// Magic numbers of leaves and nodes, before version 5 and since.
const OLD_LEAF: u16 = 0xfbee;
const LEAF: u16 = 0x3bee;
const OLD_NODE: u16 = 0xfebe;
const NODE: u16 = 0x3ebe;
/// The entry's value lies beside its name.
const LOCAL: u8 = 0x1;
/// The largest value the kernel's interface can pass.
const MAX_VALUE: usize = 1 << 16;
/// The header of each block of a large value since version 5: its magic, and its bytes.
const VALUE_MAGIC: u32 = 0x5841_524d;
const VALUE_HEADER: usize = 56;

/// One fork of attributes.
struct Leaves<'a> {
    volume: &'a Volume,
    disk: &'a Superblock,
    fork: &'a Fork,
}

/// Reads every attribute of every leaf.
pub fn read(
    volume: &Volume,
    disk: &Superblock,
    fork: &Fork,
    found: &mut Found,
) -> Result<(), DiskError> {
    let leaves = Leaves { volume, disk, fork };
    if fork.map(volume, 0)?.block.is_none() {
        // A fork whose last attribute was removed.
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    let mut next = leaves.first()?;
    loop {
        if !seen.insert(next) {
            return Err(DiskError::damaged(FORMAT, "attributes: a loop of leaves"));
        }
        let block = leaves.block(next)?;
        let view = Structure::new(FORMAT, "attributes", &block);
        leaves.leaf(view, found)?;
        // The number of the next leaf of the chain; the last has none.
        next = view.be32(0)?;
        if next == 0 {
            return Ok(());
        }
    }
}

impl Leaves<'_> {
    fn block(&self, logical: u32) -> Result<Vec<u8>, DiskError> {
        let mut bytes = vec![0; self.volume.block_size() as usize];
        let offset = u64::from(logical) * u64::from(self.volume.block_size());
        self.fork.read(self.volume, offset, &mut bytes)?;
        Ok(bytes)
    }

    /// The first leaf: block 0, or what lies below its first entry, and below that one's.
    fn first(&self) -> Result<u32, DiskError> {
        let mut logical = 0;
        let mut expected = None;
        loop {
            let block = self.block(logical)?;
            let view = Structure::new(FORMAT, "attributes", &block);
            let header = match view.be16(8)? {
                LEAF | OLD_LEAF => return Ok(logical),
                NODE => 56,
                OLD_NODE => 12,
                magic => {
                    return Err(view.damaged(format_args!("a block with the magic {magic:#x}")));
                }
            };
            // Each level must be one lower than its parent, so a loop of nodes ends here.
            let level = view.be16(header + 2)?;
            if level == 0 || expected.is_some_and(|expected| level != expected) {
                return Err(view.damaged("a node at the wrong level"));
            }
            expected = Some(level - 1);
            let entries = if header == 56 { 64 } else { 16 };
            logical = view.be32(entries + 4)?;
        }
    }

    fn leaf(&self, view: Structure<'_>, found: &mut Found) -> Result<(), DiskError> {
        let (count, entries) = match view.be16(8)? {
            LEAF => (view.be16(56)?, 80),
            OLD_LEAF => (view.be16(12)?, 32),
            magic => return Err(view.damaged(format_args!("a leaf with the magic {magic:#x}"))),
        };
        for at in (0..usize::from(count)).map(|index| entries + index * 8) {
            let (place, flags) = (usize::from(view.be16(at + 4)?), view.u8(at + 6)?);
            if !is_shown(flags) {
                continue;
            }
            let (name, value) = if flags & LOCAL != 0 {
                let length = usize::from(view.u8(place + 2)?);
                let value = usize::from(view.be16(place)?);
                let bytes = view.slice(place + 3 + length, value)?.to_vec();
                (view.slice(place + 3, length)?, bytes)
            } else {
                let length = usize::from(view.u8(place + 8)?);
                let value = self.remote(view.be32(place)?, view.be32(place + 4)?)?;
                (view.slice(place + 9, length)?, value)
            };
            found.keep(flags, name, value)?;
        }
        Ok(())
    }

    /// A value in blocks of its own, from block `logical` of the fork on.
    fn remote(&self, logical: u32, length: u32) -> Result<Vec<u8>, DiskError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_VALUE {
            let what = format!("attributes: a value of {length} bytes");
            return Err(DiskError::damaged(FORMAT, what));
        }
        let header = if self.disk.self_describing {
            VALUE_HEADER
        } else {
            0
        };
        let (mut value, mut logical) = (Vec::new(), logical);
        while value.len() < length {
            let block = self.block(logical)?;
            let view = Structure::new(FORMAT, "value of an attribute", &block);
            let offset = usize::try_from(view.be32(4)?).unwrap_or(usize::MAX);
            if header > 0 && (view.be32(0)? != VALUE_MAGIC || offset != value.len()) {
                return Err(view.damaged("a block without its header"));
            }
            let left = length - value.len();
            let part = block.get(header..).unwrap_or_default();
            value.extend(part.iter().take(left));
            logical = logical.saturating_add(1);
        }
        Ok(value)
    }
}
