//! Extent trees: runs of blocks, sorted, under nodes of indices. Kernel documentation, "Extent Tree".

use super::FORMAT;
use super::content::Run;
use super::inode::Inode;
use super::volume::Volume;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use std::sync::Arc;

const MAGIC: u16 = 0xf30a;
/// Bytes of the header, and of each entry.
const ENTRY: usize = 12;
/// The kernel's own limit: four levels map every block that 32 bits can number.
const MAX_DEPTH: u16 = 5;
/// Lengths above this mark blocks that are allocated and not yet written; they read as zero.
const MAX_WRITTEN: u16 = 0x8000;

/// One node: its entries, and how many levels lie below it.
struct Node<'a> {
    view: Structure<'a>,
    depth: u16,
    entries: usize,
}

impl<'a> Node<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "extent tree", bytes);
        if view.le16(0)? != MAGIC {
            return Err(view.damaged("a node without its magic"));
        }
        let (entries, depth) = (usize::from(view.le16(2)?), view.le16(6)?);
        if entries.saturating_mul(ENTRY) > bytes.len().saturating_sub(ENTRY) {
            return Err(view.damaged(format_args!("{entries} entries in {} bytes", bytes.len())));
        }
        if depth > MAX_DEPTH {
            return Err(view.damaged(format_args!("{depth} levels")));
        }
        Ok(Self {
            view,
            depth,
            entries,
        })
    }

    fn at(index: usize) -> usize {
        index.saturating_add(1).saturating_mul(ENTRY)
    }

    /// The first logical block of an entry.
    fn start(&self, index: usize) -> Result<u64, DiskError> {
        self.view.le32(Self::at(index)).map(u64::from)
    }

    /// The last entry that begins at or before `logical`, and where the next one begins.
    fn find(&self, logical: u64) -> Result<(Option<usize>, Option<u64>), DiskError> {
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.start(middle)? <= logical {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let next = (low < self.entries).then(|| self.start(low)).transpose()?;
        Ok((low.checked_sub(1), next))
    }

    /// An index entry's child block.
    fn child(&self, index: usize) -> Result<u64, DiskError> {
        let at = Self::at(index);
        let high = u64::from(self.view.le16(at + 8)?) << 32;
        Ok(high | u64::from(self.view.le32(at + 4)?))
    }

    /// A leaf entry: its length in blocks, and where it lies unless it is unwritten.
    fn extent(&self, index: usize) -> Result<(u64, Option<u64>), DiskError> {
        let at = Self::at(index);
        let length = self.view.le16(at + 4)?;
        let high = u64::from(self.view.le16(at + 6)?) << 32;
        let physical = high | u64::from(self.view.le32(at + 8)?);
        Ok(match length.checked_sub(MAX_WRITTEN) {
            Some(unwritten) if unwritten > 0 => (u64::from(unwritten), None),
            _ => (u64::from(length), Some(physical)),
        })
    }
}

/// The run that begins at block `logical` of a node with an extent tree.
pub fn map(volume: &Volume, inode: &Inode, logical: u64) -> Result<Run, DiskError> {
    let mut bytes: Arc<[u8]> = inode.root.as_slice().into();
    let mut expected = None;
    // Where the next mapping may begin, from the levels above: a hole ends there.
    let mut limit = u64::from(u32::MAX) + 1;
    if logical >= limit {
        return Ok(Run::hole(u64::MAX - logical));
    }
    loop {
        let node = Node::parse(&bytes)?;
        // Each level must be one lower than its parent, so a loop of nodes ends here.
        if expected.is_some_and(|depth| depth != node.depth) {
            let what = format_args!("a node of inode {} at the wrong depth", inode.number);
            return Err(node.view.damaged(what));
        }
        let (found, next) = node.find(logical)?;
        limit = next.unwrap_or(limit).min(limit);
        let to_limit = Run::hole(limit.saturating_sub(logical).max(1));
        let Some(index) = found else {
            return Ok(to_limit);
        };
        let Some(below) = node.depth.checked_sub(1) else {
            let skipped = logical.saturating_sub(node.start(index)?);
            let (length, physical) = node.extent(index)?;
            if skipped >= length {
                return Ok(to_limit);
            }
            // An extent that overlaps its successor is damage; the successor wins, as it would for the kernel's search.
            let blocks = (length - skipped).min(limit.saturating_sub(logical)).max(1);
            let block = physical.map(|start| start.saturating_add(skipped));
            return Ok(Run { block, blocks });
        };
        expected = Some(below);
        let child = node.child(index)?;
        bytes = volume.block(child)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node(depth: u16, entries: &[[u8; 12]]) -> Vec<u8> {
        let mut bytes = MAGIC.to_le_bytes().to_vec();
        bytes.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
        bytes.extend([4, 0]);
        bytes.extend(depth.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(entries.concat());
        bytes
    }

    #[test]
    fn the_entry_at_or_before_a_block_is_found() {
        let entry = |start: u8| [start, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0];
        let bytes = node(0, &[entry(3), entry(7), entry(20)]);
        let node = Node::parse(&bytes).unwrap();
        assert_eq!(node.find(2).unwrap(), (None, Some(3)));
        assert_eq!(node.find(3).unwrap(), (Some(0), Some(7)));
        assert_eq!(node.find(19).unwrap(), (Some(1), Some(20)));
        assert_eq!(node.find(21).unwrap(), (Some(2), None));
        assert_eq!(node.extent(0).unwrap(), (1, Some(9)));
    }

    #[test]
    fn a_length_of_32768_is_written_and_one_more_is_not() {
        let long = node(0, &[[0, 0, 0, 0, 0, 0x80, 0, 0, 5, 0, 0, 0]]);
        assert_eq!(
            Node::parse(&long).unwrap().extent(0).unwrap(),
            (0x8000, Some(5))
        );
        let unwritten = node(0, &[[0, 0, 0, 0, 1, 0x80, 0, 0, 5, 0, 0, 0]]);
        assert_eq!(
            Node::parse(&unwritten).unwrap().extent(0).unwrap(),
            (1, None)
        );
    }

    proptest! {
        #[test]
        fn nodes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), logical: u32) {
            if let Some(head) = bytes.get_mut(..2) {
                head.copy_from_slice(&MAGIC.to_le_bytes());
            }
            if let Ok(node) = Node::parse(&bytes)
                && let Ok((Some(index), _)) = node.find(u64::from(logical))
            {
                let _ = (node.child(index), node.extent(index));
            }
        }
    }
}
