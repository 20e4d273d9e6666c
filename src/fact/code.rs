//! What the code of one executable or library can do, as far as the file alone tells: who calls whom, who takes whose
//! address, where the kernel is entered and with what.

use crate::abi::call::Architecture;
use crate::path::MachinePath;
use std::sync::Arc;

/// One file's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub path: MachinePath,
    pub architecture: Architecture,
    pub build_id: Option<String>,
    /// Functions by address.
    pub functions: Vec<Function>,
    /// Pieces of data with pointers in them, by address.
    pub regions: Vec<Region>,
    /// What functions and regions lead to, each a stretch of this.
    pub edges: Vec<Edge>,
    /// The dynamic symbols that are defined or used.
    pub symbols: Vec<Symbol>,
    /// Where the kernel enters, or the loader.
    pub entry: Option<u32>,
    /// Run when the file is loaded and unloaded.
    pub starters: Vec<u32>,
    /// Calls with a known or unknown number, by function.
    pub calls: Vec<CallSite>,
    /// Arguments that decide, by function.
    pub arguments: Vec<ArgumentSite>,
    /// Functions others can call whose argument becomes the number: function, argument.
    pub wrappers: Vec<(u32, u8)>,
    /// Functions whose argument becomes the number and that can be called by a pointer, by function.
    pub lent: Vec<Lent>,
    /// Strings that matter, with their places.
    pub strings: Vec<(u64, String)>,
    /// What was not understood, by function where one is concerned.
    pub gaps: Vec<Gap>,
    /// All functions are reached: the linker kept only what is used, by names this cannot follow.
    pub is_whole: bool,
}

/// A function: its edges are `edges[first..last]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Bytes from the start of the file.
    pub offset: u64,
    pub first: u32,
    pub last: u32,
}

/// A piece of data: its edges are `edges[first..last]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Bytes from the start of the file.
    pub offset: u64,
    pub first: u32,
    pub last: u32,
}

/// What leads from a function or a piece of data to something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// Calls or runs into a function.
    Call(u32),
    /// Takes a function's address.
    Take(u32),
    /// Refers to a piece of data.
    Data(u32),
    /// Calls what a symbol names.
    CallSymbol(u32),
    /// Takes the address of what a symbol names.
    TakeSymbol(u32),
    /// Refers to a string that could be a symbol's name; its hash.
    Name(u32),
    /// Refers to a string that matters.
    String(u32),
}

/// A dynamic symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    pub name: String,
    /// Shared: a library has a few, and tens of thousands of symbols.
    pub version: Option<Arc<str>>,
    pub is_default: bool,
    pub target: Target,
}

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Another file's.
    Elsewhere,
    Function(u32),
    /// Pieces of data, first and behind the last.
    Data(u32, u32),
}

/// A place that enters the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallSite {
    pub function: u32,
    /// Bytes from the start of the file.
    pub offset: u64,
    /// `None` where code computes it.
    pub number: Option<u32>,
}

/// A system call that is made once the address of a function is a value in reached code: its argument becomes the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lent {
    /// The function whose address it is.
    pub function: u32,
    /// The function that calls it by the pointer; `None` where anybody may.
    pub by: Option<u32>,
    /// Bytes from the start of the file.
    pub offset: u64,
    /// `None` where it is not known.
    pub number: Option<u32>,
}

/// A value handed to the kernel or to a function that hands it on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArgumentSite {
    pub function: u32,
    pub offset: u64,
    /// The function called by name, else the kernel.
    pub via: Option<&'static str>,
    /// The system call's name.
    pub call: &'static str,
    pub index: u8,
    pub value: Option<u64>,
}

/// Something not understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    pub function: Option<u32>,
    pub offset: u64,
    pub reason: &'static str,
}

/// The hash by which names of symbols are compared (FNV-1a, 32 bits).
pub fn name_hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
