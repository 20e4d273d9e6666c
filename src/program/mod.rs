//! What a command line really runs: wrappers, interpreters and links followed.

pub mod closure;
pub mod configured;
pub mod libraries;
pub mod modules;

use crate::fact::{Facts, Script};
use crate::path::MachinePath;
use crate::walk::glob;

/// Programs that only prepare and then become another: the rest of their line is the command. Value: options that take a
/// word of their own.
const WRAPPERS: &[(&str, &[&str])] = &[
    ("env", &["-u", "-C", "-S"]),
    ("nice", &["-n"]),
    ("ionice", &["-c", "-n"]),
    ("nohup", &[]),
    ("setsid", &[]),
    ("chrt", &["-p"]),
    ("taskset", &["-c"]),
    ("numactl", &[]),
    ("setpriv", &[]),
    ("runuser", &["-u", "-g"]),
    ("sudo", &["-u", "-g"]),
    ("exec", &[]),
    ("unshare", &[]),
    ("stdbuf", &["-o", "-e", "-i"]),
    ("timeout", &[]),
    ("flock", &[]),
    ("chpst", &["-u", "-e"]),
    ("authbind", &[]),
    ("catchsegv", &[]),
];

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "zsh"];

/// Whether a program, by its path or name, is a shell.
pub fn is_shell(program: &str) -> bool {
    SHELLS.contains(&base(program))
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
    /// Arguments of the innermost command.
    pub args: Vec<String>,
}

/// Takes a command line apart. Pure: scripts count as far as facts know them.
pub fn of(argv: &[String], facts: &Facts) -> Program {
    let mut found = Program::default();
    follow(argv, facts, &mut found, 0);
    found
}

fn follow(argv: &[String], facts: &Facts, found: &mut Program, depth: u8) {
    let Some((first, rest)) = argv.split_first() else {
        return;
    };
    if depth > 6 {
        return;
    }
    let path = locate(first, facts);
    let base = base(first);
    found.names.push(
        path.as_ref()
            .map_or_else(|| first.clone(), |path| path.text().into_owned()),
    );
    let real = path.as_ref().and_then(|path| facts.tree.resolve(path));
    if let Some(real) = &real {
        if !found.names.iter().any(|name| *name == real.text()) {
            found.names.push(real.text().into_owned());
        }
        if !found.files.contains(real) {
            found.files.push(real.clone());
        }
    }
    found.args = rest.to_vec();
    if let Some((_, takes)) = WRAPPERS.iter().find(|(name, _)| *name == base) {
        let command = skip_options(rest, takes, base);
        if !command.is_empty() {
            follow(command, facts, found, depth + 1);
        }
        return;
    }
    if SHELLS.contains(&base) {
        shell(rest, facts, found, depth);
        return;
    }
    if is_interpreter(base) {
        // `python3 -m module` and `python3 script`: the module or script is a program in its own right.
        if let Some(at) = rest.iter().position(|arg| arg == "-m")
            && let Some(module) = rest.get(at + 1)
        {
            found
                .names
                .push(module.split('.').next().unwrap_or(module).to_owned());
            found.args = rest.get(at + 2..).unwrap_or_default().to_vec();
        } else if let Some(at) = rest.iter().position(|arg| !arg.starts_with('-'))
            && rest.get(at).is_some_and(|script| script.starts_with('/'))
        {
            follow(rest.get(at..).unwrap_or_default(), facts, found, depth + 1);
        }
        return;
    }
    let script = real.as_ref().and_then(|real| facts.scripts.get(real));
    if let Some(name) = script.and_then(interpreter_name) {
        let args = std::mem::take(&mut found.args);
        let path = locate(name, facts);
        found.names.push(
            path.as_ref()
                .map_or_else(|| name.to_owned(), |path| path.text().into_owned()),
        );
        let real = path.and_then(|path| facts.tree.resolve(&path));
        found.files.extend(real);
        found.args = args;
    }
}

/// `sh -c "exec prog args"` and `sh script`.
fn shell(rest: &[String], facts: &Facts, found: &mut Program, depth: u8) {
    if let Some(at) = rest
        .iter()
        .position(|arg| arg.starts_with('-') && arg.ends_with('c'))
    {
        let line = rest.get(at + 1).map(String::as_str).unwrap_or_default();
        // The last command is what stays: `cd /x && exec prog`.
        let last = line
            .split(['&', ';', '|'])
            .rfind(|part| !part.trim().is_empty())
            .unwrap_or_default();
        let words = crate::words::shell(last);
        let words: Vec<String> = words
            .into_iter()
            .skip_while(|word| word.contains('=') && !word.contains('/'))
            .collect();
        follow(&words, facts, found, depth + 1);
    } else if let Some(at) = rest.iter().position(|arg| !arg.starts_with('-')) {
        follow(rest.get(at..).unwrap_or_default(), facts, found, depth + 1);
    }
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

fn skip_options<'a>(rest: &'a [String], takes: &[&str], wrapper: &str) -> &'a [String] {
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        if takes.contains(&word.as_str()) {
            at += 2;
        } else if word.starts_with('-') || (wrapper == "env" && word.contains('=')) {
            at += 1;
        } else if matches!(wrapper, "timeout" | "flock" | "chrt" | "taskset")
            && !word.contains('/')
            && at == 0
        {
            // Their first plain word is a duration, a priority or a mask.
            at += 1;
        } else {
            break;
        }
    }
    rest.get(at..).unwrap_or_default()
}

/// Interpreters by the shape of their names: a language and perhaps a version.
fn is_interpreter(base: &str) -> bool {
    let stem = base.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    matches!(
        stem,
        "python" | "perl" | "ruby" | "node" | "nodejs" | "php" | "lua" | "pypy"
    )
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
        self.names.iter().any(|name| {
            if pattern.contains('/') {
                glob::matches_path(pattern, name)
            } else {
                glob::matches(pattern, base(name))
            }
        })
    }
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
