//! File systems that lie on several volumes: put together, and told apart from the volumes that are a part of them.

use super::BlockDevice;
use super::btrfs::{self, Btrfs};
use super::contents::Contents;
use super::open::Volume;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A volume and what it lies on.
type Member<'a> = (&'a mut Volume, &'a Arc<dyn BlockDevice>);

/// Opens each with all of its devices. The first volume then stands for the file system, and the others are its parts.
pub fn join<'a>(volumes: impl Iterator<Item = Member<'a>>) {
    let mut pools: BTreeMap<String, Vec<Member<'_>>> = BTreeMap::new();
    for (volume, device) in volumes {
        // A member of an array, or of a volume group, may show what lies on the whole.
        let is_part = matches!(volume.contents, Contents::Part { .. });
        if let Some(uuid) = btrfs::pool(device).filter(|_| !is_part) {
            pools.entry(uuid).or_default().push((volume, device));
        }
    }
    for (uuid, members) in pools {
        let devices = members.iter().map(|(_, device)| Arc::clone(device));
        let opened = Btrfs::open_all(devices.collect());
        let mut volumes = members.into_iter().map(|(volume, _)| volume);
        let Some(first) = volumes.next() else {
            continue;
        };
        first.contents = match opened {
            Ok(fs) => Contents::FileSystem(Arc::new(fs)),
            Err(error) => Contents::Recognised {
                kind: "btrfs",
                uuid: uuid.clone(),
                label: String::new(),
                why: error.to_string(),
            },
        };
        for part in volumes {
            part.contents = Contents::Part {
                kind: "btrfs",
                uuid: uuid.clone(),
                of: first.device.clone(),
            };
        }
    }
}
