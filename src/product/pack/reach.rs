//! What a service listens on and connects to, by its pack's sources.

use super::settings::{Configured, Placed, Value, key_matches};
use super::source::Source;
use crate::fact::Evidence;
use crate::product::{Connect, Listen};
use crate::words::address::Form;
use crate::words::address::{self, Address};
use std::collections::BTreeMap;

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

pub(super) fn listens(asked: &Configured<'_>) -> Vec<Listen> {
    let mut found: Vec<Listen> = Vec::new();
    for pack in &asked.pack.file.listen {
        let off = |placed: &Placed<'_>| {
            pack.unless
                .iter()
                .any(|pattern| key_matches(pattern, &placed.key))
        };
        let flags = pack.unless.iter().filter(|word| word.starts_with('-'));
        if asked.settings.iter().any(off)
            || flags.into_iter().any(|flag| !asked.flag(flag).is_empty())
        {
            continue;
        }
        let protocol = pack.protocol.as_deref().unwrap_or("tcp");
        for value in asked.values(&pack.from) {
            match pack.form {
                Form::Port => {
                    let Some(port) = port(asked, &value.text, pack.offset.as_ref()) else {
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
                    let parts = parts.flat_map(|part| part.split(';')).enumerate();
                    let parts = parts.filter(|(at, part)| *at == 0 || !part.is_empty());
                    let parts = parts.map(|(_, part)| part);
                    let heard = parts.filter_map(|part| match form {
                        Form::Address | Form::Url => address::heard(part, form, pack.port),
                        _ => address::parse(part, form, pack.port),
                    });
                    found.extend(heard.map(|address| listen(address, protocol, &value.evidence)));
                }
            }
        }
    }
    found.sort();
    found.dedup_by(|a, b| (&a.address, a.port, &a.protocol) == (&b.address, b.port, &b.protocol));
    found
}

/// A port, and the offset that is added to it.
fn port(asked: &Configured<'_>, text: &str, offset: Option<&Source>) -> Option<u16> {
    let port: u16 = text.trim().parse().ok()?;
    let offset = offset.and_then(|source| asked.values(source).pop());
    let offset = offset.and_then(|value| value.text.trim().parse::<u16>().ok());
    port.checked_add(offset.unwrap_or(0).min(u16::MAX - port))
}

/// The addresses that go with a port: those of the same setting (`listener 1883 127.0.0.1`), else of the same block,
/// where there are any.
fn hosts(asked: &Configured<'_>, source: Option<&Source>, port: &Value) -> Vec<(String, Evidence)> {
    let Some(source) = source else {
        return vec![("0.0.0.0".into(), port.evidence.clone())];
    };
    let values = asked.values(source);
    let pick = |fits: &dyn Fn(&&Value) -> bool| values.iter().filter(fits).collect::<Vec<_>>();
    let written = |value: &&Value| value.via != "default" && value.evidence == port.evidence;
    let own = pick(&written);
    let near = pick(&|value| value.block == port.block && port.block.1 != 0);
    let values = match (own.is_empty(), near.is_empty()) {
        (false, _) => own,
        (true, false) => near,
        // The same setting of another line says nothing about this one.
        _ if source.index > 0 => {
            let host = source.default.clone().unwrap_or_else(|| "0.0.0.0".into());
            return vec![(host, port.evidence.clone())];
        }
        _ => values.iter().collect(),
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
                "*" | "all" | "any" => "0.0.0.0",
                "loopback-only" => "127.0.0.1",
                other => other,
            };
            found.push((host.to_owned(), port.evidence.clone()));
        }
    }
    found
}

/// The port that a key beside a host's says: `mail.port` beside `mail.host`.
fn beside(asked: &Configured<'_>, host: &Value, names: &BTreeMap<String, String>) -> Option<u16> {
    names.iter().find_map(|(ending, port)| {
        let stem = host.via.strip_suffix(ending.as_str())?;
        let wanted = format!("{stem}{port}");
        let mut all = asked.settings.iter().rev();
        let placed = all.find(|placed| {
            let key = placed.key.rsplit('/').next().unwrap_or_default();
            placed.path == host.block.0 && key == wanted
        })?;
        placed.args.first()?.trim().parse().ok()
    })
}

pub(super) fn connects(asked: &Configured<'_>) -> Vec<Connect> {
    let mut found = Vec::new();
    for pack in &asked.pack.file.connect {
        let groups: Vec<String> = asked
            .settings
            .iter()
            .filter(|placed| {
                pack.groups
                    .iter()
                    .any(|pattern| key_matches(pattern, &placed.key))
            })
            .filter_map(|placed| placed.args.first().cloned())
            .collect();
        let is_group = |address: &Address| matches!(address, Address::Inet { host, .. } if groups.contains(host));
        let values = asked.values(&pack.from).into_iter();
        // `relayhost =` says that there is none.
        for value in values.filter(|value| !value.text.trim().is_empty()) {
            let address = match pack.form {
                Form::Port => {
                    let host = pack
                        .address
                        .as_ref()
                        .and_then(|source| asked.values(source).pop());
                    let port = value.text.parse().ok();
                    host.and_then(|host| address::parse(&host.text, Form::Address, port))
                }
                form => {
                    let port = beside(asked, &value, &pack.beside).or(pack.port);
                    let below = pack.below.as_ref();
                    let below = below.and_then(|source| asked.values(source).pop());
                    let place = |address: Address| match (address, &below) {
                        (Address::Unix(path), Some(below)) if !path.starts_with('/') => {
                            Address::Unix(format!("{}/{path}", below.text.trim_end_matches('/')))
                        }
                        (address, _) => address,
                    };
                    found.extend(
                        address::all(&value.text, form, port)
                            .into_iter()
                            .map(place)
                            .filter(|address| !is_group(address))
                            .map(|address| Connect {
                                to: address.shown(),
                                via: value.via.clone(),
                                evidence: value.evidence.clone(),
                            }),
                    );
                    continue;
                }
            };
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
