//! Names that the machine's hosts file adds to what every machine has (hosts(5)).

use super::place::Place;
use crate::fact::Syntax;
use crate::path::MachinePath;
use std::net::IpAddr;

/// Name and address, in the file's order; the machine's own name and the customary entries left out.
pub(super) fn hosts(place: &Place<'_>) -> Vec<(String, String)> {
    let path = MachinePath::from("/etc/hosts");
    let Some(document) = place.facts.documents.get(&(path, Syntax::Columns)) else {
        return Vec::new();
    };
    let own = place
        .facts
        .hostname
        .as_ref()
        .map_or("", |(name, _)| name.as_str());
    let mut hosts = Vec::new();
    for setting in &document.settings {
        let Ok(address) = setting.key.parse::<IpAddr>() else {
            continue;
        };
        for name in setting
            .args
            .iter()
            .take_while(|name| !name.starts_with('#'))
        {
            let entry = (name.clone(), address.to_string());
            if is_host_name(name) && name != own && !is_customary(name) && !hosts.contains(&entry) {
                hosts.push(entry);
            }
        }
    }
    hosts
}

/// Names that the engine itself puts into every container's hosts file.
fn is_customary(name: &str) -> bool {
    name.starts_with("localhost") || name.starts_with("ip6-")
}

pub(super) fn is_host_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= 253 && !name.starts_with('-') && name.chars().all(fits)
}
