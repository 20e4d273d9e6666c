//! The file system: nodes by number, positioned reads, directories handed out entry by entry.

use super::DiskError;
use std::ops::ControlFlow;

/// One node of a file system: subvolume (0 where there are none) and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId {
    pub subvolume: u64,
    pub inode: u64,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    File,
    Directory,
    Symlink,
    CharDevice,
    BlockDevice,
    Fifo,
    Socket,
}

/// A node's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky: 0 to 0o7777.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Bytes of content (a symbolic link's is its target's length).
    pub size: u64,
    /// Bytes allocated on disk; smaller than `size` where there are holes.
    pub allocated: u64,
    /// Seconds since 1970, and nanoseconds.
    pub mtime: (i64, u32),
    pub links: u32,
    /// Major and minor number of a device node.
    pub device: (u32, u32),
}

/// One name in a directory. Never empty, `.`, `..`, nor holding `/` or NUL: implementations drop such names as damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    pub name: Vec<u8>,
    pub node: NodeId,
}

/// What a file system says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSystemInfo {
    /// As in `/proc/filesystems`: `ext4`, `xfs`, …
    pub kind: &'static str,
    /// As blkid prints it; lower case.
    pub uuid: String,
    pub label: String,
    /// Bytes.
    pub size: u64,
    /// Bytes in use.
    pub used: u64,
    /// What a reader should know: a journal replayed in memory, features that were passed over, …
    pub notes: Vec<String>,
}

/// Extended attributes: full name and value.
pub type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// A file tree of its own within a file system, which can be mounted by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subvolume {
    /// Its top directory.
    pub root: NodeId,
    /// From the top of the file system, names parted by slashes and none at the beginning; empty for the top itself.
    pub path: Vec<u8>,
    pub read_only: bool,
    /// Zeros where it has none.
    pub uuid: [u8; 16],
    /// The UUID of the subvolume that this one was a snapshot of, which need not be there any more; zeros where it was none.
    pub origin: [u8; 16],
}

/// A read-only file system; positional, shared by threads.
pub trait FileSystem: Send + Sync {
    fn info(&self) -> FileSystemInfo;
    fn root(&self) -> NodeId;
    fn stat(&self, node: NodeId) -> Result<Stat, DiskError>;
    /// Hands out the entries of a directory in the order they are stored, `.` and `..` left out.
    fn read_dir(
        &self,
        node: NodeId,
        visit: &mut dyn FnMut(DirEntry) -> ControlFlow<()>,
    ) -> Result<(), DiskError>;
    /// The target of a symbolic link, at most 4,096 bytes.
    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, DiskError>;
    /// Reads from a regular file; short only at its end. Holes read as zero.
    fn read_at(&self, node: NodeId, offset: u64, buf: &mut [u8]) -> Result<usize, DiskError>;
    /// Where the next byte stands that is stored, from `offset` (bytes) on: behind a hole, or at the file's end at last. It may
    /// be earlier than that, and is where a format does not tell.
    fn data_from(&self, _: NodeId, offset: u64) -> Result<u64, DiskError> {
        Ok(offset)
    }
    /// Extended attributes by full name (`security.capability`), sorted.
    fn xattrs(&self, node: NodeId) -> Result<Xattrs, DiskError>;
    /// All subvolumes, the top's first; nothing where the format has none.
    fn subvolumes(&self) -> Vec<Subvolume> {
        Vec::new()
    }
}
