//! `transvase kernel`: what executables of a machine ask of the kernel.

use super::threads;
use crate::cli::{Global, Kernel, Shown};
use crate::detect::engine::{self, Progress, Total};
use crate::detect::native::{Executable, Kept, LoaderCache, MachineCode, syntax, system};
use crate::detect::{Detector, Registry, Want, closure};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::fact::Facts;
use crate::kernel::program::{self, Program};
use crate::kernel::{call, join};
use crate::path::MachinePath;
use crate::source::{OpenOptions, Root};
use crate::ui;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

/// What decides which libraries a program gets.
const LOADER: [&str; 2] = ["/etc/ld.so.conf", "/etc/nsswitch.conf"];

/// Libraries name directories, which hold libraries; no machine needs more rounds.
const ROUNDS: usize = 8;

pub(super) fn run(global: &Global, args: &Kernel) -> Result<ExitStatus, Error> {
    known(&args.why)?;
    let options = OpenOptions {
        root: args.root.clone(),
        allow_outside: false,
    };
    let progress = ui::progress::Bar::new(global);
    progress.phase("opening", Total::Unknown);
    let mut root = Root::open(std::slice::from_ref(&args.source), &options)?;
    let asked = args
        .path
        .iter()
        .map(|path| MachinePath::new(path.as_bytes()));
    let asked: Vec<MachinePath> = asked.collect();
    let facts = threads(global, || facts(&mut root, &asked, &progress))??;
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
    let reaches = join::explained(facts, natives, why);
    let nothing = Default::default();
    let both: Vec<_> = asked.iter().zip(natives).collect();
    both.into_par_iter()
        .map(|(path, native)| {
            let (reach, ways) = reaches.get(native).unwrap_or(&nothing);
            let mut program = Program::new(path, native, reach, facts);
            program.ways = (!why.is_empty()).then(|| ways.clone());
            program
        })
        .collect()
}

/// The native program behind a path: itself, or the interpreter of a script.
fn native(path: &MachinePath, facts: &Facts) -> Result<MachinePath, Error> {
    let missing = || {
        Error::Other(format!(
            "{path} is not in the machine; `transvase inspect SOURCE ls` shows what is"
        ))
    };
    let mut real = facts.tree.resolve(path).ok_or_else(missing)?;
    for _ in 0..4 {
        let Some(script) = facts.scripts.get(&real) else {
            break;
        };
        let words = script
            .interpreter
            .iter()
            .map(|word| facts.tree.resolve(&MachinePath::new(word)));
        let interpreter = words.flatten().next();
        real = interpreter.ok_or_else(|| {
            Error::Other(format!("the interpreter of {path} is not in the machine"))
        })?;
    }
    if facts.elfs.contains_key(&real) {
        Ok(real)
    } else {
        Err(Error::Other(format!(
            "{path} is neither an executable nor a script of one"
        )))
    }
}

/// Headers of the programs and of everything they load, until no directory is missing; then the code of all, until it names
/// no directory of plug-ins that was not looked into.
fn facts(root: &mut Root, asked: &[MachinePath], progress: &dyn Progress) -> Result<Facts, Error> {
    let kept = Kept::default();
    let detectors: [Box<dyn Detector>; 4] = [
        Box::new(LoaderCache),
        Box::new(Executable),
        Box::new(MachineCode::keeping(kept.clone())),
        Box::new(syntax::Configuration),
    ];
    let registry = Registry::of(detectors).map_err(|error| Error::Other(error.to_string()))?;
    let mut directories = BTreeSet::new();
    let mut below = BTreeSet::new();
    let mut code = false;
    for _ in 0..ROUNDS {
        directories.extend(closure::directories(&Facts::default(), asked));
        root.limit(
            directories.iter().cloned().collect(),
            below.iter().cloned().collect(),
        );
        let follow = |facts: &Facts| wants(facts, asked, code);
        let facts = engine::examine_with(root, &registry, &[&follow], progress);
        let known = directories.len() + below.len();
        directories.extend(closure::directories(&facts, asked));
        below.extend(closure::plug_in_directories(&facts, asked));
        let is_settled = known == directories.len() + below.len();
        if code && is_settled {
            return Ok(facts);
        }
        code |= is_settled;
        // The next look asks for the same files and more.
        if let Ok(mut kept) = kept.lock() {
            *kept = facts.codes;
        }
    }
    let last = |facts: &Facts| wants(facts, asked, true);
    Ok(engine::examine_with(root, &registry, &[&last], progress))
}

fn wants(facts: &Facts, asked: &[MachinePath], code: bool) -> Vec<Want> {
    let loader = system::CONFIGURATION
        .iter()
        .filter(|(pattern, _)| LOADER.iter().any(|file| pattern.starts_with(file)));
    let mut wants: Vec<Want> = loader
        .map(|(pattern, syntax)| syntax::want(*syntax, pattern))
        .collect();
    let programs = asked.iter().filter_map(|path| facts.tree.resolve(path));
    let of_code = |want: &Want| want.purpose.detector == MachineCode::ID;
    let all = closure::wants(facts, programs, u64::MAX);
    wants.extend(all.into_iter().filter(|want| code || !of_code(want)));
    wants
}
