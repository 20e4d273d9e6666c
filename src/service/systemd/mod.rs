//! Services and timers of systemd: what its unit files, links and presets mean together.

mod build;
pub(super) mod calendar;
mod capability;
mod command;
mod condition;
mod directory;
mod dropin;
mod environment;
mod resolve;
pub mod search;
mod signal;
mod specifier;
mod timer;
mod unit;

use super::{GeneratedUnit, Service, Socket, SocketKind};
use crate::fact::{Evidence, Facts};

pub(super) use resolve::{Reached, reach};
pub(super) use search::UnitPath;
pub(super) use timer::timers;

/// The services that systemd starts, and those that are there and do not start: a report must be able to say so.
pub(super) fn services(
    facts: &Facts,
    path: &UnitPath<'_>,
    reached: &Reached,
    generated: &[GeneratedUnit],
) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for unit in reached
        .units
        .values()
        .filter(|unit| unit.name.ends_with(".service"))
    {
        let made = generated
            .iter()
            .find(|generated| generated.name == unit.name);
        let mut service = build::service(facts, unit, made);
        service.enabled = true;
        service.enabled_by = service
            .enabled_by
            .or_else(|| reached.by.get(&unit.name).cloned());
        service.sockets = sockets(reached, &unit.name);
        services.push(service);
    }
    for name in path.names(".service") {
        let known = |services: &[Service]| {
            services
                .iter()
                .any(|s| s.name == name || s.aliases.contains(&name))
        };
        if name.contains("@.") || known(&services) {
            continue;
        }
        if let Some(unit) = path.load(&name).filter(|unit| unit.name == name) {
            services.push(build::service(facts, &unit, None));
        }
    }
    services
}

/// systemd.socket(5).
const LISTEN: &[(&str, SocketKind)] = &[
    ("ListenStream", SocketKind::Stream),
    ("ListenDatagram", SocketKind::Datagram),
    ("ListenSequentialPacket", SocketKind::SequentialPacket),
    ("ListenFIFO", SocketKind::Fifo),
];

/// What an enabled socket unit listens on for a service.
fn sockets(reached: &Reached, service: &str) -> Vec<Socket> {
    let mut found = Vec::new();
    for (_, unit) in reached.sockets.iter().filter(|(name, _)| name == service) {
        let last = |key| {
            unit.list("Socket", key)
                .last()
                .map(|(_, entry)| entry.value.clone())
        };
        let is_accepting = last("Accept").is_some_and(|value| build::is_true(&value));
        for (key, kind) in LISTEN {
            for (path, entry) in unit.list("Socket", key) {
                found.push(Socket {
                    address: specifier::expand(&entry.value, &unit.name, ""),
                    kind: *kind,
                    is_accepting,
                    name: last("FileDescriptorName"),
                    evidence: Evidence::line(path, entry.line, &format!("{key}={}", entry.value)),
                });
            }
        }
    }
    found
}
