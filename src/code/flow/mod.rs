//! Following a value backwards: from a place at an instruction to the constants that can be there, within one file.
//!
//! Memory on the stack is taken to change only where code names the slot: compilers keep a number that goes to the kernel in
//! registers or spill it, and neither is written through a pointer.

mod ways;

pub(super) use ways::incoming;

use super::calls::Lazy;
use super::places::Places;
use super::step::{Convention, Effect, Place, Source, Step};
use super::sweep::Ref;
use foldhash::{HashMap, HashSet};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Steps one question may take before it is given up.
const BUDGET: usize = 4000;

/// Most constants one place can hold; a table of more is any number.
const MOST: usize = 64;

/// Bytes of one function that are looked at; what generated tables of code exceed is given up.
const LONGEST: u32 = 1 << 20;

/// What can stand in a place.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub constants: BTreeSet<u64>,
    /// What the function at this start got from whoever called it, and what is added to it.
    pub parameters: BTreeSet<(u32, Place, i64)>,
    /// What is in memory at a fixed address.
    pub globals: BTreeSet<(u64, i64)>,
    /// What is in memory so far behind the address that is in memory at a fixed address.
    pub behind: BTreeSet<(u64, i64, i64)>,
    pub is_open: bool,
}

/// What following needs to know of a file.
pub(super) struct Flow<'a> {
    pub convention: &'static Convention,
    /// Starts of all functions, sorted.
    pub starts: &'a Places,
    /// Ends, for those that end before the next begins.
    pub end: u32,
    /// Jumps from one function to another, or to a start, by their target.
    pub incoming: Lazy<'a, Vec<Ref>>,
    /// Jumps within one function: the jump and its target, sorted.
    pub inner_jumps: &'a [(u32, u32)],
    /// Targets of jumps through tables, sorted: (target, the jump).
    pub table_targets: &'a [(u32, u32)],
    /// Starts that the code before runs on into, sorted.
    pub runs_into: &'a [u32],
    /// Calls that do not come back, sorted.
    pub dead_ends: &'a [u32],
    pub decode: Box<dyn Fn(u32, u32) -> Vec<Step> + 'a>,
    pub cache: HashMap<usize, Rc<Vec<Step>>>,
    /// Of functions that were asked for, their own jumps by target: the target and the jump.
    pub inner: HashMap<usize, Rc<Vec<(u32, u32)>>>,
    /// Steps that may still be taken for this file. Without any, every question is open.
    pub left: u64,
}

/// Before which step of which function, what is looked for, and what is added to it in the end.
type Item = (usize, usize, Place, i64);

impl Flow<'_> {
    /// The function that an address is in.
    pub fn function(&self, at: u32) -> Option<usize> {
        self.starts.before(at)
    }

    /// Takes so many steps off what is left; whether it was enough.
    pub fn charge(&mut self, steps: usize) -> bool {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(steps);
        self.left > 0
    }

    fn steps(&mut self, function: usize) -> Rc<Vec<Step>> {
        if let Some(known) = self.cache.get(&function) {
            return Rc::clone(known);
        }
        let start = self.starts.get(function).unwrap_or(0);
        let end = self.starts.get(function + 1).unwrap_or(self.end);
        let length = end.saturating_sub(start);
        let is_affordable = self.charge(usize::try_from(length).unwrap_or(usize::MAX));
        let steps = if length > LONGEST || !is_affordable {
            Vec::new()
        } else {
            (self.decode)(start, end)
        };
        let steps = Rc::new(steps);
        if self.cache.len() > 4096 {
            self.cache.clear();
            self.inner.clear();
        }
        self.cache.insert(function, Rc::clone(&steps));
        steps
    }

    /// What can stand in `place` just before the instruction at `at`.
    pub fn before(&mut self, at: u32, place: Place) -> Found {
        let mut found = Found::default();
        let mut work: Vec<Item> = Vec::new();
        let mut seen: HashSet<Item> = HashSet::default();
        self.enter(at, place, 0, &mut work, &mut found);
        let mut budget = BUDGET;
        while let Some(item) = work.pop() {
            if !seen.insert(item) {
                continue;
            }
            let is_spent = seen.len() > BUDGET || budget == 0 || !self.charge(1);
            if is_spent || found.constants.len() > MOST {
                found.is_open = true;
                return found;
            }
            let before = budget;
            self.walk(item, &mut work, &mut seen, &mut found, &mut budget);
            self.charge(before - budget);
        }
        found
    }

    /// What is stored to memory at a fixed address by the instruction at `at`; with a distance, what is so far behind that.
    pub fn stored(&mut self, at: u32, global: u64, behind: Option<i64>) -> Found {
        let mut found = Found::default();
        let function = self.function(at);
        let steps = function
            .map(|function| self.steps(function))
            .unwrap_or_default();
        if !self.charge(steps.len()) {
            found.is_open = true;
            return found;
        }
        let step = steps.iter().find(|step| {
            step.at == at
                && matches!(step.effect, Effect::Move(Place::Global(to), _) if to == global)
        });
        match (step.map(|step| step.effect), behind) {
            // Null is behind nothing.
            (Some(Effect::Move(_, Source::Constant(0))), Some(_)) => {}
            (Some(Effect::Move(_, Source::Constant(value))), None) => {
                found.constants.insert(value);
            }
            (Some(Effect::Move(_, Source::Place(place, 0))), None) => {
                found = self.before(at, place);
            }
            (Some(Effect::Move(_, Source::Place(Place::Register(base), 0))), Some(behind)) => {
                found = self.before(at, Place::Slot(base, behind));
            }
            _ => found.is_open = true,
        }
        found
    }

    /// Whether the instruction at `at` writes to memory at a fixed address.
    pub fn writes(&mut self, at: u32, global: u64) -> bool {
        let steps = self.function(at).map(|function| self.steps(function));
        let steps = steps.unwrap_or_default();
        // Where nothing is left it may, and what it writes is open.
        if !self.charge(steps.len()) {
            return true;
        }
        steps.iter().any(|step| {
            step.at == at
                && matches!(step.effect, Effect::Move(Place::Global(to), _) if to == global)
        })
    }

    fn enter(&mut self, at: u32, place: Place, more: i64, work: &mut Vec<Item>, found: &mut Found) {
        let index = self.function(at).and_then(|function| {
            let steps = self.steps(function);
            let index = steps.partition_point(|step| step.at < at);
            steps
                .get(index)
                .is_some_and(|step| step.at == at)
                .then_some((function, index))
        });
        match index {
            Some((function, index)) => work.push((function, index, place, more)),
            None => found.is_open = true,
        }
    }

    /// Back along one way until it ends, forks are put aside.
    fn walk(
        &mut self,
        item: Item,
        work: &mut Vec<Item>,
        seen: &mut HashSet<Item>,
        found: &mut Found,
        budget: &mut usize,
    ) {
        let (function, mut index, mut place, mut more) = item;
        let steps = self.steps(function);
        loop {
            *budget = budget.saturating_sub(1);
            if *budget == 0 {
                found.is_open = true;
                return;
            }
            let is_first = index == 0
                || steps.get(index).map(|step| step.at) != steps.get(index - 1).map(|step| step.at);
            let mut has_ways = false;
            if is_first && let Some(step) = steps.get(index) {
                if index == 0 {
                    self.entered(function, place, more, work, found);
                    return;
                }
                has_ways = self.jumped_to(step.at, place, more, work, found);
            }
            let Some(previous) = index.checked_sub(1).and_then(|at| steps.get(at)) else {
                found.is_open = true;
                return;
            };
            let is_dead_end = previous.effect == Effect::Call
                && self.dead_ends.binary_search(&previous.at).is_ok();
            if !previous.goes_on || is_dead_end {
                let is_padding = steps.get(index).is_some_and(|step| step.is_padding);
                // A place nothing leads to is where exceptions land.
                found.is_open |= !has_ways && !is_padding;
                return;
            }
            // Joins are remembered, so that loops end.
            if has_ways && index != item.1 && !seen.insert((function, index, place, more)) {
                return;
            }
            let next = self.back(previous, place, more, function, work, found);
            let Some((before, before_more)) = next else {
                return;
            };
            if let (Place::Slot(_, at), true) = (before, self.became_stack(place, before))
                && let Some((to, source)) = self.written(&steps, index..item.1, at)
            {
                // The stack was written by its own name after its address was taken.
                if let Some((place, more)) = moved(
                    Place::Slot(self.convention.stack, 0),
                    source,
                    Place::Slot(self.convention.stack, 0),
                    more,
                    found,
                ) {
                    work.push((function, to, place, more));
                }
                return;
            }
            (place, more) = (before, before_more);
            index -= 1;
        }
    }

    /// Whether a slot turned out to be on the stack.
    fn became_stack(&self, after: Place, before: Place) -> bool {
        let on_stack =
            |place: Place| matches!(place, Place::Slot(base, _) if base == self.convention.stack);
        matches!(after, Place::Slot(..)) && !on_stack(after) && on_stack(before)
    }

    /// The last write to a slot of the stack among steps that follow each other: its place among them, and what is written.
    fn written(
        &self,
        steps: &[Step],
        range: std::ops::Range<usize>,
        mut slot: i64,
    ) -> Option<(usize, Source)> {
        let mut last = None;
        let stack = self.convention.stack;
        for index in range {
            match steps.get(index)?.effect {
                Effect::Stack(by) => slot = slot.checked_sub(by)?,
                Effect::Move(Place::Slot(base, at), source) if base == stack && at == slot => {
                    last = Some((index, source));
                }
                _ => {}
            }
        }
        last
    }

    /// The place before a step that holds what `place` holds after it; `None` where the way ends.
    fn back(
        &mut self,
        step: &Step,
        place: Place,
        more: i64,
        function: usize,
        work: &mut Vec<Item>,
        found: &mut Found,
    ) -> Option<(Place, i64)> {
        let convention = self.convention;
        match step.effect {
            // Who jumps to the branch itself has compared something else.
            Effect::Known(register, value)
                if place == Place::Register(register) && !self.is_target(step.at) =>
            {
                found.constants.insert(value.wrapping_add_signed(more));
                None
            }
            Effect::Nothing | Effect::Known(..) => Some((place, more)),
            Effect::Stack(by) => match place {
                Place::Slot(base, at) if base == convention.stack => {
                    Some((Place::Slot(base, at.checked_add(by)?), more))
                }
                Place::Register(base) if base == convention.stack => {
                    Some((place, more.checked_add(by)?))
                }
                other => Some((other, more)),
            },
            Effect::Call => match place {
                Place::Register(register) | Place::Slot(register, _)
                    if !convention.kept.contains(&register) =>
                {
                    found.is_open = true;
                    None
                }
                kept => Some((kept, more)),
            },
            Effect::Move(to, source) => moved(to, source, place, more, found),
            Effect::MayMove(to, source) => {
                if let Some((other, other_more)) = moved(to, source, place, more, found)
                    && (other, other_more) != (place, more)
                {
                    // The same step seen from before: walk on with the other place as well.
                    let at = self.index_before(function, step.at);
                    if let Some(index) = at {
                        work.push((function, index, other, other_more));
                    }
                }
                Some((place, more))
            }
        }
    }

    fn index_before(&mut self, function: usize, at: u32) -> Option<usize> {
        let steps = self.steps(function);
        let index = steps.partition_point(|step| step.at < at);
        steps
            .get(index)
            .is_some_and(|step| step.at == at)
            .then_some(index)
    }
}

/// What a move says of a place.
fn moved(
    to: Place,
    source: Source,
    place: Place,
    more: i64,
    found: &mut Found,
) -> Option<(Place, i64)> {
    if to == place {
        return match source {
            Source::Constant(value) => {
                found.constants.insert(value.wrapping_add_signed(more));
                None
            }
            Source::Place(from, by) => Some((from, more.checked_add(by)?)),
            // Addresses are no numbers.
            Source::Address(Place::Slot(base, by)) => {
                Some((Place::Register(base), more.checked_add(by)?))
            }
            Source::Address(Place::Global(at)) => {
                found.constants.insert(at.wrapping_add_signed(more));
                None
            }
            Source::Address(Place::Register(_)) | Source::Unknown => {
                found.is_open = true;
                None
            }
        };
    }
    match (to, place) {
        // The base of a slot gets its value here.
        (Place::Register(register), Place::Slot(base, at)) if register == base => match source {
            Source::Place(Place::Register(from), by) | Source::Address(Place::Slot(from, by)) => {
                Some((Place::Slot(from, at.checked_add(by)?), more))
            }
            Source::Address(Place::Global(from)) => {
                found.globals.insert((from.wrapping_add_signed(at), more));
                None
            }
            Source::Place(Place::Global(from), 0) => {
                found.behind.insert((from, at, more));
                None
            }
            _ => {
                found.is_open = true;
                None
            }
        },
        (_, Place::Global(at)) => {
            found.globals.insert((at, more));
            None
        }
        _ => Some((place, more)),
    }
}
