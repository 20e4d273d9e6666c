//! Files that are opened at run time, by names in code or below directories that code names.

use super::walk::Walk;
use crate::fact::{Target, name_hash};
use crate::path::MachinePath;

impl Walk<'_> {
    pub(super) fn string(&mut self, module: usize, string: u32) {
        let Some(found) = self.modules.get_mut(module) else {
            return;
        };
        let Some(seen) = found
            .strings
            .get_mut(string as usize)
            .filter(|seen| !**seen)
        else {
            return;
        };
        *seen = true;
        let code = found.code;
        let Some((_, text)) = code.strings.get(string as usize) else {
            return;
        };
        // What the loader names are the libraries that it looks at, not ones that it opens.
        if !text.contains(".so") || found.is_loader {
            return;
        }
        for path in self.join.named_libraries(&code.path, text) {
            self.plug_in(&path);
        }
    }

    /// A file opened at run time: everything it shows may be asked for.
    pub(super) fn plug_in(&mut self, path: &MachinePath) {
        if !self.opened.insert(path.clone()) || !self.join.facts.codes.contains_key(path) {
            return;
        }
        if let Some(at) = self.loaded.get(path).copied() {
            self.reopened(at);
            return;
        }
        let Some(at) = self.load(path) else { return };
        let count = self
            .modules
            .get(at)
            .map_or(0, |module| module.code.symbols.len());
        for symbol in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            let target = self
                .modules
                .get(at)
                .and_then(|module| module.code.symbols.get(symbol as usize));
            if let Some(symbol) = target {
                self.bind(name_hash(symbol.name.as_bytes()));
            }
            match target.map(|symbol| symbol.target) {
                Some(Target::Function(function)) => self.offered(at, function),
                Some(Target::Data(first, last)) => {
                    (first..last).for_each(|region| self.region(at, region));
                }
                _ => {}
            }
        }
    }
}
