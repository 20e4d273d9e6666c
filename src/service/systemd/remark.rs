//! What only systemd does for a unit, or what a unit asks of the machine: one remark a line.

use super::unit::{self, Unit};
use crate::fact::UnitEntry;
use crate::path::MachinePath;
use crate::service::{Remark, RemarkKind};

/// Without a counterpart in a container, and what takes its place.
const NO_COUNTERPART: &[(&str, &str)] = &[
    ("WatchdogSec", "the health check takes its place"),
    ("BusName", "no D-Bus daemon runs in a container"),
    (
        "Sockets",
        "no socket is handed over; the service opens its own",
    ),
    ("OnFailure", "use the platform's restart policy and alerts"),
    (
        "JoinsNamespaceOf",
        "workloads of one pod share a network name space only",
    ),
    (
        "PAMName",
        "no PAM session is opened; limits and environment of pam_limits and pam_env do not apply",
    ),
    ("RootDirectory", "the image is the root"),
    ("RootImage", "the image is the root"),
    (
        "Delegate",
        "the container gets no control groups of its own",
    ),
    (
        "IPAddressAllow",
        "no engine filters addresses for one container; a network policy or the host's packet filter does",
    ),
    (
        "IPAddressDeny",
        "no engine filters addresses for one container; a network policy or the host's packet filter does",
    ),
    ("TTYPath", "use `tty: true`"),
    (
        "LoadCredentialEncrypted",
        "it is sealed to the machine and not carried; have systemd-creds decrypt it there, and hand it over as a secret",
    ),
    (
        "SetCredentialEncrypted",
        "it is sealed to the machine and not carried; have systemd-creds decrypt it there, and hand it over as a secret",
    ),
];

/// What asks for real time, locked memory, or processors of their own.
const REALTIME: &[&str] = &[
    "CPUSchedulingPolicy",
    "CPUSchedulingPriority",
    "CPUAffinity",
    "NUMAPolicy",
    "NUMAMask",
    "IOSchedulingClass",
    "LimitRTPRIO",
    "LimitMEMLOCK",
];

pub(super) fn remarks(unit: &Unit) -> Vec<Remark> {
    let entries = unit.entries.iter();
    entries
        .flat_map(|item| [of_the_manager(item), real_time(item)])
        .flatten()
        .collect()
}

fn of_the_manager((path, entry): &(MachinePath, UnitEntry)) -> Option<Remark> {
    let (key, instead) = NO_COUNTERPART.iter().find(|(key, _)| *key == entry.key)?;
    Some(Remark {
        kind: RemarkKind::OfTheManager,
        text: format!("{key}=: {instead}"),
        evidence: unit::evidence(path, entry),
    })
}

fn real_time((path, entry): &(MachinePath, UnitEntry)) -> Option<Remark> {
    let is_harmless = entry.key.starts_with("Limit") && entry.value != "infinity";
    let asks = REALTIME.contains(&entry.key.as_str()) && !is_harmless;
    asks.then(|| Remark {
        kind: RemarkKind::RealTime,
        text: format!("{}={}", entry.key, entry.value),
        evidence: unit::evidence(path, entry),
    })
}
