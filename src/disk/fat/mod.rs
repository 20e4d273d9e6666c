//! FAT12, FAT16 and FAT32 with VFAT's long names, from Microsoft's "FAT: General Overview of On-Disk Format" (version
//! 1.03) and, for what the specification leaves open, the kernel's `fs/fat` as it mounts without options.
//!
//! What belongs here: one file per structure on the disk. There are no inodes: a node's number is the place of its
//! directory entry, in units of 32 bytes, so that nothing has to be kept between calls. Owners and modes are what the
//! kernel shows by default; times are read as UTC, as it reads them. `chain`, `table` and `time` serve exFAT too.

mod boot;
pub(super) mod chain;
mod directory;
mod entry;
mod name;
pub(super) mod table;
pub(super) mod time;

use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Xattrs,
};
use boot::Boot;
use chain::Chains;
use directory::Place;
use entry::Entry;
use std::ops::ControlFlow;
use std::sync::Arc;
use table::Table;

/// The name of this format in messages.
const FORMAT: &str = "fat";
/// The root has no entry; this would be one inside the boot sector.
const ROOT: u64 = 1;

/// An opened FAT file system.
pub struct Fat {
    boot: Boot,
    chains: Chains,
    label: String,
    used: u64,
    notes: Vec<String>,
}

impl Fat {
    /// Whether the device begins with a FAT boot sector: one small read. The weakest of all marks, so ask it last.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; boot::SIZE];
        device.read_at(0, &mut bytes).is_ok() && boot::looks_right(&bytes)
    }

    /// Opens a file system; says in its notes whether it was unmounted.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        let mut bytes = [0; boot::SIZE];
        device.read_at(0, &mut bytes)?;
        let boot = Boot::parse(&bytes)?;
        let held = device.size();
        let table = Table::new(Arc::clone(&device), FORMAT, boot.table());
        let chains = Chains::new(device, table, boot.heap, boot.cluster_size);
        let used = boot::used(&chains, &boot);
        let mut fat = Self {
            label: boot.label.clone(),
            used,
            notes: Vec::new(),
            chains,
            boot,
        };
        fat.notes = fat.remarks(held);
        // The entry in the root is the newer one: tools that rename a volume forget the boot sector.
        if let Some(label) = directory::label(&fat.chains, fat.boot.root) {
            fat.label = label;
        }
        Ok(fat)
    }

    fn remarks(&self, held: u64) -> Vec<String> {
        let mut notes = Vec::new();
        if self.boot.dirty || self.chains.table().is_dirty() {
            notes.push(
                "the file system was not unmounted: the newest changes may be missing".to_owned(),
            );
        }
        if held < self.boot.size {
            notes.push(format!(
                "the device has {held} bytes, the file system {}: its end is missing",
                self.boot.size
            ));
        }
        notes
    }

    /// The entry of a node; `None` for the root.
    fn entry(&self, node: NodeId) -> Result<Option<Entry>, DiskError> {
        if node.inode == ROOT {
            return Ok(None);
        }
        let at = node.inode.checked_mul(entry::SIZE as u64);
        let at = at.filter(|at| *at >= self.boot.entries_from);
        let at = at.ok_or_else(|| {
            DiskError::damaged(FORMAT, format!("{} is no place of an entry", node.inode))
        })?;
        let mut bytes = [0; entry::SIZE];
        self.chains.device().read_at(at, &mut bytes)?;
        Ok(Some(Entry::parse(&bytes, self.boot.wide)))
    }

    fn file(&self, node: NodeId) -> Result<Entry, DiskError> {
        match self.entry(node)? {
            Some(entry) if !entry.is_directory => Ok(entry),
            _ => Err(DiskError::damaged(
                FORMAT,
                format!("entry {} is no file", node.inode),
            )),
        }
    }
}

impl FileSystem for Fat {
    fn info(&self) -> FileSystemInfo {
        FileSystemInfo {
            kind: "vfat",
            uuid: self.boot.serial.clone(),
            label: self.label.clone(),
            size: self.boot.size,
            used: self.used,
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
        let entry = self.entry(node)?.unwrap_or(Entry::ROOT);
        let kind = if entry.is_directory {
            FileKind::Directory
        } else {
            FileKind::File
        };
        Ok(Stat {
            kind,
            mode: if entry.is_read_only { 0o555 } else { 0o755 },
            uid: 0,
            gid: 0,
            size: entry.size,
            allocated: entry
                .size
                .next_multiple_of(u64::from(self.boot.cluster_size)),
            mtime: (entry.mtime, 0),
            links: 1,
            device: (0, 0),
        })
    }

    fn read_dir(
        &self,
        node: NodeId,
        visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
    ) -> Result<(), DiskError> {
        let place = match self.entry(node)? {
            None => self.boot.root,
            Some(entry) if entry.is_directory => Place::Chain(entry.cluster),
            Some(_) => {
                let what = format!("entry {} is no directory", node.inode);
                return Err(DiskError::damaged(FORMAT, what));
            }
        };
        directory::read(&self.chains, place, visit)
    }

    fn read_link(&self, _: NodeId) -> Result<Vec<u8>, DiskError> {
        Err(DiskError::damaged(FORMAT, "it has no symbolic links"))
    }

    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let entry = self.file(node)?;
        let left = usize::try_from(entry.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        let buf = buf.get_mut(..length).unwrap_or_default();
        if !buf.is_empty() {
            self.chains.read(entry.cluster, offset, buf)?;
        }
        Ok(length)
    }

    fn xattrs(&self, _: NodeId) -> Result<Xattrs, DiskError> {
        Ok(Vec::new())
    }
}
