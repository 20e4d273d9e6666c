//! squashfs, version 4.0, from the kernel's `fs/squashfs/squashfs_fs.h` and `Documentation/filesystems/squashfs.rst`.
//!
//! What belongs here: one file per structure on the disk. A node's number is the reference by which directories name its
//! inode. All ways of packing are read; nothing of it links to C.

mod content;
mod directory;
mod inode;
mod superblock;
mod unpack;
mod volume;
mod xattr;

use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Xattrs,
};
use content::Known;
use inode::{Body, Inode};
use std::ops::ControlFlow;
use std::sync::Arc;
use superblock::Superblock;
use volume::Volume;

/// The name of this format in messages.
const FORMAT: &str = "squashfs";

/// An opened squashfs.
pub struct Squashfs {
    disk: Superblock,
    volume: Volume,
    known: Known,
    notes: Vec<String>,
}

impl Squashfs {
    /// Whether the device begins with the mark of a squashfs, of whatever version and byte order: one small read.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; 4];
        device.read_at(0, &mut bytes).is_ok() && matches!(&bytes, b"hsqs" | b"sqsh")
    }

    /// Opens a file system.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        let mut bytes = [0; superblock::SIZE];
        device.read_at(0, &mut bytes)?;
        let disk = Superblock::parse(&bytes)?;
        let mut notes = Vec::new();
        if device.size() < disk.size {
            notes.push(format!(
                "the device has {} bytes, the file system {}: its end is missing",
                device.size(),
                disk.size
            ));
        }
        let squashfs = Self {
            volume: Volume::new(device, disk),
            known: Known::new(),
            notes,
            disk,
        };
        if squashfs.inode(disk.root)?.kind != FileKind::Directory {
            return Err(DiskError::damaged(FORMAT, "the root is no directory"));
        }
        Ok(squashfs)
    }

    fn inode(&self, reference: u64) -> Result<Inode, DiskError> {
        Inode::load(&self.volume, &self.disk, reference)
    }

    /// The user or group with this number in the table of them.
    fn id(&self, index: u16) -> Result<u32, DiskError> {
        if index >= self.disk.id_count {
            let what = format!("user {index} of {}", self.disk.id_count);
            return Err(DiskError::damaged(FORMAT, what));
        }
        let id = self.volume.entry(self.disk.ids, u32::from(index))?;
        Ok(u32::from_le_bytes(id))
    }
}

fn wrong(node: NodeId, wanted: &str) -> DiskError {
    DiskError::damaged(FORMAT, format!("inode {:#x} is no {wanted}", node.inode))
}

impl FileSystem for Squashfs {
    fn info(&self) -> FileSystemInfo {
        FileSystemInfo {
            kind: "squashfs",
            uuid: String::new(),
            label: String::new(),
            size: self.disk.size,
            used: self.disk.size,
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
        let (size, allocated, device) = match &inode.body {
            Body::File(content) => {
                let held = content.size.saturating_sub(content.sparse);
                (content.size, held, (0, 0))
            }
            Body::Directory { size, .. } => (*size, *size, (0, 0)),
            Body::Symlink(target) => (u64::try_from(target.len()).unwrap_or_default(), 0, (0, 0)),
            Body::Device(major, minor) => (0, 0, (*major, *minor)),
            Body::Other => (0, 0, (0, 0)),
        };
        Ok(Stat {
            kind: inode.kind,
            mode: inode.mode,
            uid: self.id(inode.owner)?,
            gid: self.id(inode.group)?,
            size,
            allocated,
            mtime: (inode.mtime, 0),
            links: inode.links,
            device,
        })
    }

    fn read_dir(
        &self,
        node: NodeId,
        visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
    ) -> Result<(), DiskError> {
        match self.inode(node.inode)?.body {
            Body::Directory { size, entries } => {
                directory::read(&self.volume, entries, size, visit)
            }
            _ => Err(wrong(node, "directory")),
        }
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, DiskError> {
        match self.inode(node.inode)?.body {
            Body::Symlink(target) => Ok(target),
            _ => Err(wrong(node, "link")),
        }
    }

    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        match self.inode(node.inode)?.body {
            Body::File(content) => {
                let file = (node.inode, &content);
                self.known.read(&self.volume, &self.disk, file, offset, buf)
            }
            _ => Err(wrong(node, "file")),
        }
    }

    fn xattrs(&self, node: NodeId) -> Result<Xattrs, DiskError> {
        match (self.inode(node.inode)?.xattrs, self.disk.xattrs) {
            (Some(index), Some(table)) => xattr::read(&self.volume, table, index),
            _ => Ok(Vec::new()),
        }
    }
}
