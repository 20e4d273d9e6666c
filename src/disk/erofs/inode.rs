//! Inodes, of 32 or 64 bytes, found by their number. `erofs_fs.h`, `struct erofs_inode_compact` and `_extended`.

use super::FORMAT;
use super::volume::Volume;
use crate::disk::bytes::Structure;
use crate::disk::{DiskError, FileKind};

/// How the content is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Blocks one after the other.
    Plain,
    /// The same, but for the end, which is behind the inode.
    Inline,
    /// Packed, with an index entry of eight bytes for each block of content, or of two and four.
    Packed { compact: bool },
    /// Chunks that may be anywhere.
    Chunks,
}

/// One inode.
#[derive(Debug, Clone)]
pub struct Inode {
    pub number: u64,
    pub kind: FileKind,
    pub mode: u32,
    pub owner: (u32, u32),
    pub size: u64,
    pub mtime: (i64, u32),
    pub links: u32,
    pub layout: Layout,
    /// A first block, a device's number, or the form of chunks.
    pub word: u32,
    /// Where the attributes behind it are, and their bytes.
    pub xattrs: (u64, u64),
}

impl Inode {
    pub fn load(volume: &Volume, number: u64) -> Result<Self, DiskError> {
        let at = number
            .checked_mul(32)
            .and_then(|at| at.checked_add(volume.disk.inodes));
        let at = at.ok_or_else(|| DiskError::damaged(FORMAT, "an inode beyond any disk"))?;
        let mut bytes = [0; 64];
        let (small, large) = bytes.split_at_mut(32);
        volume.metadata(at, small)?;
        let format = Structure::new(FORMAT, "inode", small).le16(0)?;
        let extended = format & 1 != 0;
        if extended {
            volume.metadata(at.saturating_add(32), large)?;
        }
        let view = Structure::new(FORMAT, "inode", &bytes);
        let layout = match format >> 1 & 7 {
            0 => Layout::Plain,
            1 => Layout::Packed { compact: false },
            2 => Layout::Inline,
            3 => Layout::Packed { compact: true },
            4 => Layout::Chunks,
            other => {
                return Err(view.damaged(format_args!("number {number} has the layout {other}")));
            }
        };
        let mode = u32::from(view.le16(4)?);
        let words = u64::from(view.le16(2)?);
        // A head of twelve bytes, and four for each word but the first.
        let length = if words == 0 { 0 } else { 8 + words * 4 };
        let half = |at| view.le16(at).map(u32::from);
        let size = if extended { 64 } else { 32 };
        Ok(Self {
            number,
            kind: kind(mode).ok_or_else(|| {
                view.damaged(format_args!("number {number} has the mode {mode:o}"))
            })?,
            mode: mode & 0o7777,
            owner: if extended {
                (view.le32(24)?, view.le32(28)?)
            } else {
                (half(24)?, half(26)?)
            },
            size: if extended {
                view.le64(8)?
            } else {
                u64::from(view.le32(8)?)
            },
            mtime: if extended {
                (
                    view.le64(32)?.cast_signed(),
                    view.le32(40)?.min(999_999_999),
                )
            } else {
                volume.disk.time
            },
            links: if extended { view.le32(44)? } else { half(6)? },
            layout,
            word: view.le32(16)?,
            xattrs: (at.saturating_add(size), length),
        })
    }

    /// Where what is behind the inode and its attributes begins.
    pub fn behind(&self) -> u64 {
        self.xattrs.0.saturating_add(self.xattrs.1)
    }

    /// Major and minor number.
    pub fn device(&self) -> (u32, u32) {
        if matches!(self.kind, FileKind::CharDevice | FileKind::BlockDevice) {
            (
                self.word >> 8 & 0xfff,
                self.word & 0xff | self.word >> 12 & 0xf_ff00,
            )
        } else {
            (0, 0)
        }
    }
}

fn kind(mode: u32) -> Option<FileKind> {
    Some(match mode & 0o170_000 {
        0o100_000 => FileKind::File,
        0o040_000 => FileKind::Directory,
        0o120_000 => FileKind::Symlink,
        0o020_000 => FileKind::CharDevice,
        0o060_000 => FileKind::BlockDevice,
        0o010_000 => FileKind::Fifo,
        0o140_000 => FileKind::Socket,
        _ => return None,
    })
}
