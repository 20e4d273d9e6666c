//! Calls of functions of other files by their names.

use super::{Calls, Finder};
use crate::code::image::Pointer;
use crate::code::interest::{self, Interest};
use crate::code::step::Place;
use crate::code::sweep::Kind;
use crate::fact::name_hash;

/// What indirect jumps may land on (Intel SDM, "Control-flow Enforcement").
const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];

impl Finder<'_> {
    /// Calls of functions of other files whose arguments decide.
    pub(super) fn imports(&mut self, calls: &mut Calls) {
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
                if *call == interest::NUMBER {
                    self.lent.append(&mut values.lent);
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
                let starts = self.stub(reference.from);
                let callers = starts.iter().flat_map(|start| self.called_from(*start));
                let callers: Vec<u32> = callers.map(|caller| caller.from).collect();
                // A program at a fixed address hands out its stub where it means the function.
                if callers.is_empty() || starts.iter().any(|start| self.taken.contains(*start)) {
                    found.push((reference.from, interest));
                }
                found.extend(callers.into_iter().map(|caller| (caller, interest)));
            }
        }
        found
    }

    /// Where the stub that a jump belongs to may be entered: it is nothing but the jump, behind a landing mark at most.
    fn stub(&self, jump: u32) -> Vec<u32> {
        if self.sweep.jumps.binary_search(&jump).is_err() {
            return Vec::new();
        }
        let mark = jump.checked_sub(4).filter(|mark| {
            let bytes = self.graph.image.code_at(self.graph.address(*mark));
            bytes.is_some_and(|bytes| bytes.starts_with(&ENDBR64))
        });
        let starts = [Some(jump), mark].into_iter().flatten();
        let is_fresh = |start: &u32| self.sweep.fresh.binary_search(start).is_ok();
        starts.filter(is_fresh).collect()
    }
}
