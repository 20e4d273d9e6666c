//! Which packages came as dependencies: what the installers above rpm note.

use super::{NAME, doc};
use crate::detect::native::package::sqlite::{Database, Table, Value};
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;
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
    let packages = database.table("rpm").ok_or(unknown)?;
    let entries = database.table("trans_item").ok_or(unknown)?;
    let place = |table: &Table, name: &str| table.column(name).ok_or(unknown);
    let (item, name) = (place(&packages, "item_id")?, place(&packages, "name")?);
    let mut names: BTreeMap<i64, String> = BTreeMap::new();
    let integer = |row: &[Value<'_>], at: usize| row.get(at).and_then(|value| value.integer());
    database.rows(&packages, &mut |id, row| {
        let name = row.get(name).and_then(|value| value.bytes());
        let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        // A key that is the row's number is not written among the row's values.
        names.insert(integer(row, item).unwrap_or(id), name);
    })?;
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
        // A digest, then name, version, release and architecture.
        let directory = file.path.parent().map(|parent| parent.name().into_owned());
        let name = directory.and_then(|directory| {
            let name = directory.split_once('-')?.1;
            name.rsplitn(4, '-').nth(3).map(str::to_owned)
        });
        if let Some(name) = name.filter(|_| file.text().trim() == "dep") {
            sink.fact(Fact::Automatic(vec![name]));
        }
    }
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
