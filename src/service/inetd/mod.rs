//! Services of super-servers: programs that are started for each connection, by inetd.conf(5) and xinetd.conf(5).

use super::managed::{self, Names, Reading, Wanted, group_of, handed_over};
use super::manager::Manager;
use super::script;
use super::{
    Command, Commands, GeneratedUnit, MOST_SERVICES, Service, Services, Socket, SocketKind, Starter,
};
use crate::fact::{Dialect, Evidence, Facts, Managed, UnitEntry, VARIABLES};
use crate::path::MachinePath;
use crate::words;
use std::collections::BTreeMap;

/// Configurations of inetd.
const TABLES: &[&str] = &["/etc/inetd.conf", "/etc/inetd.d/*"];

/// That of xinetd, which names the others.
const XINETD: &[&str] = &["/etc/xinetd.conf", "/etc/xinetd.d/*"];

/// Numbers of services.
const NUMBERS: &str = "/etc/services";

/// What they are called in the table of supervisors.
const SERVERS: &[&str] = &["inetd", "xinetd"];

/// Its wrapper, of which the next word is the server.
const WRAPPERS: &[&str] = &["tcpd"];

pub(super) struct Inetd;

/// One service as any of them writes it.
struct Entry {
    name: String,
    port: Option<String>,
    address: String,
    kind: SocketKind,
    is_accepting: bool,
    user: String,
    group: Option<String>,
    argv: Vec<String>,
    variables: Vec<(String, String)>,
    is_on: bool,
    evidence: Evidence,
}

impl Manager for Inetd {
    fn id(&self) -> &'static str {
        "inetd"
    }

    fn wants(&self, _: &Facts, found: &Services) -> Vec<Wanted> {
        let is_there = |name: &&'static str| server(found, name).is_some();
        let mut wanted = Vec::new();
        if SERVERS.iter().any(is_there) {
            wanted.push(script::wanted(&MachinePath::new(NUMBERS)));
            let tables = TABLES.iter().map(|pattern| (*pattern, Dialect::Shell));
            let all = tables.chain(XINETD.iter().map(|pattern| (*pattern, Dialect::Xinetd)));
            wanted.extend(all.map(|(pattern, dialect)| Wanted {
                pattern: pattern.to_owned(),
                reading: Reading::Managed(dialect),
            }));
        }
        wanted
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let numbers = Numbers(facts);
        for by in SERVERS {
            let Some(at) = server(found, by) else {
                continue;
            };
            let entries = if *by == "xinetd" {
                of_xinetd(facts)
            } else {
                of_table(facts)
            };
            let enabled = found.services.get(at).is_some_and(|server| server.enabled);
            let mut names = Names::of(found);
            let mut started = Vec::new();
            for entry in entries {
                if found.services.len() >= MOST_SERVICES {
                    found.leave_out(
                        &entry.evidence.path,
                        self.id(),
                        "more services than the limit",
                    );
                    break;
                }
                let name = names.free(&entry.name, by);
                let service = service(facts, &numbers, name, entry, enabled);
                if service.enabled {
                    started.push(service.name.clone());
                }
                found.services.push(service);
            }
            if !started.is_empty()
                && let Some(server) = found.services.get_mut(at)
            {
                server.stays = Some(handed_over(&started));
            }
        }
    }
}

/// The service that is this super-server.
fn server(found: &Services, name: &str) -> Option<usize> {
    let mut services = found.services.iter();
    services.position(|service| {
        service.manager != Starter::Inetd && managed::arguments(service, name).is_some()
    })
}

fn service(
    facts: &Facts,
    numbers: &Numbers<'_>,
    name: String,
    entry: Entry,
    enabled: bool,
) -> Service {
    let protocol = if entry.kind == SocketKind::Datagram {
        "udp"
    } else {
        "tcp"
    };
    let port = entry
        .port
        .or_else(|| numbers.of(&entry.name, protocol))
        .unwrap_or_else(|| entry.name.clone());
    let is_on = enabled && entry.is_on;
    let group = entry.group.unwrap_or_else(|| group_of(facts, &entry.user));
    let mut service = Service {
        enabled: is_on,
        enabled_by: is_on.then(|| entry.evidence.clone()),
        commands: Commands {
            start: vec![Command {
                argv: entry.argv,
                ignore_failure: false,
                privileged: false,
                evidence: entry.evidence.clone(),
            }],
            ..Commands::default()
        },
        user: entry.user,
        group,
        sockets: vec![Socket {
            address: format!("{}:{port}", entry.address),
            kind: entry.kind,
            is_accepting: entry.is_accepting,
            is_input: true,
            name: None,
            evidence: entry.evidence.clone(),
        }],
        ..Service::new(name, Starter::Inetd, entry.evidence.clone())
    };
    for (name, value) in entry.variables {
        service
            .environment
            .put(&name, value, entry.evidence.clone());
    }
    service
}

/// The file of numbers, where it was read.
struct Numbers<'a>(&'a Facts);

impl Numbers<'_> {
    fn of(&self, name: &str, protocol: &str) -> Option<String> {
        let file = self
            .0
            .managed
            .get(&(MachinePath::new(NUMBERS), Dialect::Shell))?;
        file.entries.iter().find_map(|entry| {
            let line = entry.value.split('#').next()?;
            let mut words = words::parts(line);
            let first = words.next()?;
            let (port, of) = words.next()?.split_once('/')?;
            let is_named = first == name || words.any(|alias| alias == name);
            (is_named && of == protocol).then(|| port.to_owned())
        })
    }
}

/// `service type protocol wait user program arguments`.
fn of_table(facts: &Facts) -> Vec<Entry> {
    let files = facts.managed.values().filter(|file| {
        let path = file.path.text();
        file.dialect == Dialect::Shell
            && (path == "/etc/inetd.conf" || path.starts_with("/etc/inetd.d/"))
    });
    let lines = files.flat_map(|file| file.entries.iter().map(move |entry| (file, entry)));
    lines
        .filter_map(|(file, entry)| line(file, entry))
        .collect()
}

fn line(file: &Managed, entry: &UnitEntry) -> Option<Entry> {
    let line = words::trim(&entry.value);
    if line.starts_with(['#', '<']) {
        return None;
    }
    let words: Vec<&str> = words::parts(line).collect();
    let [name, kind, protocol, wait, user, program, rest @ ..] = words.as_slice() else {
        return None;
    };
    // What the server answers itself.
    if *program == "internal" || !protocol.starts_with(['t', 'u']) {
        return None;
    }
    let (address, name) = name.rsplit_once(':').unwrap_or(("*", name));
    let (user, group) = user
        .split_once([':', '.'])
        .map_or((*user, None), |(user, group)| (user, Some(group)));
    let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
    Some(Entry {
        port: name.parse::<u16>().ok().map(|_| name.to_owned()),
        name: name.to_owned(),
        address: if address == "*" {
            "0.0.0.0".to_owned()
        } else {
            address.to_owned()
        },
        kind: kind_of(kind),
        is_accepting: wait.starts_with("nowait"),
        user: user.to_owned(),
        group: group.map(str::to_owned),
        argv: unwrapped(program, &rest),
        variables: Vec::new(),
        is_on: true,
        evidence: file.evidence(entry),
    })
}

/// The program, and its arguments behind the name that it is called by.
fn unwrapped(program: &str, rest: &[String]) -> Vec<String> {
    let name = program.rsplit('/').next().unwrap_or(program);
    let real = rest.first().filter(|_| WRAPPERS.contains(&name));
    let program = real.map_or(program, String::as_str).to_owned();
    std::iter::once(program)
        .chain(rest.iter().skip(1).cloned())
        .collect()
}

fn kind_of(written: &str) -> SocketKind {
    if written == "dgram" {
        SocketKind::Datagram
    } else {
        SocketKind::Stream
    }
}

fn of_xinetd(facts: &Facts) -> Vec<Entry> {
    let mut found = Vec::new();
    for file in facts
        .managed
        .values()
        .filter(|file| file.dialect == Dialect::Xinetd)
    {
        let mut sections: BTreeMap<&str, Vec<&UnitEntry>> = BTreeMap::new();
        for entry in &file.entries {
            sections.entry(&entry.section).or_default().push(entry);
        }
        found.extend(
            sections
                .values()
                .filter_map(|entries| section(file, entries)),
        );
    }
    found
}

fn section(file: &Managed, entries: &[&UnitEntry]) -> Option<Entry> {
    let get = |key: &str| {
        let mut entries = entries.iter();
        entries
            .rfind(|entry| entry.key == key)
            .map(|entry| entry.value.as_str())
    };
    let first = entries.iter().find(|entry| entry.key == "service")?;
    let is_internal = get("type").is_some_and(|kinds| kinds.contains("INTERNAL"));
    let server = get("server").filter(|_| !is_internal)?;
    let flags = get("flags").unwrap_or_default();
    let args = words::shell(get("server_args").unwrap_or_default());
    // The name it is called by stands among the arguments only where a flag says so.
    let args = if flags.contains("NAMEINARGS") {
        args
    } else {
        std::iter::once(server.to_owned()).chain(args).collect()
    };
    let is_yes =
        |key: &str| get(key).is_some_and(|value| matches!(value, "yes" | "true" | "on" | "1"));
    let variables = entries.iter().filter(|entry| entry.key == VARIABLES);
    let variables = variables.flat_map(|entry| words::split(&entry.value));
    let variables = variables.filter_map(|word| {
        word.split_once('=')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    });
    Some(Entry {
        name: get("id").unwrap_or(&first.value).to_owned(),
        port: get("port").map(str::to_owned),
        address: get("bind")
            .or_else(|| get("interface"))
            .unwrap_or("0.0.0.0")
            .to_owned(),
        kind: kind_of(get("socket_type").unwrap_or("stream")),
        is_accepting: !is_yes("wait"),
        user: get("user").unwrap_or("root").to_owned(),
        group: get("group").map(str::to_owned),
        argv: unwrapped(server, &args),
        variables: variables.collect(),
        is_on: !is_yes("disable"),
        evidence: file.evidence(first),
    })
}
