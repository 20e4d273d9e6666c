//! rpm's database: the headers of installed packages, in one of three forms by rpm's age and who built it, and what installers
//! note beside it.

mod bdb;
mod header;
mod ndb;
mod package;
mod reason;
mod repository;
#[cfg(test)]
mod tests;

pub use reason::{Answers, History, Marks, Reasons};
pub use repository::{Came, Repositories};

use super::sqlite;
use crate::detect::{Detector, Doc, FileView, Interest, Purpose, Sink, Want};
use crate::fact::{Fact, Package};
use crate::path::MachinePath;
use crate::walk::literal;
use header::Header;
use package::{Budget, Kind, Read};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// As the machine's package database is called.
const NAME: &str = "rpm";

/// Where rpm keeps it: of old, since 2021, and of images that are updated as a whole.
const PLACES: [&str; 3] = ["/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"];

const SQLITE: &str = "rpmdb.sqlite";
const NDB: &str = "Packages.db";
const BDB: &str = "Packages";

fn doc(title: &'static str, recognises: &'static str) -> Doc {
    Doc {
        title,
        recognises,
        why: "packages are what an image installs, and what they own need not be copied",
        cannot_see: "packages removed by hand without rpm",
        references: &["rpm(8)", "https://rpm.org/docs/latest/manual/tags.html"],
    }
}

/// Headers in whichever form.
pub struct Headers;

impl Headers {
    const ID: &str = "packages/rpm";
}

fn paths() -> Vec<String> {
    let names = [SQLITE, NDB, BDB].into_iter();
    let of = |name: &str| PLACES.map(|place| format!("{place}/{name}"));
    names.flat_map(of).collect()
}

impl Detector for Headers {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        doc(
            "Installed RPM packages",
            "the headers of packages in SQLite, Berkeley DB or rpm's own form: their files, digests and relations",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: paths(),
            limit: 512 << 20,
            beside: &["-wal"],
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let place = &file.entry.path;
        // One place is often a link to another, and the file is shown under both names.
        if file.path != place && paths().contains(&place.text().into_owned()) {
            return;
        }
        let mut wanted = file.purpose.context.lines().peekable();
        if wanted.peek().is_some() {
            return digests(file, &wanted.collect(), sink);
        }
        let (packages, mut damage) = packages(file);
        if packages.is_empty() && damage.is_none() {
            sink.fact(Fact::EmptyDatabase(NAME, place.clone()));
        }
        if !packages.is_empty() {
            sink.fact(Fact::PackageDatabase(NAME));
        }
        damage = damage.or_else(|| journal(file));
        if let Some(what) = damage {
            sink.fact(Fact::DamagedDatabase(NAME, place.clone()));
            let reason = format!("rpm's database {what}; packages may be missing");
            sink.unexamined(place, Self::ID, reason);
        }
        emit(packages, sink);
    }
}

/// Bytes that belong to a SQLite database and that nobody can apply.
fn journal(file: &FileView<'_>) -> Option<String> {
    let log = file.beside("-wal").filter(|log| !log.is_empty())?;
    let is_log =
        log.starts_with(&[0x37, 0x7f, 0x06, 0x82]) || log.starts_with(&[0x37, 0x7f, 0x06, 0x83]);
    (!is_log).then(|| "has a log of writes that is damaged".to_owned())
}

/// Every package, once, and what is wrong with the database.
fn packages(file: &FileView<'_>) -> (Vec<Read>, Option<String>) {
    let mut found: BTreeMap<String, Read> = BTreeMap::new();
    let mut budget = Budget::new();
    let mut broken = 0_usize;
    let damage = blobs(file, &mut |blob| {
        let read = Header::parse(&blob)
            .and_then(|header| Kind::of(&header, &file.entry.path, &mut budget));
        match read {
            Some(Kind::Package(read)) => {
                found.entry(read.package.identity()).or_insert(*read);
            }
            Some(Kind::Key) => {}
            None => broken += 1,
        }
    });
    let damage = damage.err().map(str::to_owned);
    let damage = damage
        .or_else(|| (broken > 0).then(|| format!("has {broken} headers that cannot be read")));
    let damage = damage.or_else(|| {
        budget
            .is_spent()
            .then(|| "names more files than are kept of one machine".to_owned())
    });
    (found.into_values().collect(), damage)
}

/// Shows every header of a database, whatever its form.
fn blobs<'a>(
    file: &FileView<'a>,
    visit: &mut dyn FnMut(Cow<'_, [u8]>),
) -> Result<(), &'static str> {
    let name = file.entry.path.name();
    let has_log = file.beside("-wal").is_some_and(|log| !log.is_empty());
    if file.bytes.is_empty() && !has_log {
        return Ok(());
    }
    if name == NDB {
        return ndb::blobs(file.bytes, &mut |blob| visit(Cow::Borrowed(blob)));
    }
    if name == BDB {
        return bdb::blobs(file.bytes, visit);
    }
    let database = sqlite::Database::open(file.bytes, file.beside("-wal"))?;
    let table = database
        .table("Packages")
        .ok_or("has no table of packages")?;
    let column = table
        .column("blob")
        .ok_or("has a table of packages of an unknown form")?;
    database.rows(&table, &mut |_, row| {
        let blob = row.get(column).and_then(|value| value.bytes());
        visit(Cow::Borrowed(blob.unwrap_or_default()));
    })
}

/// Says the packages, with what they own. A package that needs a file needs who has it.
fn emit(packages: Vec<Read>, sink: &mut Sink) {
    let needed: BTreeSet<String> = packages
        .iter()
        .flat_map(|read| read.package.depends.iter().flatten())
        .filter(|name| name.starts_with('/'))
        .cloned()
        .collect();
    for mut read in packages {
        for path in &read.paths {
            let text = path.as_str().map(package::merged);
            if let Some(text) = text.filter(|text| needed.contains(*text)) {
                let text = text.to_owned();
                read.package.provides.push(text);
            }
        }
        let package = read.package.identity();
        let digests: Vec<_> = read
            .digests
            .into_iter()
            .filter(|(path, _)| super::is_compared(&path.text()))
            .collect();
        if !digests.is_empty() {
            sink.fact(Fact::Recorded {
                package: package.clone(),
                digests,
            });
        }
        sink.fact(Fact::Owns {
            package,
            paths: read.paths,
        });
        sink.fact(Fact::Package(read.package));
    }
}

/// A second look: all digests of some packages, whose files look changed.
fn digests(file: &FileView<'_>, wanted: &BTreeSet<&str>, sink: &mut Sink) {
    for read in packages(file).0 {
        let package = read.package.identity();
        if wanted.contains(package.as_str()) {
            sink.fact(Fact::Recorded {
                package,
                digests: read.digests,
            });
        }
    }
}

/// Whether this package was read from a database of rpm's.
pub(super) fn is_of(package: &Package) -> bool {
    paths().contains(&package.evidence.path.text().into_owned())
}

/// Shows a database again, for all digests of these packages.
pub(super) fn wants<'a>(packages: impl Iterator<Item = &'a Package>) -> Vec<Want> {
    let mut by_file: BTreeMap<&MachinePath, Vec<String>> = BTreeMap::new();
    for package in packages {
        let of = by_file.entry(&package.evidence.path).or_default();
        of.push(package.identity());
    }
    let want = |(path, mut names): (&MachinePath, Vec<String>)| {
        names.sort();
        Want {
            pattern: literal(path),
            purpose: Purpose {
                detector: Headers::ID.into(),
                context: names.join("\n"),
            },
        }
    };
    by_file.into_iter().map(want).collect()
}
