//! Following what leads from one function or piece of data to another, over all files that a program has loaded.

use super::super::reach::{Site, Unresolved};
use super::super::way::How;
use super::guard::{Held, Unasked};
use super::service::Waiting;
use super::trace::{Node, Trace};
use super::{File, Hashed, Join};
use crate::fact::{Code, Edge, Function};
use crate::path::MachinePath;
use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasherDefault;

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

impl Module<'_> {
    pub(super) fn is_reached(&self, function: u32) -> bool {
        self.functions.get(function as usize) == Some(&true)
    }

    pub(super) fn site(&self, offset: u64) -> Site {
        Site {
            path: self.code.path.clone(),
            offset,
        }
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the program that is found on the way, and none excludes another"
)]
pub(super) struct Walk<'a> {
    pub(super) join: &'a Join<'a>,
    pub(super) modules: Vec<Module<'a>>,
    pub(super) loaded: foldhash::HashMap<MachinePath, usize>,
    /// Of each file that was read, its place among the modules.
    pub(super) places: Vec<Option<usize>>,
    pub(super) opened: foldhash::HashSet<MachinePath>,
    pub(super) work: Vec<Node>,
    /// Names that reached code refers to; looked up once some lookup is by a name that is not known.
    pub(super) names: HashSet<u32, BuildHasherDefault<Hashed>>,
    /// Those of them that were looked up everywhere, and will be in what is loaded later.
    pub(super) looked: HashSet<u32, BuildHasherDefault<Hashed>>,
    /// What is called once a name is met.
    pub(super) waiting: Waiting,
    /// Names that symbols were bound by; and what is called once one is.
    pub(super) bound: HashSet<u32, BuildHasherDefault<Hashed>>,
    /// Those of them that one file binds in another, or that are looked up.
    pub(super) imported: HashSet<u32, BuildHasherDefault<Hashed>>,
    pub(super) unasked: Unasked,
    pub(super) is_wild: bool,
    /// Some lookup is by a name that is not known; the program opens itself, or looks everywhere.
    pub(super) looks_any: bool,
    pub(super) opens_itself: bool,
    /// Libraries are opened by names that are not known; and how many strings, files and imported names were looked at for which.
    pub(super) opens_any: bool,
    pub(super) asked: usize,
    pub(super) missing: BTreeSet<Unresolved>,
    /// Libraries that files need and that were not found: the file, and the name.
    pub(super) lacking: BTreeSet<(MachinePath, String)>,
    /// What led to what, where somebody asks; and what is being followed.
    pub(super) trace: Option<Trace>,
    pub(super) current: Node,
}

impl<'a> Walk<'a> {
    pub(super) fn new(join: &'a Join<'a>) -> Self {
        Self {
            join,
            modules: Vec::new(),
            loaded: foldhash::HashMap::default(),
            places: vec![None; join.files.len()],
            opened: foldhash::HashSet::default(),
            work: Vec::new(),
            names: HashSet::default(),
            looked: HashSet::default(),
            waiting: Waiting::default(),
            bound: HashSet::default(),
            imported: HashSet::default(),
            unasked: Unasked::default(),
            is_wild: false,
            looks_any: false,
            opens_itself: false,
            opens_any: false,
            asked: usize::MAX,
            missing: BTreeSet::new(),
            lacking: BTreeSet::new(),
            trace: None,
            current: Node::Start,
        }
    }

    pub(super) fn run(&mut self) {
        self.follow();
        while self.opens_any && self.open_any() {
            self.follow();
        }
    }

    pub(super) fn follow(&mut self) {
        while let Some(node) = self.work.pop() {
            self.current = node;
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
                _ => continue,
            };
            let (Some((first, last)), Some(code)) =
                (range, self.modules.get(module).map(|module| module.code))
            else {
                continue;
            };
            let held: &[Held] = match node {
                Node::Function(module, at) => self.held(module, at),
                _ => &[],
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
        let takes = match self.current {
            Node::Region(..) => How::Holds,
            // The entry hands the address of main to the C library, which runs it (LSB core, `__libc_start_main`).
            Node::Function(module, function) if self.is_entry(module, function) => How::Starts,
            _ => How::Takes,
        };
        match edge {
            Edge::Call(function) => self.function(module, function, How::Calls),
            Edge::Take(function) => self.taken(module, function, takes),
            Edge::Data(region) => self.region(module, region, How::Refers),
            Edge::CallSymbol(symbol) => self.symbol(module, symbol, How::Calls),
            Edge::TakeSymbol(symbol) => self.symbol(module, symbol, takes),
            Edge::Name(hash) => self.name(module, hash),
            Edge::String(string) => self.string(module, string),
        }
    }

    fn is_entry(&self, module: usize, function: u32) -> bool {
        let entry = self.modules.get(module).and_then(|found| found.code.entry);
        entry == Some(function)
    }

    pub(super) fn function(&mut self, module: usize, function: u32, how: How) {
        self.led(how, Node::Function(module, function));
        let seen = self
            .modules
            .get_mut(module)
            .and_then(|found| found.functions.get_mut(function as usize));
        if let Some(seen) = seen.filter(|seen| !**seen) {
            *seen = true;
            self.work.push(Node::Function(module, function));
            self.asked_for(module, function);
        }
    }

    /// A function whose address is a value from here on.
    fn taken(&mut self, module: usize, function: u32, how: How) {
        if let Some(found) = self.modules.get_mut(module) {
            let lent = &found.code.lent;
            let at = lent.partition_point(|lent| lent.function < function);
            if lent.get(at).is_some_and(|lent| lent.function == function) {
                found.lent.insert(function);
            }
        }
        self.offered(module, function, how);
    }

    pub(super) fn region(&mut self, module: usize, region: u32, how: How) {
        self.led(how, Node::Region(module, region));
        let seen = self
            .modules
            .get_mut(module)
            .and_then(|found| found.regions.get_mut(region as usize));
        if let Some(seen) = seen.filter(|seen| !**seen) {
            *seen = true;
            self.work.push(Node::Region(module, region));
        }
    }
}
