//! What is in a volume: a file system that is read, something that is only named, swap, or nothing known.

use super::btrfs::Btrfs;
use super::erofs::Erofs;
use super::exfat::ExFat;
use super::ext::Ext;
use super::fat::Fat;
use super::iso9660::Iso9660;
use super::ntfs::Ntfs;
use super::signature::{self, Signature};
use super::squashfs::Squashfs;
use super::xfs::Xfs;
use super::{BlockDevice, DiskError, FileSystem};
use std::sync::Arc;

/// What a volume holds. Labels are as stored: sanitise them before they are shown.
#[derive(Clone)]
pub enum Contents {
    FileSystem(Arc<dyn FileSystem>),
    /// Told, and not read: encrypted, damaged, or of a kind that nothing here reads.
    Recognised {
        /// As blkid's TYPE.
        kind: &'static str,
        uuid: String,
        label: String,
        /// Why it is not read, as a sentence without its beginning: "it is encrypted; …".
        why: String,
    },
    /// A part of larger volumes, which are listed by themselves: nothing of it is lost.
    Part {
        /// As blkid's TYPE.
        kind: &'static str,
        uuid: String,
        /// The volume group, the array, or the volume that stands for a file system on several.
        of: String,
    },
    Swap {
        uuid: String,
        label: String,
    },
    /// Zeros, or something that nobody here knows.
    Empty,
}

impl Contents {
    /// Something that is named and not read, without a name of its own.
    pub fn unread(kind: &'static str, why: impl Into<String>) -> Self {
        Self::Recognised {
            kind,
            uuid: String::new(),
            label: String::new(),
            why: why.into(),
        }
    }
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FileSystem(fs) => f.debug_tuple("FileSystem").field(&fs.info()).finish(),
            Self::Recognised { kind, why, .. } => {
                f.debug_tuple("Recognised").field(kind).field(why).finish()
            }
            Self::Part { of, .. } => f.debug_tuple("Part").field(of).finish(),
            Self::Swap { .. } => f.write_str("Swap"),
            Self::Empty => f.write_str("Empty"),
        }
    }
}

type Opened = Result<Arc<dyn FileSystem>, DiskError>;

/// A file system that is read.
struct Reader {
    /// What it is called where it cannot be opened.
    kind: &'static str,
    probe: fn(&dyn BlockDevice) -> bool,
    open: fn(Arc<dyn BlockDevice>) -> Opened,
}

const READERS: &[Reader] = &[
    Reader {
        kind: "ext4",
        probe: Ext::probe,
        open: |device| Ok(Arc::new(Ext::open(device)?)),
    },
    Reader {
        kind: "xfs",
        probe: Xfs::probe,
        open: |device| Ok(Arc::new(Xfs::open(device)?)),
    },
    Reader {
        kind: "btrfs",
        probe: Btrfs::probe,
        open: |device| Ok(Arc::new(Btrfs::open(device)?)),
    },
    Reader {
        kind: "exfat",
        probe: ExFat::probe,
        open: |device| Ok(Arc::new(ExFat::open(device)?)),
    },
    Reader {
        kind: "iso9660",
        probe: Iso9660::probe,
        open: |device| Ok(Arc::new(Iso9660::open(device)?)),
    },
    Reader {
        kind: "ntfs",
        probe: Ntfs::probe,
        open: |device| Ok(Arc::new(Ntfs::open(device)?)),
    },
    Reader {
        kind: "squashfs",
        probe: Squashfs::probe,
        open: |device| Ok(Arc::new(Squashfs::open(device)?)),
    },
    Reader {
        kind: "erofs",
        probe: Erofs::probe,
        open: |device| Ok(Arc::new(Erofs::open(device)?)),
    },
    // Its mark is the weakest: a boot sector that makes sense.
    Reader {
        kind: "vfat",
        probe: Fat::probe,
        open: |device| Ok(Arc::new(Fat::open(device)?)),
    },
];

/// Looks into a volume. Never fails: what cannot be read is named, with the reason.
pub fn contents(device: &Arc<dyn BlockDevice>) -> Contents {
    match signature::recognise(device) {
        // A volume that is a file system to us and swap or FAT to a stale mark is a file system: those makers leave
        // the marks of others in place. A container's mark is written over what was there before.
        Ok(Some(found)) if !is_stale(&found, device) => named(found),
        Err(error) if !readable(device) => Contents::unread("unknown", error.to_string()),
        _ => file_system(device),
    }
}

/// Whether anything is known of a volume: a guess at the geometry is right where there is.
pub fn is_known(device: &dyn BlockDevice) -> bool {
    readable(device) || matches!(signature::recognise(device), Ok(Some(_)))
}

fn readable(device: &dyn BlockDevice) -> bool {
    READERS.iter().any(|reader| (reader.probe)(device))
}

fn is_stale(found: &Signature, device: &Arc<dyn BlockDevice>) -> bool {
    let container = found.kind.ends_with("_member") || found.kind.starts_with("crypto");
    !container && readable(device)
}

fn named(found: Signature) -> Contents {
    let Signature {
        kind,
        uuid,
        label,
        why,
    } = found;
    if matches!(kind, "swap" | "swsuspend") {
        return Contents::Swap { uuid, label };
    }
    let why = why.to_owned();
    Contents::Recognised {
        kind,
        uuid,
        label,
        why,
    }
}

fn file_system(device: &Arc<dyn BlockDevice>) -> Contents {
    let Some(reader) = READERS.iter().find(|reader| (reader.probe)(device)) else {
        return Contents::Empty;
    };
    match (reader.open)(Arc::clone(device)) {
        Ok(fs) => Contents::FileSystem(fs),
        Err(error) => Contents::unread(reader.kind, error.to_string()),
    }
}
