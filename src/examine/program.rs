//! Examining a few programs: what they can load is followed, and nothing else of the machine is read.

use super::follow::configuration;
use crate::detect::engine::{self, Asks, Follow};
use crate::detect::native::{Executable, LoaderCache, MachineCode, syntax, system};
use crate::detect::{Detector, Registry, Want};
use crate::error::Error;
use crate::fact::{Elf, Facts};
use crate::path::MachinePath;
use crate::program::closure::Closure;
use crate::program::interpreter;
use crate::program::libraries::{Loader, Programs};
use crate::progress::Progress;
use crate::source::Root;
use std::collections::BTreeSet;

/// What decides which libraries a program gets.
const LOADER: [&str; 3] = ["/etc/ld.so.conf", "/etc/ld-musl-", "/etc/nsswitch.conf"];

/// Scripts that run each other, as the kernel counts them (`execve(2)`, ELOOP).
const INTERPRETERS: usize = 5;

/// The native program behind a path: itself, or the interpreter of a script.
pub fn native(path: &MachinePath, facts: &Facts) -> Result<MachinePath, Error> {
    let missing = || {
        Error::Other(format!(
            "{path} is not in the machine; `transvase inspect SOURCE ls` shows what is"
        ))
    };
    let mut real = facts.tree.resolve(path).ok_or_else(missing)?;
    for _ in 0..INTERPRETERS {
        let Some(script) = facts.scripts.get(&real) else {
            break;
        };
        let found = interpreter(script, facts).and_then(|name| facts.tree.resolve(&name));
        real = found.ok_or_else(|| {
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
pub fn facts(root: &Root, asked: &[MachinePath], progress: &dyn Progress) -> Result<Facts, Error> {
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
    let programs = programs(facts, asked);
    let closure = Closure::new(facts, &programs);
    let files = closure.files(programs.keys());
    wants.extend(files.iter().map(|path| Want::file(path, detector)));
    wants.extend(configuration(&files));
    let mut directories = closure.directories(&files);
    directories.extend(asked.iter().filter_map(MachinePath::parent));
    Asks {
        wants,
        directories,
        below: closure.plug_in_directories(&files),
    }
}

/// The files behind the paths, scripts and their interpreters, each with the libraries beside the name it is called by: an
/// interpreter that a link in `/srv/x/bin` leads to opens those in `/srv/x/lib`. One that a script names opens those of the
/// directory that bears the script's name, as a program's own would (FHS 4.7).
pub fn programs(facts: &Facts, asked: &[MachinePath]) -> Programs {
    let mut found = Programs::new();
    let loader = Loader::new(facts);
    let shared = loader.directories(&Elf::default());
    for path in asked {
        let mut name = path.clone();
        let mut of_scripts = BTreeSet::new();
        for _ in 0..INTERPRETERS {
            let Some(real) = facts.tree.resolve(&name) else {
                break;
            };
            let own = found.entry(real.clone()).or_default();
            let prefix = name.parent().and_then(|bin| bin.parent());
            let library = prefix.map(|prefix| prefix.join("lib"));
            own.extend(library.filter(|library| name != real && !shared.contains(library)));
            own.extend(of_scripts.iter().cloned());
            let script = facts.scripts.get(&real);
            if script.is_some() {
                of_scripts.extend(loader.directories_of_script(&name));
            }
            let Some(next) = script.and_then(|script| interpreter(script, facts)) else {
                break;
            };
            name = next;
        }
    }
    found
}
