//! What installers of RPM packages have in common: versions, their order, and the files that name archives.
//!
//! Versions are rpm-version(7): `[epoch:]version-release`.

use super::super::{ArchiveFile, PlannedArchive, Step, encoded, typed};
use super::key;
use crate::distribution::base::Moving;
use crate::distribution::machine::Libc;
use crate::fact::{Facts, Package};
use crate::path::MachinePath;
use crate::walk::glob;
use std::cmp::Ordering;
use std::fmt::Write as _;

/// As the database's reader calls itself.
pub(in super::super) const DATABASE: &str = "rpm";

/// Names of architectures, and what executables call them where that differs.
const ARCHITECTURES: &[(&str, &str)] = &[
    ("armv7hl", "arm"),
    ("armv7hnl", "arm"),
    ("ppc64le", "ppc64"),
    ("s390x", "s390"),
];

/// Of the small processors, whose packages stand beside those of the large ones.
const SECOND: &[&str] = &["noarch", "i386", "i486", "i586", "i686", ""];

pub(in super::super) fn is_version(version: &str) -> bool {
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '~' | '^' | '_' | ':');
    version.len() <= 256 && version.chars().all(fits)
}

/// A version in its parts.
pub(in super::super) struct Version<'a> {
    /// With its colon; empty where there is none.
    pub epoch: &'a str,
    pub upstream: &'a str,
    pub release: &'a str,
}

impl<'a> Version<'a> {
    pub(in super::super) fn new(version: &'a str) -> Self {
        let end = version.find(':').map_or(0, |at| at + 1);
        let (epoch, rest) = version.split_at(end);
        let (upstream, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch,
            upstream,
            release,
        }
    }

    /// So many of its parts, where it has more.
    pub(in super::super) fn first(&self, keep: usize) -> Option<String> {
        let parts: Vec<&str> = self.upstream.split('.').collect();
        (keep < parts.len()).then(|| {
            parts
                .iter()
                .take(keep)
                .copied()
                .collect::<Vec<_>>()
                .join(".")
        })
    }
}

/// How many parts of a source's version stay within a release; `None`: all of them.
pub(in super::super) fn kept(source: &str, moving: &[Moving]) -> Option<usize> {
    let known = moving.iter().find(|m| glob::matches(&m.source, source));
    known.map(|known| known.keep)
}

/// Epoch, version and release in turn.
pub(in super::super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Version::new(a), Version::new(b));
    let epoch = |version: &Version<'_>| -> u64 {
        let number = version.epoch.trim_end_matches(':');
        number.parse().unwrap_or_default()
    };
    epoch(&a)
        .cmp(&epoch(&b))
        .then_with(|| segments(a.upstream.as_bytes(), b.upstream.as_bytes()))
        .then_with(|| segments(a.release.as_bytes(), b.release.as_bytes()))
}

/// rpmvercmp(): runs of digits and of letters in turn, whatever stands between. A tilde sorts before the end, a caret behind it and
/// before anything else; digits sort behind letters.
fn segments(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let is_between = |sign: &u8| !sign.is_ascii_alphanumeric() && !matches!(sign, b'~' | b'^');
    loop {
        while let [sign, rest @ ..] = a
            && is_between(sign)
        {
            a = rest;
        }
        while let [sign, rest @ ..] = b
            && is_between(sign)
        {
            b = rest;
        }
        for (mark, there) in [(b'~', Ordering::Less), (b'^', Ordering::Less)] {
            match (a.strip_prefix(&[mark]), b.strip_prefix(&[mark])) {
                (Some(rest_a), Some(rest_b)) => {
                    (a, b) = (rest_a, rest_b);
                    break;
                }
                // A caret is newer than the same version's end, and older than more of it.
                (Some(_), None) if mark == b'^' && b.is_empty() => return Ordering::Greater,
                (None, Some(_)) if mark == b'^' && a.is_empty() => return Ordering::Less,
                (Some(_), None) => return there,
                (None, Some(_)) => return there.reverse(),
                (None, None) => {}
            }
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        if is_marked(a)
            || is_marked(b)
            || a.first().is_some_and(is_between)
            || b.first().is_some_and(is_between)
        {
            continue;
        }
        let is_number = a.first().is_some_and(u8::is_ascii_digit);
        if b.first().is_some_and(u8::is_ascii_digit) != is_number {
            return if is_number {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        let (one, rest_a) = run(a, is_number);
        let (two, rest_b) = run(b, is_number);
        let order = if is_number {
            (one.len(), one).cmp(&(two.len(), two))
        } else {
            one.cmp(two)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

fn is_marked(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'~' | b'^'))
}

/// A run of digits without zeros in front, or of letters, and the rest.
fn run(text: &[u8], of_digits: bool) -> (&[u8], &[u8]) {
    let is_of = |sign: &&u8| {
        if of_digits {
            sign.is_ascii_digit()
        } else {
            sign.is_ascii_alphabetic()
        }
    };
    let (run, rest) = text.split_at(text.iter().take_while(is_of).count());
    let zeros = run
        .iter()
        .take_while(|sign| of_digits && **sign == b'0')
        .count();
    (run.get(zeros..).unwrap_or_default(), rest)
}

/// The package URL; of this type alone the epoch is no part of the version.
pub(in super::super) fn purl(distribution: Option<&str>, package: &Package) -> String {
    let epoch = package.version.split_once(':');
    let version = epoch.map_or(package.version.as_str(), |(_, version)| version);
    let url = typed("rpm", distribution, package, version);
    match epoch {
        Some((epoch, _)) => format!("{url}&epoch={}", encoded(epoch)),
        None => url,
    }
}

pub(in super::super) fn libc(facts: &Facts) -> Option<Libc> {
    let package = facts.package("glibc")?;
    Some(Libc::glibc(Version::new(&package.version).upstream))
}

pub(in super::super) fn architecture(package: &Package) -> Option<&str> {
    let own = package.arch.as_str();
    if SECOND.contains(&own) {
        return None;
    }
    let known = ARCHITECTURES.iter().find(|(name, _)| *name == own);
    Some(known.map_or(own, |(_, name)| name))
}

/// Values end at their line.
fn value(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Where keys are put; a directory of its own, so that all of it can be named at once.
pub(in super::super) const KEYS: &str = "/etc/pki/machine";

/// One file of archives (dnf.conf(5), REPO OPTIONS), in the directory where the installer looks, and one for each key.
pub(in super::super) fn files(archives: &[PlannedArchive], directory: &str) -> Vec<ArchiveFile> {
    let mut found = Vec::new();
    let mut list = String::new();
    // Writing to a String cannot fail.
    for (number, archive) in (1..).zip(archives) {
        let kind = match archive.suite.as_str() {
            kind @ ("mirrorlist" | "metalink") => kind,
            _ => "baseurl",
        };
        let name = format!("machine-{number}");
        let _ = writeln!(list, "# from {}", value(&archive.evidence.place()));
        let _ = writeln!(
            list,
            "[{name}]\nname={name}\n{kind}={}",
            value(&archive.uri)
        );
        let _ = writeln!(list, "enabled=1\ngpgcheck=1");
        if let Some(key) = &archive.key {
            let path = format!("{KEYS}/{name}.asc");
            let _ = writeln!(list, "gpgkey=file://{path}");
            found.push(ArchiveFile {
                path: MachinePath::new(&path),
                text: key::armored(&key.packets),
            });
        }
        list.push('\n');
    }
    if !list.is_empty() {
        found.push(ArchiveFile {
            path: MachinePath::new(format!("{directory}/machine.repo")),
            text: list,
        });
    }
    found
}

/// Archives that the table of base images names: `name address key`, a line each. `optional`: they may not be there.
pub(in super::super) fn told(archives: &[String], file: &str, optional: bool) -> Option<Step> {
    let mut lines = Vec::new();
    for archive in archives {
        let mut words = archive.split_whitespace();
        let (Some(name), Some(address)) = (words.next(), words.next()) else {
            continue;
        };
        lines.extend([format!("[{name}]"), format!("name={name}")]);
        lines.push(format!("baseurl={address}"));
        lines.push("gpgcheck=1".to_owned());
        lines.extend(words.next().map(|key| format!("gpgkey=file://{key}")));
        lines.extend(optional.then(|| "skip_if_unavailable=1".to_owned()));
    }
    let words = ["printf", "%s\\n"].map(str::to_owned);
    (!lines.is_empty()).then(|| Step::new(words.into_iter().chain(lines)).written(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_rpms_order() {
        // As the tests of rpm itself have them (tests/rpmvercmp.at).
        let order = [
            "1.0~rc1-1",
            "1.0-1",
            "1.0^git1-1",
            "1.0.1-1",
            "1.1-1",
            "2.0-1",
            "2.0.a-1",
            "2.0.1-1",
            "2.1-1",
            "10-1",
            "1:0.1-1",
        ];
        for pair in order.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        for (a, b) in [
            ("1.0-1", "1_0-1"),
            ("1.05-1", "1.5-1"),
            ("0:1-1", "1-1"),
            ("2a-1", "2.a-1"),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(compare("1.0~-1", "1.0-1"), Ordering::Less);
        assert_eq!(compare("1.0^^-1", "1.0^-1"), Ordering::Greater);
    }

    #[test]
    fn an_archive_is_a_section() {
        let archive = |uri: &str, suite: &str| PlannedArchive {
            uri: uri.into(),
            suite: suite.into(),
            components: Vec::new(),
            key: Some(crate::distribution::archive::PlannedKey {
                from: Vec::new(),
                packets: vec![0x98, 3, 4, 0, 0],
            }),
            evidence: crate::fact::Evidence::file(&"/etc/x.repo".into()),
        };
        let all = [
            archive("https://a.example.net/$releasever\ngpgcheck=0", ""),
            archive("https://b.example.net/list?x=1", "metalink"),
        ];
        let found = files(&all, "/etc/yum.repos.d");
        assert_eq!(found.len(), 3);
        let list = &found[2].text;
        assert!(list.lines().all(|line| line != "gpgcheck=0"), "{list}");
        assert!(list.contains("[machine-2]\nname=machine-2\nmetalink=https://b.example.net/list?x=1\nenabled=1\ngpgcheck=1\ngpgkey=file:///etc/pki/machine/machine-2.asc\n"), "{list}");
        assert!(files(&[], "/x").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_one(a in "[0-9a~^+.:-]{0,8}", b in "[0-9a~^+.:-]{0,8}") {
            proptest::prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            proptest::prop_assert_eq!(compare(&a, &a), Ordering::Equal);
        }
    }
}
