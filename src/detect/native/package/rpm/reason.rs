//! Which packages came as dependencies: what the installers above rpm note.

use super::{NAME, doc};
use crate::detect::native::package::sqlite::{Database, Table, Value};
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;
use crate::fact::archive::OfArchive;
use crate::path::MachinePath;
use serde::Deserialize;
use std::collections::BTreeMap;

fn titled(recognises: &'static str) -> Doc {
    doc("RPM packages installed as dependencies", recognises)
}

/// dnf's history of transactions: of each package the last word counts.
pub struct History;

/// Reasons that dnf gives: a dependency, and one that was only recommended.
const DEPENDENCY: [i64; 2] = [1, 4];

impl Detector for History {
    fn id(&self) -> &'static str {
        "packages/rpm-history"
    }

    fn doc(&self) -> Doc {
        titled("the reasons in dnf's history")
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/var/lib/dnf/history.sqlite".into()],
            limit: 256 << 20,
            beside: &["-wal"],
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        // Older ones do not say where packages came from.
        if let Ok(came) = origins(file) {
            sink.fact(Fact::Archive(OfArchive::Came(came)));
        }
        match dependencies(file) {
            Ok(names) => sink.fact(Fact::Automatic(names)),
            Err(what) => {
                let reason = format!("the history of {NAME} packages {what}");
                sink.unexamined(file.path, self.id(), reason);
            }
        }
    }
}

/// The names of packages whose last entry says that they came as dependencies.
fn dependencies(file: &FileView<'_>) -> Result<Vec<String>, &'static str> {
    let database = Database::open(file.bytes, file.beside("-wal"))?;
    let unknown = "has tables of an unknown form";
    let names = named(&database, "rpm", "item_id", "name")?;
    let entries = database.table("trans_item").ok_or(unknown)?;
    let place = |table: &Table, name: &str| table.column(name).ok_or(unknown);
    let integer = |row: &[Value<'_>], at: usize| row.get(at).and_then(|value| value.integer());
    let (item, reason) = (place(&entries, "item_id")?, place(&entries, "reason")?);
    let mut last: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    database.rows(&entries, &mut |id, row| {
        let of = integer(row, item).and_then(|item| names.get(&item));
        if let (Some(name), Some(reason)) = (of, integer(row, reason)) {
            let known = last.entry(name).or_insert((id, reason));
            *known = (*known).max((id, reason));
        }
    })?;
    let automatic = last
        .iter()
        .filter(|(_, (_, reason))| DEPENDENCY.contains(reason));
    Ok(automatic.map(|(name, _)| (*name).to_owned()).collect())
}

/// Packages, each with the archive of its last entry that names one.
fn origins(file: &FileView<'_>) -> Result<Vec<(String, String)>, &'static str> {
    let database = Database::open(file.bytes, file.beside("-wal"))?;
    let unknown = "has tables of an unknown form";
    let packages = named(&database, "rpm", "item_id", "name")?;
    let archives = named(&database, "repo", "id", "repoid")?;
    let entries = database.table("trans_item").ok_or(unknown)?;
    let (item, from) = (entries.column("item_id"), entries.column("repo_id"));
    let (item, from) = (item.ok_or(unknown)?, from.ok_or(unknown)?);
    let mut last: BTreeMap<&str, (i64, &str)> = BTreeMap::new();
    database.rows(&entries, &mut |id, row| {
        let integer = |at: usize| row.get(at).and_then(|value| value.integer());
        let package = integer(item).and_then(|item| packages.get(&item));
        let archive = integer(from).and_then(|from| archives.get(&from));
        // What is taken away comes from the system itself, and files from a command line.
        let archive = archive.filter(|name| !name.starts_with('@'));
        if let (Some(package), Some(archive)) = (package, archive) {
            let known = last.entry(package).or_insert((id, archive));
            *known = (*known).max((id, archive));
        }
    })?;
    let last = last.into_iter();
    Ok(last
        .map(|(package, (_, archive))| (package.to_owned(), archive.to_owned()))
        .collect())
}

/// A table's names by their numbers.
fn named(
    database: &Database<'_>,
    table: &str,
    number: &str,
    name: &str,
) -> Result<BTreeMap<i64, String>, &'static str> {
    let unknown = "has tables of an unknown form";
    let table = database.table(table).ok_or(unknown)?;
    let number = table.column(number).ok_or(unknown)?;
    let name = table.column(name).ok_or(unknown)?;
    let mut names = BTreeMap::new();
    database.rows(&table, &mut |id, row| {
        let text = row.get(name).and_then(|value| value.bytes());
        let text = String::from_utf8_lossy(text.unwrap_or_default()).into_owned();
        // A key that is the row's number is not written among the row's values.
        let number = row.get(number).and_then(|value| value.integer());
        names.insert(number.unwrap_or(id), text);
    })?;
    Ok(names)
}

/// yum's notes: a directory a package, a file a note.
pub struct Reasons;

impl Detector for Reasons {
    fn id(&self) -> &'static str {
        "packages/rpm-reasons"
    }

    fn doc(&self) -> Doc {
        titled("the reasons in yum's notes of packages")
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: vec!["/var/lib/yum/yumdb/*/*/reason".into()],
            limit: 4096,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let name = noted(file.path);
        if let Some(name) = name.filter(|_| file.text().trim() == "dep") {
            sink.fact(Fact::Automatic(vec![name]));
        }
    }
}

/// The package that a note of yum's is of: a digest, then name, version, release and architecture.
pub(super) fn noted(path: &MachinePath) -> Option<String> {
    let directory = path.parent()?.name().into_owned();
    let name = directory.split_once('-')?.1;
    name.rsplitn(4, '-').nth(3).map(str::to_owned)
}

/// What dnf writes since its fifth version.
pub struct Answers;

impl Detector for Answers {
    fn id(&self) -> &'static str {
        "packages/rpm-state"
    }

    fn doc(&self) -> Doc {
        titled("the reasons in the state of dnf's fifth version")
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/usr/lib/sysimage/libdnf5/packages.toml".into()],
            limit: 16 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        #[derive(Deserialize)]
        struct State {
            packages: BTreeMap<String, Of>,
        }
        #[derive(Deserialize)]
        struct Of {
            #[serde(default)]
            reason: String,
        }
        let state: State = match toml::from_str(file.text()) {
            Ok(state) => state,
            Err(error) => {
                let reason = format!("cannot be understood: {}", error.message());
                return sink.unexamined(file.path, self.id(), reason);
            }
        };
        let of = state.packages.into_iter();
        let automatic =
            of.filter(|(_, of)| ["Dependency", "Weak Dependency"].contains(&&*of.reason));
        // The architecture follows the name's last dot.
        let names = automatic.filter_map(|(name, _)| Some(name.rsplit_once('.')?.0.to_owned()));
        sink.fact(Fact::Automatic(names.collect()));
    }
}

/// zypp's list.
pub struct Marks;

impl Detector for Marks {
    fn id(&self) -> &'static str {
        "packages/rpm-marks"
    }

    fn doc(&self) -> Doc {
        titled("the names in zypp's list")
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/var/lib/zypp/AutoInstalled".into()],
            limit: 16 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let lines = file.text().lines().map(str::trim);
        let names = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        sink.fact(Fact::Automatic(names.map(str::to_owned).collect()));
    }
}
