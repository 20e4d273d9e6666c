//! Alpine Linux and what is made from it: apk, and the accounts of BusyBox.
//!
//! Versions are apk-package(5): `upstream[_suffix]-rN`. The archive of a release keeps one version of each package, so that a pin
//! is fuzzy: `~1.26` fits every version that begins so.

use super::locale;
use super::rpm::kept;
use super::{
    ArchiveFile, Family, Installation, PlannedArchive, PlannedPin, Preparation, Step, typed,
};
use crate::distribution::account::{Accounts, PlannedUser};
use crate::distribution::base::Moving;
use crate::distribution::machine::Libc;
use crate::fact::{Facts, Package};
use crate::path::MachinePath;
use std::cmp::Ordering;

#[derive(Debug)]
pub(super) struct Apk;

/// The numbers below are for the system's own accounts.
const FIRST_PERSON: u32 = 1000;

/// Parts of a version that stay within a release where nothing else is known.
const KEPT: usize = 2;

/// Any version.
const ANY: &str = ">=0";

/// Names of architectures, and what executables call them where that differs.
const ARCHITECTURES: &[(&str, &str)] = &[
    ("armhf", "arm"),
    ("armv7", "arm"),
    ("ppc64le", "ppc64"),
    ("s390x", "s390"),
];

impl Family for Apk {
    fn id(&self) -> &'static str {
        "apk"
    }

    fn database(&self) -> &'static str {
        "apk"
    }

    fn is_version(&self, version: &str) -> bool {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '~');
        version.len() <= 256 && version.chars().all(fits)
    }

    fn pin(&self, source: &str, version: &str, moving: &[Moving]) -> String {
        let upstream = upstream(version);
        let keep = kept(source, moving).unwrap_or(KEPT);
        if upstream.is_empty() || keep == 0 {
            return ANY.to_owned();
        }
        let parts: Vec<&str> = upstream.split('.').take(keep).collect();
        format!("~{}", parts.join("."))
    }

    /// By their numbers; good enough for versions of one package.
    fn compare(&self, a: &str, b: &str) -> Ordering {
        super::rpm::compare(a, b)
    }

    fn is_doubtful(&self, _: &str) -> bool {
        false
    }

    fn archives(&self, archives: &[PlannedArchive], _: &[PlannedPin]) -> Vec<ArchiveFile> {
        let lines: Vec<String> = archives.iter().flat_map(lines).collect();
        if lines.is_empty() {
            return Vec::new();
        }
        vec![ArchiveFile {
            path: MachinePath::new("/etc/apk/repositories.d/machine.list"),
            text: lines.join("\n") + "\n",
        }]
    }

    fn prepare(&self, _: &Preparation<'_>) -> Vec<Step> {
        Vec::new()
    }

    fn install(&self, wanted: &Installation<'_>) -> Vec<Step> {
        if wanted.packages.is_empty() {
            return Vec::new();
        }
        let packages = wanted.packages.iter();
        let add = packages.fold(Step::new(["apk", "add", "--no-cache"]), |step, package| {
            step.remarked(package.remark(), format!("{}{}", package.name, package.pin))
        });
        let zone = wanted.timezone.into_iter().flat_map(locale::timezone);
        std::iter::once(add).chain(zone).collect()
    }

    fn accounts(&self, accounts: &Accounts<'_>) -> Vec<Step> {
        let gone = accounts.displaced.iter().map(|name| {
            Step::new(["deluser", name]).why(
                "This account of the base has a number that the machine gave to somebody else.",
            )
        });
        let groups = accounts.groups.iter().map(|group| {
            let gid = group.gid.to_string();
            let system = (group.gid < FIRST_PERSON).then_some("-S");
            let words = ["addgroup"].into_iter().chain(system);
            Step::new(words.chain(["-g", &gid, &group.name]))
        });
        let users = accounts.users.iter().flat_map(|user| made(user, accounts));
        let beside = accounts.users.iter().flat_map(|user| {
            let groups = user.groups.iter();
            groups.map(|group| Step::new(["addgroup", &user.name, group]))
        });
        let memberships = accounts.memberships.iter();
        let memberships = memberships.map(|(user, group)| Step::new(["addgroup", user, group]));
        let mut made = groups.chain(users).chain(beside).chain(memberships);
        let first = made.next().map(|step| step.why(Accounts::WHY));
        gone.chain(first).chain(made).collect()
    }

    fn purl(&self, distribution: Option<&str>, package: &Package) -> String {
        typed("apk", distribution, package, &package.version)
    }

    fn libc(&self, facts: &Facts) -> Option<Libc> {
        let package = facts.package("musl")?;
        Some(Libc::musl(upstream(&package.version)))
    }

    fn architecture<'a>(&self, package: &'a Package) -> Option<&'a str> {
        let own = package.arch.as_str();
        if matches!(own, "noarch" | "") {
            return None;
        }
        let known = ARCHITECTURES.iter().find(|(name, _)| *name == own);
        Some(known.map_or(own, |(_, name)| name))
    }
}

/// Without the number of the build and what stands behind `_`.
fn upstream(version: &str) -> &str {
    let end = version.rfind("-r").unwrap_or(version.len());
    let bare = version.get(..end).unwrap_or(version);
    bare.split('_').next().unwrap_or(bare)
}

/// apk-repositories(5): a directory a line.
fn lines(archive: &PlannedArchive) -> Vec<String> {
    let base: Vec<&str> = [archive.uri.trim_end_matches('/'), archive.suite.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let base = base.join("/");
    let line = |line: String| line.chars().filter(|c| !c.is_control()).collect();
    let components = archive.components.iter();
    let mut all: Vec<String> = components
        .map(|name| line(format!("{base}/{name}")))
        .collect();
    if all.is_empty() {
        all.push(line(base));
    }
    all
}

/// BusyBox knows a group by its name alone, and takes each number once; what it cannot make is a line of its own.
fn made(user: &PlannedUser, accounts: &Accounts<'_>) -> Vec<Step> {
    let group = accounts.groups.iter().find(|group| group.gid == user.gid);
    let mut others = accounts.users.iter();
    let is_taken = others.any(|other| other.uid == user.uid && other.name < user.name);
    let Some(group) = group.filter(|_| !is_taken) else {
        let alone = Accounts {
            users: std::slice::from_ref(user),
            groups: &[],
            displaced: &[],
            memberships: &[],
        };
        return alone.lines();
    };
    let uid = user.uid.to_string();
    let system = (user.uid < FIRST_PERSON).then_some("-S");
    let words = ["adduser"].into_iter().chain(system).chain([
        "-D",
        "-H",
        "-u",
        &uid,
        "-G",
        &group.name,
        "-h",
        &user.home,
        "-s",
        &user.shell,
        &user.name,
    ]);
    vec![Step::new(words)]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{moving, shown, wanted};
    use super::*;
    use crate::distribution::account::PlannedGroup;

    #[test]
    fn pins_are_fuzzy() {
        for (source, version, expected) in [
            ("nginx", "1.26.3-r0", "~1.26"),
            ("openssh", "9.3_p2-r1", "~9.3"),
            ("postgresql16", "16.3-r0", "~16"),
            ("jq", "20240101-r2", "~20240101"),
            ("tzdata", "2024a-r0", ">=0"),
            ("a", "", ">=0"),
        ] {
            assert_eq!(Apk.pin(source, version, &moving()), expected, "{source}");
        }
    }

    #[test]
    fn nothing_is_kept_of_the_lists() {
        let steps = Apk.install(&Installation {
            timezone: Some("Europe/Berlin"),
            locale: Some("de_DE.UTF-8"),
            ..wanted(&Apk)
        });
        assert_eq!(
            shown(&steps),
            [
                "apk add --no-cache alpha~1.2",
                "ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime",
                "printf %s\\n Europe/Berlin > /etc/timezone",
            ]
        );
    }

    #[test]
    fn accounts_have_their_numbers() {
        let user = |name: &str, uid, gid, groups: &[&str]| PlannedUser {
            name: name.into(),
            uid,
            gid,
            home: "/srv".into(),
            shell: "/sbin/nologin".into(),
            groups: groups.iter().map(|name| (*name).to_owned()).collect(),
        };
        let users = [
            user("shop", 1001, 500, &["audio"]),
            user("static", 300, 82, &[]),
        ];
        let groups = [PlannedGroup {
            name: "shop".into(),
            gid: 500,
        }];
        let steps = Apk.accounts(&Accounts {
            users: &users,
            groups: &groups,
            displaced: &["guest".to_owned()],
            memberships: &[("nginx".to_owned(), "shop".to_owned())],
        });
        assert_eq!(
            shown(&steps),
            [
                "deluser guest",
                "addgroup -S -g 500 shop",
                "adduser -D -H -u 1001 -G shop -h /srv -s /sbin/nologin shop",
                "printf %s\\n static:x:300:82::/srv:/sbin/nologin >> /etc/passwd",
                "addgroup shop audio",
                "addgroup nginx shop",
            ]
        );
    }
}
