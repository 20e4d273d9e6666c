//! NTFS, versions 1.2 to 3.1, from the Linux-NTFS project's "NTFS Documentation", Microsoft's MS-FSCC (reparse points) and
//! MS-XCA (LZNT1).
//!
//! What belongs here: one file per structure on the disk. Enough to walk and to read: resident and mapped content, holes,
//! compressed units, attribute lists, links. The journal ($LogFile) is not replayed; streams beside a file's content,
//! owners and access lists are not read, and modes are those that ntfs3 shows where nothing else is said. Encrypted,
//! deduplicated and WOF-compressed content is an error, never silently empty.

mod boot;
mod file;
mod index;
mod lznt1;
mod record;
mod reparse;
mod runs;
mod stream;

use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Xattrs,
};
use boot::Boot;
use file::File;
use record::{Body, Record};
use reparse::{Reparse, Special};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use stream::{Clusters, Stream};

/// The name of this format in messages.
const FORMAT: &str = "ntfs";
/// Records of the file system's own.
const VOLUME: u64 = 3;
const ROOT: u64 = 5;
const BITMAP: u64 = 6;
/// Kinds of the attributes of [`VOLUME`].
const NAME: u32 = 0x60;
const INFORMATION: u32 = 0x70;
/// Bytes of the map of clusters that are counted.
const MOST_BITMAP: u64 = 16 << 20;
/// Files that are kept parsed, and how many pieces one of them may be in: all that have more share a place.
const KEPT: usize = 64;
const MANY_PIECES: usize = 4096;

/// A file that was read, and its number.
type Kept = Option<(u64, Arc<File>)>;

/// An opened NTFS.
pub struct Ntfs {
    device: Arc<dyn BlockDevice>,
    boot: Boot,
    /// The table of files.
    table: Stream,
    files: Vec<Mutex<Kept>>,
    label: String,
    used: u64,
    notes: Vec<String>,
}

impl Ntfs {
    /// Whether the device begins with an NTFS boot sector: one small read.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; boot::SIZE];
        device.read_at(0, &mut bytes).is_ok() && bytes.get(3..11) == Some(b"NTFS    ")
    }

    /// Opens a file system; says in its notes whether it was unmounted.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        let mut bytes = [0; boot::SIZE];
        device.read_at(0, &mut bytes)?;
        let boot = Boot::parse(&bytes)?;
        let table = table(&*device, &boot)?;
        let mut ntfs = Self {
            files: std::iter::repeat_with(|| Mutex::new(None))
                .take(KEPT)
                .collect(),
            table,
            label: String::new(),
            used: boot.size,
            notes: Vec::new(),
            boot,
            device,
        };
        if !ntfs.file(ROOT)?.is_directory {
            return Err(DiskError::damaged(FORMAT, "the root is no directory"));
        }
        ntfs.describe();
        Ok(ntfs)
    }

    /// What is nice to know: an error here is no reason not to read.
    fn describe(&mut self) {
        let (mut dirty, held) = (false, self.device.size());
        if let Ok(volume) = self.file(VOLUME) {
            for attribute in &volume.attributes {
                let Body::Resident(bytes) = &attribute.body else {
                    continue;
                };
                if attribute.kind == NAME {
                    self.label = String::from_utf16_lossy(&record::units(bytes));
                } else if attribute.kind == INFORMATION {
                    dirty = bytes.get(10).is_some_and(|flags| flags & 1 != 0);
                }
            }
        }
        if dirty {
            self.notes.push("the file system was not unmounted, and its log is not replayed: the newest changes may be missing".to_owned());
        }
        if held < self.boot.size {
            self.notes.push(format!(
                "the device has {held} bytes, the file system {}: its end is missing",
                self.boot.size
            ));
        }
        let map = self.file(BITMAP).ok().and_then(|file| {
            let data = file.data.as_ref()?;
            data.whole(&self.clusters(), MOST_BITMAP).ok()
        });
        if let Some(map) = map {
            let (eights, rest) = map.as_chunks::<8>();
            let eights = eights.iter().map(|bytes| u64::from_ne_bytes(*bytes));
            let all = eights.chain(rest.iter().map(|byte| u64::from(*byte)));
            let taken: u64 = all.map(|bits| u64::from(bits.count_ones())).sum();
            self.used = taken.min(self.boot.clusters) * self.boot.cluster;
        }
    }

    fn clusters(&self) -> Clusters<'_> {
        Clusters {
            device: &*self.device,
            size: self.boot.cluster,
        }
    }

    fn file(&self, number: u64) -> Result<Arc<File>, DiskError> {
        let small = 1 + usize::try_from(number).unwrap_or_default() % (KEPT - 1);
        for slot in [small, 0] {
            if let Some((of, file)) = self.kept(slot).as_ref()
                && *of == number
            {
                return Ok(Arc::clone(file));
            }
        }
        let clusters = self.clusters();
        let load = |number| record(&self.table, &clusters, &self.boot, number);
        let file = Arc::new(File::load(number, load(number)?, &clusters, &load)?);
        let pieces = file.data.as_ref().map_or(0, Stream::pieces) + file.attributes.len();
        let slot = if pieces > MANY_PIECES { 0 } else { small };
        if let Some(slot) = self.files.get(slot) {
            let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some((number, Arc::clone(&file)));
        }
        Ok(file)
    }

    fn kept(&self, slot: usize) -> Kept {
        let slot = self.files.get(slot)?;
        slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn directory(&self, node: NodeId) -> Result<Arc<File>, DiskError> {
        let file = self.file(node.inode)?;
        if kind(&file) == FileKind::Directory {
            return Ok(file);
        }
        Err(DiskError::damaged(
            FORMAT,
            format!("record {} is no directory", node.inode),
        ))
    }
}

/// Reads the table's own record where the boot sector says, then the rest of the table by what is known of it.
fn table(device: &dyn BlockDevice, boot: &Boot) -> Result<Stream, DiskError> {
    let at = boot.table.checked_mul(boot.cluster);
    let at = at.ok_or_else(|| DiskError::damaged(FORMAT, "a table of files beyond any disk"))?;
    let mut bytes = vec![0; boot.record];
    device.read_at(at, &mut bytes)?;
    let first = Record::parse(&mut bytes, boot.clusters)?;
    let clusters = Clusters {
        device,
        size: boot.cluster,
    };
    file::table(first, &clusters, &|table, number| {
        record(table, &clusters, boot, number)
    })
}

fn record(
    table: &Stream,
    clusters: &Clusters<'_>,
    boot: &Boot,
    number: u64,
) -> Result<Record, DiskError> {
    let mut bytes = vec![0; boot.record];
    let size = u64::try_from(boot.record).unwrap_or_default();
    let read = table.read(clusters, number.saturating_mul(size), &mut bytes)?;
    if read < boot.record {
        let what = format!("record {number} is beyond the table of files");
        return Err(DiskError::damaged(FORMAT, what));
    }
    Record::parse(&mut bytes, boot.clusters).map_err(|error| match error {
        DiskError::Damaged { what, .. } => {
            DiskError::damaged(FORMAT, format!("record {number}: {what}"))
        }
        other => other,
    })
}

fn kind(file: &File) -> FileKind {
    match (&file.reparse, &file.special) {
        (Some(Reparse::Link(_)), _) | (_, Some(Special::Link(_))) => FileKind::Symlink,
        (_, Some(Special::CharDevice(..))) => FileKind::CharDevice,
        (_, Some(Special::BlockDevice(..))) => FileKind::BlockDevice,
        _ if file.is_directory => FileKind::Directory,
        _ => FileKind::File,
    }
}

impl FileSystem for Ntfs {
    fn info(&self) -> FileSystemInfo {
        FileSystemInfo {
            kind: "ntfs",
            uuid: format!("{:016X}", self.boot.serial),
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
        let file = self.file(node.inode)?;
        let kind = kind(&file);
        let (size, allocated) = match kind {
            FileKind::Symlink => (u64::try_from(link(&file).len()).unwrap_or_default(), 0),
            FileKind::File => file
                .data
                .as_ref()
                .map_or((0, 0), |data| (data.size, data.allocated)),
            _ => (0, 0),
        };
        let device = match file.special {
            Some(Special::CharDevice(major, minor) | Special::BlockDevice(major, minor)) => {
                (major, minor)
            }
            _ => (0, 0),
        };
        Ok(Stat {
            kind,
            mode: if file.is_read_only { 0o555 } else { 0o755 },
            uid: 0,
            gid: 0,
            size,
            allocated,
            mtime: file.mtime,
            links: file.links,
            device,
        })
    }

    fn read_dir(
        &self,
        node: NodeId,
        visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
    ) -> Result<(), DiskError> {
        index::read(&self.clusters(), &*self.directory(node)?, visit)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, DiskError> {
        let file = self.file(node.inode)?;
        if kind(&file) == FileKind::Symlink {
            return Ok(link(&file).to_vec());
        }
        Err(DiskError::damaged(
            FORMAT,
            format!("record {} is no link", node.inode),
        ))
    }

    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let file = self.file(node.inode)?;
        if kind(&file) != FileKind::File {
            let what = format!("record {} is no file", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        if let Some(Reparse::Elsewhere(why)) = file.reparse {
            return Err(DiskError::unsupported(FORMAT, why));
        }
        let Some(data) = &file.data else {
            return Ok(0);
        };
        if data.is_encrypted {
            return Err(DiskError::unsupported(
                FORMAT,
                "encrypted files (EFS) are not read",
            ));
        }
        data.read(&self.clusters(), offset, buf)
    }

    fn xattrs(&self, _: NodeId) -> Result<Xattrs, DiskError> {
        Ok(Vec::new())
    }
}

/// A link's target, cut where the trait says that links end.
fn link(file: &File) -> &[u8] {
    let target = match (&file.reparse, &file.special) {
        (Some(Reparse::Link(target)), _) | (_, Some(Special::Link(target))) => target.as_slice(),
        _ => &[],
    };
    target.get(..target.len().min(4096)).unwrap_or_default()
}
