//! Debian and what is made from it: apt, dpkg, and the accounts of `passwd`.
//!
//! Versions are deb-version(7): `[epoch:]upstream[-revision]`. A pin is what apt takes after `=`, with a `*` at its end,
//! so that the next security update of the same upstream version still fits.

mod archive;
mod version;

use super::locale::{self, Locale};
use super::{
    ArchiveFile, Family, Installation, PlannedArchive, PlannedPackage, PlannedPin, Preparation,
    Step, encoded, shadow,
};
use crate::distribution::account::Accounts;
use crate::distribution::base::Moving;
use crate::distribution::machine::Libc;
use crate::fact::{Facts, Package};
use std::cmp::Ordering;

#[derive(Debug)]
pub(super) struct Apt;

/// Forbids maintainer scripts to start anything (invoke-rc.d(8)).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Names of architectures, and what executables call them where that differs.
const ARCHITECTURES: &[(&str, &str)] = &[
    ("amd64", "x86_64"),
    ("arm64", "aarch64"),
    ("armhf", "arm"),
    ("ppc64el", "ppc64"),
    ("s390x", "s390"),
];

impl Family for Apt {
    fn id(&self) -> &'static str {
        "apt"
    }

    fn database(&self) -> &'static str {
        "dpkg"
    }

    fn is_version(&self, version: &str) -> bool {
        version::is_version(version)
    }

    fn pin(&self, source: &str, version: &str, moving: &[Moving]) -> String {
        version::pin(source, version, moving)
    }

    fn compare(&self, a: &str, b: &str) -> Ordering {
        version::compare(a, b)
    }

    fn is_doubtful(&self, version: &str) -> bool {
        version::is_doubtful(version)
    }

    fn archives(&self, archives: &[PlannedArchive], pins: &[PlannedPin]) -> Vec<ArchiveFile> {
        archive::files(archives, pins)
    }

    fn prepare(&self, wanted: &Preparation<'_>) -> Vec<Step> {
        archive::prepare(wanted)
    }

    fn install(&self, wanted: &Installation<'_>) -> Vec<Step> {
        if wanted.packages.is_empty() {
            return Vec::new();
        }
        let mut steps = before(wanted);
        let locale = wanted.locale.and_then(Locale::new);
        let more = wanted.more_locales.iter().filter_map(Locale::beside);
        let makes = locale.is_some() || !wanted.more_locales.is_empty();
        let (first, rest): (Vec<_>, Vec<_>) = wanted
            .packages
            .iter()
            .partition(|package| makes && package.name == wanted.locales);
        let language = locale.filter(|_| !first.is_empty());
        if !first.is_empty() {
            steps.extend(packages(&first, None));
        }
        if let Some(locale) = &language {
            steps.extend(locale.steps("/etc/default/locale"));
        }
        steps.extend(
            more.filter(|_| !first.is_empty())
                .map(|locale| locale.made()),
        );
        let language = language.as_ref().map(|locale| locale.name);
        steps.extend(packages(&rest, language));
        steps.extend(wanted.timezone.into_iter().flat_map(locale::timezone));
        steps.push(Step::new(["rm", "-rf", POLICY]).inside("/var/lib/apt/lists"));
        steps
    }

    fn accounts(&self, accounts: &Accounts<'_>) -> Vec<Step> {
        shadow::accounts(accounts, &[])
    }

    fn purl(&self, distribution: Option<&str>, package: &Package) -> String {
        format!(
            "pkg:deb/{}/{}@{}?arch={}",
            distribution.unwrap_or("debian"),
            encoded(&package.name),
            encoded(&package.version),
            package.arch
        )
    }

    fn libc(&self, facts: &Facts) -> Option<Libc> {
        if let Some(package) = facts.package("libc6") {
            let upstream = package.version.split('-').next().unwrap_or_default();
            return Some(Libc::glibc(upstream));
        }
        let package = facts.package("musl")?;
        Some(Libc::musl(&package.version))
    }

    fn architecture<'a>(&self, package: &'a Package) -> Option<&'a str> {
        let own = package.arch.as_str();
        if own == "all" || own.is_empty() {
            return None;
        }
        let known = ARCHITECTURES.iter().find(|(name, _)| *name == own);
        Some(known.map_or(own, |(_, name)| name))
    }
}

/// What has to be there before the first package is.
fn before(wanted: &Installation<'_>) -> Vec<Step> {
    let mut steps = vec![
        Step::new(["printf", "#!/bin/sh\\nexit 101\\n"])
            .written(POLICY)
            .why("Maintainer scripts start nothing here."),
        Step::new(["chmod", "0755", POLICY]),
    ];
    if !wanted.directories.is_empty() {
        let words = ["mkdir", "-p"].into_iter();
        let step = Step::new(words.chain(wanted.directories.iter().map(String::as_str)));
        steps.push(step.why("The base leaves out where packages link manual pages."));
    }
    steps.push(Step::new(["apt-get", "update"]));
    steps
}

/// Nothing for no packages. Scripts of packages see `language`.
fn packages(packages: &[&PlannedPackage], language: Option<&str>) -> Option<Step> {
    if packages.is_empty() {
        return None;
    }
    let mut step = Step::new(["apt-get", "install", "-y", "--no-install-recommends"])
        .variable("DEBIAN_FRONTEND", "noninteractive");
    if let Some(language) = language {
        step = step.variable("LANG", language);
    }
    for package in packages {
        let word = format!("{}={}", package.name, package.pin);
        step = step.remarked(package.remark(), word);
    }
    Some(step)
}
