//! Where a file enters the kernel, with which number and with what: at the instruction itself, or at the callers of functions
//! that hand their arguments on.

use super::flow::{self, Flow, Found};
use super::graph::Graph;
use super::image::Pointer;
use super::interest::{self, Interest};
use super::step::{AARCH64, Convention, Place, X86_64};
use super::sweep::{Kind, Ref, Sweep};
use super::{arm, x86_step};
use crate::fact::{ArgumentSite, CallSite, Gap, name_hash};
use crate::kernel::call::Architecture;
use std::collections::{BTreeSet, HashMap};

/// Functions one value is followed through, from callee to caller.
const DEPTH: usize = 6;

/// Callers of one function that are asked.
const CALLERS: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Calls {
    pub sites: Vec<CallSite>,
    pub arguments: Vec<ArgumentSite>,
    pub wrappers: Vec<(u32, u8)>,
    pub gaps: Vec<Gap>,
}

/// A value of one place, as seen from all ways there.
#[derive(Debug, Default)]
struct Resolved {
    /// The function in which it becomes known, the instruction there, and the value.
    known: BTreeSet<(u32, u32, u64)>,
    /// Functions in which it stays unknown, with the instruction.
    open: BTreeSet<(u32, u32)>,
    /// Functions that others call by name, whose argument it is.
    handed: BTreeSet<(u32, u8)>,
}

struct Finder<'a> {
    graph: &'a Graph<'a>,
    flow: Flow<'a>,
    sweep: &'a Sweep,
    /// Calls and jumps by where they lead.
    callers: Vec<Ref>,
    /// Starts whose address somebody takes, and those that have a name for others; sorted.
    taken: BTreeSet<u32>,
    named: BTreeSet<u32>,
    /// Stores by where they write.
    stores: Vec<Ref>,
}

impl Calls {
    pub fn find(graph: &Graph<'_>, sweep: &Sweep) -> Self {
        let incoming = flow::incoming(sweep);
        let decode = |from: u32, to: u32| {
            let address = graph.address(from);
            let bytes = graph.image.bytes(address).unwrap_or_default();
            let length = usize::try_from(to.saturating_sub(from))
                .unwrap_or(0)
                .min(bytes.len());
            let steps = match graph.image.architecture {
                Architecture::X86_64 => x86_step::steps,
                Architecture::Aarch64 => arm::steps,
            };
            steps(bytes.get(..length).unwrap_or_default(), address, graph.base)
        };
        let convention: &'static Convention = match graph.image.architecture {
            Architecture::X86_64 => &X86_64,
            Architecture::Aarch64 => &AARCH64,
        };
        let flow = Flow {
            convention,
            starts: &graph.starts,
            end: graph.end,
            incoming: &incoming,
            table_targets: &graph.table_targets,
            runs_into: &graph.runs_into,
            dead_ends: &graph.dead_ends,
            decode: &decode,
            cache: HashMap::new(),
        };
        let mut finder = Finder::new(graph, sweep, flow);
        let mut calls = Self::default();
        finder.entries(&mut calls);
        finder.imports(&mut calls);
        calls.sites.sort_unstable();
        calls.sites.dedup();
        calls.arguments.sort_unstable();
        calls.arguments.dedup();
        calls.wrappers.sort_unstable();
        calls.wrappers.dedup();
        calls
    }
}

impl<'a> Finder<'a> {
    fn new(graph: &'a Graph<'a>, sweep: &'a Sweep, flow: Flow<'a>) -> Self {
        let of = |wanted: &dyn Fn(Kind) -> bool| {
            let mut found: Vec<Ref> = sweep
                .refs
                .iter()
                .filter(|found| wanted(found.kind))
                .copied()
                .collect();
            found.sort_unstable_by_key(|found| (found.to, found.from));
            found
        };
        let mut taken: BTreeSet<u32> = sweep
            .refs
            .iter()
            .filter(|found| found.kind == Kind::Take)
            .map(|found| found.to)
            .collect();
        for (_, pointer) in &graph.image.pointers {
            if let Pointer::Address(to) = pointer {
                taken.insert(graph.place(*to));
            }
        }
        let named = graph
            .image
            .symbols
            .iter()
            .filter(|symbol| symbol.is_defined);
        Self {
            named: named.map(|symbol| graph.place(symbol.address)).collect(),
            callers: of(&|kind| matches!(kind, Kind::Call | Kind::Jump)),
            stores: of(&|kind| kind == Kind::Store),
            taken,
            graph,
            flow,
            sweep,
        }
    }

    /// Every instruction that enters the kernel.
    fn entries(&mut self, calls: &mut Calls) {
        let convention = self.flow.convention;
        for entry in &self.sweep.entries {
            let Some(function) = self.graph.function(entry.at) else {
                continue;
            };
            let offset = self.graph.image.offset(self.graph.address(entry.at));
            if entry.is_narrow {
                let reason = "enters the kernel by the 32-bit way";
                calls.gaps.push(Gap {
                    function: Some(function),
                    offset,
                    reason,
                });
                continue;
            }
            let numbers = self.resolve(entry.at, Place::Register(convention.number));
            let mut known: BTreeSet<u64> = BTreeSet::new();
            for (function, at, number) in &numbers.known {
                let number = *number & 0xffff_ffff;
                known.insert(number);
                let at = if self.graph.function(entry.at) == Some(*function) {
                    entry.at
                } else {
                    *at
                };
                let offset = self.graph.image.offset(self.graph.address(at));
                let number = u32::try_from(number).ok();
                calls.sites.push(CallSite {
                    function: *function,
                    offset,
                    number,
                });
            }
            for (function, at) in &numbers.open {
                let offset = self.graph.image.offset(self.graph.address(*at));
                calls.sites.push(CallSite {
                    function: *function,
                    offset,
                    number: None,
                });
            }
            calls.wrappers.extend(&numbers.handed);
            for number in known {
                self.arguments(entry.at, number, calls);
            }
        }
    }

    /// Arguments at an instruction that enters the kernel with this number.
    fn arguments(&mut self, at: u32, number: u64, calls: &mut Calls) {
        let Some(call) = self.graph.image.architecture.call(number) else {
            return;
        };
        for index in interest::arguments(call) {
            let Some(register) = self.flow.convention.kernel.get(usize::from(*index)) else {
                continue;
            };
            let values = self.resolve(at, Place::Register(*register));
            self.add(&values, None, call, *index, calls);
        }
    }

    fn add(
        &self,
        values: &Resolved,
        via: Option<&'static str>,
        call: &'static str,
        index: u8,
        calls: &mut Calls,
    ) {
        let known = values
            .known
            .iter()
            .map(|(function, at, value)| (function, at, Some(*value)));
        let open = values
            .open
            .iter()
            .map(|(function, at)| (function, at, None));
        for (function, at, value) in known.chain(open) {
            let offset = self.graph.image.offset(self.graph.address(*at));
            calls.arguments.push(ArgumentSite {
                function: *function,
                offset,
                via,
                call,
                index,
                value,
            });
        }
    }

    /// Calls of functions of other files whose arguments decide.
    fn imports(&mut self, calls: &mut Calls) {
        for (at, interest) in self.sites() {
            for (argument, call, index) in interest.arguments {
                let Some(register) = self.flow.convention.arguments.get(usize::from(*argument))
                else {
                    continue;
                };
                let mut values = self.resolve(at, Place::Register(*register));
                if (*call, *index) == ("dlsym", 1) {
                    values.known = values
                        .known
                        .into_iter()
                        .map(|site| self.named(site))
                        .collect();
                }
                // What this file's own callers elsewhere hand on is not known here.
                let function = self.graph.function(at).unwrap_or(0);
                if !values.handed.is_empty() {
                    values.open.insert((function, at));
                }
                self.add(&values, Some(call), call, *index, calls);
            }
        }
    }

    /// A name that is looked up, by its hash instead of its address.
    fn named(&self, (function, at, address): (u32, u32, u64)) -> (u32, u32, u64) {
        let bytes = self.graph.image.bytes(address).unwrap_or_default();
        let name = bytes
            .iter()
            .position(|byte| *byte == 0)
            .and_then(|end| bytes.get(..end));
        (function, at, name_hash(name.unwrap_or_default()).into())
    }

    /// Where functions of interest are called by name: through their slot, or a stub that goes there.
    fn sites(&self) -> Vec<(u32, &'static Interest)> {
        let mut found = Vec::new();
        let through = self
            .sweep
            .refs
            .iter()
            .filter(|found| found.kind == Kind::CallThrough);
        for reference in through {
            let slot = self.graph.address(reference.to);
            let symbols = self
                .graph
                .image
                .pointers_at(slot)
                .filter_map(|pointer| match pointer {
                    Pointer::Symbol(symbol, _) => {
                        self.graph.image.symbols.get(usize::try_from(symbol).ok()?)
                    }
                    _ => None,
                });
            for interest in symbols.filter_map(|symbol| interest::named(&symbol.name)) {
                let stub = self
                    .graph
                    .function(reference.from)
                    .and_then(|at| self.graph.starts.get(at as usize));
                // A stub is nothing but the jump.
                let is_stub = stub.is_some_and(|start| reference.from - start <= 8)
                    && self.sweep.jumps.binary_search(&reference.from).is_ok();
                if let Some(start) = stub.filter(|_| is_stub) {
                    found.extend(
                        self.called_from(*start)
                            .iter()
                            .map(|caller| (caller.from, interest)),
                    );
                } else {
                    found.push((reference.from, interest));
                }
            }
        }
        found
    }

    fn called_from(&self, start: u32) -> &[Ref] {
        let first = self.callers.partition_point(|found| found.to < start);
        let last = self.callers.partition_point(|found| found.to <= start);
        self.callers.get(first..last).unwrap_or_default()
    }

    /// All values of a place, followed to callers.
    fn resolve(&mut self, at: u32, place: Place) -> Resolved {
        let mut resolved = Resolved::default();
        let mut work = vec![(at, place, 0i64, DEPTH)];
        let mut seen = BTreeSet::new();
        while let Some((at, place, more, depth)) = work.pop() {
            if !seen.insert((at, place, more)) {
                continue;
            }
            let function = self.graph.function(at).unwrap_or(0);
            if seen.len() > CALLERS {
                resolved.open.insert((function, at));
                break;
            }
            let found = self.flow.before(at, place);
            self.settle(found, (function, at, more, depth), &mut resolved, &mut work);
        }
        resolved
    }

    fn settle(
        &mut self,
        found: Found,
        (function, at, more, depth): (u32, u32, i64, usize),
        resolved: &mut Resolved,
        work: &mut Vec<(u32, Place, i64, usize)>,
    ) {
        resolved.known.extend(
            found
                .constants
                .iter()
                .map(|value| (function, at, value.wrapping_add_signed(more))),
        );
        if found.is_open {
            resolved.open.insert((function, at));
        }
        for (address, by) in found.globals {
            if !self.global(
                (address, None),
                by.wrapping_add(more),
                depth,
                resolved,
                work,
            ) {
                resolved.open.insert((function, at));
            }
        }
        for (address, behind, by) in found.behind {
            if !self.global(
                (address, Some(behind)),
                by.wrapping_add(more),
                depth,
                resolved,
                work,
            ) {
                resolved.open.insert((function, at));
            }
        }
        for (start, place, by) in found.parameters {
            if !self.parameter(start, place, by.wrapping_add(more), depth, resolved, work) {
                resolved.open.insert((function, at));
            }
        }
    }

    /// What was written to memory at a fixed address; whether all is known.
    fn global(
        &mut self,
        (address, behind): (u64, Option<i64>),
        more: i64,
        depth: usize,
        resolved: &mut Resolved,
        work: &mut Vec<(u32, Place, i64, usize)>,
    ) -> bool {
        let place = self.graph.place(address);
        let first = self.stores.partition_point(|found| found.to < place);
        let stores = self.stores.get(first..).unwrap_or_default().iter();
        let stores: Vec<u32> = stores
            .take_while(|found| found.to == place)
            .map(|found| found.from)
            .collect();
        if depth == 0 || stores.is_empty() || self.taken.contains(&place) {
            return false;
        }
        for at in stores {
            let found = self.flow.stored(at, address, behind);
            let function = self.graph.function(at).unwrap_or(0);
            self.settle(found, (function, at, more, depth - 1), resolved, work);
        }
        true
    }

    /// What callers hand over; whether all of them are known.
    fn parameter(
        &mut self,
        start: u32,
        place: Place,
        more: i64,
        depth: usize,
        resolved: &mut Resolved,
        work: &mut Vec<(u32, Place, i64, usize)>,
    ) -> bool {
        let convention = self.flow.convention;
        let mut all = true;
        if self.named.contains(&start) {
            let argument = match place {
                Place::Register(register) => convention
                    .arguments
                    .iter()
                    .position(|known| *known == register),
                _ => None,
            };
            match (argument, self.graph.function(start)) {
                (Some(argument), Some(function)) => {
                    resolved
                        .handed
                        .insert((function, u8::try_from(argument).unwrap_or(u8::MAX)));
                }
                _ => all = false,
            }
        } else if self.taken.contains(&start) {
            all = false;
        }
        let callers: Vec<Ref> = self.called_from(start).to_vec();
        if depth == 0 || callers.len() > CALLERS {
            return false;
        }
        if callers.is_empty() && !self.named.contains(&start) && !self.taken.contains(&start) {
            // Nobody calls it: it is dead, or reached in a way that is not seen.
            return self.flow.runs_into.binary_search(&start).is_ok();
        }
        for caller in callers {
            let pushed = if caller.kind == Kind::Call {
                convention.pushed
            } else {
                0
            };
            let place = match place {
                Place::Slot(base, at) if base == convention.stack => {
                    if at < pushed {
                        all = false;
                        continue;
                    }
                    Place::Slot(base, at - pushed)
                }
                other => other,
            };
            work.push((caller.from, place, more, depth - 1));
        }
        all
    }
}
