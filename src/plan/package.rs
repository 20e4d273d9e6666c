//! Packages of an image: which, and how tightly their versions are asked for.

use super::activate;
use super::origin::{self, Means, PlannedOrigin, Sources};
use super::place::Place;
use crate::distribution::base::{Base, Moving};
use crate::distribution::family::{self, PlannedPackage};
use crate::workload::Workload;
use std::collections::BTreeSet;

/// What names are made of, whatever the package manager; anything else is damage.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    !name.is_empty()
        && name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(fits)
}

/// The packages asked for by name, and what has to be said about them. Nothing where nobody knows how the base installs
/// packages.
pub(super) fn packages(
    names: &BTreeSet<String>,
    sources: &Sources,
    place: &Place<'_>,
) -> (Vec<PlannedPackage>, Vec<String>) {
    let (mut planned, mut notes) = (Vec::new(), Vec::new());
    let (facts, base) = (place.facts, place.base);
    let Some(family) = base.family else {
        return (planned, notes);
    };
    let names = names.iter().filter(|name| is_name(name));
    for name in names.filter(|name| !sources.lifted.contains(*name)) {
        let found = facts.package(name);
        // The archive's priorities do not bind those who make base images: what the plan itself needs is asked for.
        if found.is_some_and(|package| package.essential) && !is_helper(name, base) {
            continue;
        }
        let version = found
            .map(|p| p.version.clone())
            .filter(|v| family.is_version(v));
        let version = version.unwrap_or_default();
        let source = found.map_or(name.as_str(), |p| p.source.as_str());
        if let Some(package) = found.filter(|package| package.held) {
            notes.push(format!("Package {name} was held at {} by an administrator: check that the pin means what the hold meant.", package.version));
        }
        let is_others =
            |origin: &PlannedOrigin| origin.package == *name && origin.means == Means::Archive;
        let keep = base.distribution.archive.others_keep;
        let others = keep.filter(|_| sources.origins.iter().any(is_others));
        let others = others.map(|keep| {
            [Moving {
                source: "*".to_owned(),
                keep,
            }]
        });
        let moving = others
            .as_ref()
            .map_or(base.distribution.moving.as_slice(), |all| all);
        let pin = family.pin(source, &version, moving);
        planned.push(PlannedPackage {
            name: name.clone(),
            pin,
            version,
        });
    }
    (planned, notes)
}

fn is_helper(name: &String, base: &Base) -> bool {
    let helpers = &base.distribution.packages;
    let mut locales = base.locales.split(family::locale::LANGUAGE);
    let (begins, ends) = (locales.next(), locales.next());
    let is_locales = match (begins, ends) {
        (Some(begins), Some(ends)) => name.starts_with(begins) && name.ends_with(ends),
        _ => *name == base.locales,
    };
    is_locales || *name == helpers.timezones || helpers.tools.contains(name)
}

/// What an image needs beside the workload's own: time zones, what opens its sockets and runs its jobs, and what entry points
/// call.
pub(super) fn helpers(workload: &Workload, zone: bool, place: &Place<'_>) -> BTreeSet<String> {
    let distribution = place.base.distribution;
    let mut names: BTreeSet<String> = distribution.packages.tools.iter().cloned().collect();
    if zone {
        names.insert(distribution.packages.timezones.clone());
    }
    if activate::activated(workload).is_some() {
        names.insert(distribution.activator.package.clone());
    }
    if workload.services.is_empty() {
        names.insert(distribution.scheduler.package.clone());
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Packages of the workload that no distribution has.
pub(super) fn makers(workload: &Workload) -> BTreeSet<&str> {
    let makers = workload.product.iter().flat_map(|product| &product.makers);
    makers.map(String::as_str).collect()
}

/// The packages that an image installs, and where they come from.
pub(super) fn sources(
    workload: &Workload,
    asked: &BTreeSet<String>,
    place: &Place<'_>,
) -> (BTreeSet<String>, Sources) {
    let sources = origin::sources(asked, &makers(workload), place);
    let names = with_needs(asked, &sources, place);
    (names, sources)
}

/// The same names with what packages rely on whose own files come from the disk: nobody else asks for that.
fn with_needs(names: &BTreeSet<String>, sources: &Sources, place: &Place<'_>) -> BTreeSet<String> {
    let lifted = sources.lifted.iter();
    let needs = lifted.flat_map(|name| place.installed.needed_by(name));
    let needs = needs.filter(|package| !package.essential);
    let mut all = names.clone();
    all.extend(needs.map(|package| package.name.clone()));
    all
}

/// What a person has to know of packages that are not the release's own.
pub(super) fn remarks(sources: &Sources) -> Vec<String> {
    let mut notes = Vec::new();
    let lifted: Vec<String> = sources.lifted.iter().cloned().collect();
    if !lifted.is_empty() {
        notes.push(format!(
            "Files of these packages are taken from the machine's disk, and their scripts are not run: {}.",
            crate::text::list(&lifted, 10)
        ));
    }
    if sources.open {
        notes.push("The machine keeps no lists of its archives, so that nothing says which archive a package came from: the image knows all that the machine knows. A package that was installed from a file is in none of them; put its files in place by hand where the build does not find it.".to_owned());
    }
    for archive in sources
        .archives
        .iter()
        .filter(|archive| archive.key.is_some())
    {
        notes.push(format!(
            "Packages are installed from {} as well, whose key is the machine's ({}).",
            archive.uri,
            archive.evidence.place()
        ));
    }
    notes
}
