//! Symbolic links: in the inode, or in blocks that since version 5 begin with a header of their own.
//! "XFS Algorithms & Data Structures", "Symbolic Links".

use super::FORMAT;
use super::fork::Format;
use super::inode::Inode;
use super::superblock::Superblock;
use super::volume::Volume;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes of the longest target.
const MOST: u64 = 1024;
const MAGIC: u32 = 0x5853_4c4d;
/// Bytes of the header that begins each extent of a target.
const HEADER: usize = 56;

/// The target of a link.
pub fn target(volume: &Volume, disk: &Superblock, inode: &Inode) -> Result<Vec<u8>, DiskError> {
    let view = Structure::new(FORMAT, "link", &inode.data.bytes);
    if inode.size == 0 || inode.size > MOST {
        return Err(view.damaged(format_args!("a target of {} bytes", inode.size)));
    }
    let length = usize::try_from(inode.size).unwrap_or_default();
    if inode.data.format == Format::Local {
        return Ok(view.slice(0, length)?.to_vec());
    }
    if !disk.self_describing {
        let mut target = vec![0; length];
        inode.data.read(volume, 0, &mut target)?;
        return Ok(target);
    }
    extents(volume, inode, length)
}

fn extents(volume: &Volume, inode: &Inode, length: usize) -> Result<Vec<u8>, DiskError> {
    let size = u64::from(volume.block_size());
    let (mut target, mut logical) = (Vec::new(), 0);
    while target.len() < length {
        let run = inode.data.map(volume, logical)?;
        let left = length - target.len();
        let held = usize::try_from(run.blocks.saturating_mul(size)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; held.min(HEADER + left)];
        inode
            .data
            .read(volume, logical.saturating_mul(size), &mut bytes)?;
        let view = Structure::new(FORMAT, "link", &bytes);
        let offset = usize::try_from(view.be32(4)?).unwrap_or(usize::MAX);
        if view.be32(0)? != MAGIC || offset != target.len() {
            return Err(view.damaged("a part of a target without its header"));
        }
        target.extend(bytes.get(HEADER..).unwrap_or_default());
        logical = logical.saturating_add(run.blocks);
    }
    Ok(target)
}
