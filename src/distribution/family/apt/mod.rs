//! Debian and what is made from it: apt, dpkg, and the accounts of `passwd`.
//!
//! Versions are deb-version(7): `[epoch:]upstream[-revision]`. A pin is what apt takes after `=`, with a `*` at its end,
//! so that the next security update of the same upstream version still fits.

mod archive;
mod version;

use super::{
    ArchiveFile, Family, Installation, PlannedArchive, PlannedLocale, PlannedPackage, PlannedPin,
    Preparation, Step, encoded,
};
use crate::distribution::account::{Accounts, PlannedUser};
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

/// The numbers below are for the system's own accounts (adduser.conf(5)).
const FIRST_PERSON: u32 = 1000;

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
            steps.extend(locale.steps());
        }
        steps.extend(
            more.filter(|_| !first.is_empty())
                .map(|locale| locale.made()),
        );
        let language = language.as_ref().map(|locale| locale.name);
        steps.extend(packages(&rest, language));
        steps.extend(wanted.timezone.into_iter().flat_map(timezone));
        steps.push(Step::new(["rm", "-rf", POLICY]).inside("/var/lib/apt/lists"));
        steps
    }

    fn accounts(&self, accounts: &Accounts<'_>) -> Vec<Step> {
        let gone = accounts.displaced.iter().map(|name| {
            Step::new(["userdel", name]).why(
                "This account of the base has a number that the machine gave to somebody else.",
            )
        });
        let groups = accounts.groups.iter().map(|group| {
            let gid = group.gid.to_string();
            Step::new(["groupadd", "--gid", &gid, &group.name])
        });
        let users = accounts.users.iter().map(|user| account(user, accounts));
        let memberships = (accounts.memberships.iter())
            .map(|(user, group)| Step::new(["usermod", "--append", "--groups", group, user]));
        let mut made = groups.chain(users).chain(memberships);
        let first = made.next().map(|step| step.why(Accounts::WHY));
        gone.chain(first).chain(made).collect()
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
        let had = match package.version.as_str() {
            "" => "not on the machine".to_owned(),
            version => format!("{version} on the machine"),
        };
        let word = format!("{}={}", package.name, package.pin);
        step = step.remarked(format!("{}: {had}", package.name), word);
    }
    Some(step)
}

fn timezone(zone: &str) -> [Step; 2] {
    let file = format!("/usr/share/zoneinfo/{zone}");
    [
        Step::new(["ln", "-sf", &file, "/etc/localtime"]).why("The machine's time zone."),
        Step::new(["printf", "%s\\n", zone]).written("/etc/timezone"),
    ]
}

/// What localedef(1) is told.
#[derive(Debug, PartialEq, Eq)]
struct Locale<'a> {
    name: &'a str,
    definition: String,
    charset: &'a str,
}

impl<'a> Locale<'a> {
    /// `None`: every image has it.
    fn new(name: &'a str) -> Option<Self> {
        let (stem, modifier) = name
            .split_once('@')
            .map_or((name, String::new()), |(n, m)| (n, format!("@{m}")));
        let (language, charset) = stem.split_once('.').unwrap_or((stem, "ISO-8859-1"));
        if matches!(language, "C" | "POSIX") {
            return None;
        }
        let is_utf8 = charset.eq_ignore_ascii_case("utf8");
        Some(Self {
            name,
            definition: format!("{language}{modifier}"),
            charset: if is_utf8 { "UTF-8" } else { charset },
        })
    }

    fn beside(locale: &'a PlannedLocale) -> Option<Self> {
        let named = Self::new(&locale.name)?;
        let charset = locale.charset.as_deref();
        Some(Self {
            charset: charset.unwrap_or(named.charset),
            ..named
        })
    }

    fn steps(&self) -> [Step; 2] {
        let name = self.name;
        [
            self.made().why(format!("The machine's locale, {name}.")),
            Step::new(["printf", "LANG=%s\\n", name]).written("/etc/default/locale"),
        ]
    }

    fn made(&self) -> Step {
        let (input, charset, name) = (&self.definition, self.charset, self.name);
        let aliases = "/usr/share/locale/locale.alias";
        Step::new([
            "localedef",
            "-i",
            input,
            "-c",
            "-f",
            charset,
            "-A",
            aliases,
            name,
        ])
    }
}

fn account(user: &PlannedUser, accounts: &Accounts<'_>) -> Step {
    let mut words = vec!["useradd".to_owned(), "--no-log-init".to_owned()];
    let mut option = |option: &str, value: Option<String>| {
        words.push(option.to_owned());
        words.extend(value);
    };
    if user.uid < FIRST_PERSON {
        option("--system", None);
    }
    let mut others = accounts.users.iter();
    if others.any(|other| other.uid == user.uid && other.name != user.name) {
        option("--non-unique", None);
    }
    option("--uid", Some(user.uid.to_string()));
    option("--gid", Some(user.gid.to_string()));
    if !user.groups.is_empty() {
        option("--groups", Some(user.groups.join(",")));
    }
    option("--home-dir", Some(user.home.clone()));
    option("--no-create-home", None);
    option("--shell", Some(user.shell.clone()));
    words.push(user.name.clone());
    Step::new(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_have_a_definition() {
        let found = |name| Locale::new(name).map(|locale| (locale.definition, locale.charset));
        assert_eq!(found("en_US.UTF-8"), Some(("en_US".into(), "UTF-8")));
        assert_eq!(
            found("de_DE.utf8@euro"),
            Some(("de_DE@euro".into(), "UTF-8"))
        );
        assert_eq!(found("de_DE"), Some(("de_DE".into(), "ISO-8859-1")));
        assert_eq!(found("C.UTF-8"), None);
    }
}
