//! Reading the code of one executable or library: bytes in, [`Code`] out, a fact like others.
//!
//! ```text
//! ELF ─▶ image ─▶ sweep ─▶ graph (functions, data, edges)
//!                   └────▶ flow (values, backwards) ─▶ calls and their arguments
//! ```
//!
//! Everything errs towards more: what is not understood counts as reached, or is said to be a gap.

mod arm;
mod calls;
mod flow;
mod frames;
mod graph;
mod image;
mod interest;
mod places;
mod step;
mod sweep;
mod tables;
mod x86;
mod x86_plain;
mod x86_run;
mod x86_step;

use crate::abi::call::Architecture;
use crate::fact::Code;
use crate::path::MachinePath;
use goblin::elf::Elf;

/// What a gap says of a file whose calls were not all looked at.
pub use calls::SPENT;

/// Refuses what was not read to its end: half a graph would call a program harmless.
fn whole(sweep: &sweep::Sweep) -> Result<(), String> {
    if sweep.is_full() {
        return Err("its code refers to more places than are followed; it was not read".into());
    }
    Ok(())
}

/// Reads one file, whose header tables were checked against its size.
pub fn read(path: &MachinePath, elf: &Elf<'_>, bytes: &[u8]) -> Result<Code, String> {
    let machine = elf.header.e_machine;
    let architecture = match (machine, elf.is_64, elf.little_endian) {
        (goblin::elf::header::EM_X86_64, true, true) => Architecture::X86_64,
        (goblin::elf::header::EM_AARCH64, true, true) => Architecture::Aarch64,
        _ => return Err("code of this processor is not read".into()),
    };
    let image = image::Image::read(elf, bytes, architecture)?;
    let base = image.segments.first().map_or(0, |segment| segment.address);
    let mut sweep = match architecture {
        Architecture::X86_64 => {
            let mut sweep = x86::sweep(&image, base);
            whole(&sweep)?;
            tables::leave_out(&image, &mut sweep, base);
            sweep
        }
        Architecture::Aarch64 => arm::sweep(&image, base),
    };
    whole(&sweep)?;
    let graph = graph::Graph::new(&image, &mut sweep, base);
    Ok(graph.finish(path, elf, &sweep))
}
