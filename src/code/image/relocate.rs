//! Pointers in data: what the loader puts where, by relocations; in a file at a fixed address, every word that could be one.

use super::{Image, POINTERS, Pointer};
use crate::abi::call::Architecture;
use goblin::elf::{Elf, Reloc};

impl<'a> Image<'a> {
    pub(super) fn relocate(&mut self, elf: &Elf<'a>) {
        let all = elf.dynrelas.iter().chain(elf.pltrelocs.iter());
        for reloc in all.chain(elf.dynrels.iter()).take(POINTERS) {
            self.add(&reloc);
        }
        self.relative_runs(elf);
    }

    fn add(&mut self, reloc: &Reloc) {
        let (slot, kind) = (reloc.r_offset, reloc.r_type);
        let stored = || self.word(slot).unwrap_or_default();
        let addend = reloc.r_addend;
        let symbol = u32::try_from(reloc.r_sym).unwrap_or_default();
        // R_X86_64_* and R_AARCH64_* of the processor supplements.
        let (plain, copy, relative, resolver): (&[u32], u32, u32, u32) = match self.architecture {
            Architecture::X86_64 => (&[1, 6, 7], 5, 8, 37),
            Architecture::Aarch64 => (&[257, 1025, 1026], 1024, 1027, 1032),
        };
        let whole = addend.map_or_else(stored, i64::cast_unsigned);
        if kind == relative {
            self.pointers.push((slot, Pointer::Address(whole)));
        } else if kind == resolver {
            self.pointers.push((slot, Pointer::Resolver(whole)));
        } else if kind == copy {
            self.copies.push((slot, symbol));
        } else if plain.contains(&kind) {
            if Some(&kind) != plain.first() {
                self.tables.push((slot, slot.wrapping_add(8)));
            }
            // Jump slots keep no addend of their own.
            let addend = if kind == *plain.last().unwrap_or(&0) {
                0
            } else {
                addend.unwrap_or(0)
            };
            self.pointers.push((slot, Pointer::Symbol(symbol, addend)));
        }
    }

    /// DT_RELR: runs of relative relocations; the addends stand in place.
    fn relative_runs(&mut self, elf: &Elf<'a>) {
        let Some(dynamic) = &elf.dynamic else { return };
        let tag = |wanted: u64| {
            let found = dynamic.dyns.iter().find(|entry| entry.d_tag == wanted);
            found.map(|entry| entry.d_val)
        };
        let (Some(at), Some(size)) = (tag(36), tag(35)) else {
            return;
        };
        let Some(raw) = self.bytes(at) else { return };
        let raw = raw.get(..usize::try_from(size).unwrap_or(0).min(raw.len()));
        let mut next = 0u64;
        for entry in raw.unwrap_or_default().chunks_exact(8) {
            if self.pointers.len() > POINTERS {
                return;
            }
            let entry = u64::from_le_bytes(entry.try_into().unwrap_or_default());
            let mut slots = Vec::new();
            if entry & 1 == 0 {
                slots.push(entry);
                next = entry.wrapping_add(8);
            } else {
                let set = (0..63u64).filter(|bit| entry >> (bit + 1) & 1 == 1);
                slots.extend(set.map(|bit| next.wrapping_add(bit * 8)));
                next = next.wrapping_add(63 * 8);
            }
            for slot in slots {
                if let Some(value) = self.word(slot) {
                    self.pointers.push((slot, Pointer::Address(value)));
                }
            }
        }
    }

    /// A file at a fixed address has no relocations for its own: every aligned word that could be an address is one.
    pub(super) fn scan_fixed(&mut self) {
        let mut found = Vec::new();
        for segment in &self.segments {
            for (at, word) in (0u64..).step_by(8).zip(segment.bytes.chunks_exact(8)) {
                let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
                let slot = segment.address.wrapping_add(at);
                if word != 0 && !self.is_code(slot) && self.segment(word).is_some() {
                    found.push((slot, Pointer::Address(word)));
                }
                if found.len() > POINTERS {
                    break;
                }
            }
        }
        self.pointers.extend(found);
    }
}
