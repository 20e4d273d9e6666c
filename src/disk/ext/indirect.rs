//! The older block map: twelve direct pointers, then one tree of one, two and three levels. Kernel documentation, "Direct/Indirect Block Addressing".

use super::FORMAT;
use super::content::Run;
use super::inode::Inode;
use super::volume::Volume;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Pointers in the inode that name a data block.
const DIRECT: u64 = 12;

/// The run that begins at block `logical`, at most `wanted` blocks of it.
pub fn map(volume: &Volume, inode: &Inode, logical: u64, wanted: u64) -> Result<Run, DiskError> {
    let root = Structure::new(FORMAT, "block map", &inode.root);
    if logical < DIRECT {
        return run(root, logical, DIRECT, wanted);
    }
    let per_block = u64::from(volume.block_size()) / 4;
    let mut rest = logical - DIRECT;
    // Blocks under one tree of so many levels: at most 2^42, three levels of 2^14 pointers.
    let mut under = 1;
    for levels in 1..=3_u32 {
        under *= per_block;
        if rest < under {
            let pointer = pointer(root, DIRECT + u64::from(levels) - 1)?;
            return descend(volume, pointer, levels, rest, wanted);
        }
        rest -= under;
    }
    Err(root.damaged(format_args!(
        "inode {} is larger than its block map can say",
        inode.number
    )))
}

/// Follows a tree of `levels` levels to its `at`th block.
fn descend(
    volume: &Volume,
    mut pointer_to: u64,
    levels: u32,
    mut at: u64,
    wanted: u64,
) -> Result<Run, DiskError> {
    let per_block = u64::from(volume.block_size()) / 4;
    for level in (0..levels).rev() {
        let under = per_block.pow(level);
        if pointer_to == 0 {
            // The whole tree is absent: one hole up to the end of what it would have mapped.
            return Ok(Run::hole((under * per_block).saturating_sub(at).max(1)));
        }
        let block = volume.block(pointer_to)?;
        let view = Structure::new(FORMAT, "indirect block", &block);
        if level == 0 {
            return run(view, at, per_block, wanted);
        }
        pointer_to = pointer(view, at / under)?;
        at %= under;
    }
    // Reached only with no levels at all, which no caller asks for.
    Ok(Run::hole(1))
}

/// Pointers from `at` on that follow each other on the disk, or that are all absent.
fn run(view: Structure<'_>, at: u64, count: u64, wanted: u64) -> Result<Run, DiskError> {
    let first = pointer(view, at)?;
    let most = wanted.min(count.saturating_sub(at)).max(1);
    let mut blocks = 1;
    while blocks < most {
        let expected = if first == 0 { 0 } else { first + blocks };
        if pointer(view, at + blocks)? != expected {
            break;
        }
        blocks += 1;
    }
    let block = (first != 0).then_some(first);
    Ok(Run { block, blocks })
}

fn pointer(view: Structure<'_>, index: u64) -> Result<u64, DiskError> {
    let at = usize::try_from(index).ok().and_then(|at| at.checked_mul(4));
    view.le32(at.unwrap_or(usize::MAX)).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(list: &[u32]) -> Vec<u8> {
        list.iter().flat_map(|block| block.to_le_bytes()).collect()
    }

    #[test]
    fn neighbours_on_the_disk_are_read_as_one_run() {
        let bytes = pointers(&[40, 41, 42, 50, 0, 0, 43]);
        let view = Structure::new(FORMAT, "test", &bytes);
        let at = |at, wanted| run(view, at, 7, wanted).unwrap();
        assert_eq!(
            at(0, 100),
            Run {
                block: Some(40),
                blocks: 3
            }
        );
        assert_eq!(
            at(0, 2),
            Run {
                block: Some(40),
                blocks: 2
            }
        );
        assert_eq!(
            at(3, 100),
            Run {
                block: Some(50),
                blocks: 1
            }
        );
        assert_eq!(at(4, 100), Run::hole(2));
        assert_eq!(
            at(6, 100),
            Run {
                block: Some(43),
                blocks: 1
            }
        );
    }
}
