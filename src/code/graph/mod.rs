//! The graph of one file: functions and pieces of data, and what leads from one to another.

mod control;
mod finish;
mod references;

use super::image::{Image, Pointer};
use super::places::Places;
use super::sweep::{Kind, Ref, Sweep};
use std::collections::BTreeMap;
use std::ops::Range;

/// Longest way from a stub's start to its jump, in bytes: the processor supplement for Arm has three instructions before it.
const STUB: u32 = 12;

/// The graph while it is made.
pub(super) struct Graph<'a> {
    pub image: &'a Image<'a>,
    pub base: u64,
    /// Starts of functions as distances from the base, sorted.
    pub starts: Places,
    pub end: u32,
    /// Starts that the code before runs on into.
    pub runs_into: Vec<u32>,
    /// Calls of functions that do not come back, sorted.
    pub dead_ends: Vec<u32>,
    /// Jumps through tables: target, and the jump.
    pub table_targets: Vec<(u32, u32)>,
    /// There are more of them than are followed.
    pub is_cut: bool,
    /// Jumps within one function that do not go to its start: the jump and its target, sorted. They are many,
    /// and only who follows a value through the function asks for them.
    pub inner_jumps: Vec<(u32, u32)>,
    /// Of the pieces that data is cut into those with pointers: start and end, sorted.
    regions: Vec<(u64, u64)>,
    strings: BTreeMap<u64, u32>,
    texts: Vec<(u64, String)>,
}

impl<'a> Graph<'a> {
    pub fn new(image: &'a Image<'a>, sweep: &mut Sweep, base: u64) -> Self {
        let mut graph = Self {
            image,
            base,
            starts: Places::default(),
            end: 0,
            runs_into: Vec::new(),
            dead_ends: Vec::new(),
            table_targets: Vec::new(),
            is_cut: false,
            inner_jumps: Vec::new(),
            regions: Vec::new(),
            strings: BTreeMap::new(),
            texts: Vec::new(),
        };
        graph.end = image
            .code
            .last()
            .map_or(0, |(at, bytes)| graph.place(at + bytes.len() as u64));
        graph.find_starts(sweep);
        graph.sort_out(sweep);
        graph.find_runs(sweep);
        graph.find_tables(sweep);
        graph.find_dead_ends(sweep);
        graph.cut_data(sweep);
        graph
    }

    pub fn place(&self, address: u64) -> u32 {
        u32::try_from(address.wrapping_sub(self.base)).unwrap_or(u32::MAX)
    }

    pub fn address(&self, place: u32) -> u64 {
        self.base.wrapping_add(place.into())
    }

    /// The function that holds a place.
    pub fn function(&self, place: u32) -> Option<u32> {
        u32::try_from(self.starts.before(place)?).ok()
    }

    /// The places of the function that holds one.
    fn around(&self, place: u32) -> Range<u32> {
        let at = self.starts.before(place);
        let start = at.and_then(|at| self.starts.get(at)).unwrap_or(0);
        let end = self.starts.get(at.map_or(0, |at| at + 1));
        start..end.unwrap_or(u32::MAX)
    }

    fn find_starts(&mut self, sweep: &Sweep) {
        let mut starts: Vec<u32> = self
            .image
            .functions
            .iter()
            .map(|address| self.place(*address))
            .collect();
        starts.extend(
            self.image
                .code
                .iter()
                .map(|(address, _)| self.place(*address)),
        );
        let taken = sweep.refs.iter().filter(|found| match found.kind {
            Kind::Call => true,
            Kind::Take => self.image.is_code(self.address(found.to)),
            _ => false,
        });
        starts.extend(taken.map(|found| found.to));
        let pointed = self
            .image
            .pointers
            .iter()
            .filter_map(|(_, pointer)| match pointer {
                Pointer::Address(to) | Pointer::Resolver(to) => Some(*to),
                Pointer::Symbol(..) => None,
            });
        starts.extend(
            pointed
                .filter(|to| self.image.is_code(*to))
                .map(|to| self.place(to)),
        );
        starts.extend(self.stubs(sweep));
        self.starts = Places::new(starts);
    }

    /// Leaves in a sweep what leads from one function or piece of data to another.
    fn sort_out(&mut self, sweep: &mut Sweep) {
        // References come in the order of functions: most often the next is of the same as the one before.
        let mut own = 0..0;
        let mut is_inner = |from: u32, to: u32| {
            if !own.contains(&from) {
                own = self.around(from);
            }
            to != own.start && own.contains(&to)
        };
        let mut inner = std::mem::take(&mut sweep.inner);
        let mut outer = Vec::new();
        inner.retain(|(from, to)| {
            let stays = is_inner(*from, *to);
            if !stays {
                let (from, to, kind) = (*from, *to, Kind::Jump);
                outer.push(Ref { from, to, kind });
            }
            stays
        });
        let mut more = Vec::new();
        sweep.refs.retain(|found| match found.kind {
            Kind::Jump => {
                let is_inner = is_inner(found.from, found.to);
                if is_inner {
                    more.push((found.from, found.to));
                }
                !is_inner
            }
            Kind::Load(size) => self.is_pointer(self.address(found.to), size),
            _ => true,
        });
        if !outer.is_empty() {
            sweep.refs.append(&mut outer);
            sweep.refs.sort();
        }
        if !more.is_empty() {
            inner.append(&mut more);
            inner.sort_unstable();
        }
        sweep.refs.shrink_to_fit();
        self.inner_jumps = inner;
    }

    /// Where the linker's stubs for functions of other files start. The table for unwinding has one entry for all of them,
    /// and those that are only jumped to would count as part of the one before.
    fn stubs(&self, sweep: &Sweep) -> Vec<u32> {
        let is_stub = |place: u32| self.image.is_stub(self.address(place));
        let jumps = sweep.refs.iter().filter(|found| {
            found.kind == Kind::CallThrough
                && is_stub(found.from)
                && sweep.jumps.binary_search(&found.from).is_ok()
        });
        let starts = jumps.filter_map(|found| {
            let at = sweep.fresh.partition_point(|place| *place <= found.from);
            let start = sweep.fresh.get(at.checked_sub(1)?)?;
            (found.from - start <= STUB).then_some(*start)
        });
        starts.collect()
    }

    fn find_runs(&mut self, sweep: &Sweep) {
        let mut fresh = sweep.fresh.iter().peekable();
        let is_known = |start: u32| {
            let functions = &self.image.functions;
            functions.binary_search(&self.address(start)).is_ok()
        };
        let sections = self.image.code.iter();
        let sections = Places::new(sections.map(|(address, _)| self.place(*address)).collect());
        let is_first = |start: u32| sections.contains(start);
        let runs = self.starts.iter().filter(|start| {
            while fresh.next_if(|place| *place < start).is_some() {}
            let is_fresh = fresh.peek() == Some(&start);
            let is_after_call =
                || sweep.after_call.binary_search(start).is_ok() && is_known(*start);
            !(is_fresh || is_after_call() || is_first(*start))
        });
        self.runs_into = runs.collect();
    }

    /// Cuts data where one object certainly ends and another begins.
    fn cut_data(&mut self, sweep: &Sweep) {
        let mut pieces = self.image.sections.clone();
        for (address, size) in &self.image.objects {
            pieces.extend([*address, address.wrapping_add(*size)]);
        }
        let taken = sweep
            .refs
            .iter()
            .filter(|found| found.kind == Kind::Take)
            .map(|found| self.address(found.to));
        let pointed = self
            .image
            .pointers
            .iter()
            .filter_map(|(_, pointer)| match pointer {
                Pointer::Address(to) => Some(*to),
                _ => None,
            });
        // Compilers align tables and structures of 32 bytes and more to as much; what starts elsewhere may be the middle.
        pieces.extend(
            taken
                .chain(pointed)
                .filter(|address| address % 32 == 0 && !self.image.is_code(*address)),
        );
        pieces.sort_unstable();
        pieces.dedup();
        let slots = self.image.pointers.iter().map(|(slot, _)| *slot);
        let mut slots = slots.filter(|slot| !self.image.is_table(*slot)).peekable();
        let ends = pieces.iter().skip(1).copied().chain([u64::MAX]);
        let mut regions = Vec::new();
        // Both are sorted.
        for (start, end) in pieces.iter().copied().zip(ends) {
            while slots.next_if(|slot| *slot < start).is_some() {}
            let known = slots.peek().copied();
            if known.is_some_and(|slot| slot < end) {
                regions.push((start, end));
            }
        }
        self.regions = regions;
    }

    /// The region that holds an address.
    fn region(&self, address: u64) -> Option<u32> {
        let at = self.regions.partition_point(|(start, _)| *start <= address);
        let at = at.checked_sub(1)?;
        let (_, end) = self.regions.get(at)?;
        u32::try_from(at).ok().filter(|_| address < *end)
    }
}
