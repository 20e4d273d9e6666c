//! What a member says of itself and its array: superblocks 0.90 and 1.0 to 1.2 (Linux's include/uapi/linux/raid/md_p.h).

use super::FORMAT;
use crate::disk::bytes::{Structure, label_text};
use crate::disk::{BlockDevice, DiskError};

const MAGIC: u32 = 0xa92b_4efc;
/// Bytes of a superblock of either kind.
const LENGTH: usize = 4096;
/// Bytes of one of version 1 before its roles of two bytes each.
const FIXED: usize = 256;
/// Sizes of version 0.90's space at the end, and its alignment.
const RESERVED: u64 = 64 << 10;

/// Features of version 1.
mod feature {
    pub(super) const RECOVERY: u32 = 2;
    pub(super) const RESHAPE: u32 = 4;
    pub(super) const RAID0_LAYOUT: u32 = 4096;
    /// Every one there is; the kernel opens no array with another.
    pub(super) const KNOWN: u32 = 0x1fff;
}

/// A member of an array. Lengths and offsets are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Superblock {
    pub(super) uuid: [u8; 16],
    /// As `mdadm --name` has it, with the machine's before a colon; or the number, of version 0.90.
    pub(super) name: String,
    pub(super) level: i32,
    /// `None` where it is not said.
    pub(super) layout: Option<u32>,
    pub(super) chunk: u64,
    /// How many members a whole array has.
    pub(super) members: u32,
    /// What is used of each member, where the level uses the same of all.
    pub(super) used: u64,
    pub(super) data_offset: u64,
    pub(super) data_size: u64,
    /// The place in the array; `None` for a spare, a faulty one, or one that is not yet filled.
    pub(super) role: Option<u32>,
    /// The greatest is the newest.
    pub(super) events: u64,
    /// Whether the array is being given another shape: its data lies in two shapes at once.
    pub(super) reshaped: bool,
}

/// Reads a superblock, from where each version has it; `None` where there is none.
pub(super) fn read(device: &dyn BlockDevice) -> Result<Option<Superblock>, DiskError> {
    let mut failed = None;
    for at in places(device.size()) {
        match version_1(device, at) {
            Ok(None) => {}
            Err(error) => failed = failed.or(Some(error)),
            found => return found,
        }
    }
    if let Some(at) = old_place(device.size())
        && let Some(found) = version_0(device, at)?
    {
        return Ok(Some(found));
    }
    failed.map_or(Ok(None), Err)
}

/// Where version 1.1, 1.2 and 1.0 have theirs.
fn places(size: u64) -> impl Iterator<Item = u64> {
    let end = (size & !511).checked_sub(8192).map(|at| at & !4095);
    [0, 4096].into_iter().chain(end)
}

/// Where version 0.90 has its own on a device of `size` bytes.
pub(super) fn old_place(size: u64) -> Option<u64> {
    (size & !(RESERVED - 1)).checked_sub(RESERVED)
}

fn bytes(device: &dyn BlockDevice, at: u64) -> Result<Option<Vec<u8>>, DiskError> {
    let left = device.size().saturating_sub(at);
    let length = usize::try_from(left).unwrap_or(LENGTH).min(LENGTH);
    if length < FIXED {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    device.read_at(at, &mut bytes)?;
    Ok(bytes.starts_with(&MAGIC.to_le_bytes()).then_some(bytes))
}

fn version_1(device: &dyn BlockDevice, at: u64) -> Result<Option<Superblock>, DiskError> {
    let Some(bytes) = bytes(device, at)? else {
        return Ok(None);
    };
    let view = Structure::new(FORMAT, "superblock", &bytes);
    // A superblock that says that it is elsewhere is of the partition that ends here, or of the disk that begins here.
    if view.le32(4)? != 1 || view.le64(144)?.checked_mul(512) != Some(at) {
        return Ok(None);
    }
    let roles = usize::try_from(view.le32(220)?).unwrap_or(usize::MAX);
    let length = roles.saturating_mul(2).saturating_add(FIXED);
    if sum(&view, length, 216)? != view.le32(216)? {
        return Err(view.damaged("its checksum is wrong"));
    }
    let features = view.le32(8)?;
    if features & !feature::KNOWN != 0 {
        let what = format!("features {features:#x} of a newer version");
        return Err(DiskError::unsupported(FORMAT, what));
    }
    let number = usize::try_from(view.le32(160)?).unwrap_or(usize::MAX);
    let members = view.le32(92)?;
    let role = if number < roles {
        Some(u32::from(
            view.le16(number.saturating_mul(2).saturating_add(FIXED))?,
        ))
    } else {
        None
    };
    let level = i32::from_le_bytes(view.array(72)?);
    let has_layout = level != 0 || features & feature::RAID0_LAYOUT != 0;
    Ok(Some(Superblock {
        uuid: view.array(16)?,
        name: label_text(view.slice(32, 32)?),
        level,
        layout: has_layout.then_some(view.le32(76)?),
        chunk: u64::from(view.le32(88)?) * 512,
        members,
        used: sectors(&view, 80)?,
        data_offset: sectors(&view, 128)?,
        data_size: sectors(&view, 136)?,
        role: role.filter(|role| *role < members && features & feature::RECOVERY == 0),
        events: view.le64(200)?,
        reshaped: features & feature::RESHAPE != 0,
    }))
}

fn version_0(device: &dyn BlockDevice, at: u64) -> Result<Option<Superblock>, DiskError> {
    let Some(bytes) = bytes(device, at)? else {
        return Ok(None);
    };
    let view = Structure::new(FORMAT, "superblock", &bytes);
    let minor = view.le32(8)?;
    if view.le32(4)? != 0 || !matches!(minor, 90 | 91) {
        return Ok(None);
    }
    // Kernels summed up in different ways, and compare what is left when both halves are added.
    let folded = |sum: u32| {
        let once = (sum & 0xffff) + (sum >> 16);
        (once & 0xffff) + (once >> 16)
    };
    if folded(sum(&view, LENGTH, 152)?) != folded(view.le32(152)?) {
        return Err(view.damaged("its checksum is wrong"));
    }
    // Faulty, active, in sync, removed.
    let (role, state) = (view.le32(3968 + 12)?, view.le32(3968 + 16)?);
    let members = view.le32(40)?;
    let level = i32::from_le_bytes(view.array(28)?);
    let used = u64::from(view.le32(32)?) * 1024;
    let mut uuid = [0; 16];
    let (first, rest) = uuid.split_at_mut(4);
    first.copy_from_slice(view.slice(20, 4)?);
    rest.copy_from_slice(view.slice(52, 12)?);
    Ok(Some(Superblock {
        uuid,
        name: view.le32(44)?.to_string(),
        level,
        layout: (level != 0).then_some(view.le32(256)?),
        chunk: u64::from(view.le32(260)?),
        members,
        used,
        data_offset: 0,
        data_size: at,
        role: Some(role).filter(|role| *role < members && state & 0b1111 == 0b110),
        events: u64::from(view.le32(156)?) | u64::from(view.le32(160)?) << 32,
        reshaped: minor == 91 && view.le64(176)? != u64::MAX,
    }))
}

fn sectors(view: &Structure<'_>, at: usize) -> Result<u64, DiskError> {
    let bytes = view.le64(at)?.checked_mul(512);
    bytes
        .filter(|bytes| *bytes <= i64::MAX.unsigned_abs())
        .ok_or_else(|| view.damaged("a length beyond any disk"))
}

/// The words of four bytes summed up, but for the sum itself at `own`; the carry is added, and a last half word too.
fn sum(view: &Structure<'_>, length: usize, own: usize) -> Result<u32, DiskError> {
    let words = view.slice(0, length)?.chunks(4).enumerate();
    let sum: u64 = words
        .filter(|(number, _)| number * 4 != own)
        .map(|(_, word)| {
            let mut whole = [0; 4];
            whole
                .iter_mut()
                .zip(word)
                .for_each(|(to, from)| *to = *from);
            u64::from(u32::from_le_bytes(whole))
        })
        .sum();
    let folded = (sum & 0xffff_ffff) + (sum >> 32);
    Ok(u32::try_from(folded & 0xffff_ffff).unwrap_or_default())
}
