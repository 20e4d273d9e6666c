//! Directories: sets of entries, each set one file. "exFAT file system specification", section 6.

use super::FORMAT;
use super::entry::{Content, Entry, FILE, IN_USE, LABEL, NAME, SIZE, STREAM, UNITS};
use crate::disk::fat::chain::Chains;
use crate::disk::{DirEntry, DiskError, NodeId};
use std::ops::ControlFlow;

/// Bytes a directory may have: the specification's limit.
const MOST: u64 = 256 << 20;
/// Bytes read at once.
const PIECE: u64 = 64 << 10;
/// Names that cannot be one behind which a directory is still read: a loop may be full of them.
const MOST_DAMAGE: u32 = 64;
/// In a node's number: the directory that holds its entry has no chain.
const CONTIGUOUS: u64 = 1 << 63;

/// A set of entries as far as it was met.
struct Set {
    node: NodeId,
    /// Entries still to come.
    left: u8,
    /// UTF-16 units of the name.
    length: usize,
    name: Vec<u16>,
}

/// Hands out every name.
pub fn read(
    chains: &Chains,
    content: Content,
    visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
) -> Result<(), DiskError> {
    let mut set: Option<Set> = None;
    let (mut damaged, mut stopped) = (0, false);
    entries(chains, content, &mut |at, bytes| {
        let kind = bytes.first().copied().unwrap_or_default();
        if kind == FILE {
            let mark = if content.contiguous { CONTIGUOUS } else { 0 };
            set = Some(Set {
                node: NodeId {
                    subvolume: 0,
                    inode: (at / SIZE as u64) | mark,
                },
                left: bytes.get(1).copied().unwrap_or_default(),
                length: 0,
                name: Vec::new(),
            });
            return ControlFlow::Continue(());
        }
        let Some(mut open) = set.take() else {
            return ControlFlow::Continue(());
        };
        open.add(kind, bytes);
        if open.left > 0 && kind & IN_USE != 0 {
            set = Some(open);
            return ControlFlow::Continue(());
        }
        let Some(entry) = open.entry() else {
            damaged += 1;
            return if damaged < MOST_DAMAGE {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            };
        };
        let answer = visit(entry);
        stopped = answer.is_break();
        answer
    })?;
    if damaged > 0 && !stopped {
        let what = "a directory has a name that cannot be one";
        return Err(DiskError::damaged(FORMAT, what));
    }
    Ok(())
}

impl Set {
    fn add(&mut self, kind: u8, bytes: &[u8; SIZE]) {
        self.left = self.left.saturating_sub(1);
        match kind {
            STREAM => self.length = usize::from(bytes.get(3).copied().unwrap_or_default()),
            NAME => {
                let (units, _) = bytes.get(2..).unwrap_or_default().as_chunks::<2>();
                let wanted = self.length.saturating_sub(self.name.len()).min(UNITS);
                let units = units.iter().take(wanted).copied();
                self.name.extend(units.map(u16::from_le_bytes));
            }
            _ => {}
        }
    }

    fn entry(self) -> Option<DirEntry> {
        let name = String::from_utf16_lossy(&self.name).into_bytes();
        let whole = self.left == 0 && self.name.len() == self.length && !name.is_empty();
        let odd = matches!(name.as_slice(), b"." | b"..")
            || name.iter().any(|byte| matches!(byte, 0 | b'/'));
        (whole && !odd).then_some(DirEntry {
            name,
            node: self.node,
        })
    }
}

/// The volume's name, empty where there is none.
pub fn label(chains: &Chains, root: u32) -> String {
    let mut found = String::new();
    let content = Content {
        first: root,
        contiguous: false,
        size: u64::MAX,
        written: u64::MAX,
    };
    let looked = entries(chains, content, &mut |_, bytes| {
        if bytes.first() != Some(&LABEL) {
            return ControlFlow::Continue(());
        }
        let count = usize::from(bytes.get(1).copied().unwrap_or_default());
        let (units, _) = bytes.get(2..24).unwrap_or_default().as_chunks::<2>();
        let units: Vec<u16> = units.iter().copied().map(u16::from_le_bytes).collect();
        found = String::from_utf16_lossy(units.get(..count).unwrap_or(&units));
        ControlFlow::Break(())
    });
    looked.map(|()| found).unwrap_or_default()
}

/// The entries of the file that a node names.
pub fn entry(chains: &Chains, heap: u64, node: NodeId) -> Result<Entry, DiskError> {
    let at = (node.inode & !CONTIGUOUS).checked_mul(SIZE as u64);
    let at = at.filter(|at| *at >= heap);
    let at = at.ok_or_else(|| {
        DiskError::damaged(FORMAT, format!("{} is no place of an entry", node.inode))
    })?;
    let (mut file, mut stream) = ([0; SIZE], [0; SIZE]);
    chains.device().read_at(at, &mut file)?;
    let size = u64::from(chains.cluster_size());
    let behind = at + SIZE as u64;
    let second = if (behind - heap).is_multiple_of(size) {
        let number = (at - heap) / size + 2;
        let cluster = u32::try_from(number).unwrap_or(u32::MAX);
        let next = if node.inode & CONTIGUOUS != 0 {
            cluster.checked_add(1)
        } else {
            chains.table().next(cluster)?
        };
        let what = "a directory ends inside the entries of a file";
        chains.place(next.ok_or_else(|| DiskError::damaged(FORMAT, what))?)?
    } else {
        behind
    };
    chains.device().read_at(second, &mut stream)?;
    Entry::parse(&file, &stream)
}

fn entries(
    chains: &Chains,
    content: Content,
    look: &mut dyn FnMut(u64, &[u8; SIZE]) -> ControlFlow<()>,
) -> Result<(), DiskError> {
    let size = u64::from(chains.cluster_size());
    let mut bytes = vec![0; usize::try_from(size.min(PIECE)).unwrap_or_default()];
    // A directory that has more clusters than there are is a loop, and so may the root be, which alone has no size.
    let claimed = content.size.min(MOST).div_ceil(size);
    let mut left = claimed.min(chains.table().clusters().into());
    let looped = content.size == u64::MAX || left < claimed;
    let mut cluster = (content.first != 0).then_some(content.first);
    while let Some(number) = cluster {
        if left == 0 {
            let what = "a directory is larger than any, or a loop";
            return if looped {
                Err(DiskError::damaged(FORMAT, what))
            } else {
                Ok(())
            };
        }
        left -= 1;
        let start = chains.place(number)?;
        for from in (0..size).step_by(bytes.len().max(SIZE)) {
            let at = start.saturating_add(from);
            chains.device().read_at(at, &mut bytes)?;
            let (whole, _) = bytes.as_chunks::<SIZE>();
            for (place, bytes) in (at..).step_by(SIZE).zip(whole) {
                if bytes.starts_with(&[0]) || look(place, bytes).is_break() {
                    return Ok(());
                }
            }
        }
        cluster = if !content.contiguous {
            chains.table().next(number)?
        } else if left > 0 {
            number.checked_add(1)
        } else {
            None
        };
    }
    Ok(())
}
