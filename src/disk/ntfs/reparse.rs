//! Reparse points: links, and content that is kept elsewhere or in another way. MS-FSCC, section 2.1.2. Before there were
//! any, Services for UNIX kept links and devices in small system files.

use super::FORMAT;
use super::record::units;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// What a reparse point makes of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reparse {
    /// A symbolic link, or a directory mounted from elsewhere: the target, with slashes.
    Link(Vec<u8>),
    /// The content is not where it seems to be: why.
    Elsewhere(&'static str),
    /// Of no meaning for the content.
    Other,
}

impl Reparse {
    pub fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "reparse point", bytes);
        let data = view.bytes().get(8..).unwrap_or_default();
        let data = Structure::new(FORMAT, "reparse point", data);
        Ok(match view.le32(0)? {
            0xa000_000c => Self::Link(target(data, 12)?),
            0xa000_0003 => Self::Link(target(data, 8)?),
            // Of the Windows Subsystem for Linux: a version, then the target as it is.
            0xa000_001d => Self::Link(data.bytes().get(4..).unwrap_or_default().to_vec()),
            0x8000_0013 => Self::Elsewhere("deduplicated content is not read"),
            0x8000_0017 => {
                Self::Elsewhere("content compressed as part of Windows (WOF) is not read")
            }
            _ => Self::Other,
        })
    }
}

/// The name to be shown or, where there is none, the one that is followed; both behind `paths` bytes.
fn target(data: Structure<'_>, paths: usize) -> Result<Vec<u8>, DiskError> {
    let name = |at: usize| -> Result<Vec<u16>, DiskError> {
        let (from, length) = (usize::from(data.le16(at)?), usize::from(data.le16(at + 2)?));
        Ok(units(data.slice(paths + from, length)?))
    };
    let (followed, shown) = (name(0)?, name(4)?);
    let chosen = if shown.is_empty() { followed } else { shown };
    Ok(plain(&String::from_utf16_lossy(&chosen)).into_bytes())
}

/// `\??\C:\Users` is `/Users` of the same file system, as far as that can be known.
fn plain(target: &str) -> String {
    let target = target.strip_prefix(r"\??\").unwrap_or(target);
    let slashes = target.replace('\\', "/");
    match slashes.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 && rest.starts_with('/') => rest.to_owned(),
        _ => slashes,
    }
}

/// What a system file of Services for UNIX stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Special {
    Link(Vec<u8>),
    /// Major and minor number.
    CharDevice(u32, u32),
    BlockDevice(u32, u32),
}

/// Longest such file, in bytes.
pub const MOST_SPECIAL: u64 = 8 + 2 * 4096;

/// Told by the first eight bytes.
pub fn special(bytes: &[u8]) -> Option<Special> {
    let (mark, rest) = bytes.split_at_checked(8)?;
    let device = || {
        let view = Structure::new(FORMAT, "device", rest);
        let number = |at| {
            view.le64(at)
                .ok()
                .and_then(|number| u32::try_from(number).ok())
        };
        Some((number(0)?, number(8)?))
    };
    match mark {
        b"IntxLNK\x01" => {
            let target = String::from_utf16_lossy(&units(rest));
            Some(Special::Link(target.into_bytes()))
        }
        b"IntxCHR\0" => device().map(|(major, minor)| Special::CharDevice(major, minor)),
        b"IntxBLK\0" => device().map(|(major, minor)| Special::BlockDevice(major, minor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_with_slashes() {
        assert_eq!(plain(r"\??\C:\Users\Public"), "/Users/Public");
        assert_eq!(plain(r"..\up\there"), "../up/there");
        assert_eq!(plain(r"\??\Volume{0}\x"), "Volume{0}/x");
        let link: Vec<u8> = "IntxLNK\x01"
            .bytes()
            .chain("/a/b".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(special(&link), Some(Special::Link(b"/a/b".to_vec())));
    }

    proptest::proptest! {
        #[test]
        fn any_point_survives(mut bytes in proptest::collection::vec(0u8.., 0..100), tag in 0..4_usize) {
            let _ = (Reparse::parse(&bytes), special(&bytes));
            let tag = [0xa000_000c_u32, 0xa000_0003, 0xa000_001d, 0x8000_0017][tag];
            if let Some(start) = bytes.get_mut(..4) {
                start.copy_from_slice(&tag.to_le_bytes());
            }
            let _ = Reparse::parse(&bytes);
        }
    }
}
