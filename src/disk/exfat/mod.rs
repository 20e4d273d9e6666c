//! exFAT, from Microsoft's "exFAT file system specification" (revision 1.00, 2019).
//!
//! What belongs here: one file per structure on the disk. As with FAT a node's number is the place of its entry in units of
//! 32 bytes; the top bit says that the directory it stands in is contiguous, because then its clusters have no chain by
//! which to find the rest of an entry that crosses from one to the next. Owners and modes are what the kernel shows.

mod boot;
mod directory;
mod entry;

use super::fat::chain::Chains;
use super::fat::table::Table;
use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Xattrs,
};
use boot::Boot;
use entry::{Content, Entry};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The name of this format in messages.
const FORMAT: &str = "exfat";
/// The root has no entry; this would be one inside the boot sector.
const ROOT: u64 = 1;

/// An opened exFAT file system.
pub struct ExFat {
    boot: Boot,
    chains: Chains,
    label: String,
    notes: Vec<String>,
}

impl ExFat {
    /// Whether the device begins with an exFAT boot sector: one small read.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; boot::SIZE];
        device.read_at(0, &mut bytes).is_ok() && bytes.get(3..11) == Some(b"EXFAT   ")
    }

    /// Opens a file system; says in its notes whether it was unmounted.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        let mut bytes = [0; boot::SIZE];
        device.read_at(0, &mut bytes)?;
        let boot = Boot::parse(&bytes)?;
        let held = device.size();
        let table = Table::new(Arc::clone(&device), FORMAT, boot.table);
        let chains = Chains::new(device, table, boot.heap, boot.cluster_size);
        let mut notes = Vec::new();
        if boot.dirty {
            notes.push(
                "the file system was not unmounted: the newest changes may be missing".to_owned(),
            );
        }
        if held < boot.size {
            notes.push(format!(
                "the device has {held} bytes, the file system {}: its end is missing",
                boot.size
            ));
        }
        let label = directory::label(&chains, boot.root);
        Ok(Self {
            boot,
            chains,
            label,
            notes,
        })
    }

    fn root_entry(&self) -> Entry {
        Entry {
            is_directory: true,
            is_read_only: false,
            mtime: (0, 0),
            content: Content {
                first: self.boot.root,
                contiguous: false,
                size: u64::MAX,
                written: u64::MAX,
            },
        }
    }

    fn entry(&self, node: NodeId) -> Result<Entry, DiskError> {
        if node.inode == ROOT {
            return Ok(self.root_entry());
        }
        directory::entry(&self.chains, self.boot.heap, node)
    }
}

impl FileSystem for ExFat {
    fn info(&self) -> FileSystemInfo {
        FileSystemInfo {
            kind: "exfat",
            uuid: self.boot.serial.clone(),
            label: self.label.clone(),
            size: self.boot.size,
            used: self.boot.used,
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
        let entry = self.entry(node)?;
        let (kind, size) = if entry.is_directory {
            (FileKind::Directory, 0)
        } else {
            (FileKind::File, entry.content.size)
        };
        let cluster = u64::from(self.boot.cluster_size);
        Ok(Stat {
            kind,
            mode: if entry.is_read_only { 0o555 } else { 0o755 },
            uid: 0,
            gid: 0,
            size,
            allocated: size.checked_next_multiple_of(cluster).unwrap_or(size),
            mtime: entry.mtime,
            links: 1,
            device: (0, 0),
        })
    }

    fn read_dir(
        &self,
        node: NodeId,
        visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
    ) -> Result<(), DiskError> {
        let entry = self.entry(node)?;
        if !entry.is_directory {
            let what = format!("entry {} is no directory", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        directory::read(&self.chains, entry.content, visit)
    }

    fn read_link(&self, _: NodeId) -> Result<Vec<u8>, DiskError> {
        Err(DiskError::damaged(FORMAT, "it has no symbolic links"))
    }

    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let entry = self.entry(node)?;
        if entry.is_directory {
            let what = format!("entry {} is no file", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        let left = usize::try_from(entry.content.size.saturating_sub(offset));
        let length = left.unwrap_or(usize::MAX).min(buf.len());
        entry.content.read(
            &self.chains,
            offset,
            buf.get_mut(..length).unwrap_or_default(),
        )?;
        Ok(length)
    }

    fn xattrs(&self, _: NodeId) -> Result<Xattrs, DiskError> {
        Ok(Vec::new())
    }
}
