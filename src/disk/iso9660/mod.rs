//! ISO 9660 (ECMA-119), with Rock Ridge (IEEE P1282 over SUSP, P1281) or, where there is none, Joliet.
//!
//! What belongs here: one file per structure on the disk. A node's number is the place of its directory record in bytes,
//! so that nothing has to be kept between calls. Numbers are stored with both ends first; the little end is read. What the
//! standards leave open is done as the kernel's `fs/isofs` does it. Interleaved files and compressed ones (zisofs) are
//! named and not read.

mod date;
mod descriptor;
mod record;
mod rock;

use super::cache::BlockCache;
use super::{
    BlockDevice, DirEntry, DiskError, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Xattrs,
};
use descriptor::Volume;
use record::{Names, Record, SECTOR};
use rock::Rock;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The name of this format in messages.
const FORMAT: &str = "iso9660";
/// Bytes of a directory; a million names fit.
const MOST_DIRECTORY: u64 = 64 << 20;
/// Sectors of a directory one after the other that hold no record: makers leave none empty.
const MOST_EMPTY: u32 = 64;
/// Parts of one file: each may have 4 GiB.
const MOST_PARTS: usize = 4096;

/// An opened ISO 9660 file system.
pub struct Iso9660 {
    device: Arc<dyn BlockDevice>,
    volume: Volume,
    /// The place of the root's own record.
    root: u64,
    names: Names,
    cache: BlockCache,
}

/// A node: its first record, and what Rock Ridge adds.
struct Node {
    record: Record,
    rock: Rock,
}

impl Iso9660 {
    /// Whether there is a volume descriptor where the first one has to be: one small read.
    pub fn probe(device: &dyn BlockDevice) -> bool {
        let mut bytes = [0; 6];
        device.read_at(descriptor::FIRST, &mut bytes).is_ok() && bytes.ends_with(b"CD001")
    }

    /// Opens a file system: by its Rock Ridge names, else by those of Joliet, else by the plain ones.
    pub fn open(device: Arc<dyn BlockDevice>) -> Result<Self, DiskError> {
        let volume = Volume::read(&*device)?;
        let cache = BlockCache::new(u32::from(SECTOR));
        let mut iso = Self {
            device,
            root: volume.root,
            volume,
            names: Names::Plain,
            cache,
        };
        let root = iso.record(iso.root)?;
        if !root.is_directory() {
            return Err(DiskError::damaged(FORMAT, "the root is no directory"));
        }
        if let Some(skip) = rock::announced(&root.system_use) {
            iso.names = Names::Rock { skip };
        } else if let Some(joliet) = iso.volume.joliet {
            (iso.root, iso.names) = (joliet, Names::Joliet);
        }
        Ok(iso)
    }

    fn sector(&self, number: u64) -> Result<Arc<[u8]>, DiskError> {
        self.cache.get(number, || {
            let mut bytes = vec![0; usize::from(SECTOR)];
            let at = number.saturating_mul(u64::from(SECTOR));
            self.device.read_at(at, &mut bytes)?;
            Ok(bytes)
        })
    }

    fn record(&self, at: u64) -> Result<Record, DiskError> {
        let size = u64::from(SECTOR);
        let sector = self.sector(at / size)?;
        let within = usize::try_from(at % size).unwrap_or_default();
        let bytes = sector.get(within..).unwrap_or_default();
        Record::parse(bytes)?
            .ok_or_else(|| DiskError::damaged(FORMAT, format!("no directory record at {at}")))
    }

    fn rock(&self, record: &Record) -> Result<Rock, DiskError> {
        match self.names {
            Names::Rock { skip } => {
                let block = self.volume.block_size;
                Rock::read(&*self.device, block, &record.system_use, skip)
            }
            _ => Ok(Rock::default()),
        }
    }

    fn node(&self, node: NodeId, wanted: Option<FileKind>) -> Result<Node, DiskError> {
        let record = self.record(node.inode)?;
        let rock = self.rock(&record)?;
        let node_of = Node { record, rock };
        if wanted.is_some_and(|kind| node_of.kind() != kind) {
            let what = format!("record {} is no {wanted:?}", node.inode);
            return Err(DiskError::damaged(FORMAT, what));
        }
        Ok(node_of)
    }

    /// Where the bytes of a record's part begin.
    fn start(&self, record: &Record) -> u64 {
        (u64::from(record.extent) + u64::from(record.attributes_length))
            .saturating_mul(u64::from(self.volume.block_size))
    }

    /// The place of the record behind this one, in the next sector if need be.
    fn behind(&self, at: u64, length: u8) -> Result<u64, DiskError> {
        let size = u64::from(SECTOR);
        let next = at.saturating_add(u64::from(length));
        let sector = self.sector(next / size)?;
        let within = usize::try_from(next % size).unwrap_or_default();
        let ended = !next.is_multiple_of(size) && matches!(sector.get(within), None | Some(0));
        Ok(if ended {
            next.next_multiple_of(size)
        } else {
            next
        })
    }

    /// Where a file's bytes are: begin and length of each part. Only a file of 4 GiB and more has several.
    fn parts(&self, node: NodeId, first: Record) -> Result<Vec<(u64, u64)>, DiskError> {
        let (mut at, mut record) = (node.inode, first);
        let mut parts = Vec::new();
        loop {
            if record.is_interleaved {
                return Err(DiskError::unsupported(
                    FORMAT,
                    "interleaved files are not read",
                ));
            }
            parts.push((self.start(&record), u64::from(record.size)));
            if !record.goes_on() {
                return Ok(parts);
            }
            if parts.len() >= MOST_PARTS {
                return Err(DiskError::damaged(FORMAT, "a file of endless parts"));
            }
            at = self.behind(at, record.length)?;
            record = self.record(at)?;
        }
    }

    /// A directory's name and node of one record; `None` for what is not shown.
    fn entry(&self, at: u64, record: &Record) -> Result<Option<DirEntry>, DiskError> {
        let rock = self.rock(record)?;
        if rock.is_moved {
            return Ok(None);
        }
        let name = rock.name.unwrap_or_else(|| record.name_as(self.names));
        if matches!(name.as_slice(), b"." | b"..") {
            return Ok(None);
        }
        if name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            return Err(DiskError::damaged(
                FORMAT,
                "a directory has a name that cannot be one",
            ));
        }
        // A directory too deep for the standard stands elsewhere; the record here leads to that one's own.
        let moved = rock
            .child
            .map(|block| u64::from(block).saturating_mul(u64::from(self.volume.block_size)));
        let inode = moved.unwrap_or(at);
        let node = NodeId {
            subvolume: 0,
            inode,
        };
        Ok(Some(DirEntry { name, node }))
    }
}

impl Node {
    fn kind(&self) -> FileKind {
        match self.rock.kind() {
            // A link or a device can be told by Rock Ridge alone; that a directory is one, by the record.
            _ if self.record.is_directory() => FileKind::Directory,
            None | Some(FileKind::Directory) => FileKind::File,
            Some(kind) => kind,
        }
    }
}

impl FileSystem for Iso9660 {
    fn info(&self) -> FileSystemInfo {
        FileSystemInfo {
            kind: "iso9660",
            uuid: self.volume.uuid.clone(),
            label: self.volume.label.clone(),
            size: self.volume.size,
            used: self.volume.size,
            notes: Vec::new(),
        }
    }

    fn root(&self) -> NodeId {
        NodeId {
            subvolume: 0,
            inode: self.root,
        }
    }

    fn stat(&self, id: NodeId) -> Result<Stat, DiskError> {
        let node = self.node(id, None)?;
        let kind = node.kind();
        let owner = node.rock.owner.unwrap_or_default();
        let size = match kind {
            FileKind::Symlink => u64::try_from(node.rock.link.len()).unwrap_or_default(),
            FileKind::Directory => u64::from(node.record.size),
            FileKind::File => match node.rock.unpacked {
                Some(size) => u64::from(size),
                None if node.record.goes_on() => {
                    let parts = self.parts(id, node.record.clone())?;
                    parts.iter().map(|(_, length)| length).sum()
                }
                None => u64::from(node.record.size),
            },
            _ => 0,
        };
        Ok(Stat {
            kind,
            mode: node.rock.mode.map_or(0o555, |mode| mode & 0o7777),
            uid: owner.0,
            gid: owner.1,
            size,
            allocated: size.next_multiple_of(u64::from(self.volume.block_size)),
            mtime: (node.rock.mtime.unwrap_or(node.record.time), 0),
            links: node.rock.links.unwrap_or(1),
            device: node.rock.device,
        })
    }

    fn read_dir(
        &self,
        id: NodeId,
        visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
    ) -> Result<(), DiskError> {
        let directory = self.node(id, Some(FileKind::Directory))?.record;
        let size = u64::from(SECTOR);
        let start = self.start(&directory);
        let end = start.saturating_add(u64::from(directory.size).min(MOST_DIRECTORY));
        let (mut at, mut inside_file, mut damage) = (start, false, None);
        let mut empty = 0;
        while at < end {
            if empty > MOST_EMPTY {
                let what = "a directory goes on without entries";
                return Err(damage.unwrap_or_else(|| DiskError::damaged(FORMAT, what)));
            }
            let sector = self.sector(at / size)?;
            let within = usize::try_from(at % size).unwrap_or_default();
            let record = match Record::parse(sector.get(within..).unwrap_or_default()) {
                Ok(Some(record)) => record,
                // The rest of a sector stays empty where no record fits in.
                Ok(None) => {
                    empty += 1;
                    at = (at / size + 1) * size;
                    continue;
                }
                Err(error) => {
                    damage.get_or_insert(error);
                    empty += 1;
                    at = (at / size + 1) * size;
                    continue;
                }
            };
            let place = at;
            at += u64::from(record.length);
            empty = 0;
            // Behind a file's first record stand those of its other parts.
            let is_part = std::mem::replace(&mut inside_file, record.goes_on());
            if is_part || record.is_associated() || record.is_self_or_parent() {
                continue;
            }
            match self.entry(place, &record) {
                Ok(Some(entry)) => {
                    if visit(entry).is_break() {
                        return Ok(());
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    damage.get_or_insert(error);
                }
            }
        }
        damage.map_or(Ok(()), Err)
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, DiskError> {
        Ok(self.node(id, Some(FileKind::Symlink))?.rock.link)
    }

    fn read_at(&self, id: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError> {
        let node = self.node(id, Some(FileKind::File))?;
        if node.rock.unpacked.is_some() {
            return Err(DiskError::unsupported(
                FORMAT,
                "compressed files (zisofs) are not read",
            ));
        }
        let (mut at, mut done) = (offset, 0);
        for (start, length) in self.parts(id, node.record)? {
            if at >= length {
                at -= length;
                continue;
            }
            let rest = buf.get_mut(done..).unwrap_or_default();
            let left = usize::try_from(length - at).unwrap_or(usize::MAX);
            let now = left.min(rest.len());
            let rest = rest.get_mut(..now).unwrap_or_default();
            self.device.read_at(start.saturating_add(at), rest)?;
            done += now;
            at = 0;
        }
        Ok(done)
    }

    fn xattrs(&self, _: NodeId) -> Result<Xattrs, DiskError> {
        Ok(Vec::new())
    }
}
