//! Names that the machine's hosts file adds to what every machine has (hosts(5)).

use super::place::Place;
use crate::fact::{Facts, Syntax, Unexamined};
use crate::path::MachinePath;
use std::collections::HashSet;
use std::net::IpAddr;

const HOSTS: &str = "/etc/hosts";

/// Names in one container. Lists of names that nobody shall reach have a hundred thousand; each container would have them.
const MOST: usize = 512;

/// Name and address, in the file's order; the machine's own name and the customary entries left out.
pub(super) fn hosts(place: &Place<'_>) -> Vec<(String, String)> {
    added(place.facts)
        .take(MOST)
        .map(|(host, _)| host)
        .collect()
}

const RESOLVER: &str = "/etc/resolv.conf";

/// Domains that short names are looked up in (resolv.conf(5)); of several lines the last counts.
pub(super) fn search(facts: &Facts) -> Vec<String> {
    let key = (MachinePath::from(RESOLVER), Syntax::Columns);
    let settings = facts.documents.get(&key).map(|document| &document.settings);
    let mut lines = settings.into_iter().flatten();
    let last = lines.rfind(|line| matches!(line.key.as_str(), "search" | "domain"));
    let domains = last.map(|line| line.args.as_slice()).unwrap_or_default();
    let named = domains.iter().filter(|domain| is_host_name(domain));
    named.take(MOST_DOMAINS).cloned().collect()
}

/// What resolvers look at.
const MOST_DOMAINS: usize = 6;

/// That a hosts file has more names than containers are told.
pub fn left_out(facts: &Facts) -> Option<Unexamined> {
    let (_, line) = added(facts).nth(MOST)?;
    Some(Unexamined {
        path: MachinePath::from(HOSTS),
        detector: "plan/hosts".to_owned(),
        reason: format!(
            "more than {MOST} names; from line {line} on they are in no container's hosts file"
        ),
    })
}

/// Each name and address with its line.
fn added(facts: &Facts) -> impl Iterator<Item = ((String, String), u32)> {
    let document = facts
        .documents
        .get(&(MachinePath::from(HOSTS), Syntax::Columns));
    let settings = document.into_iter().flat_map(|document| &document.settings);
    let own = facts.hostname.as_ref();
    let own = own.map_or("", |(name, _)| name.as_str());
    let mut known: HashSet<(String, String)> = HashSet::new();
    let hosts = settings.filter_map(|setting| Some((setting, setting.key.parse::<IpAddr>().ok()?)));
    let hosts = hosts.flat_map(|(setting, address)| {
        let names = setting
            .args
            .iter()
            .take_while(|name| !name.starts_with('#'));
        names.map(move |name| ((name.clone(), address.to_string()), setting.line))
    });
    hosts.filter(move |(host, _)| {
        let name = host.0.as_str();
        is_host_name(name) && name != own && !is_customary(name) && known.insert(host.clone())
    })
}

/// Names that the engine itself puts into every container's hosts file.
fn is_customary(name: &str) -> bool {
    name.starts_with("localhost") || name.starts_with("ip6-")
}

pub(super) fn is_host_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= 253 && !name.starts_with('-') && name.chars().all(fits)
}
