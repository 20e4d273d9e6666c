//! A pack's questions asked of one service.

use super::address::{self, Address};
use super::file::{self, Form, Source};
use super::settings::{Configured, Value, key_matches};
use super::{Pack, instance, program, rules};
use crate::fact::{Evidence, Facts, Package};
use crate::path::MachinePath;
use crate::walk::glob;
use crate::workload::product::{Directory, Log, Probe, Product};
use crate::workload::{Connect, Disposition, Listen, Service};

/// Whether a pack recognises a service: every list it gives must hold a hit.
pub(super) fn matches(pack: &Pack, service: &Service, facts: &Facts) -> bool {
    let Some(recognise) = &pack.file.recognise else {
        return false;
    };
    let names =
        std::iter::once(service.name.as_str()).chain(service.aliases.iter().map(String::as_str));
    if !any(&recognise.units, names) {
        return false;
    }
    if recognise.executables.is_empty()
        && recognise.arguments.is_empty()
        && recognise.packages.is_empty()
    {
        return true;
    }
    let argv = service
        .exec
        .first()
        .map(|command| command.argv.as_slice())
        .unwrap_or_default();
    let program = program::of(argv, facts);
    let executable = recognise.executables.is_empty()
        || recognise
            .executables
            .iter()
            .any(|pattern| program.is(pattern));
    let arguments = any(&recognise.arguments, argv.iter().map(String::as_str));
    let owners: Vec<&str> = program
        .files
        .iter()
        .chain(service.files.first())
        .filter_map(|path| facts.owner(path))
        .map(|package| package.name.as_str())
        .collect();
    executable && arguments && any(&recognise.packages, owners.into_iter())
}

/// No pattern asks for nothing; otherwise one name must match one of them.
fn any<'a>(patterns: &[String], mut names: impl Iterator<Item = &'a str>) -> bool {
    patterns.is_empty()
        || names.any(|name| patterns.iter().any(|pattern| glob::matches(pattern, name)))
}

/// Everything the pack says of the service.
pub(super) fn product(pack: &Pack, service: &Service, facts: &Facts) -> Product {
    let mut asked = Configured::new(pack, service, facts);
    let file = &pack.file;
    let listens = listens(&asked);
    // What comes first is what templates mean by the port and the address.
    if let Some(first) = listens.iter().find(|listen| listen.port != 0) {
        asked
            .variables
            .insert("port".into(), first.port.to_string());
        let reachable = if matches!(first.address.as_str(), "0.0.0.0" | "::") {
            "127.0.0.1"
        } else {
            &first.address
        };
        asked
            .variables
            .insert("address".into(), reachable.to_owned());
    }
    if let Some(socket) = listens.iter().find(|listen| listen.protocol == "unix") {
        asked
            .variables
            .insert("socket".into(), socket.address.clone());
    }
    let data = data(&asked);
    if let Some((path, ..)) = data.first() {
        asked
            .variables
            .insert("data".into(), path.text().into_owned());
    }
    if let Some(path) = asked.main.first() {
        asked
            .variables
            .insert("config".into(), path.text().into_owned());
    }
    let mut configuration = asked.files.clone();
    configuration.extend(below(&asked));
    Product {
        pack: file.id.clone(),
        title: file.title.clone(),
        kind: file.kind.clone(),
        disposition: file.disposition.unwrap_or(Disposition::Containerize),
        reason: file.why.clone(),
        connects: connects(&asked),
        logs: logs(&asked),
        claims: claims(&asked),
        companions: companions(file, facts),
        command: command(&asked),
        user: file.run.user.clone(),
        starts_as_root: file.run.starts_as_root,
        stop_signal: file.run.stop_signal.clone(),
        probe: probe(&asked, &listens),
        directories: directories(&asked),
        environment: file
            .run
            .environment
            .iter()
            .map(|(n, v)| (n.clone(), instance::fill(v, &asked.variables)))
            .collect(),
        concerns: rules::product(&asked),
        configuration,
        listens,
        data,
    }
}

fn listen(address: Address, protocol: &str, evidence: &Evidence) -> Listen {
    let (address, port, protocol) = match address {
        Address::Inet { host, port } => (host, port, protocol.to_owned()),
        Address::Unix(path) => (path, 0, "unix".to_owned()),
    };
    Listen {
        address,
        port,
        protocol,
        evidence: evidence.clone(),
    }
}

fn listens(asked: &Configured<'_>) -> Vec<Listen> {
    let mut found: Vec<Listen> = Vec::new();
    for pack in &asked.pack.file.listen {
        let off = |placed: &super::settings::Placed<'_>| {
            pack.unless
                .iter()
                .any(|pattern| key_matches(pattern, &placed.setting.key))
        };
        if asked.settings.iter().any(off) {
            continue;
        }
        let protocol = pack.protocol.as_deref().unwrap_or("tcp");
        for value in asked.values(&pack.from) {
            match pack.form {
                Form::Port => {
                    let Ok(port) = value.text.parse::<u16>() else {
                        continue;
                    };
                    for (host, evidence) in hosts(asked, pack.address.as_ref(), &value) {
                        if port != 0 {
                            found.push(Listen {
                                address: host,
                                port,
                                protocol: protocol.to_owned(),
                                evidence,
                            });
                        }
                    }
                }
                Form::Socket => {
                    for part in value
                        .text
                        .split(',')
                        .map(str::trim)
                        .filter(|part| part.starts_with('/') || part.starts_with("unix:"))
                    {
                        let port = found
                            .iter()
                            .find(|l| l.port != 0)
                            .map_or(String::new(), |l| l.port.to_string());
                        let suffix = pack
                            .suffix
                            .as_deref()
                            .unwrap_or_default()
                            .replace("{port}", &port);
                        found.extend(
                            address::parse(&format!("{part}{suffix}"), Form::Socket, None)
                                .map(|address| listen(address, "unix", &value.evidence)),
                        );
                    }
                }
                form => {
                    let parts = value.text.split(',').map(str::trim);
                    let addresses = parts.filter_map(|part| address::parse(part, form, pack.port));
                    found.extend(
                        addresses.map(|address| listen(address, protocol, &value.evidence)),
                    );
                }
            }
        }
    }
    found.sort();
    found.dedup_by(|a, b| (&a.address, a.port, &a.protocol) == (&b.address, b.port, &b.protocol));
    found
}

/// The addresses that go with a port: those of the same block where there are any.
fn hosts(asked: &Configured<'_>, source: Option<&Source>, port: &Value) -> Vec<(String, Evidence)> {
    let Some(source) = source else {
        return vec![("0.0.0.0".into(), port.evidence.clone())];
    };
    let values = asked.values(source);
    let here: Vec<&Value> = values
        .iter()
        .filter(|value| value.block == port.block && port.block.1 != 0)
        .collect();
    let values = if here.is_empty() {
        values.iter().collect()
    } else {
        here
    };
    let mut found = Vec::new();
    for value in values {
        for host in value
            .text
            .split([',', ' '])
            .map(|host| host.trim().trim_start_matches('-'))
            .filter(|host| !host.is_empty())
        {
            let host = match host {
                "*" | "all" => "0.0.0.0",
                other => other,
            };
            found.push((host.to_owned(), port.evidence.clone()));
        }
    }
    found
}

fn connects(asked: &Configured<'_>) -> Vec<Connect> {
    let mut found = Vec::new();
    for pack in &asked.pack.file.connect {
        let groups: Vec<String> = asked
            .settings
            .iter()
            .filter(|placed| {
                pack.groups
                    .iter()
                    .any(|pattern| key_matches(pattern, &placed.setting.key))
            })
            .filter_map(|placed| placed.args.first().cloned())
            .collect();
        for value in asked.values(&pack.from) {
            let address = match pack.form {
                Form::Port => {
                    let host = pack
                        .address
                        .as_ref()
                        .and_then(|source| asked.values(source).pop());
                    let port = value.text.parse().ok();
                    host.and_then(|host| address::parse(&host.text, Form::Address, port))
                }
                form => address::parse(&value.text, form, pack.port),
            };
            let is_group = |address: &Address| matches!(address, Address::Inet { host, .. } if groups.contains(host));
            if let Some(address) = address.filter(|address| !is_group(address)) {
                found.push(Connect {
                    to: address.shown(),
                    via: value.via.clone(),
                    evidence: value.evidence.clone(),
                });
            }
        }
    }
    found.sort();
    found.dedup_by(|a, b| a.to == b.to && a.via == b.via);
    found
}

/// A value as a path of the machine; relative ones start at the working directory.
fn path(asked: &Configured<'_>, text: &str) -> Option<MachinePath> {
    let text = text.trim().trim_matches(['"', '\'']);
    if text.is_empty() || text.contains(['$', '|']) {
        return None;
    }
    let base = asked
        .service
        .working_directory
        .clone()
        .or_else(|| asked.main.first().and_then(MachinePath::parent));
    Some(base.unwrap_or_else(MachinePath::root).join(text))
}

fn data(asked: &Configured<'_>) -> Vec<(MachinePath, String, Evidence)> {
    let mut found: Vec<(MachinePath, String, Evidence)> = Vec::new();
    for place in &asked.pack.file.data {
        for value in asked.values(&place.from) {
            let Some(path) =
                path(asked, &value.text).filter(|path| asked.facts.tree.get(path).is_some())
            else {
                continue;
            };
            if !found.iter().any(|(known, ..)| *known == path) {
                found.push((path, place.why.clone(), value.evidence));
            }
        }
    }
    found
}

fn logs(asked: &Configured<'_>) -> Vec<Log> {
    let mut found = Vec::new();
    for log in &asked.pack.file.log {
        for value in asked.values(&log.from) {
            match value.text.as_str() {
                "" | "off" | "none" | "/dev/null" => {}
                "stdout" | "stderr" | "/dev/stdout" | "/dev/stderr" | "-" => {
                    found.push(Log::Stdout);
                }
                text if text.starts_with("syslog") => found.push(Log::Syslog),
                text => found.extend(path(asked, text).map(|path| Log::File {
                    path,
                    stdout: log.stdout,
                })),
            }
        }
    }
    found.dedup();
    found
}

fn claims(asked: &Configured<'_>) -> Vec<(MachinePath, Evidence)> {
    let mut found: Vec<(MachinePath, Evidence)> = Vec::new();
    for claim in &asked.pack.file.claim {
        for value in asked.values(&claim.from) {
            let Some(path) = path(asked, &value.text) else {
                continue;
            };
            if asked.facts.tree.exists(&path) && !found.iter().any(|(known, _)| *known == path) {
                found.push((path, value.evidence));
            }
        }
    }
    found
}

/// Files below the configuration directories that are not read as settings: maps, keys, snippets, links that enable.
fn below(asked: &Configured<'_>) -> Vec<MachinePath> {
    let config = asked.pack.file.config.iter();
    let directories = config
        .flat_map(|config| &config.directories)
        .map(|dir| instance::fill(dir, &asked.variables));
    let mut found = Vec::new();
    for directory in directories {
        let Some(directory) = asked.facts.tree.resolve(&MachinePath::new(directory)) else {
            continue;
        };
        let entries = asked
            .facts
            .tree
            .below(&directory)
            .filter(|entry| !entry.is_dir());
        found.extend(
            entries
                .map(|entry| entry.path.clone())
                .filter(|path| !asked.files.contains(path)),
        );
    }
    found
}

fn companions(pack: &file::PackFile, facts: &Facts) -> Vec<String> {
    let hit = |patterns: &[String], name: &str| {
        patterns.iter().any(|pattern| glob::matches(pattern, name))
    };
    let wanted = |package: &&Package| {
        hit(&pack.companions, &package.name)
            || (package.manual && hit(&pack.companions_manual, &package.name))
    };
    facts
        .packages
        .iter()
        .filter(wanted)
        .map(|package| package.name.clone())
        .collect()
}

/// The pack's command with everything filled in; `{args}` is the unit's own arguments, less what sends it away.
fn command(asked: &Configured<'_>) -> Option<Vec<String>> {
    let run = &asked.pack.file.run;
    let argv = asked
        .service
        .exec
        .first()
        .map(|command| command.argv.as_slice())
        .unwrap_or_default();
    let dropped = |arg: &&String| !run.drop.iter().any(|pattern| glob::matches(pattern, arg));
    if run.command.is_empty() {
        let kept: Vec<String> = argv.iter().filter(dropped).cloned().collect();
        return (kept.len() < argv.len()).then_some(kept);
    }
    let mut found = Vec::new();
    for word in &run.command {
        match word.as_str() {
            "{args}" => found.extend(argv.iter().skip(1).filter(dropped).cloned()),
            "{program}" => found.extend(argv.first().cloned()),
            // The flags of a configuration file that is a command line in pieces.
            "{settings}" => {
                for placed in &asked.settings {
                    let flag = placed.setting.key.clone();
                    if flag.starts_with('-') && !run.drop.contains(&flag) {
                        found.push(flag);
                        found.extend(placed.args.iter().cloned());
                    }
                }
            }
            word => found.push(instance::fill(word, &asked.variables)),
        }
    }
    // A variable nobody set makes no command; the unit's own is better than a wrong one.
    let whole = found.iter().all(|word| {
        !word.contains("{data}") && !word.contains("{config}") && !word.contains("{1}")
    });
    whole.then_some(found)
}

fn probe(asked: &Configured<'_>, listens: &[Listen]) -> Option<Probe> {
    let probe = asked.pack.file.probe.as_ref()?;
    let port = listens
        .iter()
        .find(|listen| listen.protocol == "tcp")
        .map(|listen| listen.port);
    if !probe.command.is_empty() {
        let command: Vec<String> = probe
            .command
            .iter()
            .map(|word| instance::fill(word, &asked.variables))
            .collect();
        if command.iter().all(|word| {
            !word.contains("{port}") && !word.contains("{address}") && !word.contains("{socket}")
        }) {
            return Some(Probe::Command(command));
        }
    }
    match (&probe.http, port) {
        (Some(path), Some(port)) => Some(Probe::Http {
            port,
            path: path.clone(),
        }),
        (None, Some(port)) if probe.tcp => Some(Probe::Tcp { port }),
        _ => None,
    }
}

fn directories(asked: &Configured<'_>) -> Vec<Directory> {
    let own = |name: &Option<String>, or: &str| name.clone().unwrap_or_else(|| or.to_owned());
    let user = asked
        .pack
        .file
        .run
        .user
        .as_deref()
        .unwrap_or(&asked.service.user);
    let make = |directory: &file::Directory| {
        let group = asked.facts.user(user).and_then(|user| {
            asked
                .facts
                .groups
                .iter()
                .find(|group| group.gid == user.gid)
        });
        Directory {
            path: MachinePath::new(instance::fill(&directory.path, &asked.variables)),
            user: own(&directory.user, user),
            group: own(&directory.group, group.map_or(user, |group| &group.name)),
            mode: directory
                .mode
                .as_deref()
                .and_then(|mode| u32::from_str_radix(mode, 8).ok())
                .unwrap_or(0o755),
        }
    };
    asked
        .pack
        .file
        .run
        .directories
        .iter()
        .map(make)
        .filter(|directory| !directory.path.text().contains('{'))
        .collect()
}
