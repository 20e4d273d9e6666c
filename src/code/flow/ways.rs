//! Ways into a place: who jumps there, what runs into it, and, at a function's start, that somebody calls it.

use super::{Flow, Found, Item};
use crate::code::step::Place;
use crate::code::sweep::{Kind, Ref, Sweep};
use std::rc::Rc;

impl Flow<'_> {
    /// A function's own jumps by target.
    fn inner(&mut self, function: usize) -> Rc<Vec<(u32, u32)>> {
        let (starts, all) = (self.starts, self.inner_jumps);
        let inner = self.inner.entry(function).or_insert_with(|| {
            let start = starts.get(function).unwrap_or(0);
            let end = starts.get(function + 1).unwrap_or(u32::MAX);
            let first = all.partition_point(|(from, _)| *from < start);
            let own = all.get(first..).unwrap_or_default().iter();
            let own = own.take_while(|(from, _)| *from < end);
            let mut own: Vec<(u32, u32)> = own.map(|(from, to)| (*to, *from)).collect();
            own.sort_unstable();
            Rc::new(own)
        });
        Rc::clone(inner)
    }

    /// The start of a function: whoever calls it says, and whoever runs into it.
    pub(super) fn entered(
        &mut self,
        function: usize,
        place: Place,
        more: i64,
        work: &mut Vec<Item>,
        found: &mut Found,
    ) {
        let Some(start) = self.starts.get(function) else {
            return;
        };
        if let Place::Global(address) = place {
            found.globals.insert((address, more));
            return;
        }
        if place == Place::Register(self.convention.stack) {
            // An address on the stack, which is no number.
            found.is_open = true;
            return;
        }
        found.parameters.insert((start, place, more));
        if self.runs_into.binary_search(&start).is_ok()
            && let Some(before) = function.checked_sub(1)
        {
            let length = self.steps(before).len();
            if length > 0 {
                work.push((before, length, place, more));
            }
        }
    }

    /// Whether some jump leads there.
    pub(super) fn is_target(&mut self, at: u32) -> bool {
        let mut work = Vec::new();
        self.jumped_to(at, Place::Register(0), 0, &mut work, &mut Found::default())
    }

    pub(super) fn jumped_to(
        &mut self,
        at: u32,
        place: Place,
        more: i64,
        work: &mut Vec<Item>,
        found: &mut Found,
    ) -> bool {
        let first = self.incoming.partition_point(|jump| jump.to < at);
        let jumps = self.incoming.get(first..).unwrap_or_default().iter();
        let mut jumps: Vec<u32> = jumps
            .take_while(|jump| jump.to == at)
            .map(|jump| jump.from)
            .collect();
        if let Some(function) = self.function(at) {
            let inner = self.inner(function);
            let first = inner.partition_point(|(to, _)| *to < at);
            let own = inner.get(first..).unwrap_or_default().iter();
            jumps.extend(own.take_while(|(to, _)| *to == at).map(|(_, from)| *from));
        }
        let first = self
            .table_targets
            .partition_point(|(target, _)| *target < at);
        let tables = self.table_targets.get(first..).unwrap_or_default().iter();
        let tables: Vec<u32> = tables
            .take_while(|(target, _)| *target == at)
            .map(|(_, jump)| *jump)
            .collect();
        let all = jumps.iter().chain(&tables);
        self.charge(all.clone().count());
        for from in all.clone() {
            self.enter(*from, place, more, work, found);
        }
        all.count() > 0
    }
}

/// Jumps of a sweep by their target.
pub(in crate::code) fn incoming(sweep: &Sweep) -> Vec<Ref> {
    let jumps = sweep.refs.iter().filter(|found| found.kind == Kind::Jump);
    let mut jumps: Vec<Ref> = jumps.copied().collect();
    jumps.sort_unstable_by_key(Ref::target);
    jumps
}
