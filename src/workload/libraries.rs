//! Libraries a program needs, found as the machine's own loader would find them (ld.so(8)).

use crate::fact::{Elf, Facts, Syntax};
use crate::path::MachinePath;

/// The loader's own directories; multiarch ones are in ld.so.conf.d, and named here for machines without it.
const DEFAULT: &[&str] = &["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Where each NEEDED entry leads, as far as it leads anywhere; links followed.
pub fn needed(facts: &Facts, elf: &Elf) -> Vec<MachinePath> {
    elf.needed
        .iter()
        .filter_map(|name| locate(facts, elf, name))
        .collect()
}

/// NEEDED entries that lead nowhere on this machine.
pub fn missing<'a>(facts: &Facts, elf: &'a Elf) -> Vec<&'a str> {
    elf.needed
        .iter()
        .filter(|name| locate(facts, elf, name).is_none())
        .map(String::as_str)
        .collect()
}

fn locate(facts: &Facts, elf: &Elf, name: &str) -> Option<MachinePath> {
    if name.contains('/') {
        return facts.tree.resolve(&MachinePath::new(name));
    }
    let origin = elf.path.parent().unwrap_or_else(MachinePath::root);
    let expand = |dir: &String| {
        let lib = if elf.bits == 64 { "lib64" } else { "lib" };
        let origin = origin.text();
        dir.replace("${ORIGIN}", &origin)
            .replace("$ORIGIN", &origin)
            .replace("${LIB}", lib)
            .replace("$LIB", lib)
            .replace("${PLATFORM}", &elf.machine)
            .replace("$PLATFORM", &elf.machine)
    };
    // DT_RPATH counts only without DT_RUNPATH.
    let own = if elf.runpath.is_empty() {
        &elf.rpath
    } else {
        &elf.runpath
    };
    let configured = configured(facts);
    let multiarch = [
        format!("/lib/{}-linux-gnu", elf.machine),
        format!("/usr/lib/{}-linux-gnu", elf.machine),
    ];
    own.iter()
        .map(expand)
        .chain(configured)
        .chain(multiarch)
        .chain(DEFAULT.iter().map(|dir| (*dir).to_owned()))
        .filter(|dir| dir.starts_with('/'))
        .find_map(|dir| facts.tree.resolve(&MachinePath::new(dir).join(name)))
}

/// Directories of ld.so.conf and what it includes, in order.
fn configured(facts: &Facts) -> Vec<String> {
    let documents = facts.documents.iter().filter(|((path, syntax), _)| {
        *syntax == Syntax::Columns && path.text().starts_with("/etc/ld.so.conf")
    });
    let settings = documents.flat_map(|(_, document)| &document.settings);
    settings
        .map(|setting| setting.key.clone())
        .filter(|key| key.starts_with('/'))
        .collect()
}
