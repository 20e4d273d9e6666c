//! What the machine says of itself: release, name, time zone, locale; and the system's own configuration files, which
//! rules ask about.

use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Evidence, Fact, OsRelease, Syntax};
use std::collections::BTreeMap;

/// Configuration of the system itself, read on every machine: pattern and syntax.
pub const CONFIGURATION: &[(&str, Syntax)] = &[
    ("/etc/fstab", Syntax::Columns),
    ("/etc/crypttab", Syntax::Columns),
    ("/etc/hosts", Syntax::Columns),
    ("/etc/resolv.conf", Syntax::Columns),
    ("/etc/exports", Syntax::Columns),
    ("/etc/exports.d/*.exports", Syntax::Columns),
    ("/etc/modules", Syntax::Columns),
    ("/etc/modules-load.d/*.conf", Syntax::Columns),
    ("/etc/network/interfaces", Syntax::Columns),
    ("/etc/network/interfaces.d/*", Syntax::Columns),
    (
        "/etc/sysconfig/network-scripts/ifcfg-*",
        Syntax::Environment,
    ),
    ("/etc/sysconfig/network/ifcfg-*", Syntax::Environment),
    ("/etc/sysconfig/network-scripts/route-*", Syntax::Columns),
    ("/etc/sysconfig/network-scripts/route6-*", Syntax::Columns),
    ("/etc/sysconfig/network/routes", Syntax::Columns),
    ("/etc/sysconfig/network/ifroute-*", Syntax::Columns),
    ("/etc/sysconfig/static-routes", Syntax::Columns),
    ("/etc/netplan/*.yaml", Syntax::Yaml),
    ("/etc/systemd/network/*.network", Syntax::Ini),
    ("/etc/systemd/network/*.netdev", Syntax::Ini),
    ("/etc/NetworkManager/system-connections/*", Syntax::Ini),
    ("/etc/sysctl.conf", Syntax::KeyEquals),
    ("/etc/sysctl.d/*.conf", Syntax::KeyEquals),
    ("/etc/security/limits.conf", Syntax::Columns),
    ("/etc/security/limits.d/*.conf", Syntax::Columns),
    ("/etc/tmpfiles.d/*.conf", Syntax::Columns),
    ("/usr/lib/tmpfiles.d/*.conf", Syntax::Columns),
    ("/etc/default/*", Syntax::Environment),
    ("/etc/environment", Syntax::Environment),
    ("/etc/locale.gen", Syntax::Columns),
    ("/etc/ld.so.conf", Syntax::Columns),
    ("/etc/ld.so.conf.d/*.conf", Syntax::Columns),
    ("/etc/ld-musl-*.path", Syntax::Columns),
    ("/etc/nsswitch.conf", Syntax::Columns),
];

/// os-release(5).
pub struct Release;

/// What a derivative's os-release(5) says of the release that it is made from.
const PARENTS: [&str; 2] = ["UBUNTU_CODENAME", "DEBIAN_CODENAME"];

impl Detector for Release {
    fn id(&self) -> &'static str {
        "machine/os-release"
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Operating system",
            recognises: "os-release, of /etc before /usr/lib",
            why: "the base image is the machine's own release",
            cannot_see: "releases older than os-release (2012); other files name those",
            references: &["os-release(5)"],
        }
    }

    fn interest(&self) -> Interest {
        let paths = vec!["/etc/os-release".into(), "/usr/lib/os-release".into()];
        Interest {
            paths,
            limit: 64 << 10,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let values: BTreeMap<&str, (u32, String)> = file
            .lines()
            .filter_map(|(number, line)| {
                let (key, value) = line.trim().split_once('=')?;
                Some((key, (number, unquote(value))))
            })
            .collect();
        let get = |key: &str| {
            values
                .get(key)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        let id = get("ID").to_ascii_lowercase();
        if id.is_empty() {
            sink.unexamined(file.path, self.id(), "no ID= line");
            return;
        }
        let line = values.get("ID").map_or(1, |(line, _)| *line);
        sink.fact(Fact::Os(OsRelease {
            evidence: file.evidence(line, &format!("ID={id}")),
            id_like: get("ID_LIKE")
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            version_id: get("VERSION_ID"),
            codename: get("VERSION_CODENAME"),
            parent: PARENTS
                .map(get)
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default(),
            pretty_name: Some(get("PRETTY_NAME"))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| id.clone()),
            id,
        }));
    }
}

/// A shell-style assigned value: quotes taken off, backslash escapes undone.
fn unquote(value: &str) -> String {
    let value = value.trim();
    let inner = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value
            .strip_prefix(quote)
            .and_then(|v| v.strip_suffix(quote))
            .unwrap_or(value),
        _ => value,
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            out.extend(chars.next());
        } else {
            out.push(c);
        }
    }
    out
}

/// A name in the zone database: `Europe/Zurich`, `Etc/GMT+1`; nothing that leads elsewhere.
pub fn is_zone(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
    };
    name.len() < 64 && name.split('/').all(part)
}

/// hostname(5), timezone, locale(5).
pub struct Identity;

impl Detector for Identity {
    fn id(&self) -> &'static str {
        "machine/identity"
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Name, time zone, and locale",
            recognises: "/etc/hostname, /etc/timezone, /etc/default/locale, /etc/locale.conf, and what was in their place: /etc/HOSTNAME, network, clock, i18n and language of /etc/sysconfig",
            why: "programs print dates and sort words by them; a container has neither unless told",
            cannot_see: "names given by DHCP or cloud metadata",
            references: &["hostname(5)", "locale.conf(5)"],
        }
    }

    fn interest(&self) -> Interest {
        let paths = [
            "/etc/hostname",
            "/etc/timezone",
            "/etc/default/locale",
            "/etc/locale.conf",
            "/etc/HOSTNAME",
            "/etc/sysconfig/network",
            "/etc/sysconfig/clock",
            "/etc/sysconfig/i18n",
            "/etc/sysconfig/language",
        ];
        Interest {
            paths: paths.map(str::to_owned).to_vec(),
            limit: 64 << 10,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let first = || {
            file.lines()
                .map(|(n, l)| (n, l.trim()))
                .find(|(_, l)| !l.is_empty() && !l.starts_with('#'))
        };
        let value = |key: &str| {
            let lines = file.lines().filter_map(|(number, line)| {
                let value = line.trim().strip_prefix(key)?.strip_prefix('=')?;
                Some((number, unquote(value)))
            });
            lines.into_iter().find(|(_, value)| !value.is_empty())
        };
        match file.path.name().as_ref() {
            "network" => {
                if let Some((number, name)) = value("HOSTNAME") {
                    let evidence = Evidence::line(file.path, number, &name);
                    sink.fact(Fact::Hostname(name, evidence));
                }
            }
            "clock" => {
                let zone = value("ZONE").or_else(|| value("TIMEZONE"));
                let zone = zone.map(|(_, zone)| zone).filter(|zone| is_zone(zone));
                sink.facts.extend(zone.map(Fact::Timezone));
            }
            "hostname" | "HOSTNAME" => {
                if let Some((number, name)) = first() {
                    sink.fact(Fact::Hostname(
                        name.to_owned(),
                        Evidence::line(file.path, number, name),
                    ));
                }
            }
            "timezone" => {
                let zone = first().map(|(_, zone)| zone).filter(|zone| is_zone(zone));
                sink.facts
                    .extend(zone.map(|zone| Fact::Timezone(zone.to_owned())));
            }
            _ => {
                let mut keys = ["LC_ALL", "LANG", "RC_LC_ALL", "RC_LANG"].into_iter();
                let locale = keys.find_map(value);
                sink.facts
                    .extend(locale.map(|(_, locale)| Fact::Locale(locale)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        for name in ["UTC", "Etc/GMT+1", "America/Argentina/Buenos_Aires"] {
            assert!(is_zone(name), "{name}");
        }
        for name in ["", "../x", "Europe//Zurich", "/usr", "a b", "a;b"] {
            assert!(!is_zone(name), "{name}");
        }
    }

    #[test]
    fn quotes() {
        assert_eq!(
            unquote("\"Debian GNU/Linux 12 (bookworm)\""),
            "Debian GNU/Linux 12 (bookworm)"
        );
        assert_eq!(unquote("'a b'"), "a b");
        assert_eq!(unquote("a\\ b"), "a b");
        assert_eq!(unquote("\""), "\"");
    }
}
