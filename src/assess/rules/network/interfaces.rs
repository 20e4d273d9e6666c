//! Interfaces beyond the first, and routes of the machine's own.

use super::documents;
use crate::fact::{Evidence, Facts, Syntax};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use std::collections::BTreeMap;

/// Interfaces by name, from ifupdown, netplan, networkd, NetworkManager, and the ifcfg files of Red Hat and SUSE; and routes.
pub(super) fn several(facts: &Facts) -> Vec<Concern> {
    let mut interfaces: BTreeMap<String, Evidence> = BTreeMap::new();
    let is_interfaces = |path: &str| path.starts_with("/etc/network/interfaces");
    for document in documents(facts, Syntax::Columns, is_interfaces) {
        for setting in document.settings.iter().filter(|s| s.key == "iface") {
            if let Some(name) = setting.args.first().filter(|name| *name != "lo") {
                interfaces
                    .entry(name.clone())
                    .or_insert_with(|| document.evidence(setting));
            }
        }
    }
    for document in documents(facts, Syntax::Yaml, |path| {
        path.starts_with("/etc/netplan/")
    }) {
        for setting in &document.settings {
            let mut parts = setting.key.split('/').skip_while(|part| *part == "network");
            let kind = parts.next().unwrap_or_default();
            let kinds = ["ethernets", "wifis", "bonds", "bridges", "vlans", "tunnels"];
            if let Some(name) = parts.next().filter(|_| kinds.contains(&kind)) {
                interfaces
                    .entry(name.to_owned())
                    .or_insert_with(|| document.evidence(setting));
            }
        }
    }
    let keyed = |path: &str| {
        path.starts_with("/etc/systemd/network/")
            || path.starts_with("/etc/NetworkManager/system-connections/")
    };
    for document in documents(facts, Syntax::Ini, keyed) {
        for setting in &document.settings {
            let names = matches!(
                setting.key.as_str(),
                "Match/Name" | "NetDev/Name" | "connection/interface-name"
            );
            if let Some(name) = setting.args.first().filter(|_| names) {
                interfaces
                    .entry(name.clone())
                    .or_insert_with(|| document.evidence(setting));
            }
        }
    }
    named_by_files(facts, &mut interfaces);
    let routes = routes(facts);
    if interfaces.len() < 2 && routes.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = interfaces.keys().map(String::as_str).collect();
    let mut detail = match names.as_slice() {
        [] => String::new(),
        [name] => format!("1 interface: {name}"),
        _ => format!("{} interfaces: {}", names.len(), names.join(", ")),
    };
    if !routes.is_empty() {
        let between = if detail.is_empty() { "" } else { "; " };
        let shown: Vec<&str> = routes
            .iter()
            .take(SHOWN)
            .map(|(route, _)| route.as_str())
            .collect();
        detail = format!("{detail}{between}routes of its own: {}", shown.join(", "));
    }
    let routes = routes.into_iter().map(|(_, evidence)| evidence);
    let evidence = interfaces.into_values().chain(routes).collect();
    concern("network/several-interfaces", None, detail, evidence)
        .into_iter()
        .collect()
}

/// Routes that a report says.
const SHOWN: usize = 8;

/// Where Red Hat and SUSE have a file for each interface.
const FILES: &[&str] = &[
    "/etc/sysconfig/network-scripts/ifcfg-",
    "/etc/sysconfig/network/ifcfg-",
];

/// `ifcfg-eth0`, unless it is not brought up at boot. An address more of an interface is none more.
fn named_by_files(facts: &Facts, interfaces: &mut BTreeMap<String, Evidence>) {
    let is_one = |path: &str| FILES.iter().any(|start| path.starts_with(start));
    for document in documents(facts, Syntax::Environment, is_one) {
        let path = document.path.text().into_owned();
        let by_file = FILES.iter().find_map(|start| path.strip_prefix(start));
        let get = |key: &str| {
            let mut settings = document.settings.iter();
            settings.rfind(|setting| setting.key == key)
        };
        let is_off = |key: &str, off: &[&str]| {
            let value = get(key).and_then(|setting| setting.args.first());
            value.is_some_and(|value| off.contains(&value.to_ascii_lowercase().as_str()))
        };
        let device = get("DEVICE").and_then(|setting| setting.args.first());
        let name = device.map(String::as_str).or(by_file).unwrap_or_default();
        let is_backup =
            name.contains(['~', ':']) || name.ends_with(".bak") || name.ends_with(".rpmsave");
        if name == "lo"
            || name.is_empty()
            || is_backup
            || is_off("ONBOOT", &["no"])
            || is_off("STARTMODE", &["off", "manual"])
        {
            continue;
        }
        let evidence = get("DEVICE").or_else(|| get("IPADDR"));
        let evidence = evidence.map_or_else(
            || Evidence::file(&document.path),
            |setting| document.evidence(setting),
        );
        interfaces.entry(name.to_owned()).or_insert(evidence);
    }
}

/// Lines of the files of routes; the way out is every machine's.
fn routes(facts: &Facts) -> Vec<(String, Evidence)> {
    let is_one = |path: &str| {
        path.starts_with("/etc/sysconfig/network-scripts/route")
            || path.starts_with("/etc/sysconfig/network/ifroute-")
            || path == "/etc/sysconfig/network/routes"
            || path == "/etc/sysconfig/static-routes"
    };
    let mut found = Vec::new();
    for document in documents(facts, Syntax::Columns, is_one) {
        for setting in &document.settings {
            let is_way_out = setting.key == "default"
                || setting.key.starts_with("0.0.0.0")
                || setting.key == "::/0";
            // The older form has a line for each part: ADDRESS0=, NETMASK0=, GATEWAY0=.
            let is_part = setting.key.starts_with("NETMASK") || setting.key.starts_with("GATEWAY");
            if !is_way_out && !is_part && found.len() < MOST {
                let route = std::iter::once(setting.key.as_str())
                    .chain(setting.args.iter().map(String::as_str));
                let route: Vec<&str> = route.collect();
                found.push((route.join(" "), document.evidence(setting)));
            }
        }
    }
    found
}

/// Routes of one machine.
const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Document, Setting};

    fn document(path: &str, syntax: Syntax, settings: &[(&str, &[&str])]) -> Document {
        let settings = settings.iter().map(|(key, args)| Setting {
            key: (*key).to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            block: 0,
            line: 1,
            secret: false,
            conditions: Vec::new(),
        });
        Document {
            path: path.into(),
            syntax,
            settings: settings.collect(),
            includes: Vec::new(),
        }
    }

    fn detail(documents: Vec<Document>) -> String {
        let mut facts = Facts::default();
        for document in documents {
            facts
                .documents
                .insert((document.path.clone(), document.syntax), document);
        }
        several(&facts)
            .into_iter()
            .map(|concern| concern.detail)
            .collect()
    }

    #[test]
    fn files_of_interfaces_and_routes() {
        let eth = |name: &str, more: (&str, &[&str])| {
            let path = format!("/etc/sysconfig/network-scripts/ifcfg-{name}");
            document(&path, Syntax::Environment, &[("DEVICE", &[name]), more])
        };
        let up = ("ONBOOT", &["yes"][..]);
        assert_eq!(
            detail(vec![
                eth("eth0", up),
                eth("lo", up),
                eth("eth0:1", up),
                eth("eth1", ("ONBOOT", &["no"]))
            ]),
            ""
        );
        assert_eq!(
            detail(vec![eth("eth0", up), eth("bond0", up)]),
            "2 interfaces: bond0, eth0"
        );
        let path = "/etc/sysconfig/network-scripts/route-eth0";
        let route = |key: &str| document(path, Syntax::Columns, &[(key, &["via", "10.0.0.1"])]);
        assert_eq!(detail(vec![eth("eth0", up), route("default")]), "");
        assert_eq!(
            detail(vec![eth("eth0", up), route("10.9.0.0/16")]),
            "1 interface: eth0; routes of its own: 10.9.0.0/16 via 10.0.0.1"
        );
    }
}
