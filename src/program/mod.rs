//! What a command line really runs: launchers, shells, scripts, interpreters and links followed.

pub mod closure;
pub mod configured;
mod environment;
mod follow;
mod launcher;
pub mod libraries;
pub mod modules;

use self::follow::Follower;
use crate::fact::{Facts, Script, Syntax};
use crate::path::MachinePath;
use crate::walk::glob;

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "zsh"];

/// Whether a program, by its path or name, is a shell.
pub fn is_shell(program: &str) -> bool {
    SHELLS.contains(&base(program))
}

/// Whether a program, by its path or name, runs what others wrote.
pub fn is_interpreter(program: &str) -> bool {
    is_shell(program) || launcher::interpreter(base(program)).is_some()
}

/// The directories a bare name is looked for in, as systemd does.
pub const PATH: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// A command line taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// Everything that is run, outermost first: wrapper, shell script, interpreter, program. As named.
    pub names: Vec<String>,
    /// The same as files of the machine, links followed; what is not there is left out.
    pub files: Vec<MachinePath>,
    /// Arguments of the innermost command that is no script's own.
    pub args: Vec<String>,
    /// Each that is run, with its own arguments; outermost first.
    pub steps: Vec<Step>,
    /// Variables that are set on the way.
    pub variables: Vec<(String, String)>,
    /// Files that a shell sends its output to.
    pub output: Vec<MachinePath>,
    /// Files that were not read, and would say more.
    pub asks: Vec<(MachinePath, Syntax)>,
}

/// One of those that are run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// As named, and what that leads to.
    pub names: Vec<String>,
    pub args: Vec<String>,
}

/// What a command line is run with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    pub directory: Option<&'a MachinePath>,
    pub variables: &'a [(String, String)],
    /// The home of whoever runs it.
    pub home: Option<&'a str>,
}

/// Takes a command line apart. Pure: scripts count as far as facts know them.
pub fn of(argv: &[String], facts: &Facts) -> Program {
    of_in(argv, Around::default(), facts)
}

/// The same, where it is known what it is run with.
pub fn of_in(argv: &[String], around: Around<'_>, facts: &Facts) -> Program {
    Follower::new(around, facts).run(argv)
}

/// The program that runs a script, by the name it is called by.
pub fn interpreter(script: &Script, facts: &Facts) -> Option<MachinePath> {
    locate(interpreter_name(script)?, facts)
}

/// The directories that it may be in.
pub fn places(script: &Script) -> Vec<MachinePath> {
    match interpreter_name(script) {
        Some(name) if name.contains('/') => MachinePath::new(name).parent().into_iter().collect(),
        Some(_) => PATH.iter().map(MachinePath::new).collect(),
        None => Vec::new(),
    }
}

/// The kernel's choice, or behind env(1) the first word that is neither an option nor a setting.
fn interpreter_name(script: &Script) -> Option<&str> {
    let words = script.interpreter.iter();
    let mut words = words.flat_map(|word| word.split_whitespace());
    let first = words.next()?;
    if base(first) != "env" {
        return Some(first);
    }
    words.find(|word| !word.starts_with('-') && !word.contains('='))
}

/// Where a command is: an absolute path, or a bare name looked up as systemd does.
pub fn locate(name: &str, facts: &Facts) -> Option<MachinePath> {
    if name.starts_with('/') {
        return Some(MachinePath::new(name));
    }
    if name.contains('/') {
        return None;
    }
    PATH.iter()
        .map(|dir| MachinePath::new(dir).join(name))
        .find(|path| facts.tree.exists(path))
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Program {
    /// Whether anything on the way matches: a path pattern on paths, a name pattern on base names.
    pub fn is(&self, pattern: &str) -> bool {
        matches(&self.names, pattern)
    }
}

impl Step {
    /// The same of one that is run.
    pub fn is(&self, pattern: &str) -> bool {
        matches(&self.names, pattern)
    }
}

fn matches(names: &[String], pattern: &str) -> bool {
    names.iter().any(|name| {
        if pattern.contains('/') {
            glob::matches_path(pattern, name)
        } else {
            glob::matches(pattern, base(name))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        of(&argv, &Facts::default()).names
    }

    #[test]
    fn wrappers_and_interpreters() {
        assert_eq!(
            names("/usr/bin/env A=1 node /srv/x.js"),
            ["/usr/bin/env", "node", "/srv/x.js"]
        );
        assert_eq!(
            names("/usr/bin/python3 -m uvicorn app:x --port 80")[1],
            "uvicorn"
        );
        assert_eq!(
            names("/usr/bin/nice -n 5 /opt/a"),
            ["/usr/bin/nice", "/opt/a"]
        );
        let argv: Vec<String> = ["/bin/sh", "-c", "cd /srv && exec /opt/a -p 1"]
            .map(str::to_owned)
            .to_vec();
        let found = of(&argv, &Facts::default());
        assert_eq!(found.names, ["/bin/sh", "exec", "/opt/a"]);
        assert_eq!(found.args, ["-p", "1"]);
        assert!(found.is("a") && found.is("/opt/*") && !found.is("b"));
    }
}
