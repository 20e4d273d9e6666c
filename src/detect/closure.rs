//! What a program can have loaded: its libraries as the loader finds them, its interpreter, what strings in its code name.
//! Each is asked for by its headers and its code. Pure.

use super::native::{Executable, MachineCode};
use super::{Purpose, Want};
use crate::fact::{Elf, Facts};
use crate::path::MachinePath;
use crate::walk::literal;
use crate::workload::libraries::Loader;
use std::collections::BTreeSet;

/// Files of one machine's programs.
const FILES: usize = 20_000;

/// The files that these programs can load, as far as is known by now.
pub fn files(
    facts: &Facts,
    programs: impl IntoIterator<Item = MachinePath>,
) -> BTreeSet<MachinePath> {
    let loader = Loader::new(facts);
    let mut found = BTreeSet::new();
    let mut work: Vec<MachinePath> = programs.into_iter().collect();
    while let Some(path) = work.pop() {
        if found.len() > FILES || !found.insert(path.clone()) {
            continue;
        }
        if let Some(script) = facts.scripts.get(&path) {
            let interpreter = script.interpreter.first();
            work.extend(interpreter.and_then(|name| facts.tree.resolve(&MachinePath::new(name))));
        }
        let Some(elf) = facts.elfs.get(&path) else {
            continue;
        };
        work.extend(loader.needed(elf));
        let interpreter = elf.interpreter.as_ref();
        work.extend(interpreter.and_then(|name| facts.tree.resolve(&MachinePath::new(name))));
        let code = facts.codes.get(&path);
        let strings = code.into_iter().flat_map(|code| &code.strings);
        let libraries = strings.filter(|(_, text)| text.contains(".so"));
        work.extend(libraries.flat_map(|(_, text)| loader.named(elf, text)));
    }
    found
}

/// Every directory that has to be known for these programs: theirs, the loader's, those their libraries name.
pub fn directories(facts: &Facts, programs: &[MachinePath]) -> BTreeSet<MachinePath> {
    let loader = Loader::new(facts);
    let mut found = BTreeSet::from([
        MachinePath::new("/etc"),
        MachinePath::new("/etc/ld.so.conf.d"),
    ]);
    found.extend(programs.iter().filter_map(MachinePath::parent));
    found.extend(loader.directories(&Elf::default()));
    let real: Vec<MachinePath> = programs
        .iter()
        .filter_map(|path| facts.tree.resolve(path))
        .collect();
    for path in files(facts, real) {
        found.extend(path.parent());
        if let Some(elf) = facts.elfs.get(&path) {
            found.extend(loader.directories(elf));
            let interpreter = elf.interpreter.as_deref().map(MachinePath::new);
            found.extend(interpreter.and_then(|path| path.parent()));
        }
        let script = facts.scripts.get(&path);
        let words = script.into_iter().flat_map(|script| &script.interpreter);
        let absolute = words.filter(|word| word.starts_with('/'));
        found.extend(absolute.filter_map(|word| MachinePath::new(word).parent()));
    }
    found
}

/// Asks for them: headers and code.
pub fn wants(facts: &Facts, programs: impl IntoIterator<Item = MachinePath>) -> Vec<Want> {
    let files = files(facts, programs);
    let both = |path: &MachinePath| [want(path, Executable::ID), want(path, MachineCode::ID)];
    files.iter().flat_map(both).collect()
}

fn want(path: &MachinePath, detector: &'static str) -> Want {
    let purpose = Purpose {
        detector: detector.into(),
        context: String::new(),
    };
    Want {
        pattern: literal(path),
        purpose,
    }
}
