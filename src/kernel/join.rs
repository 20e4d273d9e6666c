//! One program with every file it can have loaded, joined into what it reaches: symbols resolve as the loader resolves them,
//! and functions are followed from the entry. Pure.

use super::reach::{Argument, Reach, Reference, Site, Unresolved};
use crate::fact::{Code, Edge, Facts, Function, Symbol, Target, name_hash};
use crate::path::MachinePath;
use crate::workload::libraries::Loader;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

/// Places kept of one call.
const SITES: usize = 4;

/// Files one program may load.
const MODULES: usize = 2000;

/// All code of the machine that was read, indexed for joining.
pub struct Join<'a> {
    facts: &'a Facts,
    loader: Loader<'a>,
    /// By path, exported symbols by the hash of their name.
    exports: BTreeMap<&'a MachinePath, HashMap<u32, Vec<u32>>>,
}

impl<'a> Join<'a> {
    pub fn new(facts: &'a Facts) -> Self {
        let exports = facts.codes.iter().map(|(path, code)| {
            let mut index: HashMap<u32, Vec<u32>> = HashMap::new();
            for (at, symbol) in (0u32..).zip(&code.symbols) {
                if symbol.target != Target::Elsewhere {
                    index
                        .entry(name_hash(symbol.name.as_bytes()))
                        .or_default()
                        .push(at);
                }
            }
            (path, index)
        });
        Self {
            facts,
            loader: Loader::new(facts),
            exports: exports.collect(),
        }
    }

    /// What the program at a path reaches, with everything it loads. Without its code read, the answer says so.
    pub fn program(&self, path: &MachinePath) -> Reach {
        let mut walk = Walk::new(self);
        let Some(main) = walk.load(path) else {
            return Reach {
                unresolved: vec![unread(path)],
                ..Reach::default()
            };
        };
        walk.start(main);
        walk.run();
        walk.finish()
    }

    /// The way from a program's start to the function that makes a call, outermost first; empty where it makes none.
    pub fn way(&self, path: &MachinePath, call: &str) -> Vec<Site> {
        let mut walk = Walk::new(self);
        walk.parents = Some(HashMap::new());
        if let Some(main) = walk.load(path) {
            walk.start(main);
            walk.run();
        }
        walk.way(call)
    }

    /// Libraries that a reached string names: a name the loader looks up, or a pattern that is filled in at run time.
    fn named_libraries(&self, by: &MachinePath, text: &str) -> Vec<MachinePath> {
        self.facts
            .elfs
            .get(by)
            .map(|elf| self.loader.named(elf, text))
            .unwrap_or_default()
    }
}

/// What each of these programs reaches; what is no program of this machine's code is left out.
pub fn programs<'p>(
    facts: &Facts,
    paths: impl IntoIterator<Item = &'p MachinePath>,
) -> BTreeMap<MachinePath, Reach> {
    let join = Join::new(facts);
    let paths: BTreeSet<&MachinePath> = paths.into_iter().collect();
    let paths: Vec<&MachinePath> = paths
        .into_iter()
        .filter(|path| facts.elfs.contains_key(*path))
        .collect();
    let reaches: Vec<(MachinePath, Reach)> = paths
        .into_par_iter()
        .map(|path| (path.clone(), join.program(path)))
        .collect();
    reaches.into_iter().collect()
}

fn unread(path: &MachinePath) -> Unresolved {
    Unresolved {
        site: Site {
            path: path.clone(),
            offset: 0,
        },
        reason: "its code was not read".into(),
    }
}

struct Module<'a> {
    code: &'a Code,
    exports: &'a HashMap<u32, Vec<u32>>,
    functions: Vec<bool>,
    regions: Vec<bool>,
    symbols: Vec<bool>,
    strings: Vec<bool>,
    /// It looks symbols up by names of its own.
    is_loader: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Function(usize, u32),
    Region(usize, u32),
}

struct Walk<'a> {
    join: &'a Join<'a>,
    modules: Vec<Module<'a>>,
    loaded: HashMap<MachinePath, usize>,
    work: Vec<Node>,
    /// Names that reached code refers to; looked up once some lookup is by a name that is not known.
    names: HashSet<u32>,
    is_wild: bool,
    missing: BTreeSet<Unresolved>,
    /// Who led to what, where somebody asks; and who is being followed.
    parents: Option<HashMap<Node, Node>>,
    current: Option<Node>,
}

impl<'a> Walk<'a> {
    fn new(join: &'a Join<'a>) -> Self {
        Self {
            join,
            modules: Vec::new(),
            loaded: HashMap::new(),
            work: Vec::new(),
            names: HashSet::new(),
            is_wild: false,
            missing: BTreeSet::new(),
            parents: None,
            current: None,
        }
    }

    /// Loads a file and, breadth first, what it needs; its place among the modules.
    fn load(&mut self, path: &MachinePath) -> Option<usize> {
        if let Some(known) = self.loaded.get(path) {
            return Some(*known);
        }
        let first = self.modules.len();
        let mut queue = VecDeque::from([path.clone()]);
        while let Some(path) = queue.pop_front() {
            if self.loaded.contains_key(&path) || self.modules.len() > MODULES {
                continue;
            }
            let facts = self.join.facts;
            let code = facts.codes.get(&path);
            let (Some(code), Some(exports)) = (code, self.join.exports.get(&path)) else {
                self.missing.insert(unread(&path));
                continue;
            };
            let at = self.modules.len();
            self.loaded.insert(path.clone(), at);
            self.modules.push(Module {
                code,
                exports,
                functions: vec![false; code.functions.len()],
                regions: vec![false; code.regions.len()],
                symbols: vec![false; code.symbols.len() * 2],
                strings: vec![false; code.strings.len()],
                is_loader: false,
            });
            if let Some(elf) = facts.elfs.get(&path) {
                queue.extend(self.join.loader.needed(elf));
                for name in self.join.loader.missing(elf) {
                    let site = Site {
                        path: path.clone(),
                        offset: 0,
                    };
                    self.missing.insert(Unresolved {
                        site,
                        reason: format!("needs {name}, which is not there"),
                    });
                }
            }
            for starter in &code.starters {
                self.function(at, *starter);
            }
            if code.is_whole {
                for function in (0u32..).zip(&code.functions).map(|(function, _)| function) {
                    self.function(at, function);
                }
            }
            self.personalities(at);
        }
        for at in first..self.modules.len() {
            self.lookups(at);
        }
        self.loaded.get(path).copied()
    }

    /// Functions that unwinding calls; only tables name them.
    fn personalities(&mut self, module: usize) {
        let Some(code) = self.modules.get(module).map(|module| module.code) else {
            return;
        };
        for (at, symbol) in (0u32..).zip(&code.symbols) {
            if symbol.name.contains("_personality") {
                self.symbol(module, at, false);
            }
        }
    }

    /// The program's own entry, and that of its loader.
    fn start(&mut self, main: usize) {
        let Some(code) = self.modules.get(main).map(|module| module.code) else {
            return;
        };
        if let Some(entry) = code.entry {
            self.function(main, entry);
        }
        let facts = self.join.facts;
        let interpreter = facts
            .elfs
            .get(&code.path)
            .and_then(|elf| elf.interpreter.as_ref());
        let Some(interpreter) = interpreter else {
            return;
        };
        let path = facts.tree.resolve(&MachinePath::new(interpreter));
        let Some(loader) = path.and_then(|path| self.load(&path)) else {
            let site = Site {
                path: code.path.clone(),
                offset: 0,
            };
            self.missing.insert(Unresolved {
                site,
                reason: format!("its interpreter {interpreter} was not read"),
            });
            return;
        };
        if let Some(module) = self.modules.get_mut(loader) {
            module.is_loader = true;
            let entry = module.code.entry;
            entry
                .into_iter()
                .for_each(|entry| self.function(loader, entry));
        }
    }

    fn run(&mut self) {
        while let Some(node) = self.work.pop() {
            self.current = Some(node);
            let (module, range) = match node {
                Node::Function(module, at) => {
                    let function = self
                        .modules
                        .get(module)
                        .and_then(|found| found.code.functions.get(at as usize));
                    (
                        module,
                        function.map(|function: &Function| (function.first, function.last)),
                    )
                }
                Node::Region(module, at) => {
                    let region = self
                        .modules
                        .get(module)
                        .and_then(|found| found.code.regions.get(at as usize));
                    (module, region.map(|region| (region.first, region.last)))
                }
            };
            let (Some((first, last)), Some(code)) =
                (range, self.modules.get(module).map(|module| module.code))
            else {
                continue;
            };
            for edge in code
                .edges
                .get(first as usize..last as usize)
                .unwrap_or_default()
            {
                self.edge(module, *edge);
            }
            if let Node::Function(module, at) = node {
                self.wild(module, at);
            }
        }
    }

    fn edge(&mut self, module: usize, edge: Edge) {
        match edge {
            Edge::Call(function) | Edge::Take(function) => self.function(module, function),
            Edge::Data(region) => self.region(module, region),
            Edge::CallSymbol(symbol) => self.symbol(module, symbol, true),
            Edge::TakeSymbol(symbol) => self.symbol(module, symbol, false),
            Edge::Name(hash) => {
                let is_loader = self
                    .modules
                    .get(module)
                    .is_some_and(|module| module.is_loader);
                if self.names.insert(hash) && (self.is_wild || is_loader) || is_loader {
                    self.look_up(hash);
                }
            }
            Edge::String(string) => self.string(module, string),
        }
    }

    fn function(&mut self, module: usize, function: u32) {
        let seen = self
            .modules
            .get_mut(module)
            .and_then(|found| found.functions.get_mut(function as usize));
        if let Some(seen) = seen.filter(|seen| !**seen) {
            *seen = true;
            self.push(Node::Function(module, function));
        }
    }

    fn push(&mut self, node: Node) {
        self.work.push(node);
        if let (Some(parents), Some(current)) = (&mut self.parents, self.current) {
            parents.insert(node, current);
        }
    }

    fn way(&self, call: &str) -> Vec<Site> {
        let calls = self.modules.iter().enumerate().flat_map(|(at, module)| {
            let calls = module
                .code
                .calls
                .iter()
                .map(|call| (call.function, call.number.map(u64::from)));
            let handed = module
                .code
                .arguments
                .iter()
                .filter(|site| site.call == "syscall");
            calls
                .chain(handed.map(|site| (site.function, site.value)))
                .map(move |found| (at, module, found))
        });
        let mut found = calls.filter(|(_, module, (function, number))| {
            let name = number.and_then(|number| module.code.architecture.call(number));
            name == Some(call) && module.functions.get(*function as usize) == Some(&true)
        });
        let mut node = found
            .next()
            .map(|(at, _, (function, _))| Node::Function(at, function));
        let mut way = Vec::new();
        while let Some(at) = node.filter(|_| way.len() < 1000) {
            if let Node::Function(module, function) = at
                && let Some(module) = self.modules.get(module)
            {
                let offset = module
                    .code
                    .functions
                    .get(function as usize)
                    .map_or(0, |function| function.offset);
                way.push(Site {
                    path: module.code.path.clone(),
                    offset,
                });
            }
            node = self
                .parents
                .as_ref()
                .and_then(|parents| parents.get(&at))
                .copied();
        }
        way.reverse();
        way
    }

    fn region(&mut self, module: usize, region: u32) {
        let seen = self
            .modules
            .get_mut(module)
            .and_then(|found| found.regions.get_mut(region as usize));
        if let Some(seen) = seen.filter(|seen| !**seen) {
            *seen = true;
            self.push(Node::Region(module, region));
        }
    }

    /// A symbol as the loader binds it: of data every definition, for copies share their content.
    fn symbol(&mut self, module: usize, symbol: u32, is_call: bool) {
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
        let hash = name_hash(wanted.name.as_bytes());
        let mut fallback = None;
        let mut bound = None;
        let mut data = Vec::new();
        let own = (wanted.target != Target::Elsewhere).then_some((module, wanted));
        for (at, definition) in self.definitions(hash, &wanted.name).into_iter().chain(own) {
            match definition.target {
                Target::Function(function) if fits(wanted, definition) => {
                    bound = bound.or(Some((at, function)))
                }
                Target::Function(function) => fallback = fallback.or(Some((at, function))),
                Target::Data(first, last) => data.push((at, first, last)),
                Target::Elsewhere => {}
            }
        }
        if let Some((at, function)) = bound.or(fallback) {
            self.function(at, function);
            self.wrapper(module, (at, function), is_call && wanted.name == "syscall");
        }
        for (at, first, last) in data {
            (first..last).for_each(|region| self.region(at, region));
        }
    }

    fn definitions(&self, hash: u32, name: &str) -> Vec<(usize, &'a Symbol)> {
        let mut found = Vec::new();
        for (at, module) in self.modules.iter().enumerate() {
            for symbol in module.exports.get(&hash).into_iter().flatten() {
                let symbol = module.code.symbols.get(*symbol as usize);
                found.extend(
                    symbol
                        .filter(|symbol| symbol.name == name)
                        .map(|symbol| (at, symbol)),
                );
            }
        }
        found
    }

    /// A function whose argument becomes the number: known where it is called by its name, else any.
    fn wrapper(&mut self, by: usize, (module, function): (usize, u32), is_followed: bool) {
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
    fn look_up(&mut self, hash: u32) {
        for at in 0..self.modules.len() {
            let symbols = self
                .modules
                .get(at)
                .and_then(|module| module.exports.get(&hash));
            for symbol in symbols.cloned().unwrap_or_default() {
                self.symbol(at, symbol, false);
            }
        }
    }

    /// Names met so far, looked up in a file that came later.
    fn lookups(&mut self, module: usize) {
        if !self.is_wild {
            return;
        }
        let Some(exports) = self.modules.get(module).map(|module| module.exports) else {
            return;
        };
        let mut known: Vec<u32> = exports
            .keys()
            .copied()
            .filter(|hash| self.names.contains(hash))
            .collect();
        known.sort_unstable();
        for hash in known {
            for symbol in exports.get(&hash).into_iter().flatten() {
                self.symbol(module, *symbol, false);
            }
        }
    }

    /// A reached lookup by a name that is not known makes every reached name one.
    fn wild(&mut self, module: usize, function: u32) {
        if self.is_wild {
            return;
        }
        let Some(code) = self.modules.get(module).map(|module| module.code) else {
            return;
        };
        let from = code
            .arguments
            .partition_point(|site| site.function < function);
        let own = code
            .arguments
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|site| site.function == function);
        if own.into_iter().any(|site| site.via == Some("dlsym")) {
            self.is_wild = true;
            let mut names: Vec<u32> = self.names.iter().copied().collect();
            names.sort_unstable();
            names.into_iter().for_each(|hash| self.look_up(hash));
        }
    }

    fn string(&mut self, module: usize, string: u32) {
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
        if !text.contains(".so") {
            return;
        }
        for path in self.join.named_libraries(&code.path, text) {
            self.plug_in(&path);
        }
    }

    /// A file opened at run time: everything it shows may be asked for.
    fn plug_in(&mut self, path: &MachinePath) {
        if self.loaded.contains_key(path) || !self.join.facts.codes.contains_key(path) {
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
            match target.map(|symbol| symbol.target) {
                Some(Target::Function(function)) => self.function(at, function),
                Some(Target::Data(first, last)) => {
                    (first..last).for_each(|region| self.region(at, region))
                }
                _ => {}
            }
        }
    }

    fn finish(self) -> Reach {
        let architecture = self.modules.first().map(|module| module.code.architecture);
        let mut reach = Reach {
            architecture: architecture
                .map_or("", super::call::Architecture::name)
                .to_owned(),
            unresolved: self.missing.into_iter().collect(),
            ..Reach::default()
        };
        for module in &self.modules {
            collect(module, &mut reach);
        }
        let restarts = ["nanosleep", "clock_nanosleep", "poll", "futex"];
        if let Some(site) = restarts
            .iter()
            .find_map(|call| reach.calls.get(*call))
            .and_then(|sites| sites.first())
            .cloned()
        {
            // The kernel has an interrupted wait go on by this number (signal(7)).
            reach
                .calls
                .entry("restart_syscall".into())
                .or_default()
                .push(site);
        }
        for sites in reach.calls.values_mut() {
            sites.sort();
            sites.dedup();
            sites.truncate(SITES);
        }
        reach.arguments.sort();
        reach.arguments.dedup();
        reach.references.sort();
        reach.references.dedup();
        reach.unresolved.sort();
        reach.unresolved.dedup();
        reach
    }
}

/// What the reached functions of one file ask for.
fn collect(module: &Module<'_>, reach: &mut Reach) {
    let code = module.code;
    let is_reached = |function: u32| module.functions.get(function as usize) == Some(&true);
    let site = |offset: u64| Site {
        path: code.path.clone(),
        offset,
    };
    let unresolved = |offset: u64, reason: &str| Unresolved {
        site: site(offset),
        reason: reason.into(),
    };
    let mut is_open = false;
    let mut add = |number: Option<u64>, offset: u64, reach: &mut Reach| match number {
        Some(number) => {
            if let Some(name) = code.architecture.call(number) {
                reach
                    .calls
                    .entry(name.to_owned())
                    .or_default()
                    .push(site(offset));
            }
        }
        None => {
            is_open = true;
            reach
                .unresolved
                .push(unresolved(offset, "the system call's number is computed"));
        }
    };
    for call in code.calls.iter().filter(|call| is_reached(call.function)) {
        add(call.number.map(u64::from), call.offset, reach);
    }
    for argument in code
        .arguments
        .iter()
        .filter(|argument| is_reached(argument.function))
    {
        if argument.call == "syscall" {
            add(
                argument.value.map(|value| value & 0xffff_ffff),
                argument.offset,
                reach,
            );
        } else if argument.call != "dlsym" {
            reach.arguments.push(Argument {
                call: argument.call.to_owned(),
                index: argument.index,
                value: argument.value,
                site: site(argument.offset),
            });
        }
    }
    if is_open {
        // Any number of the file's own may be meant.
        for call in &code.calls {
            if let Some(name) = call
                .number
                .and_then(|number| code.architecture.call(number.into()))
            {
                reach
                    .calls
                    .entry(name.to_owned())
                    .or_default()
                    .push(site(call.offset));
            }
        }
    }
    for gap in &code.gaps {
        if gap.function.is_none_or(is_reached) {
            reach.unresolved.push(unresolved(gap.offset, gap.reason));
        }
    }
    for ((offset, text), _) in code
        .strings
        .iter()
        .zip(&module.strings)
        .filter(|(_, seen)| **seen)
    {
        if text.starts_with('/') && !text.contains(".so") {
            reach.references.push(Reference {
                text: text.clone(),
                site: site(*offset),
            });
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
