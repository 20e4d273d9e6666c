//! btrfs, from "On-disk format" of the btrfs documentation (btrfs.readthedocs.io, developer documentation).
//!
//! What belongs here: one file per structure on the disk; all numbers have the little end first. Everything is an item in
//! a tree of copied-on-write nodes, and every address is a logical one that chunks turn into places on devices. Since
//! nodes are never overwritten, an image taken at any moment is whole as of its last transaction.
//!
//! Checksums of nodes are verified where they are CRC-32C: they say which of two copies is the good one.

mod checksum;
mod chunk;
mod compression;
mod content;
mod directory;
mod entry;
mod extent;
mod inode;
mod key;
mod node;
mod root;
mod subvolume;
mod superblock;
mod tree;
mod verify;
mod volume;
mod xattr;

use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat,
    Subvolume, Xattrs,
};
use checksum::Checksum;
use chunk::Chunk;
use content::Content;
use key::{Key, kind};
use root::Roots;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use superblock::Superblock;
use tree::Tree;
use volume::Volume;

/// The name of this format in messages.
const FORMAT: &str = "btrfs";
/// The longest target a link may have, in bytes.
const MAX_LINK: u64 = 4096;
/// Chunks at most: an exabyte's worth.
const MOST_CHUNKS: usize = 1 << 20;

/// An opened btrfs file system.
pub struct Btrfs {
    volume: Volume,
    disk: Superblock,
    roots: Roots,
    content: Content,
    /// Found out when first asked for.
    subvolumes: OnceLock<Vec<Subvolume>>,
    notes: Vec<String>,
}

impl Btrfs {
    /// Whether the device holds a btrfs superblock: one small read.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; 128];
        let read = device.read_at(superblock::PLACES[0], &mut bytes);
        read.is_ok() && superblock::looks_right(&bytes)
    }

    /// Opens a file system that lies on one device, or the part of it that this device holds.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        Self::open_all(vec![device])
    }

    /// Opens a file system from all of its devices that are at hand. The one that was written last leads: what another one
    /// has of an older state is told by its nodes.
    pub fn open_all(devices: Vec<Arc<dyn BlockDevice>>) -> Result<Self, DiskError> {
        let mut members = Vec::new();
        for device in devices {
            members.push((superblock::read(&device)?, device));
        }
        members.sort_by_key(|((disk, _), _)| std::cmp::Reverse(disk.generation));
        let notes = notes(&members);
        let Some(((disk, _), _)) = members.first().cloned() else {
            return Err(DiskError::damaged(FORMAT, "there is no device"));
        };
        members.retain(|((other, _), _)| other.uuid == disk.uuid);
        let devices = members
            .into_iter()
            .map(|((of, _), device)| (of.device, device));
        Self::from_members(disk, devices.collect(), notes)
    }

    fn from_members(
        disk: Superblock,
        devices: Vec<(u64, Arc<dyn BlockDevice>)>,
        mut notes: Vec<String>,
    ) -> Result<Self, DiskError> {
        let volume = Volume::new(devices, &disk)?;
        let chunks = chunks(&volume, &disk)?;
        let volume = volume.with_chunks(chunks);
        let roots = Roots::read(&Tree::new(&volume, disk.root))?;
        if let Some(damage) = &roots.damage {
            notes.push(format!("some of its subvolumes may be missing: {damage}"));
        }
        let volume = volume.with_sums(roots.sums);
        let content = Content::new();
        let btrfs = Self {
            volume,
            disk,
            roots,
            content,
            subvolumes: OnceLock::new(),
            notes,
        };
        if btrfs.stat(btrfs.root())?.kind != FileKind::Directory {
            return Err(DiskError::damaged(FORMAT, "the root is no directory"));
        }
        Ok(btrfs)
    }

    fn tree(&self, subvolume: u64) -> Result<Tree<'_>, DiskError> {
        let root = self.roots.all.get(&subvolume).ok_or_else(|| {
            DiskError::damaged(FORMAT, format!("there is no subvolume {subvolume}"))
        })?;
        Ok(Tree::new(&self.volume, root.tree))
    }

    fn expect(&self, node: NodeId, wanted: FileKind) -> Result<Stat, DiskError> {
        let stat = self.stat(node)?;
        if stat.kind != wanted {
            let what = format!("inode {} is no {wanted:?}", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        Ok(stat)
    }

    /// Fills `buf` from a file or a link.
    fn read(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let tree = self.tree(node.subvolume)?;
        self.content
            .read(&self.volume, &tree, node.inode, offset, buf)
    }
}

/// All chunks: those of the superblock hold the tree that lists the others and themselves.
fn chunks(volume: &Volume, disk: &Superblock) -> Result<Vec<Chunk>, DiskError> {
    let mut chunks = Vec::new();
    let mut cursor = Tree::new(volume, disk.chunks).from(Key::new(0, 0, 0))?;
    while let Some(item) = cursor.next()? {
        if item.key.kind == kind::CHUNK {
            chunks.push(Chunk::parse(item.key.offset, item.bytes()?)?.0);
        }
        if chunks.len() > MOST_CHUNKS {
            return Err(DiskError::damaged(FORMAT, "more chunks than can be"));
        }
    }
    Ok(chunks)
}

/// The file system that a device is one of several of, by its UUID.
pub fn pool(device: &dyn BlockDevice) -> Option<String> {
    let (disk, _) = Btrfs::probe(device).then(|| superblock::read(device).ok())??;
    (disk.devices > 1).then_some(disk.uuid)
}

/// A device with its superblock, and whether that is a copy.
type Member = ((Superblock, bool), Arc<dyn BlockDevice>);

/// What is to be said of the devices, the leading one first.
fn notes(members: &[Member]) -> Vec<String> {
    let mut notes = Vec::new();
    for ((disk, is_copy), device) in members {
        let (held, size) = (device.size(), disk.device_size);
        if held < size {
            notes.push(format!(
                "the device has {held} bytes, the file system {size}: its end is missing"
            ));
        }
        if *is_copy {
            notes.push("its superblock is damaged; a copy was read".to_owned());
        }
    }
    let Some(((disk, _), _)) = members.first() else {
        return notes;
    };
    if disk.log != 0 {
        notes.push(
            "the file system was not unmounted, and its log is not replayed: what was written in its last seconds may be missing".to_owned(),
        );
    }
    let at_hand = u64::try_from(members.len()).unwrap_or_default();
    if disk.devices > at_hand {
        notes.push(format!(
            "it has {} devices, of which {at_hand} were handed over: what lies on the others alone cannot be read",
            disk.devices
        ));
    }
    if let Checksum::Unverified(name) = disk.checksum {
        notes.push(format!("its checksums ({name}) are not verified"));
    }
    notes
}

impl FileSystem for Btrfs {
    fn info(&self) -> FileSystemInfo {
        FileSystemInfo {
            kind: "btrfs",
            uuid: self.disk.uuid.clone(),
            label: self.disk.label.clone(),
            size: self.disk.total,
            used: self.disk.used,
            notes: self.notes.clone(),
        }
    }

    /// The top directory of the default subvolume.
    fn root(&self) -> NodeId {
        let subvolume = self.roots.default;
        let root = self.roots.all.get(&subvolume);
        NodeId {
            subvolume,
            inode: root.map(|root| root.directory).unwrap_or_default(),
        }
    }

    fn stat(&self, node: NodeId) -> Result<Stat, DiskError> {
        if directory::is_absent(node) {
            return Ok(directory::absent());
        }
        let key = Key::new(node.inode, kind::INODE, 0);
        let item = self.tree(node.subvolume)?.get(key)?.ok_or_else(|| {
            DiskError::damaged(FORMAT, format!("there is no inode {}", node.inode))
        })?;
        inode::parse(node.inode, item.bytes()?)
    }

    fn read_dir(
        &self,
        node: NodeId,
        visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
    ) -> Result<(), DiskError> {
        if directory::is_absent(node) {
            return Ok(());
        }
        self.expect(node, FileKind::Directory)?;
        directory::read(&self.tree(node.subvolume)?, &self.roots, node, visit)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, DiskError> {
        let size = self.expect(node, FileKind::Symlink)?.size;
        if size == 0 || size > MAX_LINK {
            let what = format!("link {} has a target of {size} bytes", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        let mut target = vec![0; usize::try_from(size).unwrap_or_default()];
        self.read(node, 0, &mut target)?;
        Ok(target)
    }

    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let size = self.expect(node, FileKind::File)?.size;
        let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        self.read(node, offset, buf.get_mut(..length).unwrap_or_default())?;
        Ok(length)
    }

    fn data_from(&self, node: NodeId, offset: u64) -> Result<u64, DiskError> {
        let size = self.expect(node, FileKind::File)?.size;
        let next = content::data_from(&self.tree(node.subvolume)?, node.inode, offset)?;
        Ok(next.unwrap_or(size).min(size).max(offset))
    }

    fn xattrs(&self, node: NodeId) -> Result<Xattrs, DiskError> {
        if directory::is_absent(node) {
            return Ok(Vec::new());
        }
        xattr::read(&self.tree(node.subvolume)?, node.inode)
    }

    fn subvolumes(&self) -> Vec<Subvolume> {
        let all = self.subvolumes.get_or_init(|| subvolume::list(self));
        all.clone()
    }
}
