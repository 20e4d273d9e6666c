//! What kind of machine it is, as its facts tell: release, init system, C library, processor.

use super::family::Family;
use super::kin;
use crate::fact::{Facts, OsRelease};
use crate::path::MachinePath;
use std::collections::BTreeMap;

/// The C library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Libc {
    /// `glibc` or `musl`.
    pub kind: &'static str,
    /// Empty where nothing says it.
    pub version: String,
}

impl Libc {
    pub fn glibc(version: &str) -> Self {
        Self {
            kind: "glibc",
            version: version.to_owned(),
        }
    }

    pub fn musl(version: &str) -> Self {
        Self {
            kind: "musl",
            version: version.to_owned(),
        }
    }
}

/// The family of a release in one word: `debian`, `rhel`. Its own name where nobody knows more.
pub fn family(os: &OsRelease) -> String {
    kin::of(os).map_or_else(|| os.id.clone(), |kin| kin.id.clone())
}

/// What the kernel starts first, by the name of the file behind `/sbin/init`.
const STARTED: &[(&str, &str)] = &[
    ("systemd", "systemd"),
    ("openrc-init", "openrc"),
    ("runit-init", "runit"),
    ("upstart", "upstart"),
];

/// Files that tell init systems apart where that name does not: OpenRC is run by others' `init`, and the `init` of two
/// others has no other name. A table of `init`'s own comes last, since most know it.
const TOOLS: &[(&str, &str)] = &[
    ("/sbin/openrc", "openrc"),
    ("/usr/bin/openrc", "openrc"),
    ("/sbin/initctl", "upstart"),
    ("/etc/inittab", "sysv"),
];

/// The init system: what the kernel starts, and its tools. A container's file system has neither: there it is the one
/// whose services there are.
pub fn init(facts: &Facts) -> Option<&'static str> {
    let tree = &facts.tree;
    let there = |path: &str| tree.entry(&MachinePath::from(path)).is_some();
    if let Some(first) = tree.resolve(&"/sbin/init".into()) {
        let name = first.name();
        let started = STARTED.iter().find(|(file, _)| *file == name);
        let known = started.or_else(|| TOOLS.iter().find(|(file, _)| there(file)));
        if let Some((_, name)) = known {
            return Some(name);
        }
    }
    if !facts.units.is_empty() {
        return Some("systemd");
    }
    let jobs = tree.children(&"/etc/init".into());
    if jobs.iter().any(|job| job.path.name().ends_with(".conf")) {
        return Some("upstart");
    }
    (!facts.init_scripts.is_empty()).then_some("sysv")
}

/// The C library: of the family's packages, else of the programs that were read.
pub fn libc(facts: &Facts, family: Option<&dyn Family>) -> Option<Libc> {
    let packaged = family.and_then(|family| family.libc(facts));
    packaged.or_else(|| {
        let loaders = facts
            .elfs
            .values()
            .filter_map(|elf| elf.interpreter.as_deref());
        let (musl, glibc): (Vec<&str>, Vec<&str>) =
            loaders.partition(|loader| loader.contains("ld-musl"));
        // The second is of s390x and older processors.
        let of_glibc = |loader: &&&str| loader.contains("/ld-linux") || loader.contains("/ld64.");
        let glibc = glibc.iter().filter(of_glibc).count();
        match (musl.len(), glibc) {
            (0, 0) => None,
            (musl, glibc) if musl > glibc => Some(Libc::musl("")),
            _ => Some(Libc::glibc("")),
        }
    })
}

/// The processor's: of the packages, else of most of the programs that were read.
pub fn architecture(facts: &Facts, family: Option<&dyn Family>) -> Option<String> {
    let packaged = family.and_then(|family| {
        let mut packages = facts.packages.iter();
        packages.find_map(|package| family.architecture(package))
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for elf in facts.elfs.values() {
        *counts.entry(&elf.machine).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    packaged
        .or(most.map(|(machine, _)| machine))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::family;
    use crate::fact::{Elf, Evidence, Package};

    fn machine(loaders: &[&str], packages: &[(&str, &str, &str)]) -> Facts {
        let elf = |(at, loader): (usize, &&str)| Elf {
            path: MachinePath::new(format!("/usr/bin/{at}")),
            machine: "x86_64".into(),
            interpreter: Some((*loader).to_owned()),
            ..Elf::default()
        };
        let elfs = loaders.iter().enumerate().map(elf);
        let package = |(name, version, arch): &(&str, &str, &str)| Package {
            name: (*name).into(),
            version: (*version).into(),
            arch: (*arch).into(),
            source: (*name).into(),
            manual: true,
            ..Package::new(Evidence::file(&"/packages".into()))
        };
        Facts {
            elfs: elfs.map(|elf| (elf.path.clone(), elf)).collect(),
            package_database: (!packages.is_empty()).then(|| "dpkg".to_owned()),
            packages: packages.iter().map(package).collect(),
            ..Facts::default()
        }
    }

    #[test]
    fn packages_tell_more_than_programs() {
        let glibc = "/lib64/ld-linux-x86-64.so.2";
        let musl = "/lib/ld-musl-x86_64.so.1";
        let found = |loaders: &[&str], packages: &[(&str, &str, &str)]| {
            let facts = machine(loaders, packages);
            let family = family::of(&facts);
            (libc(&facts, family), architecture(&facts, family))
        };
        let x86 = || Some("x86_64".to_owned());
        assert_eq!(found(&[], &[]), (None, None));
        assert_eq!(found(&[glibc], &[]), (Some(Libc::glibc("")), x86()));
        let most = [musl, musl, glibc];
        assert_eq!(found(&most, &[]), (Some(Libc::musl("")), x86()));
        let packages = [("tzdata", "1", "all"), ("libc6", "2.36-9", "arm64")];
        let arm = Some("aarch64".to_owned());
        assert_eq!(found(&most, &packages), (Some(Libc::glibc("2.36")), arm));
    }
}
