//! Directories: blocks of linear entries. A hash tree hides its nodes in entries without an inode, so reading them all in
//! order is right for both. Kernel documentation, "Directory Entries".

use super::FORMAT;
use super::content::{self, Run};
use super::inode::{Inode, flag};
use super::volume::Volume;
use crate::disk::bytes::Structure;
use crate::disk::{DirEntry, DiskError, NodeId};
use std::ops::ControlFlow;

/// Bytes of an entry before its name.
const HEADER: usize = 8;
/// Bytes of the parent's number that an inline directory has in place of `.` and `..`.
const INLINE_PARENT: usize = 4;

type Visit<'a> = &'a mut dyn FnMut(DirEntry) -> ControlFlow<()>;

/// Hands out every entry. A damaged block costs its own entries only: the rest is handed out, then the damage reported.
pub fn read(volume: &Volume, inode: &Inode, visit: Visit<'_>) -> Result<(), DiskError> {
    content::readable(inode)?;
    let mut damage = None;
    let walked = if inode.has(flag::INLINE_DATA) {
        read_inline(inode, visit, &mut damage)?
    } else {
        read_blocks(volume, inode, visit, &mut damage)?
    };
    match damage {
        Some(damage) if walked.is_continue() => Err(damage),
        _ => Ok(()),
    }
}

/// Two regions of entries: after the parent's number in the inode, and in the attribute `system.data`.
fn read_inline(
    inode: &Inode,
    visit: Visit<'_>,
    damage: &mut Option<DiskError>,
) -> Result<ControlFlow<()>, DiskError> {
    let bytes = content::inline(inode)?;
    let (first, second) = bytes.split_at(inode.root.len().min(bytes.len()));
    for region in [first.get(INLINE_PARENT..).unwrap_or_default(), second] {
        if entries(region, inode.number, visit, damage).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn read_blocks(
    volume: &Volume,
    inode: &Inode,
    visit: Visit<'_>,
    damage: &mut Option<DiskError>,
) -> Result<ControlFlow<()>, DiskError> {
    let blocks = inode.size.div_ceil(u64::from(volume.block_size()));
    let mut logical = 0;
    // No directory has more blocks than the file system; one that maps the same block again and again would.
    let mut budget = volume.blocks();
    while logical < blocks {
        let run = content::map(volume, inode, logical, blocks - logical)?;
        let Run { block, blocks: run } = run;
        let run = run.clamp(1, blocks - logical);
        logical += run;
        // A hole costs a step too: trees that share their nodes can tell of more holes than anyone could wait for.
        let cost = if block.is_some() { run } else { 1 };
        budget = budget.checked_sub(cost).ok_or_else(|| {
            let what = format!("directory {} maps blocks twice", inode.number);
            DiskError::damaged(FORMAT, what)
        })?;
        let Some(first) = block else {
            continue;
        };
        for block in first..first.saturating_add(run) {
            match volume.block(block) {
                Ok(bytes) => {
                    if entries(&bytes, inode.number, visit, damage).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                // Blocks past the device's end stay unreadable: one message for the run is enough.
                Err(error) => {
                    damage.get_or_insert(error);
                    break;
                }
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Hands out the entries of one block or inline region.
fn entries(
    bytes: &[u8],
    directory: u64,
    visit: Visit<'_>,
    damage: &mut Option<DiskError>,
) -> ControlFlow<()> {
    let mut at = 0;
    while at < bytes.len() {
        let entry = match Entry::parse(bytes, at) {
            Ok(entry) => entry,
            Err(error) => {
                damage.get_or_insert(error);
                break;
            }
        };
        at += entry.length;
        if entry.inode == 0 || matches!(entry.name, b"." | b"..") {
            continue;
        }
        if entry.name.is_empty() || entry.name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            damage.get_or_insert_with(|| {
                let what = format!("directory {directory} has a name that cannot be one");
                DiskError::damaged(FORMAT, what)
            });
            continue;
        }
        visit(DirEntry {
            name: entry.name.to_vec(),
            node: NodeId {
                subvolume: 0,
                inode: u64::from(entry.inode),
            },
        })?;
    }
    ControlFlow::Continue(())
}

struct Entry<'a> {
    inode: u32,
    /// Bytes to the next entry; at least the header's.
    length: usize,
    name: &'a [u8],
}

impl<'a> Entry<'a> {
    fn parse(bytes: &'a [u8], at: usize) -> Result<Self, DiskError> {
        let left = bytes.get(at..).unwrap_or_default();
        let view = Structure::new(FORMAT, "directory", left);
        let length = record_length(view.le16(4)?, bytes.len());
        // Without the file type feature the next byte is the upper half of a length that never exceeds 255.
        let name = usize::from(view.u8(6)?);
        let inode = view.le32(0)?;
        let least = HEADER + if inode == 0 { 0 } else { name };
        if length < least || !length.is_multiple_of(4) || length > left.len() {
            return Err(view.damaged(format_args!("an entry of {length} bytes at {at}")));
        }
        Ok(Self {
            inode,
            length,
            name: view.slice(HEADER, name).unwrap_or_default(),
        })
    }
}

/// Sixteen bits cannot say 65,536, so blocks of that size use the two lowest bits, and 0 or 65,535 for the whole block.
fn record_length(stored: u16, block: usize) -> usize {
    let stored = usize::from(stored);
    if block < 1 << 16 {
        return stored;
    }
    match stored {
        0 | 0xffff => block,
        _ => (stored & 0xfffc) | ((stored & 3) << 16),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(bytes: &[u8]) -> (Vec<Vec<u8>>, Option<String>) {
        let (mut names, mut damage) = (Vec::new(), None);
        let mut visit = |entry: DirEntry| {
            names.push(entry.name);
            ControlFlow::Continue(())
        };
        let _ = entries(bytes, 2, &mut visit, &mut damage);
        (names, damage.map(|error| error.to_string()))
    }

    fn entry(inode: u32, length: u16, name: &[u8]) -> Vec<u8> {
        let mut bytes = inode.to_le_bytes().to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend([u8::try_from(name.len()).unwrap(), 1]);
        bytes.extend(name);
        bytes.resize(usize::from(length).max(bytes.len()), 0);
        bytes
    }

    #[test]
    fn dots_and_removed_names_are_left_out() {
        let block = [
            entry(2, 12, b"."),
            entry(2, 12, b".."),
            entry(0, 16, b"removed"),
            entry(12, 24, b"kept"),
        ];
        assert_eq!(names(&block.concat()), (vec![b"kept".to_vec()], None));
    }

    #[test]
    fn names_that_cannot_be_are_dropped_as_damage() {
        let block = [
            entry(12, 12, b"a/b"),
            entry(13, 12, b""),
            entry(14, 12, b"ok"),
        ];
        let (names, damage) = names(&block.concat());
        assert_eq!(names, [b"ok"]);
        assert!(damage.unwrap().contains("a name that cannot be one"));
    }

    #[test]
    fn a_length_of_zero_ends_the_block_instead_of_looping() {
        let (names, damage) = names(&[entry(12, 12, b"ok"), entry(13, 0, b"loop")].concat());
        assert_eq!(names, [b"ok"]);
        assert!(damage.unwrap().contains("an entry of 0 bytes"));
    }

    #[test]
    fn blocks_of_64_kib_spell_their_lengths_otherwise() {
        assert_eq!(record_length(0xffff, 1 << 16), 1 << 16);
        assert_eq!(record_length(0, 1 << 16), 1 << 16);
        assert_eq!(record_length(12, 1 << 16), 12);
        assert_eq!(record_length(0xfffc, 1 << 15), 0xfffc);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = names(&bytes);
        }
    }
}
