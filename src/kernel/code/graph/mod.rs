//! The graph of one file: functions and pieces of data, and what leads from one to another.

mod control;
mod finish;
mod references;

use super::image::{Image, Pointer};
use super::sweep::{Kind, Sweep};
use std::collections::BTreeMap;

/// Bits of a place within its block.
const BLOCK: u32 = 8;

/// Blocks for each function at most.
const SPARSE: usize = 64;

/// Longest way from a stub's start to its jump, in bytes: the processor supplement for Arm has three instructions before it.
const STUB: u32 = 12;

/// The graph while it is made.
pub(super) struct Graph<'a> {
    pub image: &'a Image<'a>,
    pub base: u64,
    /// Starts of functions as distances from the base, sorted.
    pub starts: Vec<u32>,
    /// How many starts lie before each block of places: searching all of them took a tenth of the time.
    blocks: Vec<u32>,
    pub end: u32,
    /// Starts that the code before runs on into.
    pub runs_into: Vec<u32>,
    /// Calls of functions that do not come back, sorted.
    pub dead_ends: Vec<u32>,
    /// Jumps through tables: target, and the jump.
    pub table_targets: Vec<(u32, u32)>,
    /// Jumps within one function that do not go to its start: the jump and its target, sorted. They are many,
    /// and only who follows a value through the function asks for them.
    pub inner_jumps: Vec<(u32, u32)>,
    /// Starts of the pieces that data is cut into, sorted.
    pieces: Vec<u64>,
    /// Of pieces with pointers: the piece's number to its place among the regions.
    region_of: BTreeMap<usize, u32>,
    strings: BTreeMap<u64, u32>,
    texts: Vec<(u64, String)>,
}

impl<'a> Graph<'a> {
    pub fn new(image: &'a Image<'a>, sweep: &mut Sweep, base: u64) -> Self {
        let mut graph = Self {
            image,
            base,
            starts: Vec::new(),
            blocks: Vec::new(),
            end: 0,
            runs_into: Vec::new(),
            dead_ends: Vec::new(),
            table_targets: Vec::new(),
            inner_jumps: Vec::new(),
            pieces: Vec::new(),
            region_of: BTreeMap::new(),
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
        let block = (place >> BLOCK) as usize;
        let count = |block: usize| self.blocks.get(block).map(|count| *count as usize);
        let first = count(block).unwrap_or(0);
        let last = count(block + 1).unwrap_or(self.starts.len());
        let within = self.starts.get(first..last).unwrap_or_default();
        let at = first + within.partition_point(|start| *start <= place);
        u32::try_from(at.checked_sub(1)?).ok()
    }

    /// Counts the starts before each block.
    fn index(&mut self) {
        let last = self.starts.last().map_or(0, |start| start >> BLOCK);
        // Few functions far apart are found without; what addresses a file claims is no measure for memory.
        if last as usize / SPARSE > self.starts.len() {
            return;
        }
        let mut before = 0u32;
        let mut starts = self.starts.iter().peekable();
        self.blocks = (0..=last)
            .map(|block| {
                while starts.next_if(|start| **start >> BLOCK < block).is_some() {
                    before += 1;
                }
                before
            })
            .collect();
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
        starts.sort_unstable();
        starts.dedup();
        self.starts = starts;
        self.index();
    }

    /// Leaves in a sweep what leads from one function or piece of data to another.
    fn sort_out(&mut self, sweep: &mut Sweep) {
        let mut inner = Vec::new();
        sweep.refs.retain(|found| match found.kind {
            Kind::Jump if self.starts.binary_search(&found.to).is_ok() => true,
            Kind::Jump if self.function(found.from) == self.function(found.to) => {
                inner.push((found.from, found.to));
                false
            }
            Kind::Load(size) => self.is_pointer(self.address(found.to), size),
            _ => true,
        });
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
        let known: Vec<u32> = self
            .image
            .functions
            .iter()
            .map(|address| self.place(*address))
            .collect();
        let runs = self.starts.iter().copied().filter(|start| {
            let is_fresh = sweep.fresh.binary_search(start).is_ok();
            let is_after_call =
                known.binary_search(start).is_ok() && sweep.after_call.binary_search(start).is_ok();
            let is_first = self
                .image
                .code
                .iter()
                .any(|(address, _)| self.place(*address) == *start);
            !(is_fresh || is_after_call || is_first)
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
        self.pieces = pieces;
        let slots = self.image.pointers.iter().map(|(slot, _)| *slot);
        for slot in slots.filter(|slot| !self.image.is_table(*slot)) {
            if let Some(piece) = self.piece(slot) {
                let next = u32::try_from(self.region_of.len()).unwrap_or(u32::MAX);
                self.region_of.entry(piece).or_insert(next);
            }
        }
    }

    fn piece(&self, address: u64) -> Option<usize> {
        self.pieces
            .partition_point(|start| *start <= address)
            .checked_sub(1)
    }

    /// Regions in the order of their numbers, each with its addresses.
    fn bounds(&self) -> Vec<(u64, u64)> {
        let mut found: Vec<(u32, u64, u64)> = self
            .region_of
            .iter()
            .map(|(piece, region)| {
                let start = self.pieces.get(*piece).copied().unwrap_or(0);
                (
                    *region,
                    start,
                    self.pieces.get(piece + 1).copied().unwrap_or(u64::MAX),
                )
            })
            .collect();
        found.sort_unstable();
        found
            .into_iter()
            .map(|(_, start, end)| (start, end))
            .collect()
    }
}
