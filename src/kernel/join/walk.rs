//! Following what leads from one function or piece of data to another, over all files that a program has loaded.

use super::super::reach::{Site, Unresolved};
use super::guard::{Held, Unasked};
use super::service::Waiting;
use super::{File, Hashed, Join, unread};
use crate::fact::{Code, Edge, Function};
use crate::path::MachinePath;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::BuildHasherDefault;

/// Files one program may load.
const MODULES: usize = 2000;

pub(super) struct Module<'a> {
    pub(super) code: &'a Code,
    pub(super) file: &'a File<'a>,
    pub(super) functions: Vec<bool>,
    pub(super) regions: Vec<bool>,
    pub(super) symbols: Vec<bool>,
    pub(super) strings: Vec<bool>,
    /// Of what the code lends, what reached code has the address of.
    pub(super) lent: BTreeSet<u32>,
    /// It was there when it was opened by its name.
    pub(super) is_opened: bool,
    /// It looks symbols up by names of its own.
    pub(super) is_loader: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Function(usize, u32),
    Region(usize, u32),
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the program that is found on the way, and none excludes another"
)]
pub(super) struct Walk<'a> {
    pub(super) join: &'a Join<'a>,
    pub(super) modules: Vec<Module<'a>>,
    pub(super) loaded: HashMap<MachinePath, usize>,
    /// Of each file that was read, its place among the modules.
    pub(super) places: Vec<Option<usize>>,
    pub(super) opened: HashSet<MachinePath>,
    pub(super) work: Vec<Node>,
    /// Names that reached code refers to; looked up once some lookup is by a name that is not known.
    pub(super) names: HashSet<u32, BuildHasherDefault<Hashed>>,
    /// Those of them that were looked up everywhere, and will be in what is loaded later.
    pub(super) looked: HashSet<u32, BuildHasherDefault<Hashed>>,
    /// What is called once a name is met.
    pub(super) waiting: Waiting,
    /// Names that symbols were bound by; and what is called once one is.
    pub(super) bound: HashSet<u32, BuildHasherDefault<Hashed>>,
    pub(super) unasked: Unasked,
    pub(super) is_wild: bool,
    /// Some lookup is by a name that is not known; the program opens itself, or looks everywhere.
    pub(super) looks_any: bool,
    pub(super) opens_itself: bool,
    /// Libraries are opened by names that are not known; and how many strings were looked at for where they are.
    pub(super) opens_any: bool,
    pub(super) asked: usize,
    pub(super) missing: BTreeSet<Unresolved>,
    /// Libraries that files need and that were not found: the file, and the name.
    pub(super) lacking: BTreeSet<(MachinePath, String)>,
    /// Who led to what, where somebody asks; and who is being followed.
    pub(super) parents: Option<HashMap<Node, Node>>,
    pub(super) current: Option<Node>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(join: &'a Join<'a>) -> Self {
        Self {
            join,
            modules: Vec::new(),
            loaded: HashMap::new(),
            places: vec![None; join.files.len()],
            opened: HashSet::new(),
            work: Vec::new(),
            names: HashSet::default(),
            looked: HashSet::default(),
            waiting: Waiting::default(),
            bound: HashSet::default(),
            unasked: Unasked::default(),
            is_wild: false,
            looks_any: false,
            opens_itself: false,
            opens_any: false,
            asked: usize::MAX,
            missing: BTreeSet::new(),
            lacking: BTreeSet::new(),
            parents: None,
            current: None,
        }
    }

    /// Loads a file and, breadth first, what it needs; its place among the modules.
    pub(super) fn load(&mut self, path: &MachinePath) -> Option<usize> {
        if let Some(known) = self.loaded.get(path) {
            return Some(*known);
        }
        let first = self.modules.len();
        let mut queue = VecDeque::from([path.clone()]);
        let mut opens = Vec::new();
        while let Some(path) = queue.pop_front() {
            if self.loaded.contains_key(&path) || self.modules.len() > MODULES {
                continue;
            }
            let facts = self.join.facts;
            let Some(file) = self.join.files.get(&path) else {
                self.missing.insert(unread(&path));
                continue;
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
            if let Some(elf) = facts.elfs.get(&path) {
                let opened = elf.opens.iter().flat_map(|opened| &opened.sonames);
                opens.extend(opened.flat_map(|name| self.join.loader.named(elf, name)));
                for (name, library) in self.join.loader.libraries(elf) {
                    match library {
                        Some(library) => queue.push_back(library),
                        None => {
                            self.lacking.insert((path.clone(), name.to_owned()));
                        }
                    }
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
        for opened in opens {
            self.plug_in(&opened);
        }
        self.loaded.get(path).copied()
    }

    /// Functions that unwinding calls; only tables name them.
    pub(super) fn personalities(&mut self, module: usize) {
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
    pub(super) fn start(&mut self, main: usize) {
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
            if let Some(entry) = entry {
                self.function(loader, entry);
            }
        }
    }

    pub(super) fn run(&mut self) {
        self.follow();
        while self.opens_any && self.open_any() {
            self.follow();
        }
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
        if strings.len() == self.asked {
            return false;
        }
        self.asked = strings.len();
        let program = self
            .modules
            .first()
            .and_then(|module| self.join.facts.elfs.get(&module.code.path));
        let loader = &self.join.loader;
        let found = program.map(|program| {
            let named = strings.iter();
            let named = named.flat_map(|text| loader.directories_named(program, text));
            loader.plug_ins(
                program,
                loader
                    .own_plug_in_directories(program)
                    .into_iter()
                    .chain(named),
            )
        });
        for path in found.unwrap_or_default() {
            self.plug_in(&path);
        }
        true
    }

    pub(super) fn follow(&mut self) {
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
            let held: &[Held] = match node {
                Node::Function(module, at) => self.held(module, at),
                Node::Region(..) => &[],
            };
            for edge in code
                .edges
                .get(first as usize..last as usize)
                .unwrap_or_default()
            {
                match *edge {
                    Edge::Call(called) if self.is_held(module, held, called) => {}
                    edge => self.edge(module, edge),
                }
            }
            if let Node::Function(module, at) = node {
                self.wild(module, at);
            }
        }
    }

    pub(super) fn edge(&mut self, module: usize, edge: Edge) {
        match edge {
            Edge::Call(function) => self.function(module, function),
            Edge::Take(function) => self.taken(module, function),
            Edge::Data(region) => self.region(module, region),
            Edge::CallSymbol(symbol) => self.symbol(module, symbol, true),
            Edge::TakeSymbol(symbol) => self.symbol(module, symbol, false),
            Edge::Name(hash) => {
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
                    let opened = |module: &Module<'_>| module.is_opened;
                    let opened: Vec<usize> = (0..self.modules.len())
                        .filter(|at| self.modules.get(*at).is_some_and(opened))
                        .collect();
                    for at in opened {
                        self.look_up_in(at, hash);
                    }
                }
            }
            Edge::String(string) => self.string(module, string),
        }
    }

    pub(super) fn function(&mut self, module: usize, function: u32) {
        let seen = self
            .modules
            .get_mut(module)
            .and_then(|found| found.functions.get_mut(function as usize));
        if let Some(seen) = seen.filter(|seen| !**seen) {
            *seen = true;
            self.push(Node::Function(module, function));
        }
    }

    /// A function whose address is a value from here on.
    fn taken(&mut self, module: usize, function: u32) {
        if let Some(found) = self.modules.get_mut(module) {
            let lent = &found.code.lent;
            let at = lent.partition_point(|lent| lent.function < function);
            if lent.get(at).is_some_and(|lent| lent.function == function) {
                found.lent.insert(function);
            }
        }
        self.offered(module, function);
    }

    pub(super) fn push(&mut self, node: Node) {
        self.work.push(node);
        if let (Some(parents), Some(current)) = (&mut self.parents, self.current) {
            parents.insert(node, current);
        }
    }

    pub(super) fn region(&mut self, module: usize, region: u32) {
        let seen = self
            .modules
            .get_mut(module)
            .and_then(|found| found.regions.get_mut(region as usize));
        if let Some(seen) = seen.filter(|seen| !**seen) {
            *seen = true;
            self.push(Node::Region(module, region));
        }
    }
}
