//! Inodes: a head that all have, then fields by kind; the extended kinds have more of them. `squashfs_fs.h`,
//! `struct squashfs_base_inode` and those behind it.

use super::FORMAT;
use super::superblock::Superblock;
use super::volume::{Cursor, Volume};
use crate::disk::{DiskError, FileKind};

/// What stands in place of a fragment or of attributes that there are none of.
const NONE: u32 = u32::MAX;
/// Longest target, in bytes.
const MOST_TARGET: u32 = 4096;

/// One inode.
#[derive(Debug, Clone)]
pub struct Inode {
    pub kind: FileKind,
    pub mode: u32,
    pub owner: u16,
    pub group: u16,
    pub mtime: i64,
    pub links: u32,
    pub xattrs: Option<u32>,
    pub body: Body,
}

/// What depends on the kind.
#[derive(Debug, Clone)]
pub enum Body {
    Directory {
        /// Bytes of entries.
        size: u64,
        entries: Cursor,
    },
    File(Content),
    Symlink(Vec<u8>),
    Device(u32, u32),
    Other,
}

/// Where a file's bytes are.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    pub size: u64,
    /// Where its blocks begin; one follows the other.
    pub start: u64,
    /// The sizes of its blocks as they are stored.
    pub sizes: Cursor,
    /// Its end among those of others: the number of their block, and bytes into it.
    pub end: Option<(u32, u32)>,
    /// Bytes of holes.
    pub sparse: u64,
}

/// Reads fields one after the other.
struct Fields<'a> {
    volume: &'a Volume,
    cursor: Cursor,
}

impl Fields<'_> {
    fn half(&mut self) -> Result<u16, DiskError> {
        self.volume.array(&mut self.cursor).map(u16::from_le_bytes)
    }

    fn word(&mut self) -> Result<u32, DiskError> {
        self.volume.array(&mut self.cursor).map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Result<u64, DiskError> {
        self.volume.array(&mut self.cursor).map(u64::from_le_bytes)
    }
}

impl Inode {
    pub fn load(volume: &Volume, disk: &Superblock, reference: u64) -> Result<Self, DiskError> {
        let mut fields = Fields {
            volume,
            cursor: Cursor::of(disk.inodes, reference),
        };
        let number = fields.half()?;
        let extended = number > 7;
        let basic = if extended { number - 7 } else { number };
        let (mode, owner, group) = (fields.half()?, fields.half()?, fields.half()?);
        let mtime = i64::from(fields.word()?);
        fields.word()?;
        let mut inode = Self {
            kind: kind(basic, reference)?,
            mode: u32::from(mode & 0o7777),
            owner,
            group,
            mtime,
            links: 1,
            xattrs: None,
            body: Body::Other,
        };
        match inode.kind {
            FileKind::Directory => inode.directory(&mut fields, disk, extended)?,
            FileKind::File => inode.file(&mut fields, disk, extended)?,
            kind => {
                inode.links = fields.word()?;
                inode.body = match kind {
                    FileKind::Symlink => Body::Symlink(target(&mut fields)?),
                    FileKind::BlockDevice | FileKind::CharDevice => device(fields.word()?),
                    _ => Body::Other,
                };
                inode.attributes(&mut fields, extended)?;
            }
        }
        Ok(inode)
    }

    fn attributes(&mut self, fields: &mut Fields<'_>, extended: bool) -> Result<(), DiskError> {
        if extended {
            self.xattrs = Some(fields.word()?).filter(|index| *index != NONE);
        }
        Ok(())
    }

    fn directory(
        &mut self,
        fields: &mut Fields<'_>,
        disk: &Superblock,
        extended: bool,
    ) -> Result<(), DiskError> {
        let (size, block, offset);
        if extended {
            self.links = fields.word()?;
            size = fields.word()?;
            block = fields.word()?;
            let (_parent, _indexes) = (fields.word()?, fields.half()?);
            offset = fields.half()?;
            self.attributes(fields, true)?;
        } else {
            block = fields.word()?;
            self.links = fields.word()?;
            size = u32::from(fields.half()?);
            offset = fields.half()?;
        }
        self.body = Body::Directory {
            // Three bytes stand for `.` and `..`, which are not stored.
            size: u64::from(size.saturating_sub(3)),
            entries: Cursor::of(disk.directories, u64::from(block) << 16 | u64::from(offset)),
        };
        Ok(())
    }

    fn file(
        &mut self,
        fields: &mut Fields<'_>,
        disk: &Superblock,
        extended: bool,
    ) -> Result<(), DiskError> {
        let (start, size, fragment, offset);
        let mut sparse = 0;
        if extended {
            (start, size, sparse) = (fields.long()?, fields.long()?, fields.long()?);
            self.links = fields.word()?;
            (fragment, offset) = (fields.word()?, fields.word()?);
            self.attributes(fields, true)?;
        } else {
            start = u64::from(fields.word()?);
            (fragment, offset) = (fields.word()?, fields.word()?);
            size = u64::from(fields.word()?);
        }
        let end = (fragment != NONE).then_some((fragment, offset));
        if end.is_some_and(|(number, _)| number >= disk.fragment_count) {
            let what = format!("the end of a file in block {fragment} of them");
            return Err(DiskError::damaged(FORMAT, what));
        }
        self.body = Body::File(Content {
            size,
            start,
            sizes: fields.cursor,
            end,
            sparse,
        });
        Ok(())
    }
}

fn kind(number: u16, reference: u64) -> Result<FileKind, DiskError> {
    Ok(match number {
        1 => FileKind::Directory,
        2 => FileKind::File,
        3 => FileKind::Symlink,
        4 => FileKind::BlockDevice,
        5 => FileKind::CharDevice,
        6 => FileKind::Fifo,
        7 => FileKind::Socket,
        other => {
            let what = format!("inode {reference:#x} is of the kind {other}");
            return Err(DiskError::damaged(FORMAT, what));
        }
    })
}

fn target(fields: &mut Fields<'_>) -> Result<Vec<u8>, DiskError> {
    let length = fields.word()?;
    if length > MOST_TARGET {
        return Err(DiskError::damaged(
            FORMAT,
            format!("a target of {length} bytes"),
        ));
    }
    let mut target = vec![0; usize::try_from(length).unwrap_or_default()];
    fields.volume.read(&mut fields.cursor, &mut target)?;
    Ok(target)
}

/// Numbers as the kernel packs them: twelve bits of major, twenty of minor in two parts.
fn device(packed: u32) -> Body {
    let major = packed >> 8 & 0xfff;
    let minor = packed & 0xff | packed >> 12 & 0xf_ff00;
    Body::Device(major, minor)
}
