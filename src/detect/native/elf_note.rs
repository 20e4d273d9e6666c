//! What an ELF file says of itself beside its tables: notes (gABI, "Note Section"), version definitions, signs of a
//! language's runtime or of a packer.

use crate::fact::{Elf, Opened};
use goblin::elf::note::{NT_GNU_ABI_TAG, Note};

/// Properties of the whole file (Linux Extensions to gABI, "Program Property").
const NT_GNU_PROPERTY_TYPE_0: u32 = 5;
/// The x86-64 levels that must be there (x86-64 psABI, table "Program Property Types").
const ISA_1_NEEDED: u32 = 0xc000_8002;
/// "ELF dlopen metadata" of the UAPI group: owner and type.
const DLOPEN_OWNER: &str = "FDO";
const DLOPEN_TYPE: u32 = 0x407c_0c0a;

/// Notes and definitions looked at; files have a handful of the one and some dozens of the other.
const NOTES: usize = 256;
const DEFINITIONS: usize = 1000;

/// Where a packer's name stands, if anywhere: behind the headers, in bytes.
const PACKER: usize = 4096;

/// Fills in what notes say.
pub(super) fn read(found: &mut Elf, elf: &goblin::elf::Elf<'_>, bytes: &[u8]) {
    let segments = elf.iter_note_headers(bytes).into_iter().flatten();
    let sections = elf.iter_note_sections(bytes, None).into_iter().flatten();
    for note in segments.chain(sections).take(NOTES).flatten() {
        of_note(found, &note, elf.little_endian, elf.is_64);
    }
    found.opens.sort();
    found.opens.dedup();
    found.provides = provides(elf);
    found.runtime = runtime(elf);
    found.packed = packed(elf, bytes);
}

fn of_note(found: &mut Elf, note: &Note<'_>, little: bool, wide: bool) {
    match (note.name.trim_end_matches('\0'), note.n_type) {
        ("GNU", NT_GNU_ABI_TAG) => {
            let words: Vec<u32> = words(note.desc, little).take(4).collect();
            // The first is the system, 0 for Linux.
            if let [0, major, minor, patch] = words.as_slice() {
                found.kernel = Some([*major, *minor, *patch]);
            }
        }
        ("GNU", NT_GNU_PROPERTY_TYPE_0) => {
            found.level = level(note.desc, little, wide).or(found.level);
        }
        (DLOPEN_OWNER, DLOPEN_TYPE) => found.opens.extend(opened(note.desc)),
        _ => {}
    }
}

fn words(bytes: &[u8], little: bool) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().map(move |word| {
        if little {
            u32::from_le_bytes(*word)
        } else {
            u32::from_be_bytes(*word)
        }
    })
}

/// The highest level among the needed ones: bit 0 is the baseline, bit 3 is v4.
fn level(mut desc: &[u8], little: bool, wide: bool) -> Option<u8> {
    let align = if wide { 8usize } else { 4 };
    while let Some((head, rest)) = desc.split_at_checked(8) {
        let mut head = words(head, little);
        let (kind, size) = (head.next()?, usize::try_from(head.next()?).ok()?);
        let data = rest.get(..size)?;
        if kind == ISA_1_NEEDED {
            let bits = words(data, little).next()?;
            return (2..=4u8).rev().find(|level| bits >> (level - 1) & 1 == 1);
        }
        desc = rest.get(size.checked_next_multiple_of(align)?..)?;
    }
    None
}

/// `[{"soname":["libx.so.1"],"feature":"x","priority":"suggested"}]`
fn opened(desc: &[u8]) -> Vec<Opened> {
    let end = desc
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(desc.len());
    let text = desc.get(..end).unwrap_or_default();
    let Ok(serde_json::Value::Array(items)) = serde_json::from_slice(text) else {
        return Vec::new();
    };
    let one = |item: &serde_json::Value| {
        let names = item.get("soname")?.as_array()?;
        let names = names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned));
        let priority = item.get("priority").and_then(|value| value.as_str());
        Some(Opened {
            sonames: names.take(64).collect(),
            priority: priority.unwrap_or("recommended").to_owned(),
        })
    };
    items.iter().take(NOTES).filter_map(one).collect()
}

/// Versions that others may ask of it, its own name left out.
fn provides(elf: &goblin::elf::Elf<'_>) -> Vec<String> {
    let definitions = elf.verdef.iter().flat_map(goblin::elf::VerdefSection::iter);
    let mut found: Vec<String> = Vec::new();
    for definition in definitions.take(DEFINITIONS) {
        let Some(name) = definition.iter().next() else {
            continue;
        };
        let text = elf.dynstrtab.get_at(name.vda_name).unwrap_or_default();
        if Some(text) != elf.soname {
            found.push(text.to_owned());
        }
    }
    found.sort();
    found.dedup();
    found
}

fn runtime(elf: &goblin::elf::Elf<'_>) -> Option<String> {
    let mut names = elf
        .section_headers
        .iter()
        .filter_map(|section| elf.shdr_strtab.get_at(section.sh_name));
    let go = names.any(|name| {
        matches!(
            name,
            ".gopclntab" | ".go.buildinfo" | ".note.go.buildid" | ".data.rel.ro.gopclntab"
        )
    });
    go.then(|| "go".to_owned())
}

/// UPX leaves no sections, and its mark behind the program headers.
fn packed(elf: &goblin::elf::Elf<'_>, bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..PACKER).unwrap_or(bytes);
    let marked = head.windows(4).any(|word| word == b"UPX!");
    (marked && elf.section_headers.is_empty()).then(|| "UPX".to_owned())
}

/// The capabilities a file gives its process, from its `security.capability` (linux/capability.h, `vfs_cap_data`): those
/// permitted, whether or not they are effective at once.
pub(super) fn capabilities(value: &[u8]) -> Vec<String> {
    let words: Vec<u32> = words(value, true).take(5).collect();
    let low = words.get(1).copied().unwrap_or_default();
    let high = match words.first().map(|magic| magic >> 24) {
        // The first revision had 32 bits.
        Some(2 | 3) => words.get(3).copied().unwrap_or_default(),
        Some(1) => 0,
        _ => return Vec::new(),
    };
    let bits = u64::from(high) << 32 | u64::from(low);
    let names = crate::abi::capability::capabilities().of_bits(bits);
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        let note = |bits: u32| {
            let mut desc = Vec::new();
            // GNU_PROPERTY_X86_FEATURE_1_AND, padded to eight bytes.
            for word in [0xc000_0002u32, 4, 3, 0, ISA_1_NEEDED, 4, bits, 0] {
                desc.extend(word.to_le_bytes());
            }
            desc
        };
        assert_eq!(
            level(&note(0b0001), true, true),
            None,
            "the baseline is no demand"
        );
        assert_eq!(level(&note(0b0011), true, true), Some(2));
        assert_eq!(level(&note(0b0111), true, true), Some(3));
        assert_eq!(level(&note(0b1000), true, true), Some(4));
        assert_eq!(level(&note(0b1000)[..27], true, true), None, "cut short");
        assert_eq!(level(&[0xff; 16], true, true), None, "a forged size");
    }

    #[test]
    fn libraries_that_are_opened() {
        let desc =
            b"[{\"feature\":\"x\",\"priority\":\"suggested\",\"soname\":[\"liblz4.so.1\"]}]\0";
        let found = opened(desc);
        assert_eq!(
            (found[0].sonames[0].as_str(), found[0].priority.as_str()),
            ("liblz4.so.1", "suggested")
        );
        assert!(opened(b"{").is_empty() && opened(b"[1]").is_empty());
    }

    #[test]
    fn file_capabilities() {
        // setcap cap_net_raw+ep: revision 2, effective.
        let value = [
            1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        assert_eq!(capabilities(&value), ["CAP_NET_RAW"]);
        assert!(capabilities(&[1, 2]).is_empty());
    }
}
