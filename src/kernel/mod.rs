//! The kernel contract: what a workload asks of the kernel, read from the code of its programs, and what a target gives.
//!
//! ```text
//! bytes of a file ─▶ Code (a fact: what each function reaches) ─▶ Reach (one program with its libraries) ─▶ Need ─▶ delta
//!                    native detector, one file at a time          joined over the closure, pure              per target
//! ```

pub mod host;
pub mod join;
pub mod need;
pub mod place;
pub mod program;
pub mod reach;
pub mod way;

pub use reach::{Argument, Reach, Reference, Site, Unresolved};

/// What programs of a machine can reach, by their files. A program without an entry was not analysed.
pub type Reaches = std::collections::BTreeMap<crate::path::MachinePath, Reach>;

/// Largest library that a scan reads if nobody asks for more, in bytes. Those above are compilers that make code while they
/// run (LLVM, V8): one of them takes twice the memory of everything else on a server.
pub const LARGE: u64 = 32 << 20;
