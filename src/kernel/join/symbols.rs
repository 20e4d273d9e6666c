//! Symbols as the loader binds them, and lookups of symbols by their names at run time.

use super::super::reach::{Site, Unresolved};
use super::super::way::How;
use super::trace::Node;
use super::walk::Walk;
use crate::fact::{ArgumentSite, Symbol, Target, name_hash};

impl<'a> Walk<'a> {
    /// A symbol as the loader binds it: of data every definition, for copies share their content.
    pub(super) fn symbol(&mut self, module: usize, symbol: u32, how: How) {
        self.led(how, Node::Symbol(module, symbol));
        let is_call = how == How::Calls;
        let Some(found) = self.modules.get_mut(module) else {
            return;
        };
        let seen = found
            .symbols
            .get_mut(symbol as usize * 2 + usize::from(is_call));
        let Some(seen) = seen.filter(|seen| !**seen) else {
            return;
        };
        *seen = true;
        let Some(wanted) = found.code.symbols.get(symbol as usize) else {
            return;
        };
        self.under(Node::Symbol(module, symbol), |walk| {
            walk.bound_to(module, wanted, is_call);
        });
    }

    fn bound_to(&mut self, module: usize, wanted: &Symbol, is_call: bool) {
        let hash = name_hash(wanted.name.as_bytes());
        self.bind(hash);
        if wanted.target == Target::Elsewhere {
            self.imported.insert(hash);
        }
        let mut fallback = None;
        let mut bound = None;
        let mut data = Vec::new();
        let own = (wanted.target != Target::Elsewhere).then_some((module, wanted));
        for (at, definition) in self.definitions(hash, &wanted.name).into_iter().chain(own) {
            match definition.target {
                Target::Function(function) if fits(wanted, definition) => {
                    bound = bound.or(Some((at, function)));
                }
                Target::Function(function) => fallback = fallback.or(Some((at, function))),
                Target::Data(first, last) => data.push((at, first, last)),
                Target::Elsewhere => {}
            }
        }
        if let Some((at, function)) = bound.or(fallback) {
            self.function(at, function, How::Calls);
            self.wrapper(module, (at, function), is_call && wanted.name == "syscall");
        }
        for (at, first, last) in data {
            (first..last).for_each(|region| self.region(at, region, How::Refers));
        }
    }

    /// A name that code has: looked up at once, where some lookup is by a name that is not known.
    pub(super) fn name(&mut self, module: usize, hash: u32) {
        self.led(How::Names, Node::Name(hash));
        let is_loader = self
            .modules
            .get(module)
            .is_some_and(|module| module.is_loader);
        let is_new = self.names.insert(hash);
        if is_new {
            self.met(hash);
        }
        if is_loader || is_new && self.is_wild {
            self.look_up(hash);
        } else if is_new && self.looks_any {
            for at in self.opened() {
                self.look_up_in(at, hash);
            }
        }
    }

    /// Who of the loaded defines a name: module and symbol, in the order of loading.
    fn defined(&self, hash: u32) -> Vec<(usize, u32)> {
        let exports = self.join.names.get(hash).iter();
        let loaded = exports.filter_map(|(_, file, symbol)| {
            let module = self.places.get(*file as usize).copied().flatten()?;
            Some((module, *symbol))
        });
        let mut found: Vec<(usize, u32)> = loaded.collect();
        found.sort_unstable();
        found
    }

    fn definitions(&self, hash: u32, name: &str) -> Vec<(usize, &'a Symbol)> {
        let defined = self.defined(hash).into_iter();
        let symbols = defined.filter_map(|(module, symbol)| {
            let code = self.modules.get(module)?.code;
            Some((module, code.symbols.get(symbol as usize)?))
        });
        symbols.filter(|(_, symbol)| symbol.name == name).collect()
    }

    /// A function whose argument becomes the number: known where it is called by its name, else any.
    pub(super) fn wrapper(
        &mut self,
        by: usize,
        (module, function): (usize, u32),
        is_followed: bool,
    ) {
        let (Some(by), Some(found)) = (self.modules.get(by), self.modules.get(module)) else {
            return;
        };
        let is_wrapper = found
            .code
            .wrappers
            .iter()
            .any(|(wrapper, _)| *wrapper == function);
        if is_wrapper && !is_followed {
            let site = Site {
                path: by.code.path.clone(),
                offset: 0,
            };
            let reason = format!(
                "a function of {} that makes any system call is called with what is not known",
                found.code.path
            );
            self.missing.insert(Unresolved { site, reason });
        }
    }

    /// Every export with this name may have been looked up.
    pub(super) fn look_up(&mut self, hash: u32) {
        if !self.looked.insert(hash) {
            return;
        }
        for (at, symbol) in self.defined(hash) {
            self.looked_up(at, symbol, hash);
        }
    }

    /// Names met so far, looked up in a file that came later.
    pub(super) fn lookups(&mut self, module: usize) {
        if self.looked.is_empty() {
            return;
        }
        let Some(code) = self.modules.get(module).map(|module| module.code) else {
            return;
        };
        let exported = (0u32..).zip(&code.symbols);
        let exported = exported.filter(|(_, symbol)| symbol.target != Target::Elsewhere);
        let exported = exported.map(|(at, symbol)| (at, name_hash(symbol.name.as_bytes())));
        let known: Vec<(u32, u32)> = exported
            .filter(|(_, hash)| self.looked.contains(hash))
            .collect();
        for (symbol, hash) in known {
            self.looked_up(module, symbol, hash);
        }
    }

    /// A symbol that a lookup by its name finds.
    fn looked_up(&mut self, module: usize, symbol: u32, hash: u32) {
        self.imported.insert(hash);
        self.under(Node::Name(hash), |walk| {
            walk.symbol(module, symbol, How::LooksUp);
        });
    }

    /// A reached lookup by a name that is not known makes every reached name one.
    pub(super) fn wild(&mut self, module: usize, function: u32) {
        if self.is_blind(module, function) {
            return;
        }
        let Some(code) = self.modules.get(module).map(|module| module.code) else {
            return;
        };
        let from = code
            .arguments
            .partition_point(|site| site.function < function);
        let own = code.arguments.get(from..).unwrap_or_default().iter();
        let own = own.take_while(|site| site.function == function);
        let own: Vec<&ArgumentSite> = own.filter(|site| site.via.is_some()).collect();
        for site in &own {
            match (site.via, site.index, site.value) {
                (Some("dlopen"), _, None) => {
                    self.led(How::OpensAny, Node::Any);
                    self.opens_any = true;
                }
                (Some("dlopen"), _, Some(0)) => self.opens_itself = true,
                (Some("dlsym"), 1, Some(hash)) => {
                    let hash = u32::try_from(hash).unwrap_or(0);
                    self.led(How::LooksUp, Node::Name(hash));
                    self.look_up(hash);
                }
                (Some("dlsym"), 1, None) => {
                    self.look_up_any();
                    // RTLD_DEFAULT and RTLD_NEXT search everything.
                    let everywhere = own.iter().any(|other| {
                        (other.via, other.index) == (Some("dlsym"), 0)
                            && matches!(other.value, Some(0 | u64::MAX))
                    });
                    self.opens_itself |= everywhere;
                }
                _ => {}
            }
        }
        if self.looks_any && self.opens_itself && !self.is_wild {
            self.is_wild = true;
            let mut names: Vec<u32> = self.names.iter().copied().collect();
            names.sort_unstable();
            for hash in names {
                self.look_up(hash);
            }
        }
    }

    /// A file that is there already, opened by its name: names that are looked up are looked up in it.
    pub(super) fn reopened(&mut self, module: usize) {
        if let Some(found) = self.modules.get_mut(module) {
            found.is_opened = true;
        }
        if !self.looks_any {
            return;
        }
        let mut names: Vec<u32> = self.names.iter().copied().collect();
        names.sort_unstable();
        for hash in names {
            self.look_up_in(module, hash);
        }
    }

    /// Some lookup is by a name that is not known: any that was met, in the files that are opened.
    pub(super) fn look_up_any(&mut self) {
        if std::mem::replace(&mut self.looks_any, true) {
            return;
        }
        for at in self.opened() {
            self.reopened(at);
        }
    }

    /// Files that were there when they were opened by their names.
    fn opened(&self) -> Vec<usize> {
        let opened = |at: &usize| self.modules.get(*at).is_some_and(|module| module.is_opened);
        (0..self.modules.len()).filter(opened).collect()
    }

    pub(super) fn look_up_in(&mut self, module: usize, hash: u32) {
        let defined = self.defined(hash).into_iter();
        for (_, symbol) in defined.filter(|(at, _)| *at == module) {
            self.looked_up(module, symbol, hash);
        }
    }
}

/// Whether a definition is the one a reference means, by version (LSB core, "Symbol Versioning").
fn fits(wanted: &Symbol, definition: &Symbol) -> bool {
    match (&wanted.version, &definition.version) {
        (_, None) => true,
        (None, Some(_)) => definition.is_default,
        (Some(wanted), Some(found)) => wanted == found,
    }
}
