//! What a reference leads to: functions, data, symbols, strings.

use super::Graph;
use crate::code::image::Pointer;
use crate::code::sweep::{Kind, Ref};
use crate::fact::{Edge, name_hash};

/// Longest string looked at, in bytes.
const STRING: usize = 200;

/// Paths of one list.
const LIST: usize = 16;

/// Whether a part is in a text; most texts do not even have its first letter.
fn has<const N: usize>(text: &[u8], part: &[u8; N]) -> bool {
    part.first().is_some_and(|first| text.contains(first))
        && text.windows(N).any(|window| window == part)
}

impl Graph<'_> {
    /// What an address as a value leads to.
    pub(super) fn taken(&mut self, address: u64, edges: &mut Vec<Edge>) {
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
        edges.extend(self.region(address).map(Edge::Data));
        self.string(address, edges);
    }

    /// A string, and the paths that follow it directly: lists of them are one after the other.
    pub(super) fn string(&mut self, address: u64, edges: &mut Vec<Edge>) {
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
            if text.first() != Some(&b'/') || !has(text, b"/lib") {
                return;
            }
            address = address.saturating_add(length as u64 + 1);
        }
    }

    pub(super) fn text(&mut self, address: u64, text: &[u8], edges: &mut Vec<Edge>) {
        let is_path = [&b"/dev/"[..], b"/proc", b"/sys/"]
            .iter()
            .any(|start| text.starts_with(start));
        let is_library = has(text, b".so")
            || text.first() == Some(&b'/') && (has(text, b"/lib") || text.starts_with(b"/opt/"));
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

    /// Whether so many bytes have an address in them.
    pub(super) fn is_pointer(&self, address: u64, size: u8) -> bool {
        let within = |slot: u64| slot.wrapping_sub(address) < u64::from(size);
        let pointers = &self.image.pointers;
        let first = pointers.partition_point(|(slot, _)| *slot < address);
        pointers.get(first).is_some_and(|(slot, _)| within(*slot))
            || self.image.copies.iter().any(|(at, _)| within(*at))
    }

    pub(super) fn pointer(&mut self, pointer: Pointer, edges: &mut Vec<Edge>) {
        match pointer {
            Pointer::Address(address) => self.taken(address, edges),
            Pointer::Symbol(symbol, _) => edges.push(Edge::TakeSymbol(symbol)),
            Pointer::Resolver(address) => {
                let function = self.function(self.place(address));
                edges.extend(function.map(Edge::Call));
            }
        }
    }

    pub(super) fn reference(&mut self, found: &Ref, own: u32, edges: &mut Vec<Edge>) {
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
}
