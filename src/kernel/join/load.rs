//! Files as the loader takes them in: a program, what it needs, and what is opened at run time.

use super::super::reach::{Site, Unresolved};
use super::super::way::How;
use super::trace::Node;
use super::walk::{Module, Walk};
use crate::fact::name_hash;
use crate::path::MachinePath;
use std::collections::{BTreeSet, VecDeque};

/// Files one program may load.
const MODULES: usize = 2000;

impl Walk<'_> {
    /// Loads a file and, breadth first, what it needs; its place among the modules.
    pub(super) fn load(&mut self, path: &MachinePath, how: How) -> Option<usize> {
        let first = self.modules.len();
        let mut queue = VecDeque::from([(self.current, how, path.clone())]);
        let mut opens = Vec::new();
        while let Some((by, how, path)) = queue.pop_front() {
            let known = self.loaded.get(&path).copied();
            let Some(at) = known.or_else(|| self.module(&path)) else {
                continue;
            };
            self.under(by, |walk| walk.led(how, Node::File(at)));
            if known.is_some() {
                continue;
            }
            let file = Node::File(at);
            let facts = self.join.facts;
            if let Some(elf) = facts.elfs.get(&path) {
                let opened = elf.opens.iter().flat_map(|opened| &opened.sonames);
                let opened = opened.flat_map(|name| self.join.loader.named(elf, name));
                opens.extend(opened.map(|path| (file, path)));
                for (name, library) in self.join.loader.libraries(elf) {
                    match library {
                        Some(library) => queue.push_back((file, How::Needs, library)),
                        None => {
                            self.lacking.insert((path.clone(), name.to_owned()));
                        }
                    }
                }
            }
            self.under(file, |walk| walk.starters(at));
        }
        for at in first..self.modules.len() {
            self.lookups(at);
        }
        for (file, opened) in opens {
            self.under(file, |walk| walk.plug_in(&opened, How::Opens));
        }
        self.loaded.get(path).copied()
    }

    /// Makes room for a file that is not loaded yet.
    fn module(&mut self, path: &MachinePath) -> Option<usize> {
        if self.modules.len() > MODULES {
            return None;
        }
        let Some(file) = self.join.files.get(path) else {
            self.missing.insert(self.join.unread(path));
            return None;
        };
        let code = file.code;
        let at = self.modules.len();
        self.loaded.insert(path.clone(), at);
        if let Some(place) = self.places.get_mut(file.place) {
            *place = Some(at);
        }
        self.modules.push(Module {
            code,
            file,
            functions: vec![false; code.functions.len()],
            regions: vec![false; code.regions.len()],
            symbols: vec![false; code.symbols.len() * 2],
            strings: vec![false; code.strings.len()],
            lent: BTreeSet::new(),
            is_opened: false,
            is_loader: false,
        });
        Some(at)
    }

    /// What runs since a file is there: its starters, and functions that unwinding calls, which only tables name.
    fn starters(&mut self, module: usize) {
        let Some(code) = self.modules.get(module).map(|module| module.code) else {
            return;
        };
        for starter in &code.starters {
            self.function(module, *starter, How::Starts);
        }
        if code.is_whole {
            for function in (0u32..).zip(&code.functions).map(|(function, _)| function) {
                self.function(module, function, How::Keeps);
            }
        }
        for (at, symbol) in (0u32..).zip(&code.symbols) {
            if symbol.name.contains("_personality") {
                self.symbol(module, at, How::Unwinds);
            }
        }
    }

    /// A file's entry, which the kernel or another file's start leads to.
    fn entry(&mut self, module: usize) {
        let entry = self
            .modules
            .get(module)
            .and_then(|module| module.code.entry);
        if let Some(entry) = entry {
            self.under(Node::File(module), |walk| {
                walk.function(module, entry, How::Starts);
            });
        }
    }

    /// A program with its own entry, and that of its loader; `None` where its code was not read.
    pub(super) fn start(&mut self, path: &MachinePath) -> Option<()> {
        let main = self.load(path, How::Starts)?;
        self.entry(main);
        let facts = self.join.facts;
        let program = facts.elfs.get(path);
        let interpreter = program.and_then(|elf| elf.interpreter.as_ref());
        let Some(interpreter) = interpreter else {
            return Some(());
        };
        let found = facts.tree.resolve(&MachinePath::new(interpreter));
        let loader = self.under(Node::File(main), |walk| walk.load(&found?, How::Needs));
        let Some(loader) = loader else {
            let site = Site {
                path: path.clone(),
                offset: 0,
            };
            self.missing.insert(Unresolved {
                site,
                reason: format!("its interpreter {interpreter} was not read"),
            });
            return Some(());
        };
        if let Some(module) = self.modules.get_mut(loader) {
            module.is_loader = true;
        }
        self.entry(loader);
        Some(())
    }

    /// Loads what a name made at run time can mean; whether there was something new to ask.
    pub(super) fn open_any(&mut self) -> bool {
        let reached = self.modules.iter().flat_map(|module| {
            let strings = module.code.strings.iter().zip(&module.strings);
            strings
                .filter(|(_, seen)| **seen)
                .map(|((_, text), _)| text.as_str())
        });
        let strings: BTreeSet<&str> = reached.filter(|text| text.starts_with('/')).collect();
        // A name that is imported may let the program name plug-ins by itself. None of these becomes fewer.
        let asked = strings.len() + self.modules.len() + self.imported.len();
        if asked == self.asked {
            return false;
        }
        self.asked = asked;
        let loader = &self.join.loader;
        let mut files = self.modules.iter().map(|module| &module.code.path);
        let program = files.next().and_then(|path| self.join.facts.elfs.get(path));
        let found = program.map(|program| {
            let paths = self.modules.iter().map(|module| &module.code.path);
            let searched = paths.flat_map(|path| loader.directories_searched(path));
            let named = strings.iter();
            let named = named.flat_map(|text| loader.directories_named(program, text));
            let own = loader.own_plug_in_directories(program).into_iter();
            loader.plug_ins(program, own.chain(named).chain(searched))
        });
        for path in found.unwrap_or_default() {
            if self.is_unnamed(&path) {
                continue;
            }
            self.under(Node::Any, |walk| walk.plug_in(&path, How::OpensAny));
        }
        true
    }

    /// Whether a plug-in is opened only by its name in configuration, which does not have it.
    fn is_unnamed(&self, path: &MachinePath) -> bool {
        let Some(rule) = self.join.unnamed.get(path) else {
            return false;
        };
        let mut until = rule.until.iter();
        !until.any(|name| self.imported.contains(&name_hash(name.as_bytes())))
    }
}
