//! The graph as the fact it becomes.

use super::Graph;
use crate::code::calls::Calls;
use crate::code::image::Image;
use crate::code::sweep::Sweep;
use crate::fact::{Code, Edge, Function, Region, Symbol, Target};
use crate::path::MachinePath;
use goblin::elf::Elf;

/// Steps to find values, for each byte of code, and how many any file may take. Compilers' code needs less than one.
const STEPS: u64 = 2;
const LEAST: u64 = 1 << 21;

/// What one file may cost: a hostile one asks where a value comes from at every other byte.
fn budget(image: &Image<'_>) -> u64 {
    let code = image.code.iter().map(|(_, bytes)| bytes.len() as u64);
    LEAST + STEPS * code.sum::<u64>()
}

impl Graph<'_> {
    pub fn finish(mut self, path: &MachinePath, elf: &Elf<'_>, sweep: &Sweep) -> Code {
        let mut edges: Vec<Edge> = Vec::new();
        let mut functions = Vec::with_capacity(self.starts.len());
        let mut refs = sweep.refs.iter().peekable();
        let mut tables: Vec<(u32, u32)> = self
            .table_targets
            .iter()
            .map(|(to, jump)| (*jump, *to))
            .collect();
        tables.sort_unstable();
        let mut tables = tables.into_iter().peekable();
        let mut own = Vec::new();
        for at in 0..self.starts.len() {
            own.clear();
            let start = self.starts.get(at).unwrap_or(0);
            let end = self.starts.get(at + 1).unwrap_or(u32::MAX);
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            while let Some(found) = refs.next_if(|found| found.from < end) {
                self.reference(found, at, &mut own);
            }
            while let Some((_, to)) = tables.next_if(|(jump, _)| *jump < end) {
                let function = self.function(to).filter(|function| *function != at);
                own.extend(function.map(Edge::Call));
            }
            if self.runs_into.binary_search(&end).is_ok() {
                own.push(Edge::Call(at + 1));
            }
            own.sort_unstable();
            own.dedup();
            let first = u32::try_from(edges.len()).unwrap_or(u32::MAX);
            edges.append(&mut own);
            let last = u32::try_from(edges.len()).unwrap_or(u32::MAX);
            functions.push(Function {
                offset: self.image.offset(self.address(start)),
                first,
                last,
            });
        }
        let regions = self.regions(&mut edges);
        // Kept as long as the machine is examined.
        edges.shrink_to_fit();
        let calls = Calls::find(&self, sweep, budget(self.image));
        Code {
            path: path.clone(),
            architecture: self.image.architecture,
            build_id: self.image.build_id.clone(),
            functions,
            regions,
            edges,
            symbols: self.symbols(),
            entry: (elf.entry != 0 && self.image.is_code(elf.entry))
                .then(|| self.function(self.place(elf.entry)))
                .flatten(),
            starters: self.starters(),
            calls: calls.sites,
            arguments: calls.arguments,
            wrappers: calls.wrappers,
            lent: calls.lent,
            gaps: calls.gaps,
            is_whole: self.image.is_go,
            strings: self.texts,
        }
    }

    fn regions(&mut self, edges: &mut Vec<Edge>) -> Vec<Region> {
        let image = self.image;
        let mut regions = Vec::new();
        let mut own = Vec::new();
        for at in 0..self.regions.len() {
            let (start, end) = self.regions.get(at).copied().unwrap_or_default();
            own.clear();
            let from = image.pointers.partition_point(|(slot, _)| *slot < start);
            let to = image.pointers.partition_point(|(slot, _)| *slot < end);
            let inside = image.pointers.get(from..to).unwrap_or_default().iter();
            for (_, pointer) in inside.filter(|(slot, _)| !image.is_table(*slot)) {
                self.pointer(*pointer, &mut own);
            }
            own.sort_unstable();
            own.dedup();
            let first = u32::try_from(edges.len()).unwrap_or(u32::MAX);
            edges.append(&mut own);
            let last = u32::try_from(edges.len()).unwrap_or(u32::MAX);
            regions.push(Region {
                offset: image.offset(start),
                first,
                last,
            });
        }
        regions
    }

    fn symbols(&self) -> Vec<Symbol> {
        let all = self.image.symbols.iter().map(|symbol| Symbol {
            name: symbol.name.clone(),
            version: symbol.version.clone(),
            is_default: symbol.is_default,
            target: if !symbol.is_defined {
                Target::Elsewhere
            } else if self.image.is_code(symbol.address) {
                self.function(self.place(symbol.address))
                    .map_or(Target::Elsewhere, Target::Function)
            } else {
                let (first, last) = self.data(symbol.address, symbol.size);
                Target::Data(first, last)
            },
        });
        all.collect()
    }

    /// Regions that an object spans.
    fn data(&self, address: u64, size: u64) -> (u32, u32) {
        let last = address.saturating_add(size.max(1) - 1);
        let first = self.regions.partition_point(|(_, end)| *end <= address);
        let behind = self.regions.partition_point(|(start, _)| *start <= last);
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        (number(first), number(behind.max(first)))
    }

    fn starters(&self) -> Vec<u32> {
        let all = self
            .image
            .starters
            .iter()
            .filter(|address| self.image.is_code(**address));
        let mut found: Vec<u32> = all
            .filter_map(|address| self.function(self.place(*address)))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
