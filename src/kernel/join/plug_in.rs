//! Files that are opened at run time, by names in code or below directories that code names.

use super::super::way::How;
use super::trace::Node;
use super::walk::Walk;
use crate::fact::{Target, name_hash};
use crate::path::MachinePath;

impl Walk<'_> {
    pub(super) fn string(&mut self, module: usize, string: u32) {
        self.led(How::Refers, Node::String(module, string));
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
            self.under(Node::String(module, string), |walk| {
                walk.plug_in(&path, How::Opens);
            });
        }
    }

    /// A file opened at run time: everything it shows may be asked for.
    pub(super) fn plug_in(&mut self, path: &MachinePath, how: How) {
        if let Some(at) = self.loaded.get(path).copied() {
            self.led(how, Node::File(at));
        }
        // What is no machine code has a library's name only, as a linker's script has.
        let is_code = self.join.facts.elfs.contains_key(path) || self.join.is_large(path);
        if !self.opened.insert(path.clone()) || !is_code {
            return;
        }
        if let Some(at) = self.loaded.get(path).copied() {
            self.reopened(at);
            return;
        }
        let Some(at) = self.load(path, how) else {
            return;
        };
        self.under(Node::File(at), |walk| walk.shown(at));
    }

    /// What a file shows to who opens it.
    fn shown(&mut self, module: usize) {
        let Some(code) = self.modules.get(module).map(|module| module.code) else {
            return;
        };
        for symbol in &code.symbols {
            let name = name_hash(symbol.name.as_bytes());
            self.bind(name);
            if symbol.target == Target::Elsewhere {
                self.imported.insert(name);
            }
            match symbol.target {
                Target::Function(function) => self.offered(module, function, How::Shows),
                Target::Data(first, last) => {
                    (first..last).for_each(|region| self.region(module, region, How::Shows));
                }
                Target::Elsewhere => {}
            }
        }
    }
}
