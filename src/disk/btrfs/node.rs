//! Tree nodes: inner ones of keys with pointers, leaves of keys with items. "On-disk format", `struct btrfs_header`.

use super::FORMAT;
use super::key::{self, Key};
use super::tree::Pointer;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use std::sync::Arc;

/// Bytes before the keys.
const HEADER: usize = 101;
/// Bytes of a key with its pointer, and of a key with its item's place.
const POINTER: usize = key::SIZE + 16;
const ITEM: usize = key::SIZE + 8;

/// One node, its header checked against what led to it.
#[derive(Debug, Clone)]
pub struct Node {
    bytes: Arc<[u8]>,
    pub level: u8,
    /// How many keys.
    pub count: usize,
}

impl Node {
    /// A node whose header is what `pointer` says.
    pub fn new(bytes: Arc<[u8]>, pointer: &Pointer, uuid: &[u8; 16]) -> Result<Self, DiskError> {
        let (level, count) = (pointer.level, check(&bytes, pointer, uuid)?);
        Ok(Self {
            bytes,
            level,
            count,
        })
    }

    fn view(&self) -> Structure<'_> {
        Structure::new(FORMAT, "tree node", &self.bytes)
    }

    fn place(&self, index: usize) -> usize {
        let place = index.saturating_mul(stride(self.level));
        place.saturating_add(HEADER)
    }

    pub fn key(&self, index: usize) -> Result<Key, DiskError> {
        Key::parse(self.view(), self.place(index))
    }

    /// What an inner node's key points to.
    pub fn child(&self, index: usize) -> Result<Pointer, DiskError> {
        let (view, at) = (self.view(), self.place(index) + key::SIZE);
        Ok(Pointer {
            logical: view.le64(at)?,
            generation: view.le64(at + 8)?,
            level: self.level.saturating_sub(1),
            first: Some(self.key(index)?),
        })
    }

    /// A leaf's item.
    pub fn item(&self, index: usize) -> Result<&[u8], DiskError> {
        let (view, at) = (self.view(), self.place(index) + key::SIZE);
        let (offset, length) = (view.le32(at)?, view.le32(at + 4)?);
        let number = |word: u32| usize::try_from(word).unwrap_or(usize::MAX);
        view.slice(number(offset).saturating_add(HEADER), number(length))
    }

    /// How many keys lie before `key`, and with `through` also the key itself.
    pub fn before(&self, key: &Key, through: bool) -> Result<usize, DiskError> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            let found = self.key(middle)?;
            if found < *key || through && found == *key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// Bytes from one key to the next.
fn stride(level: u8) -> usize {
    if level == 0 { ITEM } else { POINTER }
}

/// Checks a node's header and says how many keys it has. It must be what the pointer to it says, which tells an older state
/// of the same place.
pub fn check(bytes: &[u8], pointer: &Pointer, uuid: &[u8; 16]) -> Result<usize, DiskError> {
    let view = Structure::new(FORMAT, "tree node", bytes);
    let (place, generation, level) = (view.le64(48)?, view.le64(80)?, view.u8(100)?);
    let wanted = (pointer.logical, pointer.generation, pointer.level);
    if (place, generation, level) != wanted || view.array::<16>(32)? != *uuid {
        let (logical, newer) = (pointer.logical, pointer.generation);
        return Err(view.damaged(format_args!(
            "what lies at {logical} is not the one of generation {newer}, level {}",
            pointer.level
        )));
    }
    let count = usize::try_from(view.le32(96)?).unwrap_or(usize::MAX);
    if count > view.len().saturating_sub(HEADER) / stride(level) {
        return Err(view.damaged(format_args!("{count} keys")));
    }
    let begins = |first| Ok::<_, DiskError>(count > 0 && Key::parse(view, HEADER)? == first);
    match pointer.first {
        Some(first) if !begins(first)? => {
            Err(view.damaged("it does not begin with the key that leads to it"))
        }
        _ => Ok(count),
    }
}
