//! Executables: what an ELF header and a script's first line say.

use crate::path::MachinePath;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElfKind {
    /// Has an interpreter.
    Dynamic,
    /// No interpreter, no dynamic section or static-pie.
    Static,
    /// A shared object.
    Library,
    /// A relocatable or kernel module.
    Relocatable,
}

/// What an ELF file asks of the system it runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Symbol versions required of a library: (`libc.so.6`, `GLIBC_2.34`), sorted.
    pub versions: Vec<(String, String)>,
    /// Names of imported functions, sorted; capped.
    pub imports: Vec<String>,
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
}
