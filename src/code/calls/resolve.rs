//! Values followed backwards, over functions: to whoever calls, and to whatever was written to memory.

use super::{CALLERS, DEPTH, Finder, Resolved};
use crate::code::flow::Found;
use crate::code::step::Place;
use crate::code::sweep::{Kind, Ref};
use std::collections::BTreeSet;

/// How far a field is from the start of its structure, in bytes.
const STRUCTURE: u32 = 128;

impl Finder<'_> {
    pub(super) fn called_from(&self, start: u32) -> &[Ref] {
        let first = self.callers.partition_point(|found| found.to < start);
        let last = self.callers.partition_point(|found| found.to <= start);
        self.callers.get(first..last).unwrap_or_default()
    }

    /// All values of a place, followed to callers.
    pub(super) fn resolve(&mut self, at: u32, place: Place) -> Resolved {
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
                (function, at),
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
                (function, at),
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
            let is_lent = !self.named.contains(start) && self.taken.contains(start);
            if is_lent && !self.is_foreign(place) {
                resolved
                    .lent
                    .insert((start, place, by.wrapping_add(more), at));
            }
        }
    }

    /// What was written to memory at a fixed address; whether all is known.
    fn global(
        &mut self,
        site: (u32, u32),
        (address, behind): (u64, Option<i64>),
        more: i64,
        depth: usize,
        resolved: &mut Resolved,
        work: &mut Vec<(u32, Place, i64, usize)>,
    ) -> bool {
        let place = self.graph.place(address);
        if depth == 0 || self.taken.contains(place) {
            return false;
        }
        let mut stores = self.stores_at(place);
        self.flow.charge(stores.len());
        // A vector that is written before may reach so far.
        let before = (1..8u32).filter_map(|back| place.checked_sub(back * 8));
        for before in before {
            let wide = self.stores_at(before);
            stores.extend(wide.into_iter().filter(|at| self.flow.writes(*at, address)));
        }
        if stores.is_empty() {
            return behind.is_none() && self.initial(site, address, more, resolved);
        }
        // What it held before is handed on as well, where that is more than nothing.
        if behind.is_none()
            && self
                .graph
                .image
                .initial(address)
                .is_some_and(|word| word != 0)
        {
            self.initial(site, address, more, resolved);
        }
        for at in stores {
            let found = self.flow.stored(at, address, behind);
            let function = self.graph.function(at).unwrap_or(0);
            self.settle(found, (function, at, more, depth - 1), resolved, work);
        }
        true
    }

    /// Instructions that write to a place.
    fn stores_at(&self, place: u32) -> Vec<u32> {
        let first = self.stores.partition_point(|found| found.to < place);
        let stores = self.stores.get(first..).unwrap_or_default().iter();
        let stores = stores.take_while(|found| found.to == place);
        stores.map(|found| found.from).collect()
    }

    /// The number that is there from the start; whether it is one. Numbers that decide have 32 bits. What could be part of
    /// a structure that somebody else fills by its address is not known.
    fn initial(
        &self,
        (function, at): (u32, u32),
        address: u64,
        more: i64,
        resolved: &mut Resolved,
    ) -> bool {
        let image = self.graph.image;
        let place = self.graph.place(address);
        let before = if image.is_go { 0 } else { STRUCTURE };
        let near = self.taken.before(place).and_then(|at| self.taken.get(at));
        if near.is_some_and(|near| near >= place.saturating_sub(before))
            || image.pointers_at(address).next().is_some()
        {
            return false;
        }
        let Some(word) = image.initial(address) else {
            return false;
        };
        let value = (word & 0xffff_ffff).wrapping_add_signed(more);
        resolved.known.insert((function, at, value));
        true
    }

    /// Whether a place is the caller's own, which a function saves and does not look at: a way on which it would is never
    /// taken. Go's compiler has no such registers.
    fn is_foreign(&self, place: Place) -> bool {
        let convention = self.flow.convention;
        let register = match place {
            Place::Register(register) | Place::Slot(register, _) => register,
            Place::Global(_) => return false,
        };
        !self.graph.image.is_go
            && register != convention.stack
            && convention.kept.contains(&register)
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
        let is_foreign = self.is_foreign(place);
        if self.named.contains(start) {
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
                _ => all &= is_foreign,
            }
        }
        let callers: Vec<Ref> = match self.called_from(start) {
            callers if depth == 0 || callers.len() > CALLERS => return false,
            callers => callers.to_vec(),
        };
        if !self.flow.charge(callers.len()) {
            return false;
        }
        if callers.is_empty() && !self.named.contains(start) && !self.taken.contains(start) {
            // Nobody calls it: it is dead, or reached in a way that is not seen.
            return self.flow.runs_into.binary_search(&start).is_ok();
        }
        for caller in callers {
            if is_foreign && caller.kind == Kind::Call {
                continue;
            }
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
