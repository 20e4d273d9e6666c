//! Packages of an image: which, and how tightly their versions are asked for.
//!
//! Versions are Debian's (deb-version(7)): `[epoch:]upstream[-revision]`. A pin is what apt takes after `=`, with a `*` at
//! its end, so that the next security update of the same upstream version still fits.

use crate::distribution::base::{Base, Moving};
use crate::fact::{Facts, Package};
use crate::walk::glob;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A package of the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedPackage {
    pub name: String,
    /// What the installer is asked for: `1.22.1-*`, so that a security update does not break the build.
    pub pin: String,
    /// What the machine had; empty where the machine did not have the package.
    pub version: String,
}

/// What the package manager is asked for instead of `version`.
pub(super) fn pin(source: &str, version: &str, moving: &[Moving]) -> String {
    if version.is_empty() {
        return "*".to_owned();
    }
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (format!("{epoch}:"), rest),
        None => (String::new(), version),
    };
    let (upstream, revision) = rest
        .rsplit_once('-')
        .map_or((rest, None), |(u, r)| (u, Some(r)));
    let known = moving.iter().find(|m| glob::matches(&m.source, source));
    let keep = match (known, revision) {
        (Some(known), _) => Some(known.keep),
        // A whole new upstream version was let into the stable release once: it may happen again.
        (None, Some(revision)) if revision.starts_with("0+deb") => {
            Some(upstream.split('.').count().saturating_sub(1).max(1))
        }
        _ => None,
    };
    match (keep, revision) {
        (Some(0), _) => "*".to_owned(),
        (Some(keep), _) if keep < upstream.split('.').count() => {
            let parts: Vec<&str> = upstream.split('.').take(keep).collect();
            format!("{epoch}{}.*", parts.join("."))
        }
        (_, Some(_)) => format!("{epoch}{upstream}-*"),
        (_, None) => format!("{epoch}{}*", without_update(upstream)),
    }
}

/// A native version without the mark of a stable update: `1.2+deb12u3` is `1.2`.
fn without_update(version: &str) -> &str {
    let marks = ["+deb", "~deb", "~bpo", "+bpo", "+nmu"];
    let cut = marks.iter().filter_map(|mark| version.find(mark)).min();
    cut.and_then(|at| version.get(..at)).unwrap_or(version)
}

/// Name rules of deb-control(5), wide enough for other package managers; anything else is damage.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    !name.is_empty()
        && name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(fits)
}

/// Version characters of deb-version(7); anything else is damage, and the pin is left open.
fn is_version(version: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '~' | ':');
    version.len() <= 256 && version.chars().all(fits)
}

/// The packages asked for by name, and what has to be said about them.
pub(super) fn packages(
    names: &BTreeSet<String>,
    facts: &Facts,
    base: &Base,
) -> (Vec<PlannedPackage>, Vec<String>, Vec<String>) {
    let (mut planned, mut sources, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for name in names.iter().filter(|name| is_name(name)) {
        let found = facts.package(name);
        let helper = [
            &base.distribution.packages.locales,
            &base.distribution.packages.timezones,
        ];
        // The archive's priorities do not bind those who make base images: what the plan itself needs is asked for.
        if found.is_some_and(|package| package.essential) && !helper.contains(&name) {
            continue;
        }
        let version = found.map(|p| p.version.clone()).filter(|v| is_version(v));
        let version = version.unwrap_or_default();
        let source = found.map_or(name.as_str(), |p| p.source.as_str());
        if let Some(package) = found {
            notes.extend(remarks(package, base, &mut sources));
        }
        let pin = pin(source, &version, &base.distribution.moving);
        planned.push(PlannedPackage {
            name: name.clone(),
            pin,
            version,
        });
    }
    sources.dedup();
    (planned, sources, notes)
}

/// What a package's version tells about where it came from.
fn remarks(package: &Package, base: &Base, sources: &mut Vec<String>) -> Option<String> {
    let (name, version) = (&package.name, &package.version);
    if version.contains("~bpo") {
        return match &base.backports {
            Some(line) => {
                sources.push(line.clone());
                None
            }
            None => Some(format!(
                "Package {name} {version} comes from backports, which the base has no archive for any more."
            )),
        };
    }
    if is_foreign(version) {
        return Some(format!(
            "Package {name} {version} does not come from the release's own archive: the build needs that archive's source list and key, or the release's own package in its place."
        ));
    }
    package.held.then(|| format!("Package {name} was held at {version} by an administrator: check that the pin means what the hold meant."))
}

/// Marks that third-party archives put into their versions; the release's own never look like that.
fn is_foreign(version: &str) -> bool {
    let revision = version
        .rsplit_once('-')
        .map_or("", |(_, revision)| revision);
    version.contains(".pgdg")
        || version.contains("nodesource")
        || version.contains(".gbp")
        || version.contains("+maria~")
        || version.contains("ppa")
        || version.contains("~debian.")
        || version.contains("~ubuntu.")
        // `1.26.2-1~bookworm`: a code name, where the release itself writes `~deb12u1`.
        || revision.rsplit_once('~').is_some_and(|(_, mark)| {
            mark.len() > 3 && mark.chars().all(|c| c.is_ascii_lowercase())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moving() -> Vec<Moving> {
        let table = |source: &str, keep| Moving {
            source: source.into(),
            keep,
        };
        vec![
            table("postgresql-[0-9]*", 1),
            table("tzdata", 0),
            table("php[0-9]*", 2),
        ]
    }

    #[test]
    fn pins_let_a_security_update_in() {
        let cases = [
            ("nginx", "1.22.1-9+deb12u2", "1.22.1-*"),
            ("redis", "5:7.0.15-1~deb12u5", "5:7.0.15-*"),
            ("adduser", "3.134", "3.134*"),
            ("dash", "1.2.3+deb12u1", "1.2.3*"),
            ("postgresql-15", "15.8-0+deb12u1", "15.*"),
            ("postgresql-15", "15.1-1", "15.*"),
            ("php8.2", "8.2.20-1~deb12u1", "8.2.*"),
            ("tzdata", "2024a-0+deb12u1", "*"),
            ("git", "1:2.39.5-0+deb12u1", "1:2.39.*"),
            ("oddity", "7-0+deb12u1", "7-*"),
            ("a", "1.0-rc1-2", "1.0-rc1-*"),
            ("a", "", "*"),
        ];
        for (source, version, expected) in cases {
            assert_eq!(
                pin(source, version, &moving()),
                expected,
                "{source} {version}"
            );
        }
    }

    #[test]
    fn third_party_versions_show() {
        for version in [
            "15.8-1.pgdg120+1",
            "1.26.2-1~bookworm",
            "18.20.4-1nodesource1",
        ] {
            assert!(is_foreign(version), "{version}");
        }
        for version in [
            "1.22.1-9+deb12u2",
            "8.2.20-1~deb12u1",
            "2.4.52-1ubuntu4.9",
            "1.2-3~exp1",
        ] {
            assert!(!is_foreign(version), "{version}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_version_has_a_pin(source in ".{0,12}", version in ".{0,24}") {
            proptest::prop_assert!(pin(&source, &version, &moving()).ends_with('*'));
        }
    }
}
