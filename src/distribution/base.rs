//! Base images: which image stands for the machine's release, and what it brings. Data under `detectors/base/`.

use super::family::{self, Family};
use super::table::{Account, DISTRIBUTIONS, Release};
pub use super::table::{Distribution, Moving, Scheduler};
use crate::fact::{Facts, OsRelease};
use crate::walk::glob;

/// The base chosen for a machine.
#[derive(Debug, Clone)]
pub struct Base {
    pub distribution: &'static Distribution,
    /// How packages are installed in the image; `None` where nobody here knows, and none are.
    pub family: Option<&'static dyn Family>,
    pub image: String,
    pub reason: String,
    /// The release's code name; empty where it is not known.
    pub codename: String,
    /// Where its archive went, as its installer is told it.
    pub moved: Vec<String>,
    /// Archives of what its own no longer has, which may not be there.
    pub past: Vec<String>,
    /// How the image calls its installer; empty: by the usual name.
    pub program: String,
    /// How an entry point becomes somebody else there; empty: by setpriv.
    pub dropper: String,
    /// The package of locales, with `{language}` where there is one for each.
    pub locales: String,
    /// Accounts beyond the static ones that the image already has.
    pub accounts: Vec<(String, u32)>,
    /// What the reader must know of the choice.
    pub note: Option<String>,
    /// The image is known to exist.
    pub is_known: bool,
}

/// The base for a machine's release. `None` only where no table could be read, which a test excludes.
pub fn choose(facts: &Facts) -> Option<Base> {
    let family = family::of(facts);
    let fallback = fallback(family)?;
    let Some(os) = &facts.os else {
        let why = "the machine does not say which release it is";
        return Some(guess(fallback, fallback.family(), why, &fallback.id, ""));
    };
    let own = DISTRIBUTIONS.iter().find(|d| d.is(&os.id));
    let day = newest(facts);
    let of_own = own.and_then(|d| {
        let release = d.release.iter().find(|r| r.is(os))?;
        known(d, release, os, day.as_deref())
    });
    if let Some(base) = of_own {
        return Some(base);
    }
    let kin = os
        .id_like
        .iter()
        .filter_map(|id| DISTRIBUTIONS.iter().find(|d| d.id == *id));
    for distribution in kin {
        let is_parent = |r: &&Release| {
            !r.codename.is_empty() && [&os.codename, &os.parent].contains(&&r.codename)
        };
        let Some(release) = distribution.release.iter().find(is_parent) else {
            continue;
        };
        let Some(base) = known(distribution, release, os, day.as_deref()) else {
            continue;
        };
        let reason = format!("{} is made from this release", os.pretty_name);
        let note = format!(
            "{} has no base image of its own in the table; its parent release is used, and packages that only it has will be missing.",
            os.pretty_name
        );
        return Some(Base {
            reason,
            note: Some(note),
            ..base
        });
    }
    let why = format!("{} is not in the table of base images", os.pretty_name);
    let distribution = own.unwrap_or(fallback);
    Some(guess(distribution, family, &why, &os.id, &os.version_id))
}

/// Stands in for a distribution that is in no table: of the machine's own family where there is one.
fn fallback(family: Option<&dyn Family>) -> Option<&'static Distribution> {
    let mut all = DISTRIBUTIONS.iter();
    let first = all.clone().find(|d| d.fallback);
    let Some(family) = family else { return first };
    let is_of = |d: &&Distribution| d.family().is_some_and(|own| own.id() == family.id());
    let of_family = first.filter(is_of).or_else(|| all.find(is_of));
    of_family.or(first)
}

/// The day that the newest package was installed on, as archives by day name it: `2024/01/31`.
fn newest(facts: &Facts) -> Option<String> {
    let seconds = facts.packages.iter().filter_map(|p| p.installed).max()?;
    Some(crate::text::day(seconds)?.replace('-', "/"))
}

/// `None` where its image has a place for something that the machine does not say.
fn known(
    distribution: &'static Distribution,
    release: &Release,
    os: &OsRelease,
    day: Option<&str>,
) -> Option<Base> {
    let has = |account: &&Account| {
        account
            .releases
            .iter()
            .any(|r| glob::matches(r, &os.version_id))
    };
    let own = os.version_id.as_str();
    let mut parts = own.split(['.', '_']);
    let (major, minor) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let fits = own.len() <= 64
        && own
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    let version = if fits { own } else { "" };
    let filled = |text: &String| {
        let values = [
            ("{version}", version),
            ("{major}", major),
            ("{minor}", minor),
        ];
        let values = values
            .into_iter()
            .chain([("{day}", day.unwrap_or_default())]);
        let mut filled = text.clone();
        for (name, value) in values {
            if filled.contains(name) && (value.is_empty() || !fits) {
                return None;
            }
            filled = filled.replace(name, value);
        }
        Some(filled)
    };
    let locales = release.locales.as_ref();
    let closed = release.closed.as_ref();
    Some(Base {
        distribution,
        family: distribution.family().filter(|_| closed.is_none()),
        image: filled(&release.image)?,
        reason: match closed {
            Some(why) => format!("the machine is {}, {why}", os.pretty_name),
            None => format!("the machine is {}", os.pretty_name),
        },
        codename: filled(&release.codename)?,
        moved: release.moved.iter().filter_map(filled).collect(),
        past: release.past.iter().filter_map(filled).collect(),
        program: release.program.clone(),
        dropper: release.dropper.clone(),
        locales: locales.unwrap_or(&distribution.packages.locales).clone(),
        accounts: (distribution.account.iter().filter(has))
            .map(|account| (account.name.clone(), account.uid))
            .collect(),
        note: closed.map_or_else(
            || release.note.clone(),
            |why| Some(format!("No packages are installed in the base: {why}.")),
        ),
        is_known: true,
    })
}

/// An image named after the release, and a note that nobody has checked it.
fn guess(
    distribution: &'static Distribution,
    family: Option<&'static dyn Family>,
    why: &str,
    id: &str,
    version: &str,
) -> Base {
    let word = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
            .collect()
    };
    let (id, version) = (word(id).to_lowercase(), word(version));
    let tag = if version.is_empty() {
        "latest".to_owned()
    } else {
        version
    };
    let image = format!("docker.io/library/{id}:{tag}");
    let packages = match family {
        Some(_) => format!(
            "the packages are asked for in the way of {}",
            distribution.id
        ),
        None => "no packages are installed in it, since this version does not know how".to_owned(),
    };
    Base {
        note: Some(format!(
            "{why}: the base {image} is a guess from its name, and {packages}."
        )),
        family,
        reason: why.to_owned(),
        distribution,
        image,
        codename: String::new(),
        moved: Vec::new(),
        past: Vec::new(),
        program: String::new(),
        dropper: String::new(),
        locales: distribution.packages.locales.clone(),
        accounts: Vec::new(),
        is_known: false,
    }
}

impl Base {
    /// Whether a suite is one of the distribution's, whatever the release: anybody reaches it in the distribution's archive.
    pub fn is_suite(&self, suite: &str) -> bool {
        let endings = &self.distribution.archive.suites;
        let mut releases = self.distribution.release.iter();
        releases.any(|release| is_one_of(suite, &release.codename, endings))
    }

    /// Whether every image of the release installs from it already, as far as the components go that it knows.
    pub fn has_suite(&self, suite: &str) -> bool {
        is_one_of(
            suite,
            &self.codename,
            &self.distribution.archive.base_suites,
        )
    }

    pub fn has_component(&self, component: &str) -> bool {
        let own = &self.distribution.archive;
        own.base_components.iter().any(|name| name == component)
    }
}

/// A machine that calls its release by a name that moves (`stable`) is known by what the archive says of itself.
fn is_one_of(suite: &str, codename: &str, endings: &[String]) -> bool {
    let rest = suite
        .strip_prefix(codename)
        .filter(|_| !codename.is_empty());
    rest.is_some_and(|rest| endings.iter().any(|ending| ending == rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Evidence;

    fn os(id: &str, like: &[&str], version: &str, codename: &str) -> OsRelease {
        OsRelease {
            id: id.into(),
            id_like: like.iter().map(|s| (*s).to_owned()).collect(),
            version_id: version.into(),
            codename: codename.into(),
            parent: String::new(),
            pretty_name: format!("{id} {version}"),
            evidence: Evidence::file(&"/etc/os-release".into()),
        }
    }

    fn chosen(os: OsRelease) -> Base {
        choose(&Facts {
            os: Some(os),
            ..Facts::default()
        })
        .unwrap()
    }

    fn image(os: OsRelease) -> (String, bool) {
        let base = chosen(os);
        (base.image, base.note.is_some())
    }

    #[test]
    fn releases_have_their_image() {
        for (version, expected) in [("11", "11-slim"), ("12", "12-slim"), ("13", "13-slim")] {
            let expected = format!("docker.io/library/debian:{expected}");
            assert_eq!(image(os("debian", &[], version, "")), (expected, false));
        }
        for version in ["20.04", "22.04", "24.04", "26.04"] {
            let expected = format!("docker.io/library/ubuntu:{version}");
            assert_eq!(
                image(os("ubuntu", &["debian"], version, "")),
                (expected, false)
            );
        }
        assert_eq!(
            image(os("debian", &[], "", "sid")).0,
            "docker.io/library/debian:sid-slim"
        );
    }

    #[test]
    fn a_derivative_takes_its_parent_and_a_stranger_is_noted() {
        let raspbian = os("raspbian", &["debian"], "12", "bookworm");
        assert_eq!(
            image(raspbian),
            ("docker.io/library/debian:12-slim".into(), true)
        );
        let odd = os("od$d\n", &[], "7 7", "");
        assert_eq!(image(odd), ("docker.io/library/odd:77".into(), true));
        assert!(choose(&Facts::default()).unwrap().note.is_some());
    }

    /// ID, VERSION_ID, PRETTY_NAME, image and family; no family where nothing can be installed.
    const IMAGES: &str = "
        rocky|8.9|Rocky Linux 8.9|docker.io/rockylinux/rockylinux:8|dnf
        almalinux|9.3|AlmaLinux 9.3|docker.io/library/almalinux:9.3|dnf
        rhel|9.2|RHEL 9.2|registry.access.redhat.com/ubi9/ubi:9.2|dnf
        centos|7|CentOS Linux 7|docker.io/library/centos:7|dnf
        centos|6.10|CentOS 6.10|docker.io/library/centos:6|
        centos|8|CentOS Linux 8|docker.io/library/centos:8|dnf
        centos|8|CentOS Stream 8|quay.io/centos/centos:stream8|dnf
        centos|9|CentOS Stream 9|quay.io/centos/centos:stream9|dnf
        ol|9.3|Oracle Linux 9.3|docker.io/library/oraclelinux:9|dnf
        amzn|2023|Amazon Linux 2023|docker.io/library/amazonlinux:2023|dnf
        fedora|40|Fedora 40|docker.io/library/fedora:40|dnf
        sles|15.5|SLES 15 SP5|registry.suse.com/suse/sle15:15.5|zypper
        sles_sap|15.4|SLES 15 SP4|registry.suse.com/suse/sle15:15.4|zypper
        sles|12.5|SLES 12 SP5|registry.suse.com/suse/sles12sp5:latest|
        opensuse-leap|15.5|Leap 15.5|registry.opensuse.org/opensuse/leap:15.5|zypper
        alpine|3.10.9|Alpine Linux v3.10|docker.io/library/alpine:3.10|apk
        alpine|3.22_alpha20250101|Alpine Linux edge|docker.io/library/alpine:edge|apk
        arch||Arch Linux|docker.io/library/archlinux:base|pacman";

    #[test]
    fn images_are_those_that_exist() {
        let named = |id: &str, version: &str, pretty: &str| {
            chosen(OsRelease {
                pretty_name: pretty.into(),
                ..os(id, &[], version, "")
            })
        };
        for line in IMAGES
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let [id, version, pretty, image, family] = line.split('|').collect::<Vec<_>>()[..]
            else {
                panic!("{line}");
            };
            let base = named(id, version, pretty);
            let found = base.family.map_or("", Family::id);
            assert_eq!(
                (base.image.as_str(), found, base.is_known),
                (image, family, true),
                "{line}"
            );
        }
        for (id, version) in [
            ("centos", "9"),
            ("rocky", ""),
            ("alpine", "3;x"),
            ("sles", "11.4"),
            ("odd", "1"),
        ] {
            assert!(!named(id, version, "").is_known, "{id}");
        }
    }

    #[test]
    fn an_archive_is_where_it_went() {
        let seven = chosen(os("centos", &[], "7", ""));
        assert!(seven.moved[0].starts_with("base https://vault.centos.org/7"));
        assert_eq!(
            (seven.program.as_str(), seven.locales.as_str()),
            ("yum", "glibc-common")
        );
        let rocky = chosen(os("rocky", &[], "9.3", ""));
        assert!(rocky.moved.is_empty() && rocky.past[0].contains("/vault/rocky/9.3/"));
        // The machine's own day; without one, nothing is known to fit.
        let arch = |installed| {
            let facts = Facts {
                os: Some(os("arch", &[], "", "")),
                packages: vec![crate::fact::Package {
                    installed,
                    ..crate::fact::Package::new(Evidence::file(&"/x".into()))
                }],
                ..Facts::default()
            };
            choose(&facts).unwrap().moved
        };
        assert!(arch(Some(1_706_659_200))[0].contains("/repos/2024/01/31/"));
        assert!(arch(None).is_empty());
    }

    #[test]
    fn no_image_is_told_of_another_familys_packages() {
        for (id, family) in [
            ("fedora", Some("dnf")),
            ("scientific", Some("dnf")),
            ("odd", None),
        ] {
            let base = chosen(os(id, &[], "77", ""));
            assert_eq!(base.family.map(Family::id), family, "{id}");
            let of_base = base.distribution.family().map(Family::id);
            assert!(family.is_none() || of_base == family, "{id}");
        }
    }

    #[test]
    fn an_account_stands_where_the_image_has_it() {
        let base = chosen(os("ubuntu", &[], "24.04", "noble"));
        assert!(base.accounts.contains(&("ubuntu".to_owned(), 1000)));
        let base = chosen(os("debian", &[], "11", "bullseye"));
        assert_eq!(base.accounts, [("_apt".to_owned(), 100)]);
    }

    #[test]
    fn patterns() {
        let table = DISTRIBUTIONS.iter().find(|d| d.fallback).unwrap();
        assert!(table.is_generated(&"/etc/ssl/certs/a.pem".into()));
        assert!(table.is_generated(&"/etc/nginx/x.conf.dpkg-dist".into()));
        assert!(!table.is_generated(&"/etc/nginx/x.conf".into()));
        assert!(table.is_never_carried(&"/srv/app/.git".into()));
        assert!(table.is_never_carried(&"/srv/app/.git/config".into()));
        assert!(table.is_never_carried(&"/root/.bash_history".into()));
        assert!(!table.is_never_carried(&"/srv/app/.gitignore".into()));
    }
}
