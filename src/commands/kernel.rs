//! `transvase kernel`: what executables of a machine ask of the kernel.

use super::threads;
use crate::abi::call;
use crate::cli::{Global, Kernel, Shown};
use crate::error::Error;
use crate::examine::program::{facts, native, programs};
use crate::exit::ExitStatus;
use crate::fact::Facts;
use crate::kernel::join;
use crate::kernel::program::{self, Program};
use crate::path::MachinePath;
use crate::program::closure::Closure;
use crate::progress::{Progress, Total};
use crate::source::{OpenOptions, Root};
use crate::ui;
use rayon::prelude::*;
use std::os::unix::ffi::OsStrExt;

pub(super) fn run(global: &Global, args: &Kernel) -> Result<ExitStatus, Error> {
    known(&args.why)?;
    let options = OpenOptions {
        root: args.root.clone(),
        allow_outside: false,
        leave_out: Vec::new(),
    };
    let progress = ui::progress::Bar::new(global);
    progress.phase("opening", Total::Unknown);
    let root = Root::open(std::slice::from_ref(&args.source), &options)?;
    let asked = args
        .path
        .iter()
        .map(|path| MachinePath::new(path.as_bytes()));
    let asked: Vec<MachinePath> = asked.collect();
    let facts = threads(global, || facts(&root, &asked, &progress))??;
    let natives = asked.iter().map(|path| native(path, &facts));
    let natives: Vec<MachinePath> = natives.collect::<Result<_, _>>()?;
    let programs = threads(global, || answers(&facts, &asked, &natives, &args.why))?;
    progress.finish();
    let is_whole = programs.iter().all(|program| program.unresolved.is_empty());
    ui::out(&match args.format {
        Shown::Json => program::json(&programs),
        Shown::Terminal if args.why.is_empty() => {
            ui::kernel::terminal(&programs, &ui::Style::of(global))
        }
        Shown::Terminal => ui::way::terminal(&programs, &args.why, &ui::Style::of(global)),
    });
    Ok(if is_whole {
        ExitStatus::Done
    } else {
        ExitStatus::Partial
    })
}

/// Refuses what no architecture calls so.
fn known(calls: &[String]) -> Result<(), Error> {
    match calls.iter().find(|name| !call::is_known(name)) {
        None => Ok(()),
        Some(name) => Err(Error::Other(format!(
            "--why {name}: no system call has this name; `transvase kernel SOURCE PATH` lists those of a program"
        ))),
    }
}

/// What each path's program asks, in the order of the paths.
fn answers(
    facts: &Facts,
    asked: &[MachinePath],
    natives: &[MachinePath],
    why: &[String],
) -> Vec<Program> {
    let programs = programs(facts, asked);
    let reaches = join::explained(facts, &programs, why);
    let nothing = Default::default();
    let closure = Closure::new(facts, &programs);
    let both: Vec<_> = asked.iter().zip(natives).collect();
    both.into_par_iter()
        .map(|(path, native)| {
            let (reach, ways) = reaches.get(native).unwrap_or(&nothing);
            let mut program = Program::new(path, native, reach, &closure);
            program.ways = (!why.is_empty()).then(|| ways.clone());
            program
        })
        .collect()
}
