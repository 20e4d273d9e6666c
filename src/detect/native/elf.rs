//! Executables by their first bytes: ELF headers (goblin), or a script's interpreter line and what it names.
//!
//! goblin trusts counts in a file's own headers; they are checked against the file's size before it is let in.

use super::{elf_note, script};
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Elf, ElfKind, Fact};
use goblin::elf::dynamic::{DF_1_NODEFLIB, DF_1_PIE};
use goblin::elf::header::{
    EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, ET_DYN, ET_EXEC, ET_REL,
};

/// Names kept of one file; libraries export and import a few thousand.
const IMPORTS: usize = 20_000;

/// Asked for by whoever reaches an executable or a library.
pub struct Executable;

impl Executable {
    pub const ID: &str = "exec/file";
}

impl Detector for Executable {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Executables, libraries, and scripts",
            recognises: "ELF interpreter, needed libraries, search paths and symbol versions; a script's interpreter and the paths it names",
            why: "a program starts only where its interpreter and libraries are",
            cannot_see: "libraries opened by a name made at run time",
            references: &["elf(5)", "ld.so(8)", "execve(2)"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 256 << 20,
            attributes: true,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        if file.bytes.starts_with(b"\x7fELF") {
            match read(file) {
                Ok(elf) => sink.fact(Fact::Elf(elf)),
                Err(reason) => sink.unexamined(file.path, Self::ID, reason),
            }
        } else if file.bytes.starts_with(b"#!") {
            let script = script::read(file);
            let own = script::own_secrets(file, &script.secrets);
            sink.facts.extend(own.map(Fact::Secret));
            sink.fact(Fact::Script(script));
        }
    }
}

/// The headers and tables of an ELF file, its counts checked first.
pub(super) fn parse(bytes: &[u8]) -> Result<goblin::elf::Elf<'_>, String> {
    check_counts(bytes)?;
    goblin::elf::Elf::parse(bytes).map_err(|error| format!("damaged ELF file: {error}"))
}

fn read(file: &FileView<'_>) -> Result<Elf, String> {
    let elf = parse(file.bytes)?;
    let header = elf.header;
    let interpreter = elf.interpreter.map(str::to_owned);
    let kind = match header.e_type {
        ET_REL => ElfKind::Relocatable,
        ET_EXEC | ET_DYN if interpreter.is_some() => ElfKind::Dynamic,
        // A static-pie has a dynamic section and says that it is a program.
        ET_DYN if has_flag(&elf, DF_1_PIE) => ElfKind::Static,
        ET_DYN if elf.soname.is_some() || elf.entry == 0 => ElfKind::Library,
        ET_EXEC | ET_DYN => ElfKind::Static,
        other => {
            return Err(format!(
                "ELF type {other} is neither a program nor a library"
            ));
        }
    };
    let paths = |paths: &[&str]| {
        paths
            .iter()
            .flat_map(|path| path.split(':'))
            .map(str::to_owned)
            .collect()
    };
    let mut imports: Vec<String> = elf
        .dynsyms
        .iter()
        .filter(goblin::elf::Sym::is_import)
        .filter_map(|symbol| elf.dynstrtab.get_at(symbol.st_name))
        .filter(|name| !name.is_empty())
        .take(IMPORTS)
        .map(str::to_owned)
        .collect();
    imports.sort();
    imports.dedup();
    let mut found = Elf {
        path: file.entry.path.clone(),
        kind,
        bits: if elf.is_64 { 64 } else { 32 },
        little_endian: elf.little_endian,
        machine: machine(header.e_machine),
        interpreter,
        soname: elf.soname.map(str::to_owned),
        needed: elf
            .libraries
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        rpath: paths(&elf.rpaths),
        runpath: paths(&elf.runpaths),
        no_default: has_flag(&elf, DF_1_NODEFLIB),
        versions: versions(&elf),
        imports,
        ..Elf::default()
    };
    elf_note::read(&mut found, &elf, file.bytes);
    let attribute = file.attribute(b"security.capability");
    found.capabilities = attribute.map(elf_note::capabilities).unwrap_or_default();
    Ok(found)
}

/// A flag of DT_FLAGS_1.
fn has_flag(elf: &goblin::elf::Elf<'_>, flag: u64) -> bool {
    let dynamic = elf.dynamic.as_ref();
    dynamic.is_some_and(|dynamic| dynamic.info.flags_1 & flag != 0)
}

fn versions(elf: &goblin::elf::Elf<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for need in elf
        .verneed
        .iter()
        .flat_map(goblin::elf::VerneedSection::iter)
        .take(1000)
    {
        let file = elf.dynstrtab.get_at(need.vn_file).unwrap_or_default();
        for version in need.iter().take(1000) {
            let name = elf.dynstrtab.get_at(version.vna_name).unwrap_or_default();
            found.push((file.to_owned(), name.to_owned()));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn machine(e_machine: u16) -> String {
    match e_machine {
        EM_X86_64 => "x86_64".into(),
        EM_AARCH64 => "aarch64".into(),
        EM_386 => "i386".into(),
        EM_ARM => "arm".into(),
        EM_PPC64 => "ppc64".into(),
        EM_S390 => "s390".into(),
        EM_RISCV => "riscv".into(),
        other => format!("unknown({other})"),
    }
}

/// Program and section header tables must lie inside the file (gABI, figure 4-3); forged counts end here, before goblin
/// allocates by them.
fn check_counts(bytes: &[u8]) -> Result<(), String> {
    let wide = match bytes.get(4) {
        Some(1) => false,
        Some(2) => true,
        _ => return Err("neither a 32-bit nor a 64-bit ELF file".into()),
    };
    let big = bytes.get(5) == Some(&2);
    let number = |at: usize, width: usize| -> Option<u64> {
        let raw = bytes.get(at..at.checked_add(width)?)?;
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        Some(if big {
            raw.iter().fold(0, fold)
        } else {
            raw.iter().rev().fold(0, fold)
        })
    };
    // Offset, size, count: of the program headers, then of the section headers.
    let tables = if wide {
        [
            (number(32, 8), number(54, 2), number(56, 2)),
            (number(40, 8), number(58, 2), number(60, 2)),
        ]
    } else {
        [
            (number(28, 4), number(42, 2), number(44, 2)),
            (number(32, 4), number(46, 2), number(48, 2)),
        ]
    };
    for table in tables {
        let (Some(offset), Some(size), Some(count)) = table else {
            return Err("ELF header cut short".into());
        };
        let end = size
            .checked_mul(count)
            .and_then(|length| offset.checked_add(length));
        if count != 0 && end.is_none_or(|end| end > bytes.len() as u64) {
            return Err("ELF header tables lie beyond the end of the file".into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;

    fn inspect(bytes: &[u8]) -> Sink {
        let path = crate::path::MachinePath::new("/bin/x");
        let entry = crate::walk::Entry::file(&path, 0o755);
        let mut sink = Sink::default();
        Executable.inspect(
            &FileView::new(&path, &entry, bytes, &Purpose::default()),
            &mut sink,
        );
        sink
    }

    #[test]
    fn reads_this_test_itself() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let sink = inspect(&own);
        let Some(Fact::Elf(elf)) = sink.facts.first() else {
            panic!("{:?}", sink.unexamined)
        };
        assert!(elf.needed.iter().any(|name| name.starts_with("libc.so")));
        assert!(
            elf.versions
                .iter()
                .any(|(_, version)| version.starts_with("GLIBC_"))
        );
        assert!(
            elf.interpreter
                .as_ref()
                .is_some_and(|path| path.contains("ld-linux"))
        );
    }

    #[test]
    fn forged_counts_are_refused() {
        let mut head = vec![0u8; 64];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        head[56] = 0xff;
        head[57] = 0xff;
        head[54] = 56;
        head[32] = 64;
        assert_eq!(inspect(&head).unexamined.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_header_survives(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let mut bytes = b"\x7fELF\x02\x01\x01\0".to_vec();
            bytes.extend(tail);
            let _ = inspect(&bytes);
        }
    }
}
