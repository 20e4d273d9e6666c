//! An array as a device: linear (drivers/md/md-linear.c), striped in zones (raid0.c), or one of its mirrors (raid1.c).

use super::superblock::Superblock;
use super::{FORMAT, damaged};
use crate::disk::range::{Range, inside};
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

type Device = Arc<dyn BlockDevice>;

/// Members of which every one is needed, at most.
const MOST: usize = 4096;

/// Puts an array together out of those of its members that were given.
pub(super) fn open(members: &[(&Superblock, &Device)]) -> Result<Device, DiskError> {
    // What the array is, its newest superblock says.
    let newest = members.iter().max_by_key(|(block, _)| block.events);
    let (newest, _) = newest.ok_or_else(|| damaged("an array without members"))?;
    if newest.reshaped {
        let what = "it is being given another shape; let that end inside the machine";
        return Err(DiskError::unsupported(FORMAT, what));
    }
    match newest.level {
        1 => mirror(newest, members),
        0 => stripes(newest, &all(newest, members)?),
        -1 => linear(newest, &all(newest, members)?),
        other => {
            let what = format!(
                "{}, which is not put together; copy its files out inside the machine and give the directory",
                level_name(other)
            );
            Err(DiskError::unsupported(FORMAT, what))
        }
    }
}

fn level_name(level: i32) -> String {
    match level {
        -4 => "multipath".to_owned(),
        4 | 5 | 6 | 10 => format!("RAID {level}"),
        other => format!("an array of the kind {other}"),
    }
}

/// The data of a member. It may reach beyond the end of a truncated image: reading there fails.
fn data((block, device): &(&Superblock, &Device), size: u64) -> Result<Device, DiskError> {
    if size > block.data_size {
        return Err(damaged(
            "a member is smaller than what the array uses of it",
        ));
    }
    let device = Arc::clone(device);
    Ok(Arc::new(Range::new(device, block.data_offset, size)))
}

/// Any mirror that is up to date; the first, as a kernel reads where a first synchronisation has not ended.
fn mirror(newest: &Superblock, members: &[(&Superblock, &Device)]) -> Result<Device, DiskError> {
    let fresh = members.iter().filter(|(block, _)| {
        block.role.is_some() && block.events.saturating_add(1) >= newest.events
    });
    let first = fresh.min_by_key(|(block, _)| (block.role, std::cmp::Reverse(block.events)));
    let first = first.ok_or_else(|| {
        let what =
            "none of its mirrors that were given is up to date; give all disks of the machine";
        DiskError::unsupported(FORMAT, what)
    })?;
    data(first, newest.used)
}

/// Every member, by its place.
fn all<'a>(
    newest: &Superblock,
    members: &[(&'a Superblock, &'a Device)],
) -> Result<Vec<(&'a Superblock, &'a Device)>, DiskError> {
    let count = usize::try_from(newest.members).unwrap_or(usize::MAX);
    if count > MOST {
        return Err(damaged(format!("{count} members")));
    }
    let place = |role| {
        let held = members.iter().filter(|(block, _)| block.role == Some(role));
        held.max_by_key(|(block, _)| block.events).copied()
    };
    let found: Vec<_> = (0..newest.members).filter_map(place).collect();
    if found.is_empty() || found.len() < count {
        let what = format!(
            "{} of its {count} members were given, and each is needed; give all disks of the machine",
            found.len()
        );
        return Err(DiskError::unsupported(FORMAT, what));
    }
    Ok(found)
}

/// What is used of a member: whole chunks.
fn whole_chunks(block: &Superblock, chunk: u64) -> u64 {
    block.data_size - block.data_size.checked_rem(chunk).unwrap_or(0)
}

fn linear(newest: &Superblock, members: &[(&Superblock, &Device)]) -> Result<Device, DiskError> {
    let mut zones = Vec::new();
    let mut size = 0_u64;
    for member in members {
        let used = whole_chunks(member.0, newest.chunk);
        zones.push(Zone {
            start: size,
            size: used,
            on_member: 0,
            members: vec![data(member, used)?],
        });
        size = grown(size, used)?;
    }
    Ok(Arc::new(Zoned {
        zones,
        size,
        chunk: 0,
        original: false,
    }))
}

/// Members of different lengths are striped in zones: all of them as far as the shortest reaches, then the others.
fn stripes(newest: &Superblock, members: &[(&Superblock, &Device)]) -> Result<Device, DiskError> {
    let chunk = newest.chunk;
    if chunk == 0 || !chunk.is_multiple_of(512) {
        return Err(damaged(format!("stripes of {chunk} bytes")));
    }
    let mut devices = Vec::new();
    for member in members {
        let used = whole_chunks(member.0, chunk);
        devices.push((used, data(member, used)?));
    }
    let (mut zones, mut size, mut reached) = (Vec::new(), 0_u64, 0_u64);
    loop {
        let longer: Vec<_> = devices.iter().filter(|(used, _)| *used > reached).collect();
        let Some(end) = longer.iter().map(|(used, _)| *used).min() else {
            break;
        };
        let count = u64::try_from(longer.len()).unwrap_or(u64::MAX);
        let held = (end - reached).checked_mul(count);
        let held = held.ok_or_else(|| damaged("an array beyond any disk"))?;
        zones.push(Zone {
            start: size,
            size: held,
            on_member: reached,
            members: longer
                .iter()
                .map(|(_, device)| Arc::clone(device))
                .collect(),
        });
        size = grown(size, held)?;
        reached = end;
    }
    let original = match newest.layout {
        _ if zones.len() < 2 => false,
        Some(1) => true,
        Some(2) => false,
        _ => {
            let what = "its members differ in length, and it does not say which of two layouts it has; set it inside the machine: mdadm --assemble --update=layout-alternate, or layout-original if it is from before Linux 3.14";
            return Err(DiskError::unsupported(FORMAT, what));
        }
    };
    Ok(Arc::new(Zoned {
        zones,
        size,
        chunk,
        original,
    }))
}

fn grown(size: u64, by: u64) -> Result<u64, DiskError> {
    let size = size
        .checked_add(by)
        .filter(|size| *size <= i64::MAX.unsigned_abs());
    size.ok_or_else(|| damaged("an array beyond any disk"))
}

/// A stretch of an array over the same members.
struct Zone {
    start: u64,
    size: u64,
    /// Where it begins on each member.
    on_member: u64,
    /// By their place.
    members: Vec<Device>,
}

/// Zones, one after the other.
struct Zoned {
    zones: Vec<Zone>,
    size: u64,
    /// Bytes taken from each member in turn; a zone of one member needs none.
    chunk: u64,
    /// Whether turns are counted from the beginning of the array, as kernels before 3.14 did, or of the zone.
    original: bool,
}

impl Zoned {
    /// The member with the byte at `offset`, where it is there, and how many bytes follow it there.
    fn locate(&self, offset: u64) -> Option<(&Device, u64, u64)> {
        let next = self.zones.partition_point(|zone| zone.start <= offset);
        let zone = self.zones.get(next.checked_sub(1)?)?;
        let within = offset.checked_sub(zone.start)?;
        let left = zone.size.checked_sub(within).filter(|left| *left > 0)?;
        if let [member] = zone.members.as_slice() {
            return Some((member, zone.on_member.checked_add(within)?, left));
        }
        let count = u64::try_from(zone.members.len()).ok()?;
        let counted = if self.original { offset } else { within };
        let turn = counted.checked_div(self.chunk)?.checked_rem(count)?;
        let row = within.checked_div(self.chunk.checked_mul(count)?)?;
        let inside = within % self.chunk;
        let member = zone.members.get(usize::try_from(turn).ok()?)?;
        let at = zone
            .on_member
            .checked_add(row * self.chunk)?
            .checked_add(inside)?;
        Some((member, at, left.min(self.chunk - inside)))
    }
}

impl BlockDevice for Zoned {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        while !buf.is_empty() {
            let found = self.locate(offset);
            let (member, at, most) = found.ok_or_else(|| damaged("an array with a gap"))?;
            let here = usize::try_from(most).unwrap_or(usize::MAX).min(buf.len());
            let (part, rest) = buf.split_at_mut(here);
            member.read_at(at, part)?;
            offset += u64::try_from(here).unwrap_or_default();
            buf = rest;
        }
        Ok(())
    }
}
