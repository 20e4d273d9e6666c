//! Families of distributions: how versions are pinned, packages installed and accounts made, and what only one family's
//! packages are called. One file each; no word of a package manager stands outside of its file.
//!
//! What a family has done to an image is said in [`Step`]s, which are words and not text: whoever writes them quotes them.

mod apk;
mod apt;
mod dnf;
mod pacman;
mod shared;
mod step;
mod zypper;

pub use super::archive::{PlannedArchive, PlannedPin};
pub use shared::locale;
pub use step::{Output, Step, Word};

use self::shared::{key, rpm, shadow};
use super::account::Accounts;
use super::base::Moving;
use super::kin;
use super::machine::Libc;
use crate::fact::{Facts, Package};
use crate::path::MachinePath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt::Debug;

/// A package of the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedPackage {
    pub name: String,
    /// What the installer is asked for: `1.22.1-*`, so that a security update does not break the build. Families whose
    /// installers have more than one relation write that too: `~1.26`, `>=1.26`.
    pub pin: String,
    /// What the machine had; empty where the machine did not have the package.
    pub version: String,
}

impl PlannedPackage {
    /// For the reader, before its name is asked for.
    fn remark(&self) -> String {
        match self.version.as_str() {
            "" => format!("{}: not on the machine", self.name),
            version => format!("{}: {version} on the machine", self.name),
        }
    }
}

/// What has to be done to a base before anything is installed from further archives.
#[derive(Debug, Clone, Copy)]
pub struct Preparation<'a> {
    pub archives: &'a [PlannedArchive],
    /// Of the base's own archive, beside those that it installs from.
    pub components: &'a [String],
    /// Where the release's archive went, as base images' tables say it; empty while it is where the base looks for it.
    pub moved: &'a [String],
    /// Archives of what the release's own no longer has, in the same way.
    pub past: &'a [String],
}

/// A file that tells the installer of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    pub path: MachinePath,
    pub text: String,
}

/// A locale that an image makes beside its main one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedLocale {
    pub name: String,
    /// Where the name does not say it: `ISO-8859-15` of `de_DE@euro`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
}

/// What an image is to have installed.
#[derive(Debug, Clone, Copy)]
pub struct Installation<'a> {
    pub packages: &'a [PlannedPackage],
    /// Archives that it was told of.
    pub archives: &'a [PlannedArchive],
    /// How the image calls the installer; empty: by its usual name.
    pub program: &'a str,
    /// Streams of modules that packages are of: `name:stream`.
    pub modules: &'a [String],
    /// Of the base's own archive, beside those that it installs from.
    pub components: &'a [String],
    /// Directories that must be there before.
    pub directories: &'a [String],
    pub locale: Option<&'a str>,
    /// Locales that are made beside it.
    pub more_locales: &'a [PlannedLocale],
    /// The package that locales are made from; with [`locale::LANGUAGE`] where there is one for each.
    pub locales: &'a str,
    pub timezone: Option<&'a str>,
}

/// How the distributions of a family do it.
pub trait Family: Debug + Sync {
    /// The name of its file, which `detectors/family` calls it by.
    fn id(&self) -> &'static str;

    /// The package database that goes with it, as the database's reader calls itself.
    fn database(&self) -> &'static str;

    /// Whether this is a version at all; anything else is damage.
    fn is_version(&self, version: &str) -> bool;

    /// What the installer is asked for in the place of `version`, so that the next security update still fits.
    fn pin(&self, source: &str, version: &str, moving: &[Moving]) -> String;

    /// Which of two versions is the newer one.
    fn compare(&self, a: &str, b: &str) -> Ordering;

    /// Whether a version looks as if it were not of the release's own archive. It may look so for no reason.
    fn is_doubtful(&self, version: &str) -> bool;

    /// The files that add archives to an image, with their keys, and say which is preferred.
    fn archives(&self, archives: &[PlannedArchive], pins: &[PlannedPin]) -> Vec<ArchiveFile>;

    /// Before those files come: what they cannot be used without.
    fn prepare(&self, wanted: &Preparation<'_>) -> Vec<Step>;

    /// Nothing where no package is asked for.
    fn install(&self, wanted: &Installation<'_>) -> Vec<Step>;

    /// Made before the packages are installed, so that their scripts find them.
    fn accounts(&self, accounts: &Accounts<'_>) -> Vec<Step>;

    /// The package URL; `distribution` is the release's own name, where the machine says it.
    fn purl(&self, distribution: Option<&str>, package: &Package) -> String;

    /// By the package that brings it.
    fn libc(&self, facts: &Facts) -> Option<Libc>;

    /// What a package is built for, as executables call it; `None` for what runs on any.
    fn architecture<'a>(&self, package: &'a Package) -> Option<&'a str>;
}

/// Every family; a test compares it with the folder.
pub const FAMILIES: &[&dyn Family] = &[
    &apk::Apk,
    &apt::Apt,
    &dnf::Dnf,
    &pacman::Pacman,
    &zypper::Zypper,
];

/// The family with this name.
pub(super) fn named(id: &str) -> Option<&'static dyn Family> {
    FAMILIES.iter().copied().find(|family| family.id() == id)
}

/// The machine's family: of its package database where one was read, else of its release. `None` where nobody here knows
/// how its packages are installed.
pub fn of(facts: &Facts) -> Option<&'static dyn Family> {
    let named = || kin::of(facts.os.as_ref()?)?.installer();
    let Some(database) = &facts.package_database else {
        return named();
    };
    // One database goes with several installers.
    let is_its = |family: &&dyn Family| family.database() == database;
    let of_name = named().filter(is_its);
    of_name.or_else(|| FAMILIES.iter().copied().find(is_its))
}

/// The package URL on a machine whose packages are installed by `family`; where nobody here knows how, one
/// of no type in particular.
pub fn purl(family: Option<&dyn Family>, facts: &Facts, package: &Package) -> String {
    let distribution = facts.os.as_ref().map(|os| os.id.as_str());
    if let Some(family) = family {
        return family.purl(distribution, package);
    }
    format!(
        "pkg:generic/{}@{}",
        encoded(&package.name),
        encoded(&package.version)
    )
}

/// A package URL of a type; `version` is without what has a qualifier of its own.
fn typed(kind: &str, distribution: Option<&str>, package: &Package, version: &str) -> String {
    let place = distribution.map(|name| format!("{}/", encoded(name)));
    format!(
        "pkg:{kind}/{}{}@{}?arch={}",
        place.unwrap_or_default(),
        encoded(&package.name),
        encoded(version),
        encoded(&package.arch)
    )
}

/// What the specification of package URLs has percent-encoded is.
fn encoded(text: &str) -> String {
    text.replace('%', "%25")
        .replace('+', "%2B")
        .replace(':', "%3A")
        .replace('^', "%5E")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Evidence, OsRelease};

    /// Steps as a shell would read them, without quotes.
    pub(super) fn shown(steps: &[Step]) -> Vec<String> {
        let step = |step: &Step| {
            let words = step.words.iter().map(|word| match word {
                Word::Text(text) => text.clone(),
                Word::Inside(directory) => format!("{directory}/*"),
            });
            let output = step.output.iter().map(|output| match output {
                Output::New(file) => format!("> {file}"),
                Output::Append(file) => format!(">> {file}"),
            });
            let remarked = step.remarked.iter().map(|(_, word)| word.clone());
            words
                .chain(remarked)
                .chain(output)
                .collect::<Vec<_>>()
                .join(" ")
        };
        steps.iter().map(step).collect()
    }

    /// An image with one package.
    pub(super) fn wanted(family: &dyn Family) -> Installation<'static> {
        let version = if family.id() == "apk" {
            "1.2.3-r0"
        } else {
            "1.2.3-4"
        };
        let package = PlannedPackage {
            name: "alpha".into(),
            pin: family.pin("alpha", version, &[]),
            version: version.into(),
        };
        Installation {
            packages: Box::leak(Box::new([package])),
            archives: &[],
            program: "",
            modules: &[],
            components: &[],
            directories: &[],
            locale: None,
            more_locales: &[],
            locales: "",
            timezone: None,
        }
    }

    pub(super) fn moving() -> Vec<Moving> {
        let table = |source: &str, keep| Moving {
            source: source.into(),
            keep,
        };
        vec![
            table("postgresql*", 1),
            table("tzdata", 0),
            table("mariadb", 2),
            table("php", 2),
        ]
    }

    fn machine(id: &str, like: &[&str], database: Option<&str>) -> Facts {
        let os = OsRelease {
            id: id.into(),
            id_like: like.iter().map(|s| (*s).to_owned()).collect(),
            version_id: String::new(),
            codename: String::new(),
            parent: String::new(),
            pretty_name: String::new(),
            evidence: Evidence::file(&"/etc/os-release".into()),
        };
        Facts {
            os: Some(os),
            package_database: database.map(str::to_owned),
            ..Facts::default()
        }
    }

    #[test]
    fn a_package_url_is_of_its_databases_type() {
        let package = Package {
            name: "gamma+x".into(),
            version: "2:1.0^git~1-3".into(),
            arch: "x86_64".into(),
            source: "gamma".into(),
            manual: true,
            ..Package::new(Evidence::file(&"/var/lib/rpm/rpmdb.sqlite".into()))
        };
        let url = |database| {
            let facts = machine("rocky", &[], database);
            purl(super::of(&facts), &facts, &package)
        };
        assert_eq!(
            url(Some("rpm")),
            "pkg:rpm/rocky/gamma%2Bx@1.0%5Egit~1-3?arch=x86_64&epoch=2"
        );
        assert_eq!(
            url(Some("pacman")),
            "pkg:alpm/rocky/gamma%2Bx@2%3A1.0%5Egit~1-3?arch=x86_64"
        );
        assert_eq!(url(Some("opkg")), "pkg:generic/gamma%2Bx@2%3A1.0%5Egit~1-3");
    }

    #[test]
    fn a_machine_has_the_family_of_its_packages_before_that_of_its_name() {
        let of = |id, like, database| of(&machine(id, like, database)).map(Family::id);
        assert_eq!(of("debian", &[], None), Some("apt"));
        assert_eq!(of("odd", &["ubuntu", "debian"], None), Some("apt"));
        assert_eq!(of("odd", &[], Some("dpkg")), Some("apt"));
        assert_eq!(of("debian", &[], Some("another")), None);
        assert_eq!(of("odd", &[], None), None);
        for (id, family) in [
            ("fedora", "dnf"),
            ("rocky", "dnf"),
            ("sles", "zypper"),
            ("opensuse-leap", "zypper"),
            ("alpine", "apk"),
            ("arch", "pacman"),
        ] {
            assert_eq!(of(id, &[], None), Some(family), "{id}");
        }
        assert_eq!(of("opensuse-leap", &["suse"], Some("rpm")), Some("zypper"));
        assert_eq!(of("rocky", &["rhel"], Some("rpm")), Some("dnf"));
        assert_eq!(of("debian", &[], Some("rpm")), Some("dnf"));
    }
}
