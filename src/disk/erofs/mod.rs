//! erofs, from the kernel's `fs/erofs/erofs_fs.h` and `Documentation/filesystems/erofs.rst`.
//!
//! What belongs here: one file per structure on the disk. Content that is packed by LZ4 is read; other ways of packing,
//! fragments and further devices are named and not read.

mod content;
mod directory;
mod index;
mod inode;
mod packed;
mod superblock;
mod volume;
mod xattr;

use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Xattrs,
};
use index::Index;
use inode::{Inode, Layout};
use packed::Kept;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use superblock::Superblock;
use volume::Volume;

/// The name of this format in messages.
const FORMAT: &str = "erofs";
/// Bytes of a directory, and of a link's target.
const MOST_DIRECTORY: u64 = 64 << 20;
/// Damaged blocks of a directory that a walk goes on behind.
const MOST_DAMAGE: u32 = 64;
const MOST_LINK: u64 = 4096;

/// Indexes that are kept, and how many pieces one of them may have: all that have more share a place.
const KEPT: usize = 8;
const MANY_PIECES: usize = 64 << 10;

/// The index of a file, and the file.
type Known = Option<(u64, Arc<Index>)>;

/// An opened erofs.
pub struct Erofs {
    volume: Volume,
    indexes: [Mutex<Known>; KEPT],
    kept: Kept,
    notes: Vec<String>,
}

impl Erofs {
    /// Whether there is an erofs superblock: one small read.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; 4];
        let read = device.read_at(superblock::AT, &mut bytes);
        read.is_ok() && u32::from_le_bytes(bytes) == 0xe0f5_e1e2
    }

    /// Opens a file system.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        let mut bytes = [0; superblock::SIZE];
        device.read_at(superblock::AT, &mut bytes)?;
        let disk = Superblock::parse(&bytes)?;
        let mut notes = Vec::new();
        if device.size() < disk.size {
            notes.push(format!(
                "the device has {} bytes, the file system {}: its end is missing",
                device.size(),
                disk.size
            ));
        }
        let erofs = Self {
            volume: Volume::new(device, disk),
            indexes: std::array::from_fn(|_| Mutex::new(None)),
            kept: Kept::new(),
            notes,
        };
        let root = erofs.root();
        erofs.node(root, FileKind::Directory)?;
        Ok(erofs)
    }

    fn node(&self, node: NodeId, wanted: FileKind) -> Result<Inode, DiskError> {
        let inode = Inode::load(&self.volume, node.inode)?;
        if inode.kind != wanted {
            let what = format!("inode {} is no {wanted:?}", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        Ok(inode)
    }

    /// Reads the content of any inode; short only at its end.
    fn read(&self, inode: &Inode, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let left = usize::try_from(inode.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        let buf = buf.get_mut(..length).unwrap_or_default();
        if buf.is_empty() {
            return Ok(0);
        }
        if matches!(inode.layout, Layout::Packed { .. }) {
            let index = self.index(inode)?;
            let file = (inode.number, inode.size);
            self.kept.read(&self.volume, file, &index, offset, buf)?;
        } else {
            content::read(&self.volume, inode, offset, buf)?;
        }
        Ok(length)
    }

    fn index(&self, inode: &Inode) -> Result<Arc<Index>, DiskError> {
        let small = 1 + usize::try_from(inode.number).unwrap_or_default() % (KEPT - 1);
        for slot in [small, 0]
            .into_iter()
            .filter_map(|slot| self.indexes.get(slot))
        {
            let known = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((of, index)) = known
                && of == inode.number
            {
                return Ok(index);
            }
        }
        let index = Arc::new(Index::load(&self.volume, inode)?);
        let many = index.pieces.len() > MANY_PIECES;
        if let Some(slot) = self.indexes.get(if many { 0 } else { small }) {
            let mut known = slot.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some((inode.number, Arc::clone(&index)));
        }
        Ok(index)
    }
}

impl FileSystem for Erofs {
    fn info(&self) -> FileSystemInfo {
        let disk = &self.volume.disk;
        FileSystemInfo {
            kind: "erofs",
            uuid: disk.uuid.clone(),
            label: disk.label.clone(),
            size: disk.size,
            used: disk.size,
            notes: self.notes.clone(),
        }
    }

    fn root(&self) -> NodeId {
        NodeId {
            subvolume: 0,
            inode: self.volume.disk.root,
        }
    }

    fn stat(&self, node: NodeId) -> Result<Stat, DiskError> {
        let inode = Inode::load(&self.volume, node.inode)?;
        let allocated = match inode.layout {
            Layout::Packed { .. } => u64::from(inode.word).saturating_mul(self.volume.block()),
            _ => inode.size,
        };
        Ok(Stat {
            kind: inode.kind,
            mode: inode.mode,
            uid: inode.owner.0,
            gid: inode.owner.1,
            size: inode.size,
            allocated,
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
        if inode.size > MOST_DIRECTORY {
            let what = format!("a directory of {} bytes", inode.size);
            return Err(DiskError::damaged(FORMAT, what));
        }
        if matches!(inode.layout, Layout::Packed { .. }) {
            // Without its index no block of it can be read, and to find that out takes as long as to read it all.
            self.index(&inode)?;
        }
        let block = self.volume.block();
        let mut bytes = vec![0; usize::try_from(block).unwrap_or_default()];
        let (mut at, mut damage, mut damaged) = (0, None, 0);
        while at < inode.size && damaged < MOST_DAMAGE {
            let names = self.read(&inode, at, &mut bytes).and_then(|length| {
                directory::block(bytes.get(..length).unwrap_or_default(), visit)
            });
            match names {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(()),
                Err(error) => {
                    damage.get_or_insert(error);
                    damaged += 1;
                }
            }
            at += block;
        }
        damage.map_or(Ok(()), Err)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, DiskError> {
        let inode = self.node(node, FileKind::Symlink)?;
        let mut target = vec![0; usize::try_from(inode.size.min(MOST_LINK)).unwrap_or_default()];
        self.read(&inode, 0, &mut target)?;
        Ok(target)
    }

    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let inode = self.node(node, FileKind::File)?;
        self.read(&inode, offset, buf)
    }

    fn xattrs(&self, node: NodeId) -> Result<Xattrs, DiskError> {
        xattr::read(&self.volume, &Inode::load(&self.volume, node.inode)?)
    }
}
