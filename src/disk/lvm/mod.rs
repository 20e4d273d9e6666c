//! LVM2: physical volumes become groups, and groups become logical volumes; from lvm2's lib/format_text, there is no
//! specification.
//!
//! What belongs here: linear and striped volumes over any number of disks, mirrors by one of their legs, and volumes of
//! thin pools. Other kinds (snapshots that copy on write, cache, VDO) are named and not read.

mod group;
mod label;
mod text;
mod thin;
mod volume;

use super::{BlockDevice, DiskError};
use group::{Group, Logical};
use label::{Physical, seqno};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use volume::Builder;

const FORMAT: &str = "lvm";
/// What the mark of a physical volume is called.
pub const MEMBER: &str = "LVM2_member";

/// A logical volume.
pub struct LogicalVolume {
    pub group: String,
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Or why it cannot be read.
    pub device: Result<Arc<dyn BlockDevice>, DiskError>,
}

impl LogicalVolume {
    /// As device-mapper names it, below `/dev`: `mapper/GROUP-VOLUME`, the hyphens of each doubled.
    pub fn mapper_name(&self) -> String {
        let doubled = |name: &str| name.replace('-', "--");
        format!("mapper/{}-{}", doubled(&self.group), doubled(&self.name))
    }
}

/// What was put together out of physical volumes.
#[derive(Default)]
pub struct Assembled {
    /// By group, in the order of its metadata.
    pub volumes: Vec<LogicalVolume>,
    /// For each device given, its group, or why that is not known.
    pub groups: Vec<Result<String, String>>,
    pub notes: Vec<String>,
}

/// Puts groups together out of the physical volumes of a machine.
pub fn assemble(devices: &[Arc<dyn BlockDevice>]) -> Assembled {
    let read: Vec<_> = devices.iter().map(label::read).collect();
    let found: Vec<&Physical> = read
        .iter()
        .filter_map(|read| read.as_ref().ok()?.as_ref())
        .collect();
    let mut assembled = Assembled::default();
    let groups = groups(&found, &mut assembled.notes);
    let by_id: BTreeMap<String, Arc<dyn BlockDevice>> = found
        .iter()
        .map(|physical| (physical.id.clone(), Arc::clone(&physical.device)))
        .collect();
    for group in &groups {
        let builder = Builder {
            group,
            devices: &by_id,
            budget: Cell::new(group::SEGMENTS),
        };
        // What a snapshot is stored in is hidden, and named all the same.
        let is_shown = |logical: &&Logical| {
            logical.is_volume() && (logical.visible || group.snapshot(&logical.name).is_some())
        };
        let visible = group.logical.iter().filter(is_shown);
        for logical in visible.clone() {
            assembled.volumes.push(LogicalVolume {
                group: group.name.clone(),
                name: logical.name.clone(),
                size: logical.extents.saturating_mul(group.extent),
                device: match group.snapshot(&logical.name) {
                    Some(why) => Err(DiskError::unsupported(FORMAT, why)),
                    None => builder.build(logical).map(|volume| Arc::new(volume) as _),
                },
            });
        }
        if visible.count() == 0 {
            let note = format!("the volume group {:?} holds no logical volumes", group.name);
            assembled.notes.push(note);
        }
    }
    let group_of = |read: &Result<Option<Physical>, DiskError>| match read {
        Err(error) => Err(error.to_string()),
        Ok(None) => Err("its label is missing".to_owned()),
        Ok(Some(physical)) => groups
            .iter()
            .find(|group| group.physical.iter().any(|entry| entry.id == physical.id))
            .map(|group| group.name.clone())
            .ok_or_else(|| "no metadata of its volume group was found".to_owned()),
    };
    assembled.groups = read.iter().map(group_of).collect();
    assembled
}

/// Each group once, by its newest metadata, in the order of the disks.
fn groups(found: &[&Physical], notes: &mut Vec<String>) -> Vec<Group> {
    let mut newest: Vec<(u64, Group)> = Vec::new();
    for metadata in found
        .iter()
        .filter_map(|physical| physical.metadata.as_ref())
    {
        match Group::read(metadata) {
            Err(error) => notes.push(error.to_string()),
            Ok(group) => {
                let seqno = seqno(metadata);
                match newest.iter_mut().find(|(_, held)| held.id == group.id) {
                    Some(held) if held.0 < seqno => *held = (seqno, group),
                    Some(_) => {}
                    None => newest.push((seqno, group)),
                }
            }
        }
    }
    newest.into_iter().map(|(_, group)| group).collect()
}

fn damaged(what: impl Into<String>) -> DiskError {
    DiskError::damaged(FORMAT, what)
}

#[cfg(test)]
mod tests;
