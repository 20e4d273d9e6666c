//! Debian and what is made from it: apt, dpkg, and the accounts of `passwd`.
//!
//! Versions are deb-version(7): `[epoch:]upstream[-revision]`. A pin is what apt takes after `=`, with a `*` at its end,
//! so that the next security update of the same upstream version still fits.

use super::{Family, Installation, Origin, PlannedPackage, Step, encoded};
use crate::distribution::account::{Accounts, PlannedUser};
use crate::distribution::base::Moving;
use crate::distribution::machine::Libc;
use crate::fact::{Facts, Package};
use crate::walk::glob;

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
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '~' | ':');
        version.len() <= 256 && version.chars().all(fits)
    }

    fn pin(&self, source: &str, version: &str, moving: &[Moving]) -> String {
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

    fn origin(&self, version: &str) -> Origin {
        if version.contains("~bpo") {
            Origin::Backports
        } else if is_foreign(version) {
            Origin::Elsewhere
        } else {
            Origin::Release
        }
    }

    fn install(&self, wanted: &Installation<'_>) -> Vec<Step> {
        if wanted.packages.is_empty() {
            return Vec::new();
        }
        let mut steps = before(wanted);
        let locale = wanted.locale.and_then(Locale::new);
        let (first, rest): (Vec<_>, Vec<_>) = wanted
            .packages
            .iter()
            .partition(|package| locale.is_some() && package.name == wanted.locales);
        let language = locale.filter(|_| !first.is_empty());
        if let Some(locale) = &language {
            steps.extend(packages(&first, None));
            steps.extend(locale.steps());
        }
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

/// A native version without the mark of a stable update: `1.2+deb12u3` is `1.2`.
fn without_update(version: &str) -> &str {
    let marks = ["+deb", "~deb", "~bpo", "+bpo", "+nmu"];
    let cut = marks.iter().filter_map(|mark| version.find(mark)).min();
    cut.and_then(|at| version.get(..at)).unwrap_or(version)
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

/// What has to be there before the first package is.
fn before(wanted: &Installation<'_>) -> Vec<Step> {
    let sources = wanted.sources.iter();
    let mut steps: Vec<Step> = sources
        .map(|line| {
            Step::new(["printf", "%s\\n", line]).appended("/etc/apt/sources.list.d/machine.list")
        })
        .collect();
    steps.push(
        Step::new(["printf", "#!/bin/sh\\nexit 101\\n"])
            .written(POLICY)
            .why("Maintainer scripts start nothing here."),
    );
    steps.push(Step::new(["chmod", "0755", POLICY]));
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

    fn steps(&self) -> [Step; 2] {
        let (input, charset, name) = (&self.definition, self.charset, self.name);
        let aliases = "/usr/share/locale/locale.alias";
        let made = Step::new([
            "localedef",
            "-i",
            input,
            "-c",
            "-f",
            charset,
            "-A",
            aliases,
            name,
        ]);
        [
            made.why(format!("The machine's locale, {name}.")),
            Step::new(["printf", "LANG=%s\\n", name]).written("/etc/default/locale"),
        ]
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
                Apt.pin(source, version, &moving()),
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
            assert_eq!(Apt.origin(version), Origin::Elsewhere, "{version}");
        }
        for version in [
            "1.22.1-9+deb12u2",
            "8.2.20-1~deb12u1",
            "2.4.52-1ubuntu4.9",
            "1.2-3~exp1",
        ] {
            assert_eq!(Apt.origin(version), Origin::Release, "{version}");
        }
        assert_eq!(Apt.origin("1.2-3~bpo12+1"), Origin::Backports);
    }

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

    proptest::proptest! {
        #[test]
        fn any_version_has_a_pin(source in ".{0,12}", version in ".{0,24}") {
            proptest::prop_assert!(Apt.pin(&source, &version, &moving()).ends_with('*'));
        }
    }
}
