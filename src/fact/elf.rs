//! Executables: what an ELF header and a script's first line say.

use crate::path::MachinePath;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ElfKind {
    /// Has an interpreter.
    #[default]
    Dynamic,
    /// No interpreter, no dynamic section or static-pie.
    Static,
    /// A shared object.
    Library,
    /// A relocatable or kernel module.
    Relocatable,
}

/// The C library that a file is linked with; whoever loads it has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Libc {
    Glibc,
    Musl,
    /// Another system's.
    Other,
}

impl Elf {
    /// Its C library, by its loader or by what it needs; `None` where neither says.
    pub fn libc(&self) -> Option<Libc> {
        if let Some(interpreter) = &self.interpreter {
            return Some(if interpreter.contains("ld-musl") {
                Libc::Musl
            } else {
                Libc::Glibc
            });
        }
        self.needed.iter().find_map(|name| match name.as_str() {
            "libc.so.6" => Some(Libc::Glibc),
            "libc.so" => Some(Libc::Musl),
            name if name.starts_with("ld-linux") => Some(Libc::Glibc),
            name if name.starts_with("libc.musl-") => Some(Libc::Musl),
            name if name.starts_with("libc.so.") => Some(Libc::Other),
            _ => None,
        })
    }
}

/// What an ELF file asks of the system it runs on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Elf {
    pub path: MachinePath,
    pub kind: ElfKind,
    /// 32 or 64.
    pub bits: u8,
    pub little_endian: bool,
    /// As the kernel names it: `x86_64`, `aarch64`, `i386`, …; `unknown(N)` otherwise.
    pub machine: String,
    pub interpreter: Option<String>,
    pub soname: Option<String>,
    pub needed: Vec<String>,
    /// DT_RPATH and DT_RUNPATH, split at colons, `$ORIGIN` unexpanded.
    pub rpath: Vec<String>,
    pub runpath: Vec<String>,
    /// The loader's own directories do not count for what it needs (DF_1_NODEFLIB).
    pub no_default: bool,
    /// Symbol versions required of a library: (`libc.so.6`, `GLIBC_2.34`), sorted.
    pub versions: Vec<(String, String)>,
    /// Names of imported functions, sorted; capped.
    pub imports: Vec<String>,
    /// Symbol versions that it defines itself, sorted: what others may require of it.
    pub provides: Vec<String>,
    /// The language whose runtime is linked into it: `go`.
    pub runtime: Option<String>,
    /// The x86-64 level that it needs (2, 3, 4), from its GNU property note; `None` where it names none.
    pub level: Option<u8>,
    /// The oldest kernel it runs on, from its ABI note.
    pub kernel: Option<[u32; 3]>,
    /// Libraries that it opens itself, as it says in `.note.dlopen`.
    pub opens: Vec<Opened>,
    /// The packer, where the file unpacks itself: nothing in it is to be read.
    pub packed: Option<String>,
    /// Capabilities that the file gives its process, CAP_ names, from its `security.capability`.
    pub capabilities: Vec<String>,
}

/// A library opened at run time (the UAPI group's "ELF dlopen metadata").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opened {
    /// Names, the first that is there is taken.
    pub sonames: Vec<String>,
    /// `required`, `recommended` or `suggested`.
    pub priority: String,
}

/// A path or command that a script names, at its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptReference {
    /// An absolute path, or a bare command word at the start of a simple command.
    pub word: String,
    pub line: u32,
}

/// A script: its interpreter line, and what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub path: MachinePath,
    /// `["/usr/bin/env", "python3"]`, as written.
    pub interpreter: Vec<String>,
    pub references: Vec<ScriptReference>,
    /// Names of variables that it uses as secrets: `PGPASSWORD=$P`. Sorted.
    pub secrets: BTreeSet<String>,
    /// The command that a shell script comes to: the last it executes in its own place, else the last. Redacted.
    pub main: Option<String>,
    /// Variables of a shell script as it sets them first, in order. Redacted.
    pub variables: Vec<(String, String)>,
}

/// Modules that a file of code brings in by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imports {
    pub path: MachinePath,
    /// As `detectors/languages.toml` calls it.
    pub language: String,
    pub modules: BTreeSet<String>,
}

/// A library as the loader's cache knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    pub name: String,
    pub path: MachinePath,
    /// Only for processors of some level (glibc-hwcaps).
    pub processor: bool,
}
