//! Claims: files that no package brings, and a workload needs. An application is its topmost unowned directory.

use crate::fact::Facts;
use crate::path::MachinePath;
use crate::program::libraries::is_library;
use crate::walk::{Entry, glob};
use foldhash::HashSet;

/// Directories that hold applications and are none. Whatever a package owns is one too.
const SHELVES: &[&str] = &[
    "/",
    "/bin",
    "/boot",
    "/data",
    "/dev",
    "/etc",
    "/home",
    "/home/*",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/srv/www",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/*",
    "/usr/local/*",
    "/var",
    "/var/*",
    "/var/www",
    "/var/cache/private",
    "/var/lib/private",
    "/var/log/private",
    "/u01",
    "/app",
    "/apps",
    // Environments of a user's projects: each is one by itself.
    "/**/.cache",
    "/**/.cache/pypoetry",
    "/**/.cache/pypoetry/virtualenvs",
    "/**/.local/share/virtualenvs",
];

/// The topmost unowned path above (or at) `path`: what an administrator put there as one. `None` for what a package
/// owns, and for what is not there. Links are followed: the application is where its files are.
pub fn topmost(facts: &Facts, path: &MachinePath) -> Option<MachinePath> {
    let real = facts.tree.resolve(path)?;
    if owned(facts, &real) || is_shelf(&real) {
        return None;
    }
    let mut top = real;
    while let Some(parent) = top.parent() {
        if is_shelf(&parent) || owned(facts, &parent) {
            break;
        }
        top = parent;
    }
    let pseudo = ["/proc", "/sys", "/dev", "/run", "/tmp", "/boot"]
        .iter()
        .any(|dir| top.is_within(&MachinePath::new(dir)));
    (!pseudo).then_some(top)
}

/// Shelves that are an application themselves where a service works in them, or a product serves them.
const FILLED: &[&str] = &[
    "/app", "/apps", "/data", "/home/*", "/opt", "/root", "/srv", "/srv/www", "/u01", "/var/www",
];

/// What stands on a shelf that a service has for its own: everything no package brought, but for what a new home holds
/// anyway.
pub fn on_shelf(facts: &Facts, shelf: &MachinePath) -> Vec<MachinePath> {
    let text = shelf.text();
    if !FILLED
        .iter()
        .any(|filled| glob::matches_path(filled, &text))
    {
        return Vec::new();
    }
    let skeleton = MachinePath::new("/etc/skel");
    let entries = facts.tree.below(shelf).filter(|entry| {
        entry.path.parent().as_ref() == Some(shelf)
            && !owned(facts, &entry.path)
            && !facts.tree.exists(&skeleton.join(&*entry.path.name()))
    });
    entries.map(|entry| entry.path.clone()).collect()
}

/// What was put into a directory that a package owns: the topmost names in it that no package knows.
pub fn added<'a>(
    facts: &'a Facts,
    directory: &MachinePath,
) -> impl Iterator<Item = MachinePath> + use<'a> {
    let is_place = facts.tree.entry(directory).is_some_and(Entry::is_dir) && !is_shelf(directory);
    let entries = is_place
        .then(|| facts.tree.below(directory))
        .into_iter()
        .flatten();
    entries.filter_map(|entry| {
        let parent = entry.path.parent()?;
        (!owned(facts, &entry.path) && owned(facts, &parent)).then(|| entry.path.clone())
    })
}

fn owned(facts: &Facts, path: &MachinePath) -> bool {
    facts.ownership.owner(path).is_some()
}

pub fn is_shelf(path: &MachinePath) -> bool {
    let text = path.text();
    SHELVES.iter().any(|shelf| {
        *shelf == text || (glob::is_pattern(shelf) && glob::matches_path(shelf, &text))
    })
}

/// The files at or below a path.
pub fn files<'a>(
    facts: &'a Facts,
    path: &MachinePath,
) -> impl Iterator<Item = &'a Entry> + use<'a> {
    let own = facts.tree.get(path).filter(|entry| entry.is_file());
    own.into_iter()
        .chain(facts.tree.below(path).filter(|entry| entry.is_file()))
}

/// Whether a file could be a program or a library.
pub fn may_be_program(entry: &Entry) -> bool {
    let name = entry.path.name();
    entry.size > 4 && (entry.is_executable() || is_library(&name))
}

/// Drops paths that lie within another of the list; sorted.
pub fn outermost(mut paths: Vec<MachinePath>) -> Vec<MachinePath> {
    paths.sort();
    paths.dedup();
    let all: HashSet<MachinePath> = paths.iter().cloned().collect();
    paths.retain(|path| {
        !std::iter::successors(path.parent(), MachinePath::parent).any(|above| all.contains(&above))
    });
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shelves_are_no_applications() {
        for path in [
            "/srv",
            "/usr/local/bin",
            "/home/bob",
            "/",
            "/var/www",
            "/var/lib",
        ] {
            assert!(is_shelf(&path.into()), "{path}");
        }
        for path in [
            "/srv/shop",
            "/usr/local/bin/x",
            "/home/bob/app",
            "/var/www/html",
            "/var/lib/x",
        ] {
            assert!(!is_shelf(&path.into()), "{path}");
        }
    }

    #[test]
    fn what_lies_within_another_goes() {
        let paths = ["/srv/a/b", "/srv/a", "/srv/ab"]
            .map(MachinePath::from)
            .to_vec();
        assert_eq!(
            outermost(paths),
            [MachinePath::from("/srv/a"), MachinePath::from("/srv/ab")]
        );
    }
}
