//! Where functions and objects start for certain: what runs without being called, symbols, and the table for unwinding.

use super::{Image, Pointer, SYMBOLS};
use crate::code::frames;
use goblin::elf::Elf;
use goblin::elf::program_header::PT_GNU_EH_FRAME;
use goblin::elf::section_header::{SHF_ALLOC, SHF_EXECINSTR};
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC, STT_OBJECT};

impl Image<'_> {
    pub(super) fn find_starters(&mut self, elf: &Elf<'_>) {
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

    pub(super) fn find_functions(&mut self, elf: &Elf<'_>) {
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
