//! ext2, ext3 and ext4, from the kernel's documentation "ext4 Data Structures and Algorithms" (filesystems/ext4).
//!
//! What belongs here: one file per structure on the disk. All three kinds are one format with flags, so nothing asks which
//! kind a file system is: an inode says itself whether it uses extents, block pointers or inline data.
//!
//! Checksums of metadata are not verified: a wrong one on an intact structure is no reason to lose a file, and a damaged
//! structure is found by its own contradictions. The journal's are, since they say where the log ends.

mod acl;
mod content;
mod directory;
mod extent;
mod group;
mod indirect;
mod inode;
mod journal;
mod superblock;
mod volume;
mod xattr;

use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Xattrs,
};
use inode::{Inode, flag};
use std::ops::ControlFlow;
use std::sync::Arc;
use superblock::{Superblock, incompat};
use volume::Volume;

/// The name of this format in messages.
const FORMAT: &str = "ext";
const ROOT: u64 = 2;
/// The longest target a link may have, in bytes.
const MAX_LINK: u64 = 4096;

/// An opened ext2, ext3 or ext4 file system.
pub struct Ext {
    volume: Volume,
    disk: Superblock,
    notes: Vec<String>,
}

impl Ext {
    /// Whether the device holds an ext superblock: one small read.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; 128];
        let read = device.read_at(superblock::OFFSET, &mut bytes);
        read.is_ok() && superblock::looks_right(&bytes)
    }

    /// Opens a file system; replays its journal in memory if it was not unmounted.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        let stale = read_superblock(&device)?;
        let held = device.size();
        let volume = Volume::new(device, stale.block_size, stale.blocks);
        let replay = journal::replay(&volume, &stale);
        let volume = volume.with_overlay(replay.overlay);
        let disk = replayed_superblock(&volume, stale)?;
        let mut notes = replay.notes;
        if held < disk.size() {
            notes.push(format!(
                "the device has {} bytes, the file system {}: its end is missing",
                held,
                disk.size()
            ));
        }
        for (flag, note) in [
            (
                incompat::ENCRYPT,
                "may hold encrypted directories; those are not read",
            ),
            (
                incompat::CASEFOLD,
                "may hold directories that ignore case; names are shown as stored",
            ),
            (
                incompat::COMPRESSION,
                "may hold compressed files; those are not read",
            ),
        ] {
            if disk.incompat & flag != 0 {
                notes.push(note.to_owned());
            }
        }
        let ext = Self {
            volume,
            disk,
            notes,
        };
        if ext.inode(ROOT)?.kind != FileKind::Directory {
            return Err(DiskError::damaged(FORMAT, "the root is no directory"));
        }
        Ok(ext)
    }

    fn volume(&self) -> &Volume {
        &self.volume
    }

    fn inode(&self, number: u64) -> Result<Inode, DiskError> {
        Inode::load(&self.volume, &self.disk, number)
    }

    fn node(&self, node: NodeId, wanted: FileKind) -> Result<Inode, DiskError> {
        let inode = self.inode(node.inode)?;
        if inode.kind != wanted {
            let what = format!("inode {} is no {wanted:?}", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        Ok(inode)
    }

    /// Whether a link's target is kept in place of its block pointers, by the kernel's own test.
    fn is_fast_link(&self, inode: &Inode) -> bool {
        let capacity = u64::try_from(inode.root.len()).unwrap_or_default();
        if inode.has(flag::INLINE_DATA) || inode.size >= capacity {
            return false;
        }
        let own = match inode.xattr_block {
            0 => 0,
            _ => self.disk.cluster_size,
        };
        self.disk.incompat & incompat::EA_INODE != 0 || inode.allocated <= own
    }
}

fn read_superblock(device: &dyn BlockDevice) -> Result<Superblock, DiskError> {
    let mut bytes = vec![0; superblock::SIZE];
    device.read_at(superblock::OFFSET, &mut bytes)?;
    Superblock::parse(&bytes)
}

/// The superblock as the journal leaves it: its counts and label may be newer, its geometry must not be.
fn replayed_superblock(volume: &Volume, stale: Superblock) -> Result<Superblock, DiskError> {
    let mut bytes = vec![0; superblock::SIZE];
    volume.read(0, superblock::OFFSET, &mut bytes)?;
    let fresh = Superblock::parse(&bytes)?;
    if (fresh.block_size, fresh.blocks) == (stale.block_size, stale.blocks) {
        Ok(fresh)
    } else {
        Ok(stale)
    }
}

impl FileSystem for Ext {
    fn info(&self) -> FileSystemInfo {
        FileSystemInfo {
            kind: self.disk.kind(),
            uuid: self.disk.uuid.clone(),
            label: self.disk.label.clone(),
            size: self.disk.size(),
            used: self.disk.used(),
            notes: self.notes.clone(),
        }
    }

    fn root(&self) -> NodeId {
        NodeId {
            subvolume: 0,
            inode: ROOT,
        }
    }

    fn stat(&self, node: NodeId) -> Result<Stat, DiskError> {
        let inode = self.inode(node.inode)?;
        Ok(Stat {
            kind: inode.kind,
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            size: inode.size,
            allocated: inode.allocated,
            mtime: inode.mtime,
            links: inode.links,
            device: inode.device(),
        })
    }

    fn read_dir(
        &self,
        node: NodeId,
        visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
    ) -> Result<(), DiskError> {
        let inode = self.node(node, FileKind::Directory)?;
        directory::read(&self.volume, &inode, visit)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, DiskError> {
        let inode = self.node(node, FileKind::Symlink)?;
        content::readable(&inode)?;
        if inode.size == 0 {
            let what = format!("link {} has no target", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        if self.is_fast_link(&inode) {
            let length = usize::try_from(inode.size).unwrap_or_default();
            return Ok(inode.root.iter().copied().take(length).collect());
        }
        content::read_whole(&self.volume, &inode, MAX_LINK)
    }

    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let inode = self.node(node, FileKind::File)?;
        content::readable(&inode)?;
        content::read_at(&self.volume, &inode, offset, buf)
    }

    fn data_from(&self, node: NodeId, offset: u64) -> Result<u64, DiskError> {
        let inode = self.node(node, FileKind::File)?;
        content::data_from(&self.volume, &inode, offset)
    }

    fn xattrs(&self, node: NodeId) -> Result<Xattrs, DiskError> {
        xattr::read(self, &self.inode(node.inode)?)
    }
}
