//! What a program can have loaded: its libraries as the loader finds them, its interpreter, what strings in its code name.
//! Each is asked for by its headers and its code. Pure.

use super::Want;
use super::native::{Executable, MachineCode, syntax};
use crate::fact::{Code, Elf, Facts, Syntax};
use crate::path::MachinePath;
use crate::workload::libraries::Loader;
use crate::workload::plug_ins;
use std::collections::BTreeSet;

/// Files of one machine's programs.
const FILES: usize = 20_000;

/// The files that these programs can load, as far as is known by now.
pub fn files(
    facts: &Facts,
    programs: impl IntoIterator<Item = MachinePath>,
) -> BTreeSet<MachinePath> {
    let loader = Loader::new(facts);
    let programs: BTreeSet<MachinePath> = programs.into_iter().collect();
    let mut found = BTreeSet::new();
    for program in programs {
        if found.len() > FILES {
            break;
        }
        found.extend(of_program(facts, &loader, &program));
    }
    found
}

fn of_program(facts: &Facts, loader: &Loader<'_>, program: &MachinePath) -> BTreeSet<MachinePath> {
    let mut found = BTreeSet::new();
    let mut work = vec![program.clone()];
    let mut asked = false;
    loop {
        while let Some(path) = work.pop() {
            if found.len() < FILES && found.insert(path.clone()) {
                work.extend(beside(facts, loader, &path));
            }
        }
        let codes = || found.iter().filter_map(|path| facts.codes.get(path));
        let opens_any = codes()
            .flat_map(|code| &code.arguments)
            .any(|site| site.via == Some("dlopen") && site.value.is_none());
        let Some(elf) = facts.elfs.get(program).filter(|_| opens_any && !asked) else {
            return found;
        };
        asked = true;
        let strings = codes().flat_map(|code| &code.strings);
        work = loader.plug_ins(elf, strings.map(|(_, text)| text.as_str()));
    }
}

/// What one file names: its interpreter, its libraries, and libraries in its code's strings.
fn beside(facts: &Facts, loader: &Loader<'_>, path: &MachinePath) -> Vec<MachinePath> {
    let resolve = |name: &String| facts.tree.resolve(&MachinePath::new(name));
    let script = facts.scripts.get(path);
    let mut found: Vec<MachinePath> = script
        .and_then(|script| script.interpreter.first())
        .and_then(resolve)
        .into_iter()
        .collect();
    if let Some(elf) = facts.elfs.get(path) {
        found.extend(loader.needed(elf));
        found.extend(elf.interpreter.as_ref().and_then(resolve));
        let opened = elf.opens.iter().flat_map(|opened| &opened.sonames);
        found.extend(opened.flat_map(|name| loader.named(elf, name)));
        let code = facts.codes.get(path);
        let strings = code.into_iter().flat_map(|code| &code.strings);
        let libraries = strings.filter(|(_, text)| text.contains(".so"));
        found.extend(libraries.flat_map(|(_, text)| loader.named(elf, text)));
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
    let files = files(facts, real);
    let configuration = plug_ins::configuration(&files).into_iter();
    found.extend(configuration.filter_map(|pattern| MachinePath::new(pattern).parent()));
    for path in files {
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

/// Directories of these programs' plug-ins, as far as their code is known and opens any.
pub fn plug_in_directories(facts: &Facts, programs: &[MachinePath]) -> BTreeSet<MachinePath> {
    let loader = Loader::new(facts);
    let real = programs.iter().filter_map(|path| facts.tree.resolve(path));
    let files = files(facts, real);
    let codes: Vec<&Code> = files
        .iter()
        .filter_map(|path| facts.codes.get(path))
        .collect();
    let mut found = BTreeSet::new();
    if opens_any(&codes) {
        let elfs = files.iter().filter_map(|path| facts.elfs.get(path));
        for elf in elfs.filter(|elf| elf.interpreter.is_some()) {
            let strings = codes.iter().flat_map(|code| &code.strings);
            let strings = strings.map(|(_, text)| text.as_str());
            found.extend(loader.plug_in_directories(elf, strings));
        }
    }
    found
}

/// Whether a library is opened by a name that only the run knows.
fn opens_any(codes: &[&Code]) -> bool {
    let mut arguments = codes.iter().flat_map(|code| &code.arguments);
    arguments.any(|site| site.via == Some("dlopen") && site.value.is_none())
}

/// Largest library that a scan reads, in bytes. Those above are compilers that make code while they run (LLVM, V8), which
/// nobody can read beforehand; a scan that took them in would need four times the memory for no answer.
pub const LARGE: u64 = 32 << 20;

/// Asks for them: headers and code, and the configuration that says which plug-ins are opened. Libraries above a size are left out, and their programs' answer says so.
pub fn wants(
    facts: &Facts,
    programs: impl IntoIterator<Item = MachinePath>,
    largest: u64,
) -> Vec<Want> {
    let programs: BTreeSet<MachinePath> = programs.into_iter().collect();
    let is_read = |path: &&MachinePath| {
        let size = facts.tree.get(path).map_or(0, |entry| entry.size);
        size <= largest || programs.contains(*path)
    };
    let files = files(facts, programs.iter().cloned());
    let both = |path: &MachinePath| {
        [
            Want::file(path, Executable::ID),
            Want::file(path, MachineCode::ID),
        ]
    };
    let mut wants: Vec<Want> = files.iter().filter(is_read).flat_map(both).collect();
    let configuration = plug_ins::configuration(&files).into_iter();
    wants.extend(configuration.map(|pattern| syntax::want(Syntax::Columns, pattern)));
    wants
}
