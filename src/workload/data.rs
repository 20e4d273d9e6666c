//! State that must outlive the container: what the product keeps, and what the unit may write.

use super::service::{DirectoryKind, Service};
use super::{Data, Product, claims};
use crate::detect::pack::program;
use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;

pub(super) fn data(service: &Service, product: Option<&Product>, facts: &Facts) -> Vec<Data> {
    let mut found: Vec<Data> = Vec::new();
    let mut add = |path: &MachinePath, why: &str, evidence: Evidence| {
        let Some(path) = facts.tree.resolve(path) else {
            return;
        };
        if !found.iter().any(|data| path.is_within(&data.path)) {
            let bytes = claims::files(facts, &path).map(|entry| entry.size).sum();
            found.push(Data {
                path,
                bytes,
                why: why.to_owned(),
                evidence,
            });
        }
    };
    for (path, why, evidence) in product.iter().flat_map(|product| &product.data) {
        add(path, why, evidence.clone());
    }
    let kept = [DirectoryKind::State, DirectoryKind::Cache];
    for directory in service
        .directories
        .iter()
        .filter(|directory| kept.contains(&directory.kind))
    {
        add(
            &directory.path,
            "the state directory of its unit",
            service.evidence.clone(),
        );
    }
    for directory in written(service, facts) {
        add(
            &directory,
            "written by the service's own user",
            Evidence::file(&directory),
        );
    }
    found
}

/// Directories inside the application that the service's user owns while somebody else owns the application; and
/// directories that hold an SQLite database.
fn written(service: &Service, facts: &Facts) -> Vec<MachinePath> {
    let Some(uid) = facts
        .user(&service.user)
        .map(|user| user.uid)
        .filter(|uid| *uid != 0)
    else {
        return Vec::new();
    };
    let argv = service
        .exec
        .first()
        .map(|command| command.argv.as_slice())
        .unwrap_or_default();
    let named = program::of(argv, facts)
        .files
        .into_iter()
        .chain(service.working_directory.clone());
    let roots = claims::outermost(
        named
            .filter_map(|path| claims::topmost(facts, &path))
            .collect(),
    );
    let mut found = Vec::new();
    for root in roots {
        let Some(entry) = facts.tree.entry(&root).filter(|entry| entry.is_dir()) else {
            continue;
        };
        for inner in facts.tree.below(&root) {
            let name = inner.path.name();
            let sqlite = [".db", ".sqlite", ".sqlite3"]
                .iter()
                .any(|end| name.ends_with(end))
                && inner.is_file();
            if inner.is_dir() && inner.uid == uid && entry.uid != uid {
                found.push(inner.path.clone());
            } else if sqlite && inner.uid == uid {
                found.extend(inner.path.parent().filter(|dir| *dir != root));
            }
        }
    }
    claims::outermost(found)
}
