//! Package databases, one file each: installed packages, whose files are whose, and what they recorded of them. What a
//! database's files are called and how they are written is said in its file and nowhere else.

mod apk;
mod apt;
mod dpkg;
mod opkg;
mod pacman;
mod rpm;
mod sqlite;
mod unread;

pub use unread::{Unread, unread};

use crate::detect::{Detector, Want};
use crate::fact::Package;
use crate::path::MachinePath;
use crate::walk::Tree;
use std::collections::BTreeMap;

/// What a database wrote down when a package was installed.
pub struct Record {
    /// Written last, so that its time is that of the installation.
    pub file: MachinePath,
    /// Reads every digest that the package recorded, not only those of files that are compared on every machine.
    pub digests: Want,
}

/// Every reader of a database, and of what stands beside one.
pub fn detectors() -> Vec<Box<dyn Detector>> {
    vec![
        Box::new(apk::Installed),
        Box::new(apk::World),
        Box::new(dpkg::Status),
        Box::new(dpkg::FileLists),
        Box::new(dpkg::Digests),
        Box::new(apt::States),
        Box::new(apt::Descriptions),
        Box::new(apt::History),
        Box::new(apt::Keys),
        Box::new(apt::Lists),
        Box::new(apt::Logins),
        Box::new(apt::Pins),
        Box::new(apt::Sources),
        Box::new(opkg::OpkgStatus),
        Box::new(opkg::OpkgLists),
        Box::new(pacman::Descriptions),
        Box::new(pacman::Files),
        Box::new(pacman::Tree),
        Box::new(rpm::Headers),
        Box::new(rpm::History),
        Box::new(rpm::Reasons),
        Box::new(rpm::Answers),
        Box::new(rpm::Marks),
        Box::new(rpm::Repositories),
        Box::new(rpm::Came),
    ]
}

/// Compared on every machine: configuration and units. Keeping all digests would cost memory for nothing.
pub fn is_compared(path: &str) -> bool {
    path.starts_with("/etc/") || path.contains("systemd/system/")
}

/// Behind the name of a configuration file: the version that is not in force, the package's or the machine's own, which the
/// installer put beside it.
const ASIDE: [&str; 13] = [
    ".dpkg-old",
    ".dpkg-dist",
    ".dpkg-new",
    ".ucf-old",
    ".ucf-dist",
    ".rpmnew",
    ".rpmsave",
    ".rpmorig",
    ".apk-new",
    ".pacnew",
    ".pacsave",
    ".pacorig",
    "-opkg",
];

/// Whether nobody reads a file, since an installer put it aside.
pub fn is_aside(path: &MachinePath) -> bool {
    let name = path.name();
    ASIDE.iter().any(|ending| name.ends_with(ending))
}

/// When a package was installed, in seconds of Unix time: a file that is not older was changed since. Where no database says
/// it, its own files do.
pub fn installed(package: &Package, tree: &Tree) -> Option<i64> {
    let written = |path: &MachinePath| tree.get(path).map(|entry| entry.mtime);
    let of_all = || written(&package.evidence.path).filter(|_| apk::is_of(package));
    let recorded = || {
        dpkg::records(package)
            .iter()
            .find_map(|record| written(&record.file))
    };
    package.installed.or_else(of_all).or_else(recorded)
}

/// What reads every digest that these packages recorded.
pub fn digests<'a>(packages: impl Iterator<Item = &'a Package>, tree: &Tree) -> Vec<Want> {
    let (of_rpm, others): (Vec<&Package>, Vec<&Package>) =
        packages.partition(|package| rpm::is_of(package));
    let (of_apk, others): (Vec<&Package>, Vec<&Package>) =
        others.into_iter().partition(|package| apk::is_of(package));
    let mut wants = rpm::wants(of_rpm.into_iter());
    wants.extend(apk::wants(of_apk.into_iter()));
    wants.extend(others.into_iter().filter_map(|package| {
        if pacman::is_of(package) {
            return pacman::want(package);
        }
        let mut records = dpkg::records(package).into_iter();
        let record = records.find(|record| tree.get(&record.file).is_some());
        record.map(|record| record.digests)
    }));
    wants
}

/// The files of a database with these packages, which own these paths: for machines that a pack's case makes up.
pub fn made_up(packages: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    dpkg::made_up(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_installers_put_aside_is_known_by_its_name() {
        for name in [
            "a.conf.rpmnew",
            "a.conf.rpmsave",
            "a.apk-new",
            "a.pacnew",
            "a.dpkg-dist",
            "a-opkg",
        ] {
            assert!(
                is_aside(&MachinePath::new(format!("/etc/{name}"))),
                "{name}"
            );
        }
        for name in ["a.conf", "rpmnew", "a.rpmnew.conf"] {
            assert!(
                !is_aside(&MachinePath::new(format!("/etc/{name}"))),
                "{name}"
            );
        }
    }
}
