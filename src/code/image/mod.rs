//! An ELF file as its loader would map it: segments, pointers that relocations put into data, symbols with their versions,
//! and where functions are known to start (System V gABI; the processor supplements; LSB, "Exception Frames").

mod layout;
mod relocate;
mod starts;
mod symbols;

use crate::abi::call::Architecture;
use goblin::elf::Elf;
use std::sync::Arc;

/// Most symbols and relocations taken of one file; the largest libraries there are have a third of it.
const SYMBOLS: usize = 1 << 20;
const POINTERS: usize = 1 << 22;

/// A loaded segment.
pub(super) struct Segment<'a> {
    pub address: u64,
    /// What the file holds of it; the rest is zero.
    pub bytes: &'a [u8],
    pub memory: u64,
    pub offset: u64,
    pub executable: bool,
}

/// A symbol of the dynamic table.
#[derive(Debug, Clone)]
pub(super) struct Symbol {
    pub name: String,
    pub version: Option<Arc<str>>,
    /// The version that an unversioned reference gets.
    pub is_default: bool,
    pub is_defined: bool,
    pub address: u64,
    pub size: u64,
}

/// What the loader puts into a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pointer {
    Address(u64),
    /// Index into the dynamic symbols, and what is added to its address.
    Symbol(u32, i64),
    /// What the function at this address answers.
    Resolver(u64),
}

pub(super) struct Image<'a> {
    pub architecture: Architecture,
    pub segments: Vec<Segment<'a>>,
    /// Address and length of executable sections, in order.
    pub code: Vec<(u64, &'a [u8])>,
    /// Sections of the linker's stubs for functions of other files.
    pub stubs: Vec<(u64, u64)>,
    /// Run before and after main: init and fini functions, resolvers.
    pub starters: Vec<u64>,
    pub symbols: Vec<Symbol>,
    /// Pointers in data by address, sorted.
    pub pointers: Vec<(u64, Pointer)>,
    /// Slots that only the code's own names lead to (GLOB_DAT, JUMP_SLOT, the sections for them), as ranges, sorted: no
    /// structure of data, though thread-local storage takes addresses among them.
    pub tables: Vec<(u64, u64)>,
    /// Objects whose first content comes from a library's: address, symbol.
    pub copies: Vec<(u64, u32)>,
    /// Where functions start for certain, and where data objects do; sorted.
    pub functions: Vec<u64>,
    pub objects: Vec<(u64, u64)>,
    /// Starts of writable-or-not data sections, which no object crosses.
    pub sections: Vec<u64>,
    /// Addresses stand in code and data as plain numbers.
    pub is_fixed: bool,
    /// Go's compiler made it: every variable of a package is an object of its own.
    pub is_go: bool,
    pub build_id: Option<String>,
}

impl<'a> Image<'a> {
    pub fn read(
        elf: &Elf<'a>,
        bytes: &'a [u8],
        architecture: Architecture,
    ) -> Result<Self, String> {
        let segments = layout::segments(elf, bytes)?;
        let mut image = Self {
            architecture,
            code: layout::code(elf, bytes, &segments),
            segments,
            stubs: Vec::new(),
            starters: Vec::new(),
            symbols: symbols::symbols(elf),
            pointers: Vec::new(),
            tables: Vec::new(),
            copies: Vec::new(),
            functions: Vec::new(),
            objects: Vec::new(),
            sections: Vec::new(),
            is_go: is_go(elf),
            is_fixed: elf.header.e_type == goblin::elf::header::ET_EXEC,
            build_id: build_id(elf, bytes),
        };
        image.relocate(elf);
        if image.is_fixed {
            image.scan_fixed();
        }
        image.pointers.sort_unstable();
        image.pointers.dedup();
        image.find_starters(elf);
        image.find_functions(elf);
        Ok(image)
    }

    /// Nothing but code, for tests of what reads it.
    #[cfg(test)]
    pub fn of_code(
        architecture: Architecture,
        address: u64,
        bytes: &'a [u8],
        functions: Vec<u64>,
    ) -> Self {
        let segment = Segment {
            address,
            bytes,
            memory: bytes.len() as u64,
            offset: 0,
            executable: true,
        };
        Self {
            architecture,
            segments: vec![segment],
            code: vec![(address, bytes)],
            stubs: Vec::new(),
            starters: Vec::new(),
            symbols: Vec::new(),
            pointers: Vec::new(),
            tables: Vec::new(),
            copies: Vec::new(),
            functions,
            objects: Vec::new(),
            sections: Vec::new(),
            is_fixed: false,
            is_go: false,
            build_id: None,
        }
    }

    /// Whether code is there.
    pub fn is_code(&self, address: u64) -> bool {
        self.code_at(address).is_some()
    }

    /// The code from an address to the end of its section; never empty.
    pub fn code_at(&self, address: u64) -> Option<&'a [u8]> {
        let at = self.code.partition_point(|(start, _)| *start <= address);
        let (start, bytes) = self.code.get(at.checked_sub(1)?)?;
        let rest = bytes.get(usize::try_from(address - start).ok()?..)?;
        (!rest.is_empty()).then_some(rest)
    }

    pub fn segment(&self, address: u64) -> Option<&Segment<'a>> {
        self.segments.iter().find(|segment| {
            address
                .checked_sub(segment.address)
                .is_some_and(|at| at < segment.memory)
        })
    }

    /// The bytes from an address to the end of what the file holds of its segment.
    pub fn bytes(&self, address: u64) -> Option<&'a [u8]> {
        let segment = self.segment(address)?;
        let at = usize::try_from(address - segment.address).ok()?;
        segment.bytes.get(at..)
    }

    /// Where in the file an address is; an address outside is its own answer.
    pub fn offset(&self, address: u64) -> u64 {
        self.segment(address).map_or(address, |segment| {
            segment.offset.wrapping_add(address - segment.address)
        })
    }

    pub fn word(&self, address: u64) -> Option<u64> {
        let raw = self.bytes(address)?.get(..8)?;
        Some(u64::from_le_bytes(raw.try_into().ok()?))
    }

    /// The eight bytes that are at an address when the file is loaded: zeros, where the file holds none.
    pub fn initial(&self, address: u64) -> Option<u64> {
        let segment = self.segment(address)?;
        let at = usize::try_from(address - segment.address).ok()?;
        let held = segment.bytes.get(at..).unwrap_or_default();
        let mut word = [0; 8];
        let there = held.get(..8.min(held.len())).unwrap_or_default();
        word.get_mut(..there.len())?.copy_from_slice(there);
        Some(u64::from_le_bytes(word))
    }

    /// What the loader puts at this address.
    pub fn pointers_at(&self, address: u64) -> impl Iterator<Item = Pointer> + '_ {
        let at = self.pointers.partition_point(|(slot, _)| *slot < address);
        let rest = self.pointers.get(at..).unwrap_or_default();
        rest.iter()
            .take_while(move |(slot, _)| *slot == address)
            .map(|(_, pointer)| *pointer)
    }

    /// Whether the linker's stubs for functions of other files are there.
    pub fn is_stub(&self, address: u64) -> bool {
        let mut sections = self.stubs.iter();
        sections.any(|(start, end)| (*start..*end).contains(&address))
    }

    /// Whether a slot is one that only a name leads to.
    pub fn is_table(&self, slot: u64) -> bool {
        let at = self.tables.partition_point(|(start, _)| *start <= slot);
        let before = self.tables.get(..at).unwrap_or_default().iter().rev();
        before.take(1).any(|(_, end)| slot < *end)
    }
}

/// NT_GNU_BUILD_ID in hexadecimal.
fn build_id(elf: &Elf<'_>, bytes: &[u8]) -> Option<String> {
    let notes = elf.iter_note_headers(bytes)?;
    let note = notes
        .take(64)
        .filter_map(Result::ok)
        .find(|note| note.n_type == 3 && note.name == "GNU")?;
    let digits = note
        .desc
        .iter()
        .take(64)
        .flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from_digit(digit.into(), 16))
        .collect()
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
