//! Archives as a build can use them: by what address, with which key, and what keeps it from doing so.

use super::base::Base;
use crate::fact::archive::{Archive, Archives, Described, Key, SignedBy};
use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;
use crate::walk::glob;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An archive that an image installs from, beside those of its base.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedArchive {
    pub uri: String,
    /// Empty where archives of its family have none.
    pub suite: String,
    pub components: Vec<String>,
    /// `None` where the base has the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PlannedKey>,
    /// Where the machine names it.
    pub evidence: Evidence,
}

/// Public keys of an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedKey {
    /// The machine's files; empty where the key stands in the source list.
    pub from: Vec<MachinePath>,
    /// Packets of OpenPGP.
    #[serde(skip)]
    pub packets: Vec<u8>,
}

/// Which archive packages are wanted from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedPin {
    pub packages: Vec<String>,
    pub pin: String,
    pub priority: i32,
    pub evidence: Evidence,
}

/// Why a build cannot install from an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// A disk, or a directory of the machine.
    Medium,
    /// Only the machine's own network leads there.
    Private,
    Login,
    NoKey,
    SecretKey,
    /// What is no address, or none that is understood.
    Address,
}

impl Obstacle {
    /// Behind "the archive".
    pub fn says(self) -> &'static str {
        match self {
            Self::Medium => "is a disk or a directory of the machine, which a build does not have",
            Self::Private => "has an address of a private network, which a build may not reach",
            Self::Login => "asks for a login, which belongs into no image",
            Self::NoKey => "has no key on the machine, so that nothing from it could be checked",
            Self::SecretKey => {
                "has a secret key in the place of its public one, which is copied nowhere"
            }
            Self::Address => "has an address that is not understood",
        }
    }
}

/// The same archive in words: address, suite and component.
pub fn label(archive: &Archive, component: &str) -> String {
    let mut words = vec![archive.uri.as_str(), archive.suite.as_str(), component];
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// What an archive said of itself when the machine last asked.
pub fn described<'a>(archives: &'a Archives, archive: &Archive) -> Option<&'a Described> {
    let mut all = archives.described.iter();
    all.find(|described| {
        let path = described.path.text();
        let rest = path.strip_prefix(archive.release.as_str());
        rest.is_some_and(|rest| rest == "InRelease" || rest == "Release")
    })
}

/// Whether it is one of the distribution's own: by what it says of itself, else by its host or its key, else since it names
/// no key and looks like a mirror.
pub fn is_own(archives: &Archives, archive: &Archive, base: &Base) -> bool {
    let own = &base.distribution.archive;
    if let Some(said) = described(archives, archive).filter(|said| !said.origin.is_empty()) {
        return own.origins.contains(&said.origin);
    }
    let host = host(&archive.uri);
    if own
        .others
        .iter()
        .any(|pattern| glob::matches(pattern, &archive.uri))
    {
        return false;
    }
    if own.hosts.iter().any(|pattern| glob::matches(pattern, host)) {
        return true;
    }
    let is_keyring = |path: &MachinePath| {
        let name = path.name();
        own.keyrings
            .iter()
            .any(|pattern| glob::matches(pattern, &name))
    };
    match archive.signed_by.as_slice() {
        [] => {
            let last = archive.uri.trim_end_matches('/').rsplit('/').next();
            let id = &base.distribution.id;
            let is_mirror = last.is_some_and(|last| last == id || last == format!("{id}-security"));
            let is_disk = archive.uri.starts_with("cdrom:");
            let components = &archive.components;
            let known = !components.is_empty()
                && components.iter().all(|name| own.components.contains(name));
            known && (is_mirror || is_disk) && base.is_suite(&archive.suite)
        }
        keys => keys
            .iter()
            .all(|key| matches!(key, SignedBy::File(path) if is_keyring(path))),
    }
}

/// The archive as a build can use it.
pub fn usable(facts: &Facts, archive: &Archive, base: &Base) -> Result<PlannedArchive, Obstacle> {
    let scheme = archive.uri.split(':').next().unwrap_or_default();
    if matches!(scheme, "cdrom" | "file" | "copy") {
        return Err(Obstacle::Medium);
    }
    let words = std::iter::once(&archive.suite).chain(&archive.components);
    let is_address = archive.uri.starts_with("http://") || archive.uri.starts_with("https://");
    if !is_address || !is_word(&archive.uri) || !words.into_iter().all(|word| is_word(word)) {
        return Err(Obstacle::Address);
    }
    let host = host(&archive.uri);
    let mut logins = facts.archives.logins.iter();
    if archive.login || logins.any(|(known, _)| known == host) {
        return Err(Obstacle::Login);
    }
    if is_private(host) {
        return Err(Obstacle::Private);
    }
    Ok(PlannedArchive {
        uri: archive.uri.clone(),
        suite: archive.suite.clone(),
        components: archive.components.clone(),
        key: Some(key(&facts.archives, archive, base)?),
        evidence: archive.evidence.clone(),
    })
}

/// Its keys; where it names none, all that the machine trusts and the distribution did not bring.
fn key(archives: &Archives, archive: &Archive, base: &Base) -> Result<PlannedKey, Obstacle> {
    let mut found: Vec<(Option<&MachinePath>, &Key)> = Vec::new();
    let mut trusted = archive.signed_by.is_empty();
    for by in &archive.signed_by {
        match by {
            SignedBy::File(path) => {
                found.extend(archives.keys.get(path).map(|key| (Some(path), key)));
            }
            SignedBy::Block(key) => found.push((None, key)),
            SignedBy::Number => trusted = true,
        }
    }
    if trusted {
        let own = &base.distribution.archive.keyrings;
        let is_own = |path: &MachinePath| {
            let name = path.name();
            own.iter().any(|pattern| glob::matches(pattern, &name))
        };
        let keys = archives.trusted.iter().filter(|path| !is_own(path));
        let keys = keys.filter_map(|path| archives.keys.get_key_value(path));
        found.extend(keys.map(|(path, key)| (Some(path), key)));
    }
    let mut planned = PlannedKey {
        from: Vec::new(),
        packets: Vec::new(),
    };
    for (path, key) in found {
        match key {
            Key::Public(packets) => {
                planned.from.extend(path.cloned());
                planned.packets.extend(packets);
            }
            Key::Secret => return Err(Obstacle::SecretKey),
            Key::Unreadable => {}
        }
    }
    if planned.packets.is_empty() {
        return Err(Obstacle::NoKey);
    }
    Ok(planned)
}

/// The host of an address, without its port.
pub fn host(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    if let Some(inner) = host.strip_prefix('[') {
        return inner.split(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

/// What addresses, suites and components are made of; anything else could mean something to whoever reads the file.
fn is_word(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~:/+%[]()$@,=&;!?".contains(c);
    text.len() <= 1024 && text.chars().all(fits)
}

/// Addresses and names that mean something on the machine's own network only.
fn is_private(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(v4) => is_private_v4(v4),
            IpAddr::V6(v6) => is_private_v6(v6),
        };
    }
    let ending = host.rsplit_once('.').map(|(_, ending)| ending);
    match ending {
        None => true,
        Some(ending) => {
            let of_networks = [
                "local",
                "lan",
                "internal",
                "intranet",
                "corp",
                "home",
                "localdomain",
            ];
            of_networks.contains(&ending) || host.ends_with(".home.arpa")
        }
    }
}

fn is_private_v4(v4: Ipv4Addr) -> bool {
    v4.is_private() || v4.is_loopback() || v4.is_link_local()
}

fn is_private_v6(v6: Ipv6Addr) -> bool {
    v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (uri, expected, private) in [
            (
                "https://packages.example.org/debian",
                "packages.example.org",
                false,
            ),
            (
                "http://packages.example.org:8080/",
                "packages.example.org",
                false,
            ),
            ("http://10.1.2.3/x", "10.1.2.3", true),
            ("http://8.8.8.8/x", "8.8.8.8", false),
            ("http://[fd00::1]:80/x", "fd00::1", true),
            ("http://repo/x", "repo", true),
            ("http://repo.corp/x", "repo.corp", true),
            (
                "http://repo.corp.example.com",
                "repo.corp.example.com",
                false,
            ),
        ] {
            assert_eq!(
                (host(uri), is_private(host(uri))),
                (expected, private),
                "{uri}"
            );
        }
    }
}
