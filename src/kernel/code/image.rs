//! An ELF file as its loader would map it: segments, pointers that relocations put into data, symbols with their versions,
//! and where functions are known to start (System V gABI; the processor supplements; LSB, "Exception Frames").

use super::frames;
use crate::kernel::call::Architecture;
use goblin::elf::program_header::{PF_X, PT_GNU_EH_FRAME, PT_LOAD};
use goblin::elf::section_header::{SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS};
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_TLS};
use goblin::elf::{Elf, Reloc};

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
    pub version: Option<String>,
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
        let segments = segments(elf, bytes)?;
        let mut image = Self {
            architecture,
            code: code(elf, bytes, &segments),
            segments,
            stubs: Vec::new(),
            starters: Vec::new(),
            symbols: symbols(elf),
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

    fn relocate(&mut self, elf: &Elf<'a>) {
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
    fn scan_fixed(&mut self) {
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

    fn find_starters(&mut self, elf: &Elf<'_>) {
        let Some(dynamic) = &elf.dynamic else {
            self.static_starters(elf);
            return;
        };
        let tag = |wanted: u64| {
            let found = dynamic.dyns.iter().find(|entry| entry.d_tag == wanted);
            found.map(|entry| entry.d_val)
        };
        // DT_INIT, DT_FINI; arrays with their sizes: init, fini, preinit.
        let mut found: Vec<u64> = [12, 13].into_iter().filter_map(tag).collect();
        for (array, size) in [(25, 27), (26, 28), (32, 33)] {
            let (Some(start), Some(size)) = (tag(array), tag(size)) else {
                continue;
            };
            found.extend(self.addresses_in(start, size));
        }
        let resolvers = self
            .pointers
            .iter()
            .filter_map(|(_, pointer)| match pointer {
                Pointer::Resolver(at) => Some(*at),
                _ => None,
            });
        found.extend(resolvers);
        self.starters = found;
    }

    /// A static program walks its arrays by symbols that are gone; the sections still have their types.
    fn static_starters(&mut self, elf: &Elf<'_>) {
        for section in &elf.section_headers {
            // SHT_INIT_ARRAY, SHT_FINI_ARRAY, SHT_PREINIT_ARRAY.
            if (14..=16).contains(&section.sh_type) {
                let found = self.addresses_in(section.sh_addr, section.sh_size);
                self.starters.extend(found);
            }
            let name = elf.shdr_strtab.get_at(section.sh_name);
            if matches!(name, Some(".init" | ".fini")) {
                self.starters.push(section.sh_addr);
            }
        }
        let relocs: Vec<u64> = elf
            .section_headers
            .iter()
            .filter(|section| section.sh_type == 4 && section.sh_flags & u64::from(SHF_ALLOC) != 0)
            .flat_map(|section| self.resolvers_in(section.sh_addr, section.sh_size))
            .collect();
        self.starters.extend(relocs);
    }

    /// IRELATIVE relocations of a static program (the processor supplements' only kind there).
    fn resolvers_in(&self, start: u64, size: u64) -> Vec<u64> {
        let count = size / 24;
        (0..count.min(4096))
            .filter_map(|at| self.word(start.wrapping_add(at * 24 + 16)))
            .filter(|address| self.is_code(*address))
            .collect()
    }

    fn addresses_in(&self, start: u64, size: u64) -> Vec<u64> {
        let from = self.pointers.partition_point(|(slot, _)| *slot < start);
        let rest = self.pointers.get(from..).unwrap_or_default();
        rest.iter()
            .take_while(|(slot, _)| slot - start < size)
            .filter_map(|(_, pointer)| match pointer {
                Pointer::Address(address) => Some(*address),
                Pointer::Symbol(at, _) => {
                    let symbol = self.symbols.get(usize::try_from(*at).ok()?)?;
                    symbol.is_defined.then_some(symbol.address)
                }
                Pointer::Resolver(_) => None,
            })
            .collect()
    }

    fn find_functions(&mut self, elf: &Elf<'_>) {
        let mut functions = vec![elf.entry];
        functions.extend(&self.starters);
        let header = elf
            .program_headers
            .iter()
            .find(|header| header.p_type == PT_GNU_EH_FRAME);
        functions
            .extend(header.map_or_else(Vec::new, |header| frames::starts(self, header.p_vaddr)));
        for symbol in elf.dynsyms.iter().chain(elf.syms.iter()).take(SYMBOLS) {
            if symbol.st_value == 0 || symbol.st_shndx == 0 {
                continue;
            }
            match symbol.st_type() {
                STT_FUNC | STT_GNU_IFUNC => functions.push(symbol.st_value),
                STT_OBJECT => self.objects.push((symbol.st_value, symbol.st_size)),
                _ => {}
            }
        }
        functions.retain(|address| self.is_code(*address));
        functions.sort_unstable();
        functions.dedup();
        self.functions = functions;
        self.find_handle(elf);
        self.objects.sort_unstable();
        self.objects.dedup();
        let data = elf.section_headers.iter().filter(|section| {
            section.sh_flags & u64::from(SHF_ALLOC) != 0
                && section.sh_flags & u64::from(SHF_EXECINSTR) == 0
        });
        let tables = elf.section_headers.iter().filter(|section| {
            let name = elf.shdr_strtab.get_at(section.sh_name);
            name.is_some_and(|name| name == ".got" || name == ".got.plt")
        });
        self.tables.extend(tables.map(|section| {
            let start = section.sh_addr;
            (start, start.saturating_add(section.sh_size))
        }));
        self.tables.sort_unstable();
        self.tables.dedup_by(|later, first| {
            let joins = later.0 <= first.1;
            if joins {
                first.1 = first.1.max(later.1);
            }
            joins
        });
        let stubs = elf.section_headers.iter().filter(|section| {
            let name = elf.shdr_strtab.get_at(section.sh_name);
            name.is_some_and(|name| name == ".plt" || name.starts_with(".plt."))
        });
        self.stubs = stubs
            .map(|section| {
                (
                    section.sh_addr,
                    section.sh_addr.saturating_add(section.sh_size),
                )
            })
            .collect();
        self.sections = data.map(|section| section.sh_addr).collect();
        self.sections
            .extend(self.segments.iter().map(|segment| segment.address));
        self.sections.sort_unstable();
        self.sections.dedup();
    }

    /// The compiler's own `__dso_handle`, which only stands for the file (Itanium C++ ABI, 3.3.6.3): a pointer to itself where
    /// `.data` starts, in a program behind eight bytes of nothing. Whoever takes its address does not mean its neighbours.
    fn find_handle(&mut self, elf: &Elf<'_>) {
        let data = elf
            .section_headers
            .iter()
            .find(|section| elf.shdr_strtab.get_at(section.sh_name) == Some(".data"));
        let Some(start) = data.map(|section| section.sh_addr) else {
            return;
        };
        let handle = [start, start.saturating_add(8)].into_iter().find(|slot| {
            let mut pointers = self.pointers_at(*slot);
            pointers.any(|pointer| pointer == Pointer::Address(*slot))
        });
        self.objects.extend(handle.map(|slot| (slot, 8)));
    }
}

fn segments<'a>(elf: &Elf<'_>, bytes: &'a [u8]) -> Result<Vec<Segment<'a>>, String> {
    let mut found = Vec::new();
    for header in elf
        .program_headers
        .iter()
        .filter(|header| header.p_type == PT_LOAD)
    {
        let start = usize::try_from(header.p_offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let length = usize::try_from(header.p_filesz).unwrap_or(usize::MAX);
        let end = start.saturating_add(length).min(bytes.len());
        if header.p_vaddr.checked_add(header.p_memsz).is_none() {
            return Err("a segment lies beyond the end of the address space".into());
        }
        found.push(Segment {
            address: header.p_vaddr,
            bytes: bytes.get(start..end).unwrap_or_default(),
            memory: header.p_memsz,
            offset: header.p_offset,
            executable: header.p_flags & PF_X != 0,
        });
    }
    found.sort_by_key(|segment| segment.address);
    let first = found.first().map_or(0, |segment| segment.address);
    let last = found
        .iter()
        .map(|segment| segment.address.saturating_add(segment.memory))
        .max();
    if last.is_some_and(|last| last - first > u64::from(u32::MAX)) {
        return Err("its segments lie more than 4 GiB apart".into());
    }
    Ok(found)
}

/// Executable sections; without section headers, executable segments. Overlapping ones are cut.
fn code<'a>(elf: &Elf<'_>, bytes: &'a [u8], segments: &[Segment<'a>]) -> Vec<(u64, &'a [u8])> {
    let mut found: Vec<(u64, &[u8])> = elf
        .section_headers
        .iter()
        .filter(|section| {
            section.sh_flags & u64::from(SHF_EXECINSTR) != 0
                && section.sh_flags & u64::from(SHF_ALLOC) != 0
                && section.sh_type != SHT_NOBITS
        })
        .filter_map(|section| {
            let start = usize::try_from(section.sh_offset).ok()?;
            let end = start.checked_add(usize::try_from(section.sh_size).ok()?)?;
            let inside = segments.iter().any(|segment| {
                segment.executable
                    && section.sh_addr >= segment.address
                    && section.sh_addr - segment.address < segment.memory
            });
            inside.then_some((section.sh_addr, bytes.get(start..end)?))
        })
        .collect();
    let covered: usize = found.iter().map(|(_, bytes)| bytes.len()).sum();
    if covered == 0 {
        let executable = segments.iter().filter(|segment| segment.executable);
        found = executable
            .map(|segment| (segment.address, segment.bytes))
            .collect();
    }
    found.sort_by_key(|(address, _)| *address);
    let mut end = 0u64;
    for (address, bytes) in &mut found {
        let skip = usize::try_from(end.saturating_sub(*address)).unwrap_or(usize::MAX);
        *bytes = bytes.get(skip.min(bytes.len())..).unwrap_or_default();
        *address = (*address).max(end);
        end = address.saturating_add(bytes.len() as u64);
    }
    found.retain(|(_, bytes)| !bytes.is_empty());
    found
}

fn symbols(elf: &Elf<'_>) -> Vec<Symbol> {
    let versions = Versions::new(elf);
    let mut found = Vec::new();
    for (at, symbol) in elf.dynsyms.iter().enumerate().take(SYMBOLS) {
        let is_defined = symbol.st_shndx != 0 && symbol.st_type() != STT_TLS;
        let (version, is_default) = versions.of(elf, at);
        found.push(Symbol {
            name: elf
                .dynstrtab
                .get_at(symbol.st_name)
                .unwrap_or_default()
                .to_owned(),
            version,
            is_default,
            // A local one is nobody else's.
            is_defined: is_defined && symbol.st_bind() != 0,
            address: symbol.st_value,
            size: symbol.st_size,
        });
    }
    found
}

/// Names of symbol versions by index: defined here, and needed of others.
struct Versions {
    names: std::collections::BTreeMap<u16, String>,
}

impl Versions {
    fn new(elf: &Elf<'_>) -> Self {
        let mut names = std::collections::BTreeMap::new();
        let defined = elf.verdef.iter().flat_map(goblin::elf::VerdefSection::iter);
        for version in defined.take(4096) {
            let name = version
                .iter()
                .next()
                .and_then(|aux| elf.dynstrtab.get_at(aux.vda_name));
            // The base version is the file itself.
            if version.vd_flags & 1 == 0 {
                names.insert(version.vd_ndx, name.unwrap_or_default().to_owned());
            }
        }
        let needed = elf
            .verneed
            .iter()
            .flat_map(goblin::elf::VerneedSection::iter);
        for file in needed.take(4096) {
            for aux in file.iter().take(4096) {
                let name = elf.dynstrtab.get_at(aux.vna_name).unwrap_or_default();
                names.insert(aux.vna_other & 0x7fff, name.to_owned());
            }
        }
        Self { names }
    }

    fn of(&self, elf: &Elf<'_>, at: usize) -> (Option<String>, bool) {
        let Some(version) = elf.versym.as_ref().and_then(|table| table.get_at(at)) else {
            return (None, true);
        };
        (
            self.names.get(&version.version()).cloned(),
            !version.is_hidden(),
        )
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
