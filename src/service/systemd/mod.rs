//! Services and timers of systemd: what its unit files, links and presets mean together.

mod account;
mod bind;
mod build;
pub(super) mod calendar;
mod capability;
mod command;
mod condition;
mod credential;
mod defaults;
mod directory;
mod dropin;
mod environment;
mod lingering;
mod owner;
mod remark;
mod resolve;
mod sandbox;
mod search;
mod signal;
mod specifier;
mod timer;
mod unit;

pub(super) use lingering::of as lingers;

use super::managed::Wanted;
use super::manager::Manager;
use super::{GeneratedUnit, MOST_SERVICES, Service, Services, Socket, SocketKind};
use crate::fact::{Facts, Unexamined};
use build::Limits;
use owner::Owner;
use resolve::Reached;
use search::UnitPath;
use std::collections::{BTreeMap, BTreeSet};
use unit::Unit;

pub(super) struct Systemd;

impl Manager for Systemd {
    fn id(&self) -> &'static str {
        "systemd"
    }

    fn wants(&self, facts: &Facts, _: &Services) -> Vec<Wanted> {
        lingering::wants(facts)
    }

    fn find(&self, facts: &Facts, generated: &[GeneratedUnit], found: &mut Services) {
        let path = UnitPath::new(facts, Owner::default());
        let reached = resolve::reach(&path, generated);
        let mut limits = Limits::new(facts);
        let services = services(facts, &path, &reached, generated, &mut limits);
        found.services.extend(services);
        let timers = timer::timers(facts, &path, &reached, &mut limits);
        found.jobs.extend(timers);
        if let Some(unit) = reached.cut.as_ref().and_then(|unit| unit.files.first()) {
            let reason = format!(
                "more than {} units are started; those after this one were left out",
                resolve::MOST
            );
            found.leave_out(unit, self.id(), reason);
        }
        lingering::find(facts, &mut limits, found);
        found.unexamined.append(&mut limits.cut);
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
    limits: &mut Limits<'_>,
) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut left_out = None;
    let mut sockets = sockets(reached);
    let generated = generated.iter().rev();
    let generated: BTreeMap<&str, &GeneratedUnit> =
        generated.map(|unit| (unit.name.as_str(), unit)).collect();
    for unit in reached
        .units
        .values()
        .filter(|unit| unit.name.ends_with(".service"))
    {
        if services.len() >= MOST_SERVICES {
            left_out = left_out.or(unit.files.first().cloned());
            break;
        }
        let made = generated.get(unit.name.as_str()).copied();
        let mut service = build::service(facts, unit, made, limits);
        service.enabled = true;
        service.enabled_by = service
            .enabled_by
            .or_else(|| reached.by.get(&unit.name).cloned());
        for socket in sockets.remove(unit.name.as_str()).into_iter().flatten() {
            service.sockets.extend(opened(socket, unit));
        }
        known.insert(service.name.clone());
        known.extend(service.aliases.iter().cloned());
        services.push(service);
    }
    for name in path.names(".service") {
        if name.contains("@.") || known.contains(&name) {
            continue;
        }
        if let Some(unit) = path.load(&name).filter(|unit| unit.name == name) {
            if services.len() >= MOST_SERVICES {
                left_out = left_out.or(unit.files.first().cloned());
                break;
            }
            let service = build::service(facts, &unit, None, limits);
            known.extend(service.aliases.iter().cloned());
            services.push(service);
        }
    }
    limits.cut.extend(left_out.map(|path| Unexamined {
        path,
        detector: "services/systemd".to_owned(),
        reason: format!(
            "more than {MOST_SERVICES} services; this one and those after it were left out"
        ),
    }));
    services
}

/// systemd.socket(5).
const LISTEN: &[(&str, SocketKind)] = &[
    ("ListenStream", SocketKind::Stream),
    ("ListenDatagram", SocketKind::Datagram),
    ("ListenSequentialPacket", SocketKind::SequentialPacket),
    ("ListenFIFO", SocketKind::Fifo),
];

/// Enabled socket units by the service that they are for.
fn sockets(reached: &Reached) -> BTreeMap<&str, Vec<&Unit>> {
    let mut found: BTreeMap<&str, Vec<&Unit>> = BTreeMap::new();
    for (service, unit) in &reached.sockets {
        found.entry(service).or_default().push(unit);
    }
    found
}

/// What an enabled socket unit listens on for a service.
fn opened(unit: &Unit, service: &Unit) -> Vec<Socket> {
    let mut found = Vec::new();
    let is_input = service.sets("StandardInput", "socket");
    let last = |key| {
        let entries = unit.list("Socket", key);
        entries.last().map(|(_, entry)| entry.value.clone())
    };
    let is_accepting = last("Accept").is_some_and(|value| unit::is_true(&value));
    let name = last("FileDescriptorName");
    for (key, kind) in LISTEN {
        for (path, entry) in unit.list("Socket", key) {
            found.push(Socket {
                address: unit.expand(&entry.value),
                kind: *kind,
                is_accepting,
                is_input,
                name: name.clone(),
                evidence: unit::evidence(path, entry),
            });
        }
    }
    found
}
