//! Segments as they are loaded, and where code is in them.

use super::Segment;
use goblin::elf::Elf;
use goblin::elf::program_header::{PF_X, PT_LOAD};
use goblin::elf::section_header::{SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS};

pub(super) fn segments<'a>(elf: &Elf<'_>, bytes: &'a [u8]) -> Result<Vec<Segment<'a>>, String> {
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
pub(super) fn code<'a>(
    elf: &Elf<'_>,
    bytes: &'a [u8],
    segments: &[Segment<'a>],
) -> Vec<(u64, &'a [u8])> {
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
