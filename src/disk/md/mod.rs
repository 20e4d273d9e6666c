//! Linux's software RAID (md): members become arrays; from Linux's drivers/md, there is no specification.
//!
//! What belongs here: linear arrays, stripes (RAID 0) and mirrors (RAID 1). Levels that need parity are named.

mod array;
mod superblock;

use super::table::Partition;
use super::{BlockDevice, DiskError};
use std::sync::Arc;
use superblock::Superblock;

const FORMAT: &str = "md";
/// What the mark of a member is called.
pub const MEMBER: &str = "linux_raid_member";
/// The number a kernel gives to the first array without one; others count down.
const UNNUMBERED: u32 = 127;

/// An array that was put together.
pub struct Array {
    /// Below `/dev`: `md0`, `md/NAME`.
    pub name: String,
    pub device: Arc<dyn BlockDevice>,
}

/// What was put together out of members.
#[derive(Default)]
pub struct Assembled {
    /// In the order of their first members.
    pub arrays: Vec<Array>,
    /// For each device given, its array, or why it is a part of none.
    pub members: Vec<Result<String, String>>,
}

/// Whether a disk as a whole is a member, although what it begins with may be a partition table: the array's own, which a
/// mirror has in the same place.
pub fn is_whole(device: &dyn BlockDevice, partitions: &[Partition]) -> bool {
    let Ok(Some(block)) = superblock::read(device) else {
        return false;
    };
    // Version 0.90 does not say where it is: at the end of the last partition as well as of the disk.
    let place = superblock::old_place(device.size());
    let of_partition = partitions.iter().any(|partition| {
        let within = superblock::old_place(partition.size);
        within.and_then(|at| at.checked_add(partition.start)) == place
    });
    !(of_partition && block.data_offset == 0 && Some(block.data_size) == place)
}

/// Puts arrays together out of the members of a machine; `taken` are names of arrays there are already.
pub fn assemble(devices: &[Arc<dyn BlockDevice>], taken: &[String]) -> Assembled {
    let read: Vec<_> = devices
        .iter()
        .map(|device| superblock::read(device))
        .collect();
    let found: Vec<(&Superblock, &Arc<dyn BlockDevice>)> = read
        .iter()
        .zip(devices)
        .filter_map(|(read, device)| Some((read.as_ref().ok()?.as_ref()?, device)))
        .collect();
    let mut names = taken.to_vec();
    let mut known: Vec<([u8; 16], Result<String, String>)> = Vec::new();
    let mut arrays = Vec::new();
    for (block, _) in &found {
        if known.iter().any(|(uuid, _)| *uuid == block.uuid) {
            continue;
        }
        let same = found.iter().filter(|(other, _)| other.uuid == block.uuid);
        let members: Vec<_> = same.copied().collect();
        let name = name(&block.name, &names);
        names.push(name.clone());
        let result = match array::open(&members) {
            Ok(device) => {
                arrays.push(Array {
                    name: name.clone(),
                    device,
                });
                Ok(name)
            }
            Err(error) => Err(format!("it is a part of the array {name}: {error}")),
        };
        known.push((block.uuid, result));
    }
    let array_of = |read: &Result<Option<Superblock>, DiskError>| match read {
        Err(error) => Err(error.to_string()),
        Ok(None) => Err("its superblock is of a version that is not known".to_owned()),
        Ok(Some(block)) => {
            let mut known = known.iter();
            let found = known.find(|(uuid, _)| *uuid == block.uuid);
            found.map_or(Err("it is a part of no array".to_owned()), |(_, result)| {
                result.clone()
            })
        }
    };
    let members = read.iter().map(array_of).collect();
    Assembled { arrays, members }
}

/// The array's name below `/dev`: of `machine:0` and `0` it is `md0`, of `machine:data` it is `md/data`.
fn name(stored: &str, taken: &[String]) -> String {
    let plain = stored.rsplit(':').next().unwrap_or_default();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let wanted = match plain.parse::<u32>() {
        Ok(number) => Some(format!("md{number}")),
        Err(_) if plain.is_empty() || plain.starts_with('.') || !plain.chars().all(is_plain) => {
            None
        }
        Err(_) => Some(format!("md/{plain}")),
    };
    let free = |name: &String| !taken.contains(name);
    let mut others = (0..=UNNUMBERED).rev().map(|number| format!("md{number}"));
    wanted
        .filter(free)
        .or_else(|| others.find(free))
        .unwrap_or_else(|| format!("md{}", taken.len().saturating_add(1000)))
}

fn damaged(what: impl Into<String>) -> DiskError {
    DiskError::damaged(FORMAT, what)
}
