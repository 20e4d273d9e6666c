//! What one program can ask of the kernel, with all libraries it can have loaded: the seam between reading code and
//! judging it. Every entry names a place, and an empty answer with an entry in `unresolved` is not a clean bill.

use crate::path::MachinePath;
use std::collections::BTreeMap;

/// A place in a file of the machine: the byte offset of an instruction or a string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    pub path: MachinePath,
    /// Bytes from the start of the file.
    pub offset: u64,
}

/// A value handed to a system call where values decide: a socket's family, an operation of prctl, flags of clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Argument {
    /// The system call's name.
    pub call: String,
    /// From 0.
    pub index: u8,
    /// `None` where the code computes it: any value.
    pub value: Option<u64>,
    pub site: Site,
}

/// A string that reachable code refers to: a path below /dev, /proc or /sys, a module's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub text: String,
    pub site: Site,
}

/// What could not be followed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unresolved {
    pub site: Site,
    pub reason: String,
}

/// What one program can reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// As the kernel names it: `x86_64`, `aarch64`.
    pub architecture: String,
    /// System calls by the kernel's name for them, each with some of its places.
    pub calls: BTreeMap<String, Vec<Site>>,
    pub arguments: Vec<Argument>,
    pub references: Vec<Reference>,
    pub unresolved: Vec<Unresolved>,
}
