//! Branches of libraries that are dead until a program asks for what they do: `detectors/kernel/guards.toml`.

use super::super::way::How;
use super::Hashed;
use super::trace::Node;
use super::walk::Walk;
use crate::fact::{Code, Edge, Target, name_hash};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    guard: Vec<Guard>,
}

/// One branch, as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Guard {
    #[serde(default)]
    makes: Vec<String>,
    #[serde(default)]
    inside: Option<String>,
    holds: Vec<String>,
    #[serde(default)]
    until: Vec<String>,
    #[serde(default)]
    reached: Vec<String>,
    /// For readers of the file.
    #[expect(dead_code, reason = "a guard without its source is refused")]
    source: String,
}

static TABLE: LazyLock<Vec<Guard>> = LazyLock::new(|| {
    let text = include_str!("../../../detectors/kernel/guards.toml");
    // A test reads the file; without it nothing is held back.
    toml::from_str::<Table>(text).map_or_else(|_| Vec::new(), |table| table.guard)
});

impl Guard {
    /// What has to be asked for.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.until.iter().chain(&self.reached).map(String::as_str)
    }
}

/// The version of symbols that only the C library's own files may use.
const PRIVATE: &str = "GLIBC_PRIVATE";

/// What one function leads to only once a name is bound.
#[derive(Debug)]
pub(super) struct Held {
    pub functions: BTreeSet<u32>,
    pub calls: &'static [String],
    /// Hashes of the names.
    pub until: Vec<u32>,
}

type ByFunction<T> = HashMap<u32, Vec<T>, BuildHasherDefault<Hashed>>;

#[derive(Debug, Default)]
pub(super) struct Guards {
    held: ByFunction<Held>,
    /// Names that count as bound once a function is reached.
    reached: ByFunction<u32>,
}

/// What waits for a name to be bound: who calls, module and function, by the name's hash.
pub(super) type Unasked = HashMap<u32, Vec<(Node, usize, u32)>, BuildHasherDefault<Hashed>>;

/// The branches of one file.
pub(super) fn guards(code: &Code) -> Guards {
    let mut found = Guards::default();
    let defined = |name: &str| {
        let mut symbols = code.symbols.iter();
        symbols.any(|symbol| symbol.name == name && symbol.target != Target::Elsewhere)
    };
    let own: Vec<&'static Guard> = TABLE
        .iter()
        .filter(|guard| guard.names().any(defined))
        .collect();
    if own.is_empty() {
        return found;
    }
    let names = Names::new(code);
    for symbol in &code.symbols {
        let mut asked = own.iter().flat_map(|guard| &guard.reached);
        if let Target::Function(function) = symbol.target
            && asked.any(|name| *name == symbol.name)
        {
            let name = name_hash(symbol.name.as_bytes());
            found.reached.entry(function).or_default().push(name);
        }
    }
    for function in 0..u32::try_from(code.functions.len()).unwrap_or(u32::MAX) {
        let made = names.made(code, function);
        for guard in &own {
            let is_it = match &guard.inside {
                Some(name) => names.public(function).any(|public| public == name),
                None => {
                    names.public(function).next().is_none()
                        && guard
                            .makes
                            .iter()
                            .all(|name| made.contains_key(name.as_str()))
                }
            };
            if is_it {
                let held = guard
                    .holds
                    .iter()
                    .filter_map(|name| made.get(name.as_str()));
                let until = guard.names().map(|name| name_hash(name.as_bytes()));
                found.held.entry(function).or_default().push(Held {
                    functions: held.flatten().copied().collect(),
                    calls: &guard.holds,
                    until: until.collect(),
                });
            }
        }
    }
    found
}

/// What functions of one file are called.
struct Names<'a> {
    /// Name, and whether it is for everybody.
    of: BTreeMap<u32, Vec<(&'a str, bool)>>,
}

impl<'a> Names<'a> {
    fn new(code: &'a Code) -> Self {
        let mut of: BTreeMap<u32, Vec<(&str, bool)>> = BTreeMap::new();
        for symbol in &code.symbols {
            if let Target::Function(function) = symbol.target {
                let is_public = symbol.version.as_deref() != Some(PRIVATE);
                let names = of.entry(function).or_default();
                names.push((symbol.name.as_str(), is_public));
            }
        }
        Self { of }
    }

    fn public(&self, function: u32) -> impl Iterator<Item = &'a str> {
        let names = self.of.get(&function).into_iter().flatten();
        names
            .filter(|(_, is_public)| *is_public)
            .map(|(name, _)| *name)
    }

    /// What a function makes: system calls of its own, and functions it calls, by their names.
    fn made(&self, code: &'a Code, function: u32) -> BTreeMap<&'a str, Vec<u32>> {
        let mut made: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for edge in edges(code, function) {
            let Edge::Call(called) = *edge else { continue };
            for (name, _) in self.of.get(&called).into_iter().flatten() {
                made.entry(name).or_default().push(called);
            }
            if let Some(name) = stub(code, called) {
                made.entry(name).or_default().push(called);
            }
        }
        let first = code.calls.partition_point(|site| site.function < function);
        let own = code.calls.get(first..).unwrap_or_default().iter();
        for site in own.take_while(|site| site.function == function) {
            let name = site
                .number
                .and_then(|number| code.architecture.call(number.into()));
            if let Some(name) = name {
                made.entry(name).or_default();
            }
        }
        made
    }
}

pub(super) fn edges(code: &Code, function: u32) -> &[Edge] {
    let found = code.functions.get(function as usize);
    let range = found.map(|found| found.first as usize..found.last as usize);
    range
        .and_then(|range| code.edges.get(range))
        .unwrap_or_default()
}

/// The function of another file that a stub is for.
pub(super) fn stub(code: &Code, function: u32) -> Option<&str> {
    let edges = edges(code, function);
    let symbol = edges.iter().find_map(|edge| match edge {
        Edge::CallSymbol(symbol) => Some(*symbol),
        _ => None,
    });
    let symbol = code
        .symbols
        .get(symbol.filter(|_| edges.len() <= 2)? as usize);
    symbol.map(|symbol| symbol.name.as_str())
}

impl<'a> Walk<'a> {
    /// Whether a call from one function to another is held back for now.
    pub(super) fn is_held(&mut self, module: usize, held: &[Held], called: u32) -> bool {
        let mut until = None;
        for held in held.iter().filter(|held| held.functions.contains(&called)) {
            if held.until.iter().any(|name| self.bound.contains(name)) {
                return false;
            }
            until = Some(&held.until);
        }
        for name in until.into_iter().flatten() {
            let unasked = self.unasked.entry(*name).or_default();
            unasked.push((self.current, module, called));
        }
        until.is_some()
    }

    /// What a function leads to once a name is bound.
    pub(super) fn held(&self, module: usize, function: u32) -> &'a [Held] {
        let guards = self.modules.get(module).map(|found| &found.file.guards);
        let held = guards.and_then(|guards| guards.held.get(&function));
        held.map_or(&[], Vec::as_slice)
    }

    /// Whether a call that a function makes itself is held back to the end.
    pub(super) fn is_dead(&self, module: usize, function: u32, call: &str) -> bool {
        let mut held = self.held(module, function).iter();
        held.any(|held| {
            held.calls.iter().any(|held| held == call)
                && !held.until.iter().any(|name| self.bound.contains(name))
        })
    }

    /// A symbol is bound by its name.
    pub(super) fn bind(&mut self, name: u32) {
        if self.bound.insert(name) {
            for (by, module, function) in self.unasked.remove(&name).unwrap_or_default() {
                self.under(by, |walk| walk.function(module, function, How::Calls));
                if by == Node::Function(module, function) {
                    self.work.push(by);
                }
            }
        }
    }

    /// Whether what a function looks up at run time is held back for now; it is followed again once it is not.
    pub(super) fn is_blind(&mut self, module: usize, function: u32) -> bool {
        let held = self.held(module, function).iter();
        let held = held.filter(|held| held.calls.iter().any(|call| call == "dlsym"));
        let until: Vec<u32> = held.flat_map(|held| held.until.iter().copied()).collect();
        let is_held = !until.is_empty() && !until.iter().any(|name| self.bound.contains(name));
        for name in until.into_iter().filter(|_| is_held) {
            let unasked = self.unasked.entry(name).or_default();
            unasked.push((Node::Function(module, function), module, function));
        }
        is_held
    }

    /// A function is reached for the first time: what its name guards is asked for.
    pub(super) fn asked_for(&mut self, module: usize, function: u32) {
        let Some(found) = self.modules.get(module) else {
            return;
        };
        for name in found
            .file
            .guards
            .reached
            .get(&function)
            .into_iter()
            .flatten()
        {
            self.bind(*name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        assert!(!TABLE.is_empty());
        for guard in TABLE.iter() {
            assert!(guard.makes.is_empty() == guard.inside.is_some());
            assert!(!guard.holds.is_empty() && guard.names().next().is_some());
        }
    }
}
