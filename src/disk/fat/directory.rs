//! Directories: entries of 32 bytes, those with the parts of a long name before the one they name.

use super::chain::Chains;
use super::entry::{self, DIRECTORY, LABEL, LONG, SIZE};
use super::name::{self, Long};
use crate::disk::bytes::label_text;
use crate::disk::{DirEntry, DiskError, NodeId};
use std::ops::ControlFlow;

/// Bytes a directory may have: the specification's limit.
const MOST: u64 = 65_536 * 32;
/// Bytes read at once.
const PIECE: u64 = 64 << 10;
/// Names that cannot be one behind which a directory is still read: a loop may be full of them.
const MOST_DAMAGE: u32 = 64;
/// First bytes of a name: the end of the directory, and a deleted entry.
const END: u8 = 0;
const DELETED: u8 = 0xe5;

/// Where a directory lies.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// The root of FAT12 and FAT16, in bytes.
    Fixed { at: u64, size: u64 },
    /// The first cluster.
    Chain(u32),
}

/// What is done with each entry, told where it lies.
type Look<'a> = &'a mut dyn FnMut(u64, &[u8; SIZE]) -> ControlFlow<()>;

/// Hands out every name.
pub fn read(
    chains: &Chains,
    place: Place,
    visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
) -> Result<(), DiskError> {
    let mut long = Long::default();
    let (mut damaged, mut stopped) = (0, false);
    entries(chains, place, &mut |at, bytes| {
        let attributes = entry::attributes(bytes);
        if attributes & LONG == LONG {
            long.part(bytes);
            return ControlFlow::Continue(());
        }
        if attributes & LABEL != 0 || bytes.starts_with(&[DELETED]) {
            long.clear();
            return ControlFlow::Continue(());
        }
        let name = long.take(bytes).unwrap_or_else(|| name::short(bytes));
        if matches!(name.as_slice(), b"." | b"..") {
            return ControlFlow::Continue(());
        }
        if name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            damaged += 1;
            return if damaged < MOST_DAMAGE {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            };
        }
        let node = NodeId {
            subvolume: 0,
            inode: at / SIZE as u64,
        };
        let answer = visit(DirEntry { name, node });
        stopped = answer.is_break();
        answer
    })?;
    if damaged > 0 && !stopped {
        let what = "a directory has a name that cannot be one";
        return Err(DiskError::damaged(chains.table().format(), what));
    }
    Ok(())
}

/// The volume's name, which is an entry of the root.
pub fn label(chains: &Chains, root: Place) -> Option<String> {
    let mut found = None;
    let looked = entries(chains, root, &mut |_, bytes| {
        let attributes = entry::attributes(bytes);
        let is_label = attributes & (LABEL | DIRECTORY) == LABEL && attributes & LONG != LONG;
        if is_label && !bytes.starts_with(&[DELETED]) {
            found = bytes.get(..11).map(label_text);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    looked.ok()?;
    found.filter(|label| !label.is_empty())
}

fn entries(chains: &Chains, place: Place, look: Look<'_>) -> Result<(), DiskError> {
    let mut cluster = match place {
        Place::Fixed { at, size } => {
            return piece(chains, at, size, look).map(drop);
        }
        // Only an entry that leads back to the root has none; nobody follows it.
        Place::Chain(cluster) => Some(cluster),
    };
    let size = u64::from(chains.cluster_size());
    let mut left = MOST.max(size);
    while let Some(number) = cluster {
        left = left.checked_sub(size).ok_or_else(|| {
            let format = chains.table().format();
            DiskError::damaged(format, "a directory is larger than any, or a loop")
        })?;
        if piece(chains, chains.place(number)?, size, look)?.is_break() {
            return Ok(());
        }
        cluster = chains.table().next(number)?;
    }
    Ok(())
}

/// The entries in `size` bytes from `at`; breaks at the end of the directory too.
fn piece(
    chains: &Chains,
    at: u64,
    size: u64,
    look: Look<'_>,
) -> Result<ControlFlow<()>, DiskError> {
    let mut bytes = vec![0; usize::try_from(size.min(PIECE)).unwrap_or_default()];
    let mut done = 0;
    while done < size {
        let length = usize::try_from((size - done).min(PIECE)).unwrap_or_default();
        let bytes = bytes.get_mut(..length).unwrap_or_default();
        chains.device().read_at(at.saturating_add(done), bytes)?;
        let (whole, _) = bytes.as_chunks::<SIZE>();
        for (place, bytes) in (at.saturating_add(done)..).step_by(SIZE).zip(whole) {
            if bytes.starts_with(&[END]) || look(place, bytes).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        done += length as u64;
    }
    Ok(ControlFlow::Continue(()))
}
