//! The dynamic symbols with their versions (LSB core, "Symbol Versioning").

use super::{SYMBOLS, Symbol};
use goblin::elf::Elf;
use goblin::elf::sym::STT_TLS;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn symbols(elf: &Elf<'_>) -> Vec<Symbol> {
    let versions = Versions::new(elf);
    let mut found = Vec::new();
    for (at, symbol) in elf.dynsyms.iter().enumerate().take(SYMBOLS) {
        let is_defined = symbol.st_shndx != 0 && symbol.st_type() != STT_TLS;
        let (version, is_default) = versions.of(elf, at);
        found.push(Symbol {
            name: elf
                .dynstrtab
                .get_at(symbol.st_name)
                .unwrap_or_default()
                .to_owned(),
            version,
            is_default,
            // A local one is nobody else's.
            is_defined: is_defined && symbol.st_bind() != 0,
            address: symbol.st_value,
            size: symbol.st_size,
        });
    }
    found
}

/// Names of symbol versions by index: defined here, and needed of others.
struct Versions {
    names: BTreeMap<u16, Arc<str>>,
}

impl Versions {
    fn new(elf: &Elf<'_>) -> Self {
        let mut names = BTreeMap::new();
        let defined = elf.verdef.iter().flat_map(goblin::elf::VerdefSection::iter);
        for version in defined.take(4096) {
            let name = version
                .iter()
                .next()
                .and_then(|aux| elf.dynstrtab.get_at(aux.vda_name));
            // The base version is the file itself.
            if version.vd_flags & 1 == 0 {
                names.insert(version.vd_ndx, name.unwrap_or_default().into());
            }
        }
        let needed = elf
            .verneed
            .iter()
            .flat_map(goblin::elf::VerneedSection::iter);
        for file in needed.take(4096) {
            for aux in file.iter().take(4096) {
                let name = elf.dynstrtab.get_at(aux.vna_name).unwrap_or_default();
                names.insert(aux.vna_other & 0x7fff, name.into());
            }
        }
        Self { names }
    }

    fn of(&self, elf: &Elf<'_>, at: usize) -> (Option<Arc<str>>, bool) {
        let Some(version) = elf.versym.as_ref().and_then(|table| table.get_at(at)) else {
            return (None, true);
        };
        (
            self.names.get(&version.version()).cloned(),
            !version.is_hidden(),
        )
    }
}
