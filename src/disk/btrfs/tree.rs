//! Trees: finding an item by its key, and going on from there. "On-disk format", "Trees".
//!
//! A tree is an attacker's: each child must be one level lower and begin with its parent's key, and keys must grow, so
//! that no node is met twice and every walk ends.

use super::FORMAT;
use super::key::Key;
use super::node::Node;
use super::volume::Volume;
use crate::disk::DiskError;

/// Levels of a tree: 0 to 7.
const LEVELS: u8 = 8;
/// Damaged nodes that a walk goes on behind.
const MOST_DAMAGE: u32 = 64;

/// Where a node lies, and what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    pub logical: u64,
    /// The transaction that wrote the node.
    pub generation: u64,
    pub level: u8,
    /// Its first key; a tree's root has none that is known.
    pub first: Option<Key>,
}

/// A tree.
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    volume: &'a Volume,
    root: Pointer,
}

/// An item with its leaf.
#[derive(Debug, Clone)]
pub struct Item {
    pub key: Key,
    leaf: Node,
    index: usize,
}

impl Item {
    pub fn bytes(&self) -> Result<&[u8], DiskError> {
        self.leaf.item(self.index)
    }
}

impl<'a> Tree<'a> {
    pub fn new(volume: &'a Volume, root: Pointer) -> Self {
        Self { volume, root }
    }

    /// The item of exactly this key.
    pub fn get(&self, key: Key) -> Result<Option<Item>, DiskError> {
        let found = self.from(key)?.next()?;
        Ok(found.filter(|item| item.key == key))
    }

    /// Items from the first whose key is not below `key`.
    pub fn from(&self, key: Key) -> Result<Cursor<'a>, DiskError> {
        let mut path = self.descend(&key)?;
        if let Some((leaf, at)) = path.last_mut() {
            *at = leaf.before(&key, false)?;
        }
        Ok(self.cursor(path))
    }

    /// Items from the last whose key is not above `key`; where there is none, from the first.
    pub fn at_or_before(&self, key: Key) -> Result<Cursor<'a>, DiskError> {
        let mut path = self.descend(&key)?;
        if let Some((leaf, at)) = path.last_mut() {
            *at = leaf.before(&key, true)?.saturating_sub(1);
        }
        Ok(self.cursor(path))
    }

    fn cursor(&self, path: Vec<(Node, usize)>) -> Cursor<'a> {
        Cursor {
            volume: self.volume,
            path,
            last: None,
            damage: 0,
        }
    }

    /// The nodes from the root to the leaf where `key` is or would be; inner ones with the child to visit next.
    fn descend(&self, key: &Key) -> Result<Vec<(Node, usize)>, DiskError> {
        if self.root.level >= LEVELS {
            let what = format!("a tree of {} levels", u32::from(self.root.level) + 1);
            return Err(DiskError::damaged(FORMAT, what));
        }
        let (mut path, mut pointer) = (Vec::new(), self.root);
        loop {
            let node = self.volume.node(&pointer)?;
            if node.level == 0 {
                path.push((node, 0));
                return Ok(path);
            }
            let at = node.before(key, true)?.saturating_sub(1);
            pointer = node.child(at)?;
            path.push((node, at + 1));
        }
    }
}

/// A place in a tree.
pub struct Cursor<'a> {
    volume: &'a Volume,
    /// From the root down, each with what is to be visited next.
    path: Vec<(Node, usize)>,
    last: Option<Key>,
    damage: u32,
}

impl Cursor<'_> {
    /// The next item, `None` at the end. After an error the next call goes on behind the damaged node.
    pub fn next(&mut self) -> Result<Option<Item>, DiskError> {
        let found = self.advance();
        if found.is_err() {
            self.damage += 1;
            if self.damage > MOST_DAMAGE {
                self.path.clear();
            }
        }
        found
    }

    fn advance(&mut self) -> Result<Option<Item>, DiskError> {
        while let Some((node, at)) = self.path.last_mut() {
            let index = *at;
            if index >= node.count {
                self.path.pop();
                continue;
            }
            *at += 1;
            if node.level > 0 {
                let child = self.volume.node(&node.child(index)?)?;
                self.path.push((child, 0));
                continue;
            }
            let (key, leaf) = (node.key(index)?, node.clone());
            if self.last.is_some_and(|last| last >= key) {
                self.path.pop();
                let what = "tree node: its keys do not grow";
                return Err(DiskError::damaged(FORMAT, what));
            }
            self.last = Some(key);
            return Ok(Some(Item { key, leaf, index }));
        }
        Ok(None)
    }
}
