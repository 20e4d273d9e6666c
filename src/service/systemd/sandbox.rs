//! Walls around a unit that keep its processes from gaining privileges (systemd.exec(5), `NoNewPrivileges=`).

use super::unit::{self, Unit};
use crate::fact::Evidence;
use crate::words;

/// Each implies it, where the unit has a user of its own.
const WALLS: &[&str] = &[
    "DynamicUser",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "PrivateDevices",
    "ProtectClock",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "SystemCallLog",
];

/// The first wall that stands.
pub(super) fn wall(unit: &Unit) -> Option<Evidence> {
    let mut walls = unit
        .entries
        .iter()
        .filter(|(_, entry)| WALLS.contains(&entry.key.as_str()));
    let stands = |value: &str| !matches!(words::trim(value), "" | "no" | "false" | "off" | "0");
    let (path, entry) = walls.find(|(_, entry)| stands(&entry.value))?;
    Some(unit::evidence(path, entry))
}
