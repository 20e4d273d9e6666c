//! Addresses, ports, and what is reached over them.

mod interfaces;

use super::Seen;
use crate::fact::{Document, Facts, Setting, Syntax};
use crate::path::MachinePath;
use crate::product::is_loopback;
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::workload::Workload;

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found: Vec<Concern> = seen.workloads.iter().flat_map(of_workload).collect();
    found.extend(static_hosts(seen.facts));
    found.extend(interfaces::several(seen.facts));
    found.extend(own_name(seen));
    found
}

fn of_workload(workload: &Workload) -> Vec<Concern> {
    let id = Some(workload.id.as_str());
    let mut found = Vec::new();
    for listen in workload
        .listens
        .iter()
        .filter(|listen| is_bound(&listen.address))
    {
        let detail = format!("listens on {}, port {}", listen.address, listen.port);
        found.extend(concern(
            "network/bound-address",
            id,
            detail,
            vec![listen.evidence.clone()],
        ));
    }
    let starts_as_root = workload
        .product
        .as_ref()
        .is_some_and(|product| product.starts_as_root);
    if workload.user != "root" && !starts_as_root {
        for listen in workload
            .listens
            .iter()
            .filter(|l| (1..1024).contains(&l.port))
        {
            let detail = format!("port {} as user {}", listen.port, workload.user);
            found.extend(concern(
                "network/privileged-port",
                id,
                detail,
                vec![listen.evidence.clone()],
            ));
        }
    }
    // What is needed for its data alone is not reached over any network.
    for other in workload.needs.iter().filter(|o| !o.connects.is_empty()) {
        let detail = format!("reaches {} over loopback or a Unix socket", other.id);
        let evidence = other.connects.clone();
        found.extend(concern("network/loopback-coupling", id, detail, evidence));
    }
    for connect in workload
        .connects
        .iter()
        .filter(|connect| is_elsewhere(&connect.to))
    {
        let detail = format!("connects to {} ({})", connect.to, connect.via);
        found.extend(concern(
            "network/outbound-dependency",
            id,
            detail,
            vec![connect.evidence.clone()],
        ));
    }
    found
}

/// An address of the machine's own: neither all of them nor loopback, nor a name we cannot judge.
fn is_bound(address: &str) -> bool {
    let bare = address.trim_matches(['[', ']']);
    bare.parse::<std::net::IpAddr>()
        .is_ok_and(|ip| !ip.is_unspecified() && !ip.is_loopback())
}

fn is_elsewhere(to: &str) -> bool {
    let address = to.rsplit_once(':').map_or(to, |(address, _)| address);
    !to.starts_with('/') && !address.is_empty() && !is_loopback(address)
}

/// Documents at these paths, of one syntax.
pub(super) fn documents<'a>(
    facts: &'a Facts,
    syntax: Syntax,
    wanted: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = &'a Document> {
    let all = facts.documents.iter();
    all.filter(move |((path, s), _)| *s == syntax && wanted(&path.text()))
        .map(|(_, document)| document)
}

/// Names every installation writes into /etc/hosts.
fn is_default_host(facts: &Facts, setting: &Setting) -> bool {
    let own = facts
        .hostname
        .as_ref()
        .map(|(name, _)| name.as_str())
        .unwrap_or_default();
    let short = own.split('.').next().unwrap_or_default();
    setting.args.iter().all(|name| {
        name == own
            || (!short.is_empty() && name.split('.').next() == Some(short))
            || name.starts_with("localhost")
            || name.starts_with("ip6-")
            || name == "broadcasthost"
    })
}

fn static_hosts(facts: &Facts) -> Vec<Concern> {
    let mut found = Vec::new();
    for document in documents(facts, Syntax::Columns, |path| path == "/etc/hosts") {
        for setting in document
            .settings
            .iter()
            .filter(|s| !is_default_host(facts, s))
        {
            let detail = format!("{} is {}", setting.args.join(" "), setting.key);
            found.extend(concern(
                "network/static-hosts",
                None,
                detail,
                vec![document.evidence(setting)],
            ));
        }
    }
    found
}

/// The machine's own name or configured address in a workload's modified or unowned configuration.
fn own_name(seen: &Seen<'_>) -> Vec<Concern> {
    let own = own_addresses(seen.facts);
    let mut found = Vec::new();
    for workload in seen.workloads {
        let changed = |path: &MachinePath| {
            workload
                .configuration
                .iter()
                .any(|c| &c.path == path && c.state != crate::fact::FileState::Pristine)
        };
        for document in seen
            .facts
            .documents
            .values()
            .filter(|document| changed(&document.path))
        {
            for setting in &document.settings {
                let hit = |arg: &String| own.iter().any(|own| names(arg, own));
                if setting.args.iter().any(hit) {
                    let detail = format!("{} names the machine itself", setting.key);
                    let evidence = vec![document.evidence(setting)];
                    found.extend(concern(
                        "network/own-address",
                        Some(&workload.id),
                        detail,
                        evidence,
                    ));
                }
            }
        }
    }
    found
}

/// Static addresses of the machine's interfaces, and its full name where it has a domain.
fn own_addresses(facts: &Facts) -> Vec<String> {
    let mut own = Vec::new();
    for document in documents(facts, Syntax::Columns, |path| {
        path.starts_with("/etc/network/interfaces")
    }) {
        let addresses = document
            .settings
            .iter()
            .filter(|setting| setting.key == "address");
        own.extend(addresses.filter_map(|s| s.args.first()).map(|a| bare(a)));
    }
    let keyed = |path: &str| path.starts_with("/etc/systemd/network/");
    for document in documents(facts, Syntax::Ini, keyed) {
        let addresses = document
            .settings
            .iter()
            .filter(|s| s.key.ends_with("/Address"));
        own.extend(addresses.filter_map(|s| s.args.first()).map(|a| bare(a)));
    }
    own.extend(
        facts
            .hostname
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| name.contains('.')),
    );
    own.retain(|address| !address.is_empty() && !is_loopback(address));
    own
}

fn bare(address: &str) -> String {
    address.split('/').next().unwrap_or_default().to_owned()
}

/// `own` stands in `text` as a word of its own, not inside a longer address or name.
fn names(text: &str, own: &str) -> bool {
    text.match_indices(own).any(|(at, _)| {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let before = text.get(..at).and_then(|s| s.chars().next_back());
        let after = text.get(at + own.len()..).and_then(|s| s.chars().next());
        !before.is_some_and(|c| part(c) || c == '.') && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_addresses() {
        assert!(is_bound("10.0.0.5") && is_bound("[2001:db8::1]"));
        assert!(
            !is_bound("0.0.0.0") && !is_bound("::") && !is_bound("127.0.0.1") && !is_bound("*")
        );
    }

    #[test]
    fn elsewhere() {
        assert!(is_elsewhere("db.example.net:5432") && is_elsewhere("10.1.1.1:25"));
        assert!(
            !is_elsewhere("127.0.0.1:80")
                && !is_elsewhere("/run/x.sock")
                && !is_elsewhere("[::1]:80")
        );
    }

    #[test]
    fn words() {
        assert!(names("http://10.0.0.5:80/", "10.0.0.5") && !names("10.0.0.50", "10.0.0.5"));
        assert!(!names("110.0.0.5", "10.0.0.5"));
    }
}
