//! Disks: image formats, partition tables, volumes, and file systems, read in place.
//!
//! What belongs here: turning bytes of a disk into positioned reads of files. What does not: anything about machines,
//! packages or containers. This room knows nothing of the rest of the program and could be published alone.
//!
//! The layers, each a file or a folder that names the specification it was written from:
//!
//! ```text
//! image file ─▶ BlockDevice (raw, qcow2, …) ─▶ partitions ─▶ BlockDevice ─▶ FileSystem (ext, …)
//! ```
//!
//! Everything is read-only, positioned, and `Sync`: threads share a reader without locks. An image is an attacker's
//! file: every length is checked before it is used, nothing is allocated by an unchecked field, and there is no `unsafe`.

pub mod btrfs;
pub mod bytes;
pub mod cache;
pub mod contents;
mod crc;
pub mod crc32;
pub mod crc32c;
pub mod device;
pub mod erofs;
pub mod exfat;
pub mod ext;
pub mod fat;
pub mod filesystem;
pub mod image;
pub mod inflate;
pub mod iso9660;
pub mod lvm;
pub mod lz4;
pub mod lzo;
pub mod md;
pub mod note;
pub mod ntfs;
pub mod open;
pub mod pool;
pub mod range;
pub mod signature;
pub mod squashfs;
pub mod table;
pub mod xfs;

pub use device::{BlockDevice, DiskError};
pub use filesystem::{
    DirEntry, FileKind, FileSystem, FileSystemInfo, NodeId, Stat, Subvolume, Xattrs,
};
