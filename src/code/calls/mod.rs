//! Where a file enters the kernel, with which number and with what: at the instruction itself, or at the callers of functions
//! that hand their arguments on.

mod imports;
mod lent;
mod resolve;

use super::flow::{self, Flow};
use super::graph::Graph;
use super::image::Pointer;
use super::interest;
use super::places::Places;
use super::step::{AARCH64, Convention, Place, X86_64};
use super::sweep::{Kind, Ref, Sweep};
use super::x86_run::could_run;
use super::{arm, x86_step};
use crate::abi::call::Architecture;
use crate::fact::{ArgumentSite, CallSite, Gap, Lent};
use foldhash::HashMap;
use std::cell::LazyCell;
use std::collections::BTreeSet;

/// Functions one value is followed through, from callee to caller.
const DEPTH: usize = 6;

/// Callers of one function that are asked.
const CALLERS: usize = 4096;

/// What looking whether an entry is one costs, in steps.
const RUN: usize = 256;

/// What a gap says where nothing is left.
pub const SPENT: &str =
    "it enters the kernel in more ways than are followed; what is left counts as any call";

#[derive(Debug, Default)]
pub(super) struct Calls {
    pub sites: Vec<CallSite>,
    pub arguments: Vec<ArgumentSite>,
    pub wrappers: Vec<(u32, u8)>,
    pub lent: Vec<Lent>,
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
    /// Functions whose address is a value: their starts, the place in which whoever calls them there hands it over, what is
    /// added to that, and the instruction.
    lent: BTreeSet<(u32, Place, i64, u32)>,
}

/// Made when somebody first asks: most files have nothing to ask about.
pub(super) type Lazy<'a, T> = LazyCell<T, Box<dyn FnOnce() -> T + 'a>>;

struct Finder<'a> {
    graph: &'a Graph<'a>,
    flow: Flow<'a>,
    sweep: &'a Sweep,
    /// Calls and jumps by where they lead, also those through a pointer that stands at a fixed address.
    callers: Lazy<'a, Vec<Ref>>,
    /// Starts whose address somebody takes, and those that have a name for others.
    taken: Lazy<'a, Places>,
    named: Lazy<'a, Places>,
    /// Stores by where they write.
    stores: Lazy<'a, Vec<Ref>>,
    /// Functions whose argument becomes the number, as [`Resolved::lent`].
    lent: BTreeSet<(u32, Place, i64, u32)>,
}

impl Calls {
    /// At most so many steps are taken to find values.
    pub fn find(graph: &Graph<'_>, sweep: &Sweep, budget: u64) -> Self {
        let decode = move |from: u32, to: u32| {
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
            incoming: Lazy::new(Box::new(|| flow::incoming(sweep))),
            inner_jumps: &graph.inner_jumps,
            table_targets: &graph.table_targets,
            runs_into: &graph.runs_into,
            dead_ends: &graph.dead_ends,
            decode: Box::new(decode),
            cache: HashMap::default(),
            inner: HashMap::default(),
            left: budget,
        };
        let mut finder = Finder::new(graph, sweep, flow);
        let mut calls = Self::default();
        finder.entries(&mut calls);
        finder.fixed(&mut calls);
        finder.imports(&mut calls);
        finder.lend(&mut calls);
        let cut = [
            (
                graph.is_cut,
                "it has more tables of jumps than are followed",
            ),
            (finder.flow.left == 0, SPENT),
        ];
        let cut = cut.into_iter().filter(|(is_cut, _)| *is_cut);
        calls.gaps.extend(cut.map(|(_, reason)| Gap {
            function: None,
            offset: 0,
            reason,
        }));
        calls.sites.sort_unstable();
        calls.sites.dedup();
        calls.arguments.sort_unstable();
        calls.arguments.dedup();
        calls.lent.sort_unstable();
        calls.lent.dedup();
        calls.wrappers.sort_unstable();
        calls.wrappers.dedup();
        calls
    }
}

/// Calls and jumps to what a pointer in data holds from the start. What else may be put there is of somebody else.
fn through<'a>(graph: &'a Graph<'a>, sweep: &'a Sweep) -> impl Iterator<Item = Ref> + 'a {
    let calls = sweep
        .refs
        .iter()
        .filter(|found| found.kind == Kind::CallThrough);
    calls.flat_map(move |found| {
        let kind = if sweep.jumps.binary_search(&found.from).is_ok() {
            Kind::Jump
        } else {
            Kind::Call
        };
        let pointers = graph.image.pointers_at(graph.address(found.to));
        pointers
            .filter_map(move |pointer| match pointer {
                Pointer::Address(to) if graph.image.is_code(to) => Some(Ref {
                    from: found.from,
                    to: graph.place(to),
                    kind,
                }),
                _ => None,
            })
            .collect::<Vec<_>>()
    })
}

/// References of some kinds.
fn of(sweep: &Sweep, wanted: impl Fn(Kind) -> bool) -> impl Iterator<Item = Ref> {
    let refs = sweep.refs.iter();
    refs.filter(move |found| wanted(found.kind)).copied()
}

impl<'a> Finder<'a> {
    fn new(graph: &'a Graph<'a>, sweep: &'a Sweep, flow: Flow<'a>) -> Self {
        let callers = || {
            let direct = |kind| matches!(kind, Kind::Call | Kind::Jump);
            let mut callers: Vec<Ref> = of(sweep, direct).collect();
            callers.extend(through(graph, sweep));
            callers.sort_unstable_by_key(Ref::target);
            callers
        };
        let stores = || {
            let mut stores: Vec<Ref> = of(sweep, |kind| kind == Kind::Store).collect();
            stores.sort_unstable_by_key(Ref::target);
            stores
        };
        let taken = || {
            let by_code = of(sweep, |kind| kind == Kind::Take).map(|found| found.to);
            let pointers = graph.image.pointers.iter();
            let by_data = pointers.filter_map(|(_, pointer)| match pointer {
                Pointer::Address(to) => Some(graph.place(*to)),
                _ => None,
            });
            Places::new(by_code.chain(by_data).collect())
        };
        let named = || {
            let symbols = graph.image.symbols.iter();
            let defined = symbols.filter(|symbol| symbol.is_defined);
            Places::new(defined.map(|symbol| graph.place(symbol.address)).collect())
        };
        Self {
            callers: Lazy::new(Box::new(callers)),
            stores: Lazy::new(Box::new(stores)),
            taken: Lazy::new(Box::new(taken)),
            named: Lazy::new(Box::new(named)),
            lent: BTreeSet::new(),
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
            if entry.is_narrow && !self.could_run(entry.at) {
                continue;
            }
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
            if !numbers.open.is_empty() && !self.could_run(entry.at) {
                continue;
            }
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
            self.lent.extend(&numbers.lent);
            for number in known {
                self.arguments(entry.at, number, calls);
            }
        }
    }

    /// Calls in the kernel's own page, where their address becomes a value.
    fn fixed(&self, calls: &mut Calls) {
        let sites = self.sweep.fixed.iter().filter_map(|(at, number)| {
            Some(CallSite {
                function: self.graph.function(*at)?,
                offset: self.graph.image.offset(self.graph.address(*at)),
                number: Some(*number),
            })
        });
        calls.sites.extend(sites);
    }

    /// Whether an entry whose number is not known is one: what a table's bytes happen to be does not run on for long.
    fn could_run(&mut self, at: u32) -> bool {
        // What was not asked counts as one.
        if !self.flow.charge(RUN) {
            return true;
        }
        match self.graph.image.architecture {
            Architecture::X86_64 => could_run(self.graph.image, self.graph.address(at)),
            Architecture::Aarch64 => true,
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
        let lent: Vec<(u32, u32)> = values
            .lent
            .iter()
            .map(|(start, _, _, at)| (self.graph.function(*start).unwrap_or(0), *at))
            .collect();
        let open = values.open.iter().chain(&lent);
        let open = open.map(|(function, at)| (function, at, None));
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
}
