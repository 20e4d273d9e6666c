//! The graph of one file: functions and pieces of data, and what leads from one to another.

use super::calls::Calls;
use super::image::{Image, Pointer};
use super::sweep::{Kind, Ref, Sweep};
use crate::fact::{Code, Edge, Function, Region, Symbol, Target, name_hash};
use crate::path::MachinePath;
use goblin::elf::Elf;
use std::collections::BTreeMap;

/// Longest string looked at, in bytes.
const STRING: usize = 200;

/// Paths of one list.
const LIST: usize = 16;

/// Entries of one table of jumps.
const TABLE: usize = 4096;

pub(super) struct Graph<'a> {
    pub image: &'a Image<'a>,
    pub base: u64,
    /// Starts of functions as distances from the base, sorted.
    pub starts: Vec<u32>,
    pub end: u32,
    /// Starts that the code before runs on into.
    pub runs_into: Vec<u32>,
    /// Calls of functions that do not come back, sorted.
    pub dead_ends: Vec<u32>,
    /// Jumps through tables: target, and the jump.
    pub table_targets: Vec<(u32, u32)>,
    /// Starts of the pieces that data is cut into, sorted.
    pieces: Vec<u64>,
    /// Of pieces with pointers: the piece's number to its place among the regions.
    region_of: BTreeMap<usize, u32>,
    strings: BTreeMap<u64, u32>,
    texts: Vec<(u64, String)>,
}

impl<'a> Graph<'a> {
    pub fn new(image: &'a Image<'a>, sweep: &Sweep, base: u64) -> Self {
        let mut graph = Self {
            image,
            base,
            starts: Vec::new(),
            end: 0,
            runs_into: Vec::new(),
            dead_ends: Vec::new(),
            table_targets: Vec::new(),
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
        let at = self
            .starts
            .partition_point(|start| *start <= place)
            .checked_sub(1)?;
        u32::try_from(at).ok()
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
        starts.sort_unstable();
        starts.dedup();
        self.starts = starts;
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

    /// Functions come back that return, jump away to one that does or to where is not seen, or run on into one that does.
    fn find_dead_ends(&mut self, sweep: &Sweep) {
        let mut comes_back = vec![false; self.starts.len()];
        let mark = |place: u32, comes_back: &mut Vec<bool>| {
            let at = self.function(place).unwrap_or(0) as usize;
            comes_back
                .get_mut(at)
                .is_some_and(|known| !std::mem::replace(known, true))
                .then_some(at)
        };
        let mut work: Vec<usize> = Vec::new();
        for place in sweep.returns.iter().chain(&sweep.jumps) {
            work.extend(mark(*place, &mut comes_back));
        }
        let mut leaving: Vec<(u32, u32)> = Vec::new();
        for found in sweep.refs.iter().filter(|found| found.kind == Kind::Jump) {
            let (from, to) = (self.function(found.from), self.function(found.to));
            if let (Some(from), Some(to)) = (from, to)
                && from != to
            {
                leaving.push((to, from));
            }
        }
        for start in &self.runs_into {
            let next = self.function(*start).unwrap_or(0);
            leaving.extend(next.checked_sub(1).map(|before| (next, before)));
        }
        leaving.sort_unstable();
        while let Some(at) = work.pop() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let first = leaving.partition_point(|(to, _)| *to < at);
            for (_, from) in leaving
                .get(first..)
                .unwrap_or_default()
                .iter()
                .take_while(|(to, _)| *to == at)
            {
                if let Some(known) = comes_back.get_mut(*from as usize).filter(|known| !**known) {
                    *known = true;
                    work.push(*from as usize);
                }
            }
        }
        let calls = sweep.refs.iter().filter(|found| match found.kind {
            Kind::Call => {
                self.function(found.to)
                    .and_then(|at| comes_back.get(at as usize))
                    == Some(&false)
            }
            Kind::CallThrough => self.never_returns(found.to),
            _ => false,
        });
        self.dead_ends = calls.map(|found| found.from).collect();
    }

    /// Functions of the C and C++ standards, and what compilers call, that do not come back.
    fn never_returns(&self, slot: u32) -> bool {
        let names =
            self.image
                .pointers_at(self.address(slot))
                .filter_map(|pointer| match pointer {
                    Pointer::Symbol(symbol, _) => self.image.symbols.get(symbol as usize),
                    _ => None,
                });
        names.into_iter().any(|symbol| {
            matches!(
                symbol.name.as_str(),
                "abort"
                    | "exit"
                    | "_exit"
                    | "_Exit"
                    | "quick_exit"
                    | "__assert_fail"
                    | "__stack_chk_fail"
                    | "__fortify_fail"
                    | "__chk_fail"
                    | "longjmp"
                    | "siglongjmp"
                    | "__longjmp_chk"
                    | "pthread_exit"
                    | "__cxa_throw"
                    | "__cxa_rethrow"
                    | "_ZSt9terminatev"
                    | "_Unwind_Resume"
            )
        })
    }

    /// Tables beside jumps: distances from the table in 32 bits, or whole addresses.
    fn find_tables(&mut self, sweep: &Sweep) {
        let mut bases: Vec<u32> = sweep
            .refs
            .iter()
            .filter(|found| found.kind == Kind::Take)
            .map(|found| found.to)
            .collect();
        bases.sort_unstable();
        bases.dedup();
        let mut jumps = sweep.jumps.iter().peekable();
        let mut found = Vec::new();
        while let Some(jump) = jumps.next() {
            let Some(function) = self.function(*jump) else {
                continue;
            };
            // All jumps of one function together: which table belongs to which is not asked.
            let mut own = vec![*jump];
            while let Some(next) = jumps.next_if(|next| self.function(**next) == Some(function)) {
                own.push(*next);
            }
            let at = function as usize;
            let start = self.starts.get(at).copied().unwrap_or(0);
            let end = self.starts.get(at + 1).copied().unwrap_or(self.end);
            let first = sweep.refs.partition_point(|found| found.from < start);
            let refs = sweep.refs.get(first..).unwrap_or_default().iter();
            let takes = refs
                .take_while(|found| found.from < end)
                .filter(|found| found.kind == Kind::Take);
            for take in takes {
                let limit = bases.partition_point(|base| *base <= take.to);
                let limit = bases.get(limit).copied().unwrap_or(u32::MAX);
                for target in self.table(take.to, limit) {
                    found.extend(own.iter().map(|jump| (target, *jump)));
                }
                if found.len() > 1 << 22 {
                    break;
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        self.table_targets = found;
    }

    fn table(&self, table: u32, limit: u32) -> Vec<u32> {
        let address = self.address(table);
        if self.image.is_code(address) {
            return Vec::new();
        }
        let length = usize::try_from(limit.saturating_sub(table)).unwrap_or(0);
        let bytes = self.image.bytes(address).unwrap_or_default();
        let bytes = bytes.get(..length.min(bytes.len())).unwrap_or_default();
        let relative = bytes.chunks_exact(4).take(TABLE).map_while(|raw| {
            let distance = i32::from_le_bytes(raw.try_into().ok()?);
            let to = address.wrapping_add_signed(distance.into());
            (distance != 0 && self.image.is_code(to)).then(|| self.place(to))
        });
        let whole = bytes.chunks_exact(8).take(TABLE).map_while(|raw| {
            let to = u64::from_le_bytes(raw.try_into().ok()?);
            (self.image.is_fixed && self.image.is_code(to)).then(|| self.place(to))
        });
        relative.chain(whole).collect()
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

    /// What an address as a value leads to.
    fn taken(&mut self, address: u64, edges: &mut Vec<Edge>) {
        if self.image.is_code(address) {
            let function = self.function(self.place(address));
            edges.extend(function.map(Edge::Take));
            return;
        }
        let copies = self.image.copies.iter().filter(|(at, symbol)| {
            let symbol = usize::try_from(*symbol)
                .ok()
                .and_then(|at| self.image.symbols.get(at));
            let size = symbol.map_or(8, |symbol| symbol.size.max(8));
            address.checked_sub(*at).is_some_and(|within| within < size)
        });
        edges.extend(copies.map(|(_, symbol)| Edge::TakeSymbol(*symbol)));
        let region = self
            .piece(address)
            .and_then(|piece| self.region_of.get(&piece));
        if let Some(region) = region {
            edges.push(Edge::Data(*region));
        }
        self.string(address, edges);
    }

    /// A string, and the paths that follow it directly: lists of them are one after the other.
    fn string(&mut self, address: u64, edges: &mut Vec<Edge>) {
        let mut address = address;
        for at in 0..LIST {
            let bytes = self.image.bytes(address).unwrap_or_default();
            let bytes = bytes.get(..STRING.min(bytes.len())).unwrap_or_default();
            let Some(length) = bytes.iter().position(|byte| !byte.is_ascii_graphic()) else {
                return;
            };
            let text = bytes.get(..length).unwrap_or_default();
            let is_ended = bytes.get(length) == Some(&0);
            if !is_ended || length < 3 || at > 0 && text.first() != Some(&b'/') {
                return;
            }
            self.text(address, text, edges);
            if text.first() != Some(&b'/') || !text.windows(4).any(|window| window == b"/lib") {
                return;
            }
            address = address.saturating_add(length as u64 + 1);
        }
    }

    fn text(&mut self, address: u64, text: &[u8], edges: &mut Vec<Edge>) {
        let is_path = [&b"/dev/"[..], b"/proc", b"/sys/"]
            .iter()
            .any(|start| text.starts_with(start));
        let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        let is_library = has(b".so")
            || text.first() == Some(&b'/') && (has(b"/lib") || text.starts_with(b"/opt/"));
        if is_path || is_library {
            let offset = self.image.offset(address);
            let next = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
            let index = *self.strings.entry(offset).or_insert(next);
            if index == next {
                self.texts
                    .push((offset, String::from_utf8_lossy(text).into_owned()));
            }
            edges.push(Edge::String(index));
        } else if text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        {
            edges.push(Edge::Name(name_hash(text)));
        }
    }

    fn pointer(&mut self, pointer: Pointer, edges: &mut Vec<Edge>) {
        match pointer {
            Pointer::Address(address) => self.taken(address, edges),
            Pointer::Symbol(symbol, _) => edges.push(Edge::TakeSymbol(symbol)),
            Pointer::Resolver(address) => {
                let function = self.function(self.place(address));
                edges.extend(function.map(Edge::Call));
            }
        }
    }

    fn reference(&mut self, found: &Ref, own: u32, edges: &mut Vec<Edge>) {
        let address = self.address(found.to);
        match found.kind {
            Kind::Call | Kind::Jump => {
                let function = self.function(found.to).filter(|function| *function != own);
                edges.extend(function.map(Edge::Call));
            }
            Kind::Take => self.taken(address, edges),
            Kind::Load(size) => {
                let first = self
                    .image
                    .pointers
                    .partition_point(|(slot, _)| *slot < address);
                let within = |slot: &u64| slot.wrapping_sub(address) < u64::from(size);
                let all = self.image.pointers.get(first..).unwrap_or_default();
                let loaded: Vec<Pointer> = all
                    .iter()
                    .take_while(|(slot, _)| within(slot))
                    .map(|(_, to)| *to)
                    .collect();
                for pointer in loaded {
                    self.pointer(pointer, edges);
                }
                let image = self.image;
                let copies = image.copies.iter().filter(|(at, _)| within(at));
                edges.extend(copies.map(|(_, symbol)| Edge::TakeSymbol(*symbol)));
            }
            Kind::CallThrough => {
                let image = self.image;
                for pointer in image.pointers_at(address) {
                    match pointer {
                        Pointer::Symbol(symbol, _) => edges.push(Edge::CallSymbol(symbol)),
                        Pointer::Address(to) if image.is_code(to) => {
                            let function = self.function(self.place(to));
                            edges.extend(function.map(Edge::Call));
                        }
                        other => self.pointer(other, edges),
                    }
                }
            }
            Kind::Store => {}
        }
    }

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
        let starts = self.starts.clone();
        let mut own = Vec::new();
        for (at, start) in (0u32..).zip(&starts) {
            own.clear();
            let end = starts.get(at as usize + 1).copied().unwrap_or(u32::MAX);
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
                offset: self.image.offset(self.address(*start)),
                first,
                last,
            });
        }
        let regions = self.regions(&mut edges);
        let calls = Calls::find(&self, sweep);
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
            gaps: calls.gaps,
            is_whole: is_go(elf),
            strings: self.texts,
        }
    }

    fn regions(&mut self, edges: &mut Vec<Edge>) -> Vec<Region> {
        let image = self.image;
        let mut regions = Vec::new();
        let mut own = Vec::new();
        for (start, end) in self.bounds() {
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
            regions.push(Region { first, last });
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
        let Some(first) = self.piece(address) else {
            return (0, 0);
        };
        let last = self
            .piece(address.saturating_add(size.max(1) - 1))
            .unwrap_or(first);
        let mut own = self
            .region_of
            .range(first..=last)
            .map(|(_, region)| *region);
        match own.next() {
            Some(first) => (first, own.next_back().unwrap_or(first) + 1),
            None => (0, 0),
        }
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

/// Go's linker leaves its table of functions, and leaves out what nothing reaches.
fn is_go(elf: &Elf<'_>) -> bool {
    let names = elf
        .section_headers
        .iter()
        .filter_map(|section| elf.shdr_strtab.get_at(section.sh_name));
    names
        .into_iter()
        .any(|name| matches!(name, ".gopclntab" | ".go.buildinfo" | ".note.go.buildid"))
}
