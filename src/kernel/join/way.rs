//! Why a program makes a call, as somebody reads it: the ways of the graph with files, offsets and names.

use super::super::way::{How, Step, Way};
use super::collect::{Made, RESTART, RESTARTS, made};
use super::guard::{edges, stub};
use super::trace::{Node, Ways};
use super::walk::Walk;
use crate::fact::{Edge, Symbol, Target};
use std::collections::HashMap;

impl Walk<'_> {
    /// The most certain way to each of these calls that is made at all, in their order.
    pub(super) fn ways(&mut self, calls: &[String]) -> Vec<Way> {
        let Some(trace) = self.trace.take() else {
            return Vec::new();
        };
        let ways = trace.ways();
        let made = (0..self.modules.len()).flat_map(|at| {
            let module = self.modules.get(at).into_iter();
            module
                .flat_map(|module| made(module, &self.entries(at)))
                .map(move |made| (at, made))
                .collect::<Vec<_>>()
        });
        let made: Vec<(usize, Made)> = made.collect();
        let names = Names::new(self);
        let one = |call: &String| {
            let is_it =
                |made: &Made| made.call == call || call == RESTART && RESTARTS.contains(&made.call);
            let places = made.iter().filter(|(_, made)| is_it(made));
            let places = places.filter_map(|(at, made)| {
                let cost = ways.cost(Node::Function(*at, made.function))?;
                Some((cost.and(made.how), *at, made.offset, made))
            });
            let (_, at, _, made) =
                places.min_by_key(|(cost, at, offset, _)| (*cost, *at, *offset))?;
            Some(self.way(call, &ways, (at, made), &names))
        };
        calls.iter().filter_map(one).collect()
    }

    fn way(&self, call: &str, ways: &Ways, (at, made): (usize, &Made), names: &Names<'_>) -> Way {
        let nodes = ways.to(Node::Function(at, made.function));
        let mut steps: Vec<Step> = Vec::new();
        // What leads on without a place of its own: how it was led to, and what it is called.
        let mut on: Option<(How, Option<String>)> = None;
        for (place, (how, node)) in nodes.iter().enumerate() {
            let next = nodes.get(place + 1).map(|(_, next)| next);
            let is_between = match node {
                Node::Start | Node::Symbol(..) | Node::Name(_) | Node::String(..) | Node::Any => {
                    true
                }
                Node::Function(module, function) => self.is_stub(*module, *function, next),
                Node::File(_) | Node::Region(..) => false,
            };
            if is_between {
                let text = match node {
                    Node::String(module, string) => self.text(*module, *string),
                    _ => None,
                };
                on.get_or_insert((*how, None)).1 = text;
                continue;
            }
            let (before, text) = on.take().unwrap_or((*how, None));
            // The more telling of the two: a stub is called whatever it stands for, a string only names what is opened.
            let how = match (before, *how) {
                (How::Names, how @ How::Serves) => how,
                (before, how) if before.certainty() < how.certainty() => how,
                (before, _) => before,
            };
            steps.extend(self.step(how, *node, text, names));
        }
        let code = self.modules.get(at).map(|module| &module.code.path);
        steps.extend(code.map(|path| Step {
            how: made.how,
            path: path.clone(),
            offset: made.offset,
            name: None,
        }));
        let certainty = steps.iter().map(|step| step.how.certainty()).max();
        Way {
            call: call.to_owned(),
            certainty: certainty.unwrap_or(made.how.certainty()),
            steps,
        }
    }

    fn text(&self, module: usize, string: u32) -> Option<String> {
        let code = self.modules.get(module)?.code;
        let (_, text) = code.strings.get(string as usize)?;
        Some(text.clone())
    }

    /// A stub for a function of another file, on the way to that.
    fn is_stub(&self, module: usize, function: u32, next: Option<&Node>) -> bool {
        let Some(Node::Function(to, called)) = next else {
            return false;
        };
        let code = |module: usize| self.modules.get(module).map(|module| module.code);
        let (Some(code), Some(callee)) = (code(module), code(*to)) else {
            return false;
        };
        let takes = edges(code, function)
            .iter()
            .any(|edge| matches!(edge, Edge::Take(_) | Edge::TakeSymbol(_)));
        let stub = stub(code, function).filter(|_| !takes);
        stub.is_some_and(|name| {
            let mut symbols = callee.symbols.iter();
            symbols.any(|symbol| symbol.name == name && symbol.target == Target::Function(*called))
        })
    }

    fn step(&self, how: How, node: Node, text: Option<String>, names: &Names<'_>) -> Option<Step> {
        let (module, offset, name) = match node {
            Node::File(module) => (module, 0, text),
            Node::Function(module, at) => {
                let function = self.modules.get(module)?.code.functions.get(at as usize)?;
                (module, function.offset, names.of(node))
            }
            Node::Region(module, at) => {
                let region = self.modules.get(module)?.code.regions.get(at as usize)?;
                (module, region.offset, names.of(node))
            }
            _ => return None,
        };
        Some(Step {
            how,
            path: self.modules.get(module)?.code.path.clone(),
            offset,
            name,
        })
    }
}

/// What functions and data are called, over all files.
struct Names<'a>(HashMap<Node, &'a str>);

impl<'a> Names<'a> {
    fn new(walk: &Walk<'a>) -> Self {
        let mut names: HashMap<Node, &str> = HashMap::new();
        for (at, module) in walk.modules.iter().enumerate() {
            for symbol in &module.code.symbols {
                let node = match symbol.target {
                    Target::Function(function) => Node::Function(at, function),
                    Target::Data(first, last) if first < last => Node::Region(at, first),
                    _ => continue,
                };
                let known = names.entry(node).or_insert(&symbol.name);
                *known = plainer(known, symbol);
            }
        }
        Self(names)
    }

    fn of(&self, node: Node) -> Option<String> {
        self.0.get(&node).map(|name| (*name).to_owned())
    }
}

/// Of two names of one thing the one that people use: `read` rather than `__read`.
fn plainer<'a>(known: &'a str, symbol: &'a Symbol) -> &'a str {
    let rank = |name: &str| (name.starts_with('_'), name.len(), name.to_owned());
    if rank(&symbol.name) < rank(known) {
        &symbol.name
    } else {
        known
    }
}
