//! Capability sets of a unit, merged over its assignments (systemd.exec(5), `CapabilityBoundingSet=`).

use super::unit::{Unit, is_true};
use crate::words::parts;

/// All of capabilities(7), by number.
const NAMES: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Walls that take capabilities out of the bounding set without naming them.
const IMPLIED: &[(&str, &str)] = &[
    ("PrivateDevices", "CAP_MKNOD CAP_SYS_RAWIO"),
    ("ProtectClock", "CAP_SYS_TIME CAP_WAKE_ALARM"),
    ("ProtectKernelLogs", "CAP_SYSLOG"),
    ("ProtectKernelModules", "CAP_SYS_MODULE"),
];

/// The bounding set; `None` where CapabilityBoundingSet= is not set.
pub(super) fn bounding(unit: &Unit) -> Option<Vec<String>> {
    let walls = IMPLIED.iter().filter(|(wall, _)| {
        unit.value("Service", wall)
            .is_some_and(|(_, entry)| is_true(&entry.value))
    });
    let gone = walls.fold(0, |gone, (_, names)| gone | mask(names));
    held(unit, "CapabilityBoundingSet", ALL).map(|held| names(held & !gone))
}

pub(super) fn ambient(unit: &Unit) -> Vec<String> {
    held(unit, "AmbientCapabilities", 0).map_or_else(Vec::new, names)
}

/// One bit a capability.
const ALL: u64 = (1 << NAMES.len()) - 1;

/// What a setting leaves of what holds by default; `None` where it is not set.
fn held(unit: &Unit, key: &str, untouched: u64) -> Option<u64> {
    let mut held = None;
    for (_, entry) in unit.all("Service", key) {
        let inverted = entry.value.strip_prefix('~');
        let named = mask(inverted.unwrap_or(&entry.value));
        let before = held.unwrap_or(untouched);
        // The first assignment replaces what holds by default, and so does an empty one; later ones add or take away.
        held = Some(match (named == 0 || before == untouched, inverted) {
            (true, Some(_)) => ALL & !named,
            (true, None) => named,
            (false, Some(_)) => before & !named,
            (false, None) => before | named,
        });
    }
    held
}

fn names(held: u64) -> Vec<String> {
    let bits = (0u32..).zip(NAMES);
    bits.filter(|(bit, _)| held >> bit & 1 == 1)
        .map(|(_, name)| format!("CAP_{name}"))
        .collect()
}

fn mask(words: &str) -> u64 {
    let number = |word: &str| {
        let word = word.to_ascii_uppercase();
        let name = word.strip_prefix("CAP_")?;
        NAMES.iter().position(|known| *known == name)
    };
    parts(words)
        .filter_map(number)
        .fold(0, |held, bit| held | 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::UnitEntry;

    fn of(values: &[&str], untouched: u64) -> Option<Vec<String>> {
        let entry = |value: &&str| UnitEntry {
            section: "Service".into(),
            key: "X".into(),
            value: (*value).to_owned(),
            line: 1,
            secret: false,
            references: std::collections::BTreeSet::new(),
        };
        let entries = values.iter().map(|value| ("/x".into(), entry(value)));
        let unit = Unit {
            entries: entries.collect(),
            ..Unit::default()
        };
        held(&unit, "X", untouched).map(names)
    }

    #[test]
    fn sets_are_merged() {
        assert_eq!(of(&[], ALL), None);
        assert_eq!(of(&[""], ALL), Some(vec![]));
        assert_eq!(
            of(&["CAP_NET_ADMIN cap_chown", "~CAP_CHOWN"], ALL).unwrap(),
            ["CAP_NET_ADMIN"]
        );
        assert_eq!(
            of(&["CAP_KILL", "CAP_CHOWN CAP_FOO"], 0).unwrap(),
            ["CAP_CHOWN", "CAP_KILL"]
        );
        let all_but = of(&["~CAP_SYS_ADMIN CAP_BPF"], ALL).unwrap();
        assert_eq!(all_but.len(), NAMES.len() - 2);
        assert!(!all_but.iter().any(|c| c == "CAP_BPF"));
    }
}
