//! Package databases, one file each: installed packages, whose files are whose, and what they recorded of them. What a
//! database's files are called and how they are written is said in its file and nowhere else.

mod apt;
mod dpkg;
mod unread;

pub use apt::{Descriptions, History, Keys, Lists, Logins, Pins, Sources};
pub use dpkg::{Digests, FileLists, States, Status};
pub use unread::unread;

use crate::detect::Want;
use crate::fact::Package;
use crate::path::MachinePath;
use std::collections::BTreeMap;

/// What a database wrote down when a package was installed.
pub struct Record {
    /// Written last, so that its time is that of the installation.
    pub file: MachinePath,
    /// Reads every digest that the package recorded, not only those of files that are compared on every machine.
    pub digests: Want,
}

/// Where the record of a package may be; the first that is there counts.
pub fn records(package: &Package) -> impl Iterator<Item = Record> {
    dpkg::records(package).into_iter()
}

/// The files of a database with these packages, which own these paths: for machines that a pack's case makes up.
pub fn made_up(packages: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    dpkg::made_up(packages)
}
