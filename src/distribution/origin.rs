//! Where each installed package came from, as the machine's lists and source lists tell.
//!
//! A list that has the package at its version is proof. A list that has it at another version is as good where that one is
//! a newer one, or differs in what security updates change. Where lists were removed, the archives that are configured are
//! all that it can be from. A version's own text decides nothing; it only raises a doubt on a machine that configures no
//! archive at all.

use super::archive;
use super::base::Base;
use super::family::Family;
use crate::fact::archive::{Archive, Archives, ListedPackage};
use crate::fact::{Evidence, Facts, Package};
use crate::path::MachinePath;
use crate::walk::glob;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where a package came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From the distribution's own archive; which of its parts, where a list says so.
    Own(Option<Found>),
    /// From somebody else's archive.
    Foreign(Found),
    /// No list has it, or a log says so: somebody installed a file.
    Local(Option<Evidence>),
    /// From one of the archives without a list ([`Origins::candidates`]) or from the distribution's, and nothing says which.
    Open,
    /// Nothing is configured, and the version does not look like the distribution's.
    Unknown,
}

/// A package in an archive's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its place among the machine's archives.
    pub archive: usize,
    pub component: String,
    /// The list's entry.
    pub evidence: Evidence,
}

/// The origins of a machine's packages.
#[derive(Debug)]
pub struct Origins<'a> {
    facts: &'a Facts,
    own: Vec<bool>,
    of: Vec<Origin>,
    candidates: Vec<usize>,
}

/// Archives that are named for each package that may be from any of them.
const SHOWN: usize = 3;

/// Entries of lists, by package.
type Entries<'a> = HashMap<&'a str, Vec<(usize, &'a str, &'a MachinePath, &'a ListedPackage)>>;

impl<'a> Origins<'a> {
    pub fn new(facts: &'a Facts, base: &Base) -> Self {
        let archives = &facts.archives;
        let own: Vec<bool> = archives
            .sources
            .iter()
            .map(|one| archive::is_own(archives, one, base))
            .collect();
        let mut entries = Entries::new();
        let mut listed = BTreeSet::new();
        for list in &archives.listed {
            let Some((at, component)) = archive_of(&archives.sources, &list.path) else {
                continue;
            };
            listed.insert(at);
            for package in &list.packages {
                let known = entries.entry(&package.name).or_default();
                known.push((at, component, &list.path, package));
            }
        }
        let all = 0..archives.sources.len();
        let unlisted: Vec<usize> = all.filter(|at| !listed.contains(at)).collect();
        let asked = Asked {
            own: &own,
            entries: &entries,
            unlisted: &unlisted,
            installed: &archives.installed,
            archives,
            base,
            is_bare: archives.sources.is_empty(),
        };
        let of = facts.packages.iter().map(|package| asked.origin(package));
        let of = of.collect();
        let foreign = unlisted.iter().copied();
        let foreign = foreign.filter(|at| !own.get(*at).copied().unwrap_or_default());
        let candidates = foreign.collect();
        Self {
            facts,
            own,
            of,
            candidates,
        }
    }

    /// By a package's place among the machine's.
    pub fn of(&self, at: usize) -> &Origin {
        self.of.get(at).unwrap_or(&Origin::Own(None))
    }

    /// Somebody else's archives of which no list is left.
    pub fn candidates(&self) -> &[usize] {
        &self.candidates
    }

    /// An archive of the machine.
    pub fn archive(&self, at: usize) -> Option<&'a Archive> {
        self.facts.archives.sources.get(at)
    }

    /// The distribution's own archives that the machine configures.
    pub fn own(&self) -> impl Iterator<Item = &'a Archive> {
        let all = self.facts.archives.sources.iter().zip(&self.own);
        all.filter(|(_, own)| **own).map(|(archive, _)| archive)
    }

    /// In words: an archive, `local`, `unknown`, or the distribution's name where no list says more.
    pub fn says(&self, at: usize) -> (String, Vec<Evidence>) {
        let one = |found: &Found| {
            let archive = self.archive(found.archive)?;
            let evidence = vec![found.evidence.clone(), archive.evidence.clone()];
            Some((archive::label(archive, &found.component), evidence))
        };
        let distribution = || {
            let os = self.facts.os.as_ref();
            os.map_or_else(|| "distribution".to_owned(), |os| os.id.clone())
        };
        match self.of(at) {
            Origin::Own(Some(found)) | Origin::Foreign(found) => {
                one(found).unwrap_or_else(|| (distribution(), Vec::new()))
            }
            Origin::Own(None) => (distribution(), Vec::new()),
            Origin::Local(evidence) => ("local".to_owned(), evidence.iter().cloned().collect()),
            Origin::Open => {
                let archives = self.candidates.iter().take(SHOWN);
                let archives = archives.filter_map(|at| self.archive(*at));
                let evidence = archives.map(|archive| archive.evidence.clone());
                ("unknown".to_owned(), evidence.collect())
            }
            Origin::Unknown => ("unknown".to_owned(), Vec::new()),
        }
    }
}

/// The archive and component that a list is of.
fn archive_of<'a>(archives: &'a [Archive], list: &MachinePath) -> Option<(usize, &'a str)> {
    let path = list.text();
    let mut all = archives.iter().enumerate();
    all.find_map(|(at, archive)| {
        let mut lists = archive.lists.iter();
        let (component, _) = lists.find(|(_, begins)| {
            let rest = path.strip_prefix(begins.as_str()).unwrap_or_default();
            rest.starts_with("binary-") || rest.starts_with("Packages")
        })?;
        Some((at, component.as_str()))
    })
}

/// Words of a maker's name that tell it from others.
fn words(vendor: &str) -> Vec<String> {
    let words = vendor.split(|c: char| !c.is_ascii_alphanumeric());
    let long = words.filter(|word| word.len() >= 4).map(str::to_lowercase);
    let common = [
        "packag",
        "project",
        "repositor",
        "team",
        "group",
        "https",
        "http",
        "corp",
        "software",
        "linux",
        "development",
        "global",
        "download",
    ];
    long.filter(|word| !common.iter().any(|begins| word.starts_with(begins)))
        .collect()
}

/// What a package is looked up in.
struct Asked<'a> {
    own: &'a [bool],
    entries: &'a Entries<'a>,
    /// Archives whose lists were removed, or never fetched.
    unlisted: &'a [usize],
    /// Packages that were installed from files.
    installed: &'a BTreeMap<String, Evidence>,
    archives: &'a Archives,
    base: &'a Base,
    /// No archive is configured.
    is_bare: bool,
}

impl Asked<'_> {
    fn is_own(&self, at: usize) -> bool {
        self.own.get(at).copied().unwrap_or_default()
    }

    fn origin(&self, package: &Package) -> Origin {
        let entries = self.entries.get(package.name.as_str());
        let found = entries.and_then(|entries| {
            let near = |entry: &&(usize, &str, &MachinePath, &ListedPackage)| {
                let (at, ..) = entry;
                Some((self.nearness(package, &entry.3.version)?, !self.is_own(*at)))
            };
            let known = entries
                .iter()
                .filter_map(|entry| Some((near(&entry)?, entry)));
            known.min_by_key(|(near, _)| *near).map(|(_, entry)| entry)
        });
        if let Some((at, component, path, entry)) = found {
            let excerpt = format!("Package: {} {}", entry.name, entry.version);
            let found = Found {
                archive: *at,
                component: (*component).to_owned(),
                evidence: Evidence::line(path, entry.line, &excerpt),
            };
            return if self.is_own(*at) {
                Origin::Own(Some(found))
            } else {
                Origin::Foreign(found)
            };
        }
        if !self.base.distribution.archive.vendors.is_empty() {
            return self.by_maker(package);
        }
        if let Some(evidence) = self.installed.get(&package.name) {
            return Origin::Local(Some(evidence.clone()));
        }
        if self.is_bare {
            let family = self.base.family;
            let doubtful = family.is_some_and(|family| family.is_doubtful(&package.version));
            return if doubtful {
                Origin::Unknown
            } else {
                Origin::Own(None)
            };
        }
        if self.unlisted.is_empty() {
            return Origin::Local(None);
        }
        if self.unlisted.iter().all(|at| self.is_own(*at)) {
            Origin::Own(None)
        } else {
            Origin::Open
        }
    }

    /// Where packages say who made them, that decides; which of others' archives one is from, the installer's notes say, or a word
    /// that the maker and the archive share.
    fn by_maker(&self, package: &Package) -> Origin {
        let vendors = &self.base.distribution.archive.vendors;
        let is_own = vendors
            .iter()
            .any(|vendor| glob::matches(vendor, &package.vendor));
        let named = || {
            let id = self.archives.came.get(&package.name)?;
            let mut all = self.archives.sources.iter();
            all.position(|archive| archive.id == *id)
        };
        let found = |at: usize| {
            let archive = self.archives.sources.get(at)?;
            Some(Found {
                archive: at,
                component: archive.id.clone(),
                evidence: archive.evidence.clone(),
            })
        };
        if is_own {
            return Origin::Own(named().filter(|at| self.is_own(*at)).and_then(found));
        }
        let words = words(&package.vendor);
        let shares = |archive: &Archive| {
            let place = [archive.id.as_str(), archive::host(&archive.uri)]
                .join(" ")
                .to_lowercase();
            words.iter().any(|word| place.contains(word))
        };
        let shared = || {
            let all = self.archives.sources.iter().enumerate();
            let mut foreign = all.filter(|(at, _)| !self.is_own(*at));
            foreign
                .find(|(_, archive)| shares(archive))
                .map(|(at, _)| at)
        };
        let at = named().filter(|at| !self.is_own(*at)).or_else(shared);
        at.and_then(found)
            .map_or(Origin::Local(None), Origin::Foreign)
    }

    /// How well a listed version stands for the installed one; `None` where it does not.
    fn nearness(&self, package: &Package, listed: &str) -> Option<u8> {
        if listed == package.version {
            return Some(0);
        }
        let family: &dyn Family = self.base.family?;
        let pin = family.pin(
            &package.source,
            &package.version,
            &self.base.distribution.moving,
        );
        if glob::matches(&pin, listed) && pin != "*" {
            return Some(1);
        }
        (family.compare(listed, &package.version) == Ordering::Greater).then_some(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::base;
    use crate::fact::OsRelease;
    use crate::fact::archive::{Described, Listed, SignedBy};

    const LISTS: &str = "/var/lib/apt/lists/";

    fn archive(host: &str, signed_by: Vec<SignedBy>) -> Archive {
        let release = format!("{LISTS}{host}_dists_bookworm_");
        Archive {
            id: String::new(),
            uri: format!("http://{host}"),
            suite: "bookworm".into(),
            components: vec!["main".into()],
            signed_by,
            trusted: false,
            login: false,
            lists: vec![("main".into(), format!("{release}main_"))],
            release,
            evidence: Evidence::file(&format!("/etc/apt/{host}").as_str().into()),
        }
    }

    fn list(host: &str, packages: &[(&str, &str)]) -> Listed {
        let path = format!("{LISTS}{host}_dists_bookworm_main_binary-amd64_Packages");
        let package = |(name, version): &(&str, &str)| ListedPackage {
            name: (*name).into(),
            version: (*version).into(),
            line: 7,
        };
        Listed {
            path: path.as_str().into(),
            packages: packages.iter().map(package).collect(),
        }
    }

    fn machine(packages: &[(&str, &str)]) -> Facts {
        let package = |(name, version): &(&str, &str)| Package {
            name: (*name).into(),
            version: (*version).into(),
            arch: "amd64".into(),
            source: (*name).into(),
            manual: true,
            ..Package::new(Evidence::file(&"/var/lib/dpkg/status".into()))
        };
        Facts {
            os: Some(OsRelease {
                id: "debian".into(),
                id_like: Vec::new(),
                version_id: "12".into(),
                codename: "bookworm".into(),
                parent: String::new(),
                pretty_name: "Debian".into(),
                evidence: Evidence::file(&"/etc/os-release".into()),
            }),
            package_database: Some("dpkg".into()),
            packages: packages.iter().map(package).collect(),
            ..Facts::default()
        }
    }

    fn said(facts: &Facts) -> Vec<String> {
        let base = base::choose(facts).unwrap();
        let origins = Origins::new(facts, &base);
        let all = 0..facts.packages.len();
        all.map(|at| origins.says(at).0).collect()
    }

    #[test]
    fn lists_decide_and_versions_do_not() {
        let mut facts = machine(&[
            ("own", "1.0-1"),
            ("updated", "1.0-1+deb12u1"),
            ("newer", "2.0-1"),
            ("theirs", "1.0-1~bpo12+1"),
            ("local", "3"),
            ("both", "1-1"),
        ]);
        let own = [
            ("own", "1.0-1"),
            ("updated", "1.0-1+deb12u9"),
            ("newer", "1.0-1"),
            ("both", "1-1"),
        ];
        facts.archives.sources = vec![
            archive("deb.debian.org", Vec::new()),
            archive("other.example.net", Vec::new()),
        ];
        facts.archives.listed = vec![
            list("deb.debian.org", &own),
            list(
                "other.example.net",
                &[("theirs", "1.0-1~bpo12+1"), ("both", "1-1")],
            ),
        ];
        let (main, other) = (
            "http://deb.debian.org bookworm main",
            "http://other.example.net bookworm main",
        );
        assert_eq!(said(&facts), [main, main, "local", other, "local", main]);
        // A mirror is known by what it says of itself.
        let host = "other.example.net";
        facts.archives.described.push(Described {
            path: format!("{LISTS}{host}_dists_bookworm_InRelease")
                .as_str()
                .into(),
            origin: "Debian".into(),
            ..Described::default()
        });
        let base = base::choose(&facts).unwrap();
        let origins = Origins::new(&facts, &base);
        assert!(matches!(origins.of(3), Origin::Own(Some(_))));
    }

    #[test]
    fn without_lists_the_source_lists_are_all_there_is() {
        let mut facts = machine(&[("a", "1.0-1"), ("b", "1.0-1.pgdg120+1")]);
        assert_eq!(said(&facts), ["debian", "unknown"], "nothing is configured");
        facts.archives.sources = vec![archive("deb.debian.org", Vec::new())];
        assert_eq!(said(&facts), ["debian", "debian"]);
        facts
            .archives
            .sources
            .push(archive("other.example.net", Vec::new()));
        assert_eq!(said(&facts), ["unknown", "unknown"]);
        let evidence = Evidence::file(&"/var/log/x".into());
        facts.archives.installed.insert("a".into(), evidence);
        assert_eq!(said(&facts), ["local", "unknown"]);
    }

    #[test]
    fn who_made_a_package_says_where_it_is_from() {
        let package = |(name, vendor): &(&str, &str)| Package {
            name: (*name).into(),
            version: "1.0-1".into(),
            arch: "x86_64".into(),
            vendor: (*vendor).into(),
            ..Package::new(Evidence::file(&"/var/lib/rpm/rpmdb.sqlite".into()))
        };
        let named = |id: &str, uri: &str| Archive {
            id: id.into(),
            uri: uri.into(),
            ..archive("x", Vec::new())
        };
        let packages = [
            ("own", "AlmaLinux"),
            ("part", "AlmaLinux"),
            ("shared", "Fedora Project"),
            ("noted", "Somebody"),
            ("alone", "Acme Corp"),
            ("made", ""),
        ];
        let mut facts = Facts {
            package_database: Some("rpm".into()),
            packages: packages.iter().map(package).collect(),
            ..machine(&[])
        };
        let os = facts.os.as_mut().unwrap();
        (os.id, os.version_id) = ("almalinux".into(), "9.3".into());
        facts.archives.sources = vec![
            named("crb", "https://mirrors.almalinux.org/mirrorlist/9/crb"),
            named(
                "epel",
                "https://mirrors.fedoraproject.org/metalink?repo=epel-9",
            ),
            named("third", "https://third.example.net/9"),
        ];
        for (name, from) in [("part", "crb"), ("noted", "third"), ("alone", "gone")] {
            facts.archives.came.insert(name.into(), from.into());
        }
        let base = base::choose(&facts).unwrap();
        let origins = Origins::new(&facts, &base);
        let shown = |at: usize| match origins.of(at) {
            Origin::Own(found) => ("own", found.as_ref().map(|found| found.archive)),
            Origin::Foreign(found) => ("foreign", Some(found.archive)),
            _ => ("local", None),
        };
        let all: Vec<_> = (0..packages.len()).map(shown).collect();
        assert_eq!(
            all,
            [
                ("own", None),
                ("own", Some(0)),
                ("foreign", Some(1)),
                ("foreign", Some(2)),
                ("local", None),
                ("local", None)
            ]
        );
    }
}
