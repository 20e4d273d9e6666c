//! Packages of an image: which, and how tightly their versions are asked for.

use crate::distribution::base::Base;
use crate::distribution::family::{Family, Origin, PlannedPackage};
use crate::fact::{Facts, Package};
use std::collections::BTreeSet;

/// What names are made of, whatever the package manager; anything else is damage.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    !name.is_empty()
        && name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(fits)
}

/// The packages asked for by name, the lines of source lists that they need, and what has to be said about them. Nothing
/// where nobody knows how the base installs packages.
pub(super) fn packages(
    names: &BTreeSet<String>,
    facts: &Facts,
    base: &Base,
) -> (Vec<PlannedPackage>, Vec<String>, Vec<String>) {
    let (mut planned, mut sources, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    let Some(family) = base.family else {
        return (planned, sources, notes);
    };
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
        let version = found
            .map(|p| p.version.clone())
            .filter(|v| family.is_version(v));
        let version = version.unwrap_or_default();
        let source = found.map_or(name.as_str(), |p| p.source.as_str());
        if let Some(package) = found {
            notes.extend(remarks(package, family, base, &mut sources));
        }
        let pin = family.pin(source, &version, &base.distribution.moving);
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
fn remarks(
    package: &Package,
    family: &dyn Family,
    base: &Base,
    sources: &mut Vec<String>,
) -> Option<String> {
    let (name, version) = (&package.name, &package.version);
    match (family.origin(version), &base.backports) {
        (Origin::Backports, Some(line)) => {
            sources.push(line.clone());
            None
        }
        (Origin::Backports, None) => Some(format!(
            "Package {name} {version} comes from backports, which the base has no archive for any more."
        )),
        (Origin::Elsewhere, _) => Some(format!(
            "Package {name} {version} does not come from the release's own archive: the build needs that archive's source list and key, or the release's own package in its place."
        )),
        (Origin::Release, _) => package.held.then(|| format!("Package {name} was held at {version} by an administrator: check that the pin means what the hold meant.")),
    }
}
