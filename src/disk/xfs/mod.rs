//! XFS, versions 4 and 5, from "XFS Algorithms & Data Structures" (xfs.org, 3rd edition) and what the kernel added since:
//! reflinks, times past 2038, wide extent counts, parent pointers.
//!
//! What belongs here: one file per structure on the disk; all numbers have the big end first. Checksums are not verified:
//! a damaged structure is found by its own contradictions, and a wrong sum on an intact one is no reason to lose a file.
//! Nothing needs the trees of free space, inodes and reverse mappings: an inode's number says where it lies.

mod attribute;
mod directory;
mod fork;
mod inode;
mod link;
mod log;
mod superblock;
mod volume;

use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Xattrs,
};
use inode::Inode;
use std::ops::ControlFlow;
use std::sync::Arc;
use superblock::Superblock;
use volume::Volume;

/// The name of this format in messages.
const FORMAT: &str = "xfs";

/// An opened XFS file system.
pub struct Xfs {
    volume: Volume,
    disk: Superblock,
    notes: Vec<String>,
}

impl Xfs {
    /// Whether the device begins with an XFS superblock: one small read.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; 128];
        device.read_at(0, &mut bytes).is_ok() && superblock::looks_right(&bytes)
    }

    /// Opens a file system; says in its notes whether it was unmounted.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        let mut bytes = vec![0; superblock::SIZE];
        device.read_at(0, &mut bytes)?;
        let disk = Superblock::parse(&bytes)?;
        let held = device.size();
        let volume = Volume::new(device, &disk);
        let notes = notes(&volume, &disk, held);
        let xfs = Self {
            volume,
            disk,
            notes,
        };
        if xfs.inode(xfs.disk.root)?.kind != FileKind::Directory {
            return Err(DiskError::damaged(FORMAT, "the root is no directory"));
        }
        Ok(xfs)
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
}

fn notes(volume: &Volume, disk: &Superblock, held: u64) -> Vec<String> {
    let mut notes = Vec::new();
    match log::state(volume, disk) {
        Ok(log::State::Clean) => {}
        Ok(log::State::Dirty) => notes.push(
            "the file system was not unmounted, and its log is not replayed: the newest changes may be missing".to_owned(),
        ),
        Ok(log::State::Elsewhere) => notes.push(
            "its log lies on another device: whether it was unmounted is unknown".to_owned(),
        ),
        Err(error) => notes.push(format!("its log cannot be read: {error}")),
    }
    if held < disk.size() {
        notes.push(format!(
            "the device has {held} bytes, the file system {}: its end is missing",
            disk.size()
        ));
    }
    if disk.realtime_blocks > 0 {
        notes.push("files of its realtime section are not read".to_owned());
    }
    if disk.needs_repair {
        notes.push("it is marked as in need of repair".to_owned());
    }
    notes
}

impl FileSystem for Xfs {
    fn info(&self) -> FileSystemInfo {
        FileSystemInfo {
            kind: "xfs",
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
            inode: self.disk.root,
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
        directory::read(&self.volume, &self.disk, &inode, visit)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, DiskError> {
        let inode = self.node(node, FileKind::Symlink)?;
        link::target(&self.volume, &self.disk, &inode)
    }

    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let inode = self.node(node, FileKind::File)?;
        if inode.realtime {
            let what = format!("inode {} lies in the realtime section", node.inode);
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let left = usize::try_from(inode.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        let buf = buf.get_mut(..length).unwrap_or_default();
        inode.data.read(&self.volume, offset, buf)?;
        Ok(length)
    }

    fn data_from(&self, node: NodeId, offset: u64) -> Result<u64, DiskError> {
        let inode = self.node(node, FileKind::File)?;
        let end = inode.data.data_from(&self.volume, offset, inode.size)?;
        Ok(end.max(offset))
    }

    fn xattrs(&self, node: NodeId) -> Result<Xattrs, DiskError> {
        attribute::read(&self.volume, &self.disk, &self.inode(node.inode)?)
    }
}
