//! Directories. Small ones lie in the inode; all others keep their entries in data blocks at the beginning of the fork,
//! and what finds a name by its hash (leaves, nodes, free space) far behind them, where a reader of everything need not go.
//! "XFS Algorithms & Data Structures", "Directories".

use super::FORMAT;
use super::fork::{Format, Run};
use super::inode::Inode;
use super::superblock::Superblock;
use super::volume::Volume;
use crate::disk::bytes::Structure;
use crate::disk::{DirEntry, DiskError, NodeId};
use std::ops::ControlFlow;

/// Bytes of address space for entries; hashes begin behind.
const DATA_SPACE: u64 = 1 << 35;
/// Magic numbers of blocks with entries: alone with its hashes, or one of several; before version 5 and since.
const OLD_SINGLE: u32 = 0x5844_3242;
const OLD_DATA: u32 = 0x5844_3244;
const SINGLE: u32 = 0x5844_4233;
const DATA: u32 = 0x5844_4433;
/// Bytes before the entries.
const OLD_HEADER: usize = 16;
const HEADER: usize = 64;
/// Damaged blocks that a walk goes on behind.
const MOST_DAMAGE: u32 = 64;
/// What stands in place of the upper bytes of an inode's number where there is no entry.
const UNUSED: u16 = 0xffff;

type Visit<'a> = &'a mut dyn FnMut(DirEntry) -> ControlFlow<()>;

/// What has been handed out so far, and the first damage met.
struct Walk<'a> {
    disk: &'a Superblock,
    directory: u64,
    visit: Visit<'a>,
    damage: Option<DiskError>,
}

/// Hands out every entry. A damaged block costs its own entries only, unless there are very many: the rest is handed
/// out, then the damage reported.
pub fn read(
    volume: &Volume,
    disk: &Superblock,
    inode: &Inode,
    visit: Visit<'_>,
) -> Result<(), DiskError> {
    let mut walk = Walk {
        disk,
        directory: inode.number,
        visit,
        damage: None,
    };
    let end = match inode.data.format {
        Format::Local => walk.short(&inode.data.bytes)?,
        _ => walk.blocks(volume, inode)?,
    };
    match walk.damage {
        Some(damage) if end.is_continue() => Err(damage),
        _ => Ok(()),
    }
}

impl Walk<'_> {
    fn hand_out(&mut self, name: &[u8], inode: u64) -> ControlFlow<()> {
        if matches!(name, b"." | b"..") {
            return ControlFlow::Continue(());
        }
        if name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            self.damage.get_or_insert_with(|| {
                let what = format!("directory {} has a name that cannot be one", self.directory);
                DiskError::damaged(FORMAT, what)
            });
            return ControlFlow::Continue(());
        }
        (self.visit)(DirEntry {
            name: name.to_vec(),
            node: NodeId {
                subvolume: 0,
                inode,
            },
        })
    }

    /// Entries inside the inode: numbers of four bytes, or of eight where one of them needs it.
    fn short(&mut self, bytes: &[u8]) -> Result<ControlFlow<()>, DiskError> {
        let view = Structure::new(FORMAT, "short directory", bytes);
        let (count, wide) = (view.u8(0)?, view.u8(1)? > 0);
        let number = if wide { 8 } else { 4 };
        let kind = usize::from(self.disk.has_file_types);
        let mut at = 2 + number;
        for _ in 0..count {
            let length = usize::from(view.u8(at)?);
            let name = view.slice(at + 3, length)?;
            at += 3 + length + kind;
            let inode = if wide {
                view.be64(at)? & 0x00ff_ffff_ffff_ffff
            } else {
                u64::from(view.be32(at)?)
            };
            at += number;
            if self.hand_out(name, inode).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn blocks(&mut self, volume: &Volume, inode: &Inode) -> Result<ControlFlow<()>, DiskError> {
        let size = u64::from(volume.block_size());
        let step = u64::from(self.disk.directory_block) / size;
        let end = DATA_SPACE / size;
        let mut logical = 0;
        // No directory has more blocks than the file system; one that maps the same block again and again would.
        let mut budget = volume.blocks();
        let mut bytes = vec![0; self.disk.directory_block as usize];
        let mut damaged = 0;
        while logical < end {
            let Run { block, blocks } = inode.data.map(volume, logical)?;
            // A hole costs a step too: a tree that shares its nodes can tell of more than anyone could wait for.
            budget = budget.checked_sub(step.max(1)).ok_or_else(|| {
                let what = format!("directory {} maps blocks twice", inode.number);
                DiskError::damaged(FORMAT, what)
            })?;
            if block.is_none() {
                logical = self.behind_hole(logical.saturating_add(blocks), step, end);
                continue;
            }
            let read = inode.data.read(volume, logical * size, &mut bytes);
            let walked = read.and_then(|()| self.block(&bytes));
            match walked {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Err(error) => {
                    self.damage.get_or_insert(error);
                    damaged += 1;
                    if damaged > MOST_DAMAGE {
                        break;
                    }
                }
            }
            logical += step;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Where to go on after a hole that ends at `behind`; one that ends inside a directory block hides entries.
    fn behind_hole(&mut self, behind: u64, step: u64, end: u64) -> u64 {
        if behind < end && !behind.is_multiple_of(step.max(1)) {
            self.damage.get_or_insert_with(|| {
                let what = format!("directory {} has a block with a hole", self.directory);
                DiskError::damaged(FORMAT, what)
            });
        }
        behind
            .checked_next_multiple_of(step.max(1))
            .unwrap_or(u64::MAX)
    }

    /// Entries of one block.
    fn block(&mut self, bytes: &[u8]) -> Result<ControlFlow<()>, DiskError> {
        let view = Structure::new(FORMAT, "directory", bytes);
        let (mut at, single) = match view.be32(0)? {
            OLD_DATA => (OLD_HEADER, false),
            OLD_SINGLE => (OLD_HEADER, true),
            DATA => (HEADER, false),
            SINGLE => (HEADER, true),
            magic => return Err(view.damaged(format_args!("a block with the magic {magic:#x}"))),
        };
        let end = if single {
            entries_end(view)?
        } else {
            bytes.len()
        };
        while at < end {
            if view.be16(at)? == UNUSED {
                let length = usize::from(view.be16(at + 2)?);
                if length == 0 || !length.is_multiple_of(8) {
                    return Err(view.damaged(format_args!("{length} unused bytes at {at}")));
                }
                at += length;
                continue;
            }
            let length = usize::from(view.u8(at + 8)?);
            let name = view.slice(at + 9, length)?;
            // Behind the name: its kind where the feature is on, then the entry's own place.
            let whole = 9 + length + usize::from(self.disk.has_file_types) + 2;
            if at + whole > end {
                return Err(view.damaged(format_args!("an entry at {at} leaves its block")));
            }
            if self.hand_out(name, view.be64(at)?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            at += whole.next_multiple_of(8);
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Where the hashes begin that a single block keeps at its end, before their count.
fn entries_end(view: Structure<'_>) -> Result<usize, DiskError> {
    let tail = view.len().saturating_sub(8);
    let hashes = usize::try_from(view.be32(tail)?).unwrap_or(usize::MAX);
    tail.checked_sub(hashes.saturating_mul(8))
        .ok_or_else(|| view.damaged(format_args!("{hashes} hashes in one block")))
}
