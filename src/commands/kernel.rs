//! `transvase kernel`: what executables of a machine ask of the kernel.

use super::threads;
use crate::cli::{Global, Kernel, Shown};
use crate::detect::closure::Closure;
use crate::detect::engine::{self, Asks, Follow, Progress, Total};
use crate::detect::native::{Executable, LoaderCache, MachineCode, syntax, system};
use crate::detect::{Detector, Registry, Want};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::fact::Facts;
use crate::kernel::program::{self, Program};
use crate::kernel::{Reach, join};
use crate::path::MachinePath;
use crate::source::{OpenOptions, Root};
use crate::ui;
use rayon::prelude::*;
use std::os::unix::ffi::OsStrExt;

/// What decides which libraries a program gets.
const LOADER: [&str; 2] = ["/etc/ld.so.conf", "/etc/nsswitch.conf"];

pub(super) fn run(global: &Global, args: &Kernel) -> Result<ExitStatus, Error> {
    let options = OpenOptions {
        root: args.root.clone(),
        allow_outside: false,
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
    let programs = threads(global, || answers(&facts, &asked, &natives))?;
    progress.finish();
    let is_whole = programs.iter().all(|program| program.unresolved.is_empty());
    ui::out(&match args.format {
        Shown::Json => program::json(&programs),
        Shown::Terminal => ui::kernel::terminal(&programs, &ui::Style::of(global)),
    });
    Ok(if is_whole {
        ExitStatus::Done
    } else {
        ExitStatus::Partial
    })
}

/// What each path's program asks, in the order of the paths.
fn answers(facts: &Facts, asked: &[MachinePath], natives: &[MachinePath]) -> Vec<Program> {
    let reaches = join::programs(facts, natives);
    let nothing = Reach::default();
    let closure = Closure::new(facts);
    let both: Vec<_> = asked.iter().zip(natives).collect();
    both.into_par_iter()
        .map(|(path, native)| {
            let reach = reaches.get(native).unwrap_or(&nothing);
            Program::new(path, native, reach, &closure)
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

/// Headers of the programs and of everything they load, until no more are named; then the code of all, which names more.
fn facts(root: &Root, asked: &[MachinePath], progress: &dyn Progress) -> Result<Facts, Error> {
    let detectors: [Box<dyn Detector>; 4] = [
        Box::new(LoaderCache),
        Box::new(Executable),
        Box::new(MachineCode),
        Box::new(syntax::Configuration),
    ];
    let registry = Registry::of(detectors).map_err(|error| Error::Other(error.to_string()))?;
    // Code is read once no header is missing, all of it together: the largest files are the longest work.
    let mut headers = |facts: &Facts| asks(facts, asked, Executable::ID);
    let mut code = |facts: &Facts| asks(facts, asked, MachineCode::ID);
    let mut follow: [Follow<'_>; 2] = [&mut headers, &mut code];
    Ok(engine::examine_part(root, &registry, &mut follow, progress))
}

/// What the programs ask for: the loader's configuration, and all that they can load, for one detector.
fn asks(facts: &Facts, asked: &[MachinePath], detector: &'static str) -> Asks {
    let loader = system::CONFIGURATION
        .iter()
        .filter(|(pattern, _)| LOADER.iter().any(|file| pattern.starts_with(file)));
    let mut wants: Vec<Want> = loader
        .map(|(pattern, syntax)| syntax::want(*syntax, pattern))
        .collect();
    let programs = asked.iter().filter_map(|path| facts.tree.resolve(path));
    let closure = Closure::new(facts);
    let files = closure.files(&programs.collect::<Vec<_>>());
    wants.extend(files.iter().map(|path| Want::file(path, detector)));
    let mut directories = closure.directories(&files);
    directories.extend(asked.iter().filter_map(MachinePath::parent));
    Asks {
        wants,
        directories,
        below: closure.plug_in_directories(&files),
    }
}
