//! Services and timers of systemd: what its unit files, links and presets mean together.

mod account;
mod build;
pub(super) mod calendar;
mod capability;
mod command;
mod condition;
mod credential;
mod directory;
mod dropin;
mod environment;
mod remark;
mod resolve;
mod sandbox;
mod search;
mod signal;
mod specifier;
mod timer;
mod unit;

use super::manager::Manager;
use super::{GeneratedUnit, Service, Services, Socket, SocketKind};
use crate::fact::Facts;
use resolve::Reached;
use search::UnitPath;
use unit::Unit;

pub(super) struct Systemd;

impl Manager for Systemd {
    fn id(&self) -> &'static str {
        "systemd"
    }

    fn find(&self, facts: &Facts, generated: &[GeneratedUnit], found: &mut Services) {
        let path = UnitPath::new(facts);
        let reached = resolve::reach(&path, generated);
        let services = services(facts, &path, &reached, generated);
        found.services.extend(services);
        found.jobs.extend(timer::timers(facts, &path, &reached));
        // Where systemd starts nothing at all, another manager may, and its run levels count.
        if !reached.units.is_empty() {
            found.graphical = Some(reached.units.contains_key("graphical.target"));
        }
    }
}

/// The services that systemd starts, and those that are there and do not start: a report must be able to say so.
fn services(
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
        service.sockets = sockets(reached, unit);
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
fn sockets(reached: &Reached, service: &Unit) -> Vec<Socket> {
    let mut found = Vec::new();
    let is_input = service.sets("StandardInput", "socket");
    let own = reached.sockets.iter();
    for (_, unit) in own.filter(|(name, _)| *name == service.name) {
        let last = |key| {
            unit.list("Socket", key)
                .last()
                .map(|(_, entry)| entry.value.clone())
        };
        let is_accepting = last("Accept").is_some_and(|value| unit::is_true(&value));
        for (key, kind) in LISTEN {
            for (path, entry) in unit.list("Socket", key) {
                found.push(Socket {
                    address: specifier::expand(&entry.value, &unit.name, ""),
                    kind: *kind,
                    is_accepting,
                    is_input,
                    name: last("FileDescriptorName"),
                    evidence: unit::evidence(path, entry),
                });
            }
        }
    }
    found
}
