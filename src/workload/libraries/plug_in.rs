//! Libraries that a program opens by names made at run time, and the directories they are in.

use super::Loader;
use crate::fact::Elf;
use crate::path::MachinePath;
use std::collections::BTreeSet;

/// Plug-ins of one program.
const PLUG_INS: usize = 2000;

impl Loader<'_> {
    /// Directories that a string of a file's code can mean, where plug-ins may be: itself, as far as it is known before the
    /// run, and what it is in. Links are not followed yet, and none need be there.
    pub fn directories_named(&self, elf: &Elf, text: &str) -> impl Iterator<Item = MachinePath> {
        let known = text.split('%').next().unwrap_or_default();
        let path = known.starts_with('/').then(|| MachinePath::new(known));
        let parent = path.as_ref().and_then(MachinePath::parent);
        let both = parent.into_iter().chain(path);
        both.filter(|directory| !self.is_shared(directory, elf))
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

    /// A directory of everybody's, which holds no program's plug-ins.
    fn is_shared(&self, directory: &MachinePath, program: &Elf) -> bool {
        let text = directory.as_bytes();
        directory.components().count() < 3 && !text.starts_with(b"/opt/")
            || text.starts_with(b"/usr/lib/debug")
            || self.is_common(directory, program)
    }

    /// Libraries that a program opens by names made at run time: what stands below directories of plug-ins.
    pub fn plug_ins(
        &self,
        program: &Elf,
        directories: impl IntoIterator<Item = MachinePath>,
    ) -> BTreeSet<MachinePath> {
        let tree = &self.facts.tree;
        let directories = directories.into_iter();
        let real: BTreeSet<MachinePath> = directories
            .filter_map(|directory| tree.resolve(&directory))
            .filter(|directory| !self.is_shared(directory, program))
            .collect();
        let entries = real.iter().flat_map(|directory| tree.below(directory));
        entries
            .filter(|entry| entry.path.name().contains(".so"))
            .filter_map(|entry| tree.resolve(&entry.path))
            .filter(|path| self.fits(path, program))
            .take(PLUG_INS)
            .collect()
    }
}
