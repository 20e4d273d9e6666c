//! Libraries that a program opens by names made at run time, and the directories they are in.

use super::Loader;
use crate::fact::Elf;
use crate::path::MachinePath;
use crate::walk::glob;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Plug-ins of one program.
const PLUG_INS: usize = 2000;

/// Entries of one search path.
const ENTRIES: usize = 64;

/// Programs, each with files and directories of its own workloads: an interpreter opens libraries of the application.
pub type Programs = BTreeMap<MachinePath, BTreeSet<MachinePath>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    search: Vec<Search>,
}

/// One entry of `detectors/kernel/searched.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    files: Vec<String>,
    directories: Vec<String>,
    /// For readers of the file.
    #[expect(dead_code, reason = "an entry without its source is refused")]
    source: String,
}

static TABLE: LazyLock<Vec<Search>> = LazyLock::new(|| {
    let text = include_str!("../../../detectors/kernel/searched.toml");
    // A test reads the file; without it nothing is searched beside what code names.
    toml::from_str::<Table>(text).map_or_else(|_| Vec::new(), |table| table.search)
});

/// Patterns of directories that are searched for plug-ins once this file is loaded.
fn searched(file: &MachinePath) -> impl Iterator<Item = &'static str> {
    let name = file.file_name().to_vec();
    let is_meant = move |search: &&Search| {
        let mut files = search.files.iter();
        files.any(|pattern| glob::matches_name(pattern, &name))
    };
    let meant = TABLE.iter().filter(is_meant);
    meant.flat_map(|search| search.directories.iter().map(String::as_str))
}

/// Directories to look into before those of a file's plug-ins can be told.
pub fn above_searched(file: &MachinePath) -> impl Iterator<Item = MachinePath> {
    searched(file).map(|pattern| {
        let known = pattern.split('*').next().unwrap_or_default();
        let above = known.rsplit_once('/').map_or("", |(above, _)| above);
        MachinePath::new(above)
    })
}

/// Whether a file is a library by its name: also Node.js takes them, under a name of its own (N-API, "Building").
pub fn is_library(name: &str) -> bool {
    let shared = name.split_once(".so").map(|(_, rest)| rest);
    // `x.so.1`, and no `x.socket`.
    shared.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) || name.ends_with(".node")
}

/// What a string can mean, as far as it is known before the run, with what it is in: a path, or one of a search path, between
/// whose entries `:` stands, or `;` where they are templates (`/usr/lib/lua/5.4/?.so`).
fn meant(text: &str) -> impl Iterator<Item = (Option<MachinePath>, MachinePath)> {
    let entries = text.split([':', ';']).take(ENTRIES);
    let known = entries.map(|entry| entry.split(['%', '?']).next().unwrap_or_default());
    let known = known.filter(|known| known.starts_with('/'));
    known.map(|known| {
        let path = MachinePath::new(known);
        (path.parent(), path)
    })
}

impl Loader<'_> {
    /// Directories that a string of a file's code can mean, where plug-ins may be. Links are not followed yet, and none need
    /// be there.
    pub fn directories_named(&self, elf: &Elf, text: &str) -> impl Iterator<Item = MachinePath> {
        let named = meant(text).flat_map(|(parent, path)| parent.into_iter().chain([path]));
        named.filter(|directory| !self.is_shared(directory, elf))
    }

    /// Directories that are searched once a file is loaded, as far as they are there.
    pub fn directories_searched(&self, file: &MachinePath) -> impl Iterator<Item = MachinePath> {
        let found = searched(file).flat_map(|pattern| self.facts.tree.find(pattern));
        found.map(|found| found.named)
    }

    /// Directories of a program's plug-ins that nobody has to name: the one that bears its name (FHS 4.7), and a prefix
    /// of its own.
    pub fn own_plug_in_directories(&self, program: &Elf) -> Vec<MachinePath> {
        let name = program.path.name().into_owned();
        let mut directories = self.common_directories(program);
        for directory in &mut directories {
            *directory = directory.join(&name);
        }
        let prefix = program.path.parent().and_then(|bin| bin.parent());
        directories.extend(prefix.map(|prefix| prefix.join("lib")));
        directories.retain(|directory| !self.is_shared(directory, program));
        directories
    }

    /// Directories that bear a script's name: what it has its interpreter open may be there, as a program's own would.
    pub fn directories_of_script(&self, script: &MachinePath) -> impl Iterator<Item = MachinePath> {
        let name = script.file_name().to_vec();
        let shared = self.common_directories(&Elf::default()).into_iter();
        shared.map(move |directory| directory.join(&name))
    }

    /// A directory of everybody's, which holds no program's plug-ins.
    fn is_shared(&self, directory: &MachinePath, program: &Elf) -> bool {
        let text = directory.as_bytes();
        directory.components().count() < 3 && !text.starts_with(b"/opt/")
            || text.starts_with(b"/usr/lib/debug")
            || self.is_common(directory, program)
    }

    /// Libraries that a program opens by names made at run time: what stands below directories of plug-ins, and among
    /// its workloads' own files.
    pub fn plug_ins(
        &self,
        program: &Elf,
        directories: impl IntoIterator<Item = MachinePath>,
    ) -> BTreeSet<MachinePath> {
        let tree = &self.facts.tree;
        let directories = directories.into_iter();
        let directories: BTreeSet<MachinePath> = directories
            .filter_map(|directory| tree.resolve(&directory))
            .filter(|directory| !self.is_shared(directory, program))
            .collect();
        let own = self.own.get(&program.path).into_iter().flatten();
        let own: BTreeSet<MachinePath> = own.filter_map(|path| tree.resolve(path)).collect();
        let all = directories.union(&own);
        let entries = all.flat_map(|path| tree.entry(path).into_iter().chain(tree.below(path)));
        entries
            .filter(|entry| is_library(&entry.path.name()))
            .filter_map(|entry| tree.resolve(&entry.path))
            .filter(|path| self.fits(path, program))
            .take(PLUG_INS)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_path_names_each_of_its_directories() {
        let named = |text| meant(text).map(|(_, path)| path).collect::<Vec<_>>();
        let lua = "/usr/local/lib/lua/5.4/?.so;/usr/lib/lua/5.4/?.so;./?.so";
        let expected = ["/usr/local/lib/lua/5.4", "/usr/lib/lua/5.4"].map(MachinePath::new);
        assert_eq!(named(lua), expected);
        let listed = "/usr/lib/ladspa:/usr/local/lib/ladspa";
        let expected = ["/usr/lib/ladspa", "/usr/local/lib/ladspa"].map(MachinePath::new);
        assert_eq!(named(listed), expected);
        assert_eq!(named("/opt/x/mod_%s.so"), ["/opt/x/mod_".into()]);
        assert!(named("no/such:thing").is_empty());
        let parents: Vec<_> = meant("/opt/x/mod_%s.so")
            .map(|(parent, _)| parent)
            .collect();
        assert_eq!(parents, [Some("/opt/x".into())]);
    }

    #[test]
    fn the_table_is_read() {
        let text = include_str!("../../../detectors/kernel/searched.toml");
        let table: Table = toml::from_str(text).unwrap();
        for search in &table.search {
            assert!(!search.files.is_empty());
            assert!(search.directories.iter().all(|path| path.starts_with('/')));
        }
        let ruby = MachinePath::new("/usr/lib/x/libruby-3.1.so.3.1");
        assert!(above_searched(&ruby).any(|path| path == "/usr/lib".into()));
    }
}
