//! The superblock: where the trees begin, identity, features. "On-disk format", "Superblock".

use super::FORMAT;
use super::checksum::Checksum;
use super::tree::Pointer;
use crate::disk::bytes::{Structure, label_text, uuid_text};
use crate::disk::{BlockDevice, DiskError};

/// Bytes of the structure.
pub const SIZE: usize = 4096;
/// Where it lies, in bytes, and where its copies do on devices that are large enough.
pub const PLACES: [u64; 3] = [64 << 10, 64 << 20, 256 << 30];
const MAGIC: &[u8; 8] = b"_BHRfS_M";
/// Bytes at most of the chunks that the superblock itself lists.
const SYSTEM_CHUNKS: usize = 2048;

/// Incompatible features.
mod incompat {
    pub const METADATA_UUID: u64 = 0x400;
    /// Back references that share blocks, a default subvolume, mixed groups, LZO, Zstandard, large nodes, long reference
    /// lists, RAID5 and 6, slim metadata, no items for holes, a UUID for metadata, three and four copies, zones, simple
    /// quotas: none changes what is read below without saying so in its items.
    pub const KNOWN: u64 = 0x1_1fff;
}

/// What the rest of the reader needs; every size in it has been checked.
#[derive(Debug, Clone)]
pub struct Superblock {
    /// The number of the last transaction.
    pub generation: u64,
    /// The tree of roots, and the one of chunks.
    pub root: Pointer,
    pub chunks: Pointer,
    /// The tree of what was written by fsync(2) and not yet in its place; 0 when there is none.
    pub log: u64,
    /// Bytes, over all devices.
    pub total: u64,
    pub used: u64,
    pub devices: u64,
    /// Bytes: a power of two from 512 to 65,536.
    pub sector_size: u32,
    /// The same of tree nodes, from 4,096.
    pub node_size: u32,
    pub checksum: Checksum,
    /// What nodes carry as the file system's UUID; changing the one that is shown leaves it.
    pub node_uuid: [u8; 16],
    pub uuid: String,
    pub label: String,
    /// Number and bytes of the device that this superblock lies on.
    pub device: u64,
    pub device_size: u64,
    /// Chunks that the tree of chunks lies in, each behind its key.
    pub system_chunks: Vec<u8>,
}

/// Whether these are the first 128 bytes of a superblock.
pub fn looks_right(bytes: &[u8]) -> bool {
    bytes.get(64..72) == Some(MAGIC)
}

/// The superblock, or the first of its copies that is whole, and whether it is a copy.
pub fn read(device: &dyn BlockDevice) -> Result<(Superblock, bool), DiskError> {
    let mut failed = None;
    for (at, copy) in PLACES.into_iter().zip([false, true, true]) {
        let mut bytes = vec![0; SIZE];
        let read = device.read_at(at, &mut bytes);
        match read.and_then(|()| Superblock::parse(&bytes, at)) {
            Ok(parsed) => return Ok((parsed, copy)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or_else(|| DiskError::damaged(FORMAT, "it has no superblock")))
}

impl Superblock {
    /// Reads and checks a superblock that lies `at` bytes from the beginning of its device.
    pub fn parse(bytes: &[u8], at: u64) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "superblock", bytes);
        if !looks_right(bytes) || view.le64(48)? != at {
            return Err(view.damaged("no magic, or one that was copied from elsewhere"));
        }
        let checksum = Checksum::of(view.le16(196)?)?;
        if !checksum.agrees(view.slice(0, SIZE)?) {
            return Err(view.damaged("its checksum is wrong"));
        }
        let features = view.le64(188)?;
        if features & !incompat::KNOWN != 0 {
            let what = format!("features of an unknown meaning ({features:#x})");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        let own_uuid = view.array(32)?;
        let node_uuid = match features & incompat::METADATA_UUID {
            0 => own_uuid,
            _ => view.array(571)?,
        };
        let parsed = Self {
            generation: view.le64(72)?,
            root: pointer(view, 80, view.le64(72)?, 198)?,
            chunks: pointer(view, 88, view.le64(164)?, 199)?,
            log: view.le64(96)?,
            total: view.le64(112)?,
            used: view.le64(120)?,
            devices: view.le64(136)?,
            sector_size: view.le32(144)?,
            node_size: view.le32(148)?,
            checksum,
            node_uuid,
            uuid: uuid_text(own_uuid),
            label: label_text(view.slice(299, 256)?),
            device: view.le64(201)?,
            device_size: view.le64(209)?,
            system_chunks: system_chunks(view)?,
        };
        parsed.check(view)?;
        Ok(parsed)
    }

    fn check(&self, view: Structure<'_>) -> Result<(), DiskError> {
        let (sector, node) = (self.sector_size, self.node_size);
        let fits =
            |size: u32, least: u32| size.is_power_of_two() && (least..=65536).contains(&size);
        if !fits(sector, 512) || !fits(node, 4096) || node < sector {
            let what = format!("sectors of {sector} bytes and nodes of {node}");
            return Err(view.damaged(what));
        }
        Ok(())
    }
}

fn pointer(
    view: Structure<'_>,
    at: usize,
    generation: u64,
    level: usize,
) -> Result<Pointer, DiskError> {
    Ok(Pointer {
        logical: view.le64(at)?,
        generation,
        level: view.u8(level)?,
        first: None,
    })
}

fn system_chunks(view: Structure<'_>) -> Result<Vec<u8>, DiskError> {
    let length = usize::try_from(view.le32(160)?).unwrap_or(usize::MAX);
    if length > SYSTEM_CHUNKS {
        return Err(view.damaged(format_args!("{length} bytes of chunks")));
    }
    Ok(view.slice(811, length)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::crc32c;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 4096), checksum in 0_u8..2) {
            let _ = Superblock::parse(&bytes[..300], 0x1_0000);
            let _ = Superblock::parse(&bytes, 0x1_0000);
            // And past the marks, which chance would never meet.
            for (at, part) in [
                (48, [0, 0, 1, 0, 0, 0, 0, 0]),
                (64, *MAGIC),
                (144, [0, 16, 0, 0, 0, 64, 0, 0]),
                (160, [100, 0, 0, 0, 0, 0, 0, 0]),
                (188, [0; 8]),
                (192, [0, 0, 0, 0, checksum, 0, 0, 0]),
            ] {
                bytes[at..at + 8].copy_from_slice(&part);
            }
            let sum = crc32c::checksum(&bytes[32..]);
            bytes[..4].copy_from_slice(&sum.to_le_bytes());
            let _ = Superblock::parse(&bytes, 0x1_0000).unwrap();
        }
    }
}
