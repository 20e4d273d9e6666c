//! From one command to the next: what a launcher, a shell, a script or an interpreter comes to.

use super::environment::Asked;
use super::launcher::{self, Interpreter, Runner, Started};
use super::{Around, Program, SHELLS, Step, base, interpreter_name, is_shell, locate};
use crate::fact::{Document, Facts, Script, Syntax};
use crate::path::MachinePath;
use crate::words::budget::Budget;
use crate::words::{expand, line};
use std::collections::BTreeMap;

/// Programs within programs; more is a circle.
const DEPTH: u8 = 8;

/// What the lines on the way may become, all together.
const BYTES: usize = 256 << 10;

pub(super) struct Follower<'a> {
    facts: &'a Facts,
    found: Program,
    directory: Option<MachinePath>,
    known: BTreeMap<String, String>,
    home: Option<String>,
    budget: Budget,
    /// What is run now, a script runs: its words are not the command line's.
    in_script: bool,
}

impl<'a> Follower<'a> {
    pub(super) fn new(around: Around<'_>, facts: &'a Facts) -> Self {
        Self {
            facts,
            found: Program::default(),
            directory: around.directory.cloned(),
            known: around.variables.iter().cloned().collect(),
            home: around.home.map(str::to_owned),
            budget: Budget::new(BYTES),
            in_script: false,
        }
    }

    pub(super) fn run(mut self, argv: &[String]) -> Program {
        self.follow(argv, 0);
        self.found
    }

    fn follow(&mut self, argv: &[String], depth: u8) {
        let Some((first, rest)) = argv.split_first() else {
            return;
        };
        if depth > DEPTH {
            return;
        }
        let real = self.step(first, rest);
        if let Some(hosted) = real.as_ref().and_then(|real| self.hosted(real)) {
            self.step(&hosted, rest);
            return;
        }
        let base = base(first);
        let launcher = launcher::of(base);
        if let Some(started) = launcher.and_then(|launcher| launcher.started(rest)) {
            match started {
                Started::Words(settings, command) => {
                    let settings = settings.iter().filter_map(|word| word.split_once('='));
                    for (name, value) in settings {
                        self.set(name, value);
                    }
                    let own = rest.len().saturating_sub(command.len());
                    let own = rest.get(..own).unwrap_or_default();
                    let outer = launcher.and_then(|launcher| self.enter(launcher, first, own));
                    self.follow(command, depth + 1);
                    self.known = outer.unwrap_or_else(|| std::mem::take(&mut self.known));
                }
                Started::Line(line) => self.line(line, depth),
            }
        } else if let Some(runner) = launcher::runner(base) {
            self.runs(runner, rest, depth);
        } else if launcher.is_some() {
            // It starts nothing.
        } else if SHELLS.contains(&base) {
            self.shell(rest, depth);
        } else if let Some(interpreter) = launcher::interpreter(base) {
            self.interpreted(interpreter, rest, depth);
        } else if let Some(script) = real.and_then(|real| self.facts.scripts.get(&real)) {
            self.script(script, first, rest, depth);
        }
    }

    /// What a program runs that only brings a runtime of its own.
    fn hosted(&self, program: &MachinePath) -> Option<String> {
        let beside = program.parent()?;
        let is_beside = |name: &str| self.facts.tree.exists(&beside.join(name));
        let hosted = launcher::hosted(&program.name(), &is_beside)?;
        Some(beside.join(&hosted).text().into_owned())
    }

    /// Has the programs of a launcher's environment found first. What was known before, where there is one.
    fn enter(
        &mut self,
        launcher: &launcher::Launcher,
        named: &str,
        args: &[String],
    ) -> Option<BTreeMap<String, String>> {
        if launcher.environments.is_empty() {
            return None;
        }
        let program = self.locate(named);
        let asked = Asked {
            facts: self.facts,
            program: program.as_ref(),
            args,
            directory: self.directory.as_ref(),
            home: self.home.as_deref(),
            variables: &self.known,
            budget: &self.budget,
        };
        let environment = asked.environment(launcher)?;
        let before = self.known.clone();
        let rest = before.get("PATH").map_or("", String::as_str);
        let path = format!("{}:{rest}", environment.join("bin").text());
        self.known.insert("PATH".to_owned(), path);
        Some(before)
    }

    /// Notes a program and its arguments.
    fn step(&mut self, first: &str, rest: &[String]) -> Option<MachinePath> {
        let path = self.locate(first);
        let named = path
            .as_ref()
            .map_or_else(|| first.to_owned(), |path| path.text().into_owned());
        let real = path.and_then(|path| self.facts.tree.resolve(&path));
        let mut names = vec![named];
        let leads = real.iter().map(|real| real.text().into_owned());
        names.extend(
            leads
                .filter(|real| names.first() != Some(real))
                .collect::<Vec<_>>(),
        );
        // What is named again is named once, but for the first: a script may run itself.
        let new: Vec<String> = (names.iter().enumerate())
            .filter(|(at, name)| *at == 0 || !self.found.names.contains(name))
            .map(|(_, name)| name.clone())
            .collect();
        self.found.names.extend(new);
        if let Some(real) = real
            .as_ref()
            .filter(|real| !self.found.files.contains(real))
        {
            self.found.files.push(real.clone());
        }
        if !self.in_script {
            self.found.args = rest.to_vec();
        }
        self.found.steps.push(Step {
            names,
            args: rest.to_vec(),
        });
        real
    }

    fn set(&mut self, name: &str, value: &str) {
        self.known.insert(name.to_owned(), value.to_owned());
        self.found
            .variables
            .push((name.to_owned(), value.to_owned()));
    }

    /// `sh -c "exec prog args"` and `sh script`.
    fn shell(&mut self, rest: &[String], depth: u8) {
        let is_line =
            |word: &String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
        if let Some(at) = rest.iter().position(is_line) {
            let line = rest.get(at + 1).cloned().unwrap_or_default();
            self.line(&line, depth);
        } else if let Some(at) = rest.iter().position(|arg| !arg.starts_with('-')) {
            self.follow(rest.get(at..).unwrap_or_default(), depth + 1);
        }
    }

    fn line(&mut self, line: &str, depth: u8) {
        let Some(simple) = line::main(line) else {
            return;
        };
        self.simple(&simple, depth);
    }

    fn simple(&mut self, simple: &line::Simple, depth: u8) {
        for (name, value) in &simple.settings {
            let value = expand::expand(value, &self.known, &self.budget);
            // What a command would have to be run for is not known.
            if !value.contains('`') && !value.contains("$(") {
                self.set(name, &value);
            }
        }
        let put_in = |text: &str| expand::expand(text, &self.known, &self.budget);
        let words = line::expanded(&simple.words, &put_in);
        let base = self.directory.clone().unwrap_or_else(MachinePath::root);
        let path = |text: &String| {
            let text = put_in(text);
            (!text.contains(['$', '`'])).then(|| base.join(&text))
        };
        let directory = simple.directory.as_ref().and_then(path);
        let output: Vec<MachinePath> = simple.output.iter().filter_map(path).collect();
        self.found.output.extend(output);
        self.directory = directory.or_else(|| self.directory.take());
        self.follow(&words, depth + 1);
    }

    /// `npm start`: a line of a file beside the application.
    fn runs(&mut self, runner: &Runner, rest: &[String], depth: u8) {
        let Some((name, within)) = runner.line(rest) else {
            return;
        };
        let base = self.directory.clone().unwrap_or_else(MachinePath::root);
        let directory = within.map_or_else(|| base.clone(), |within| base.join(within));
        let path = directory.join(&runner.file);
        let Some(document) = self.document(&path, Syntax::Json) else {
            return;
        };
        let key = format!("{}/{name}", runner.key);
        let line = document.settings.iter().find(|setting| setting.key == key);
        let line = line.and_then(|setting| setting.args.first()).cloned();
        let outer = self.directory.replace(directory);
        if let Some(line) = line {
            self.line(&line, depth + 1);
        }
        self.directory = outer;
    }

    /// A file that says more; where it was not read yet, it is asked for.
    fn document(&mut self, path: &MachinePath, syntax: Syntax) -> Option<&'a Document> {
        let facts = self.facts;
        let found = facts.documents.get(&(path.clone(), syntax));
        if found.is_none() {
            self.found.asks.push((path.clone(), syntax));
        }
        found
    }

    /// `python3 -m module`, `python3 script`, `java -jar file`: the module or script is a program in its own right.
    fn interpreted(&mut self, interpreter: &Interpreter, rest: &[String], depth: u8) {
        let mut rest = rest.to_vec();
        if let Some(sign) = &interpreter.listed {
            rest = self.listed(sign, &rest);
            if let Some(step) = self.found.steps.last_mut() {
                step.args.clone_from(&rest);
            }
            if !self.in_script {
                self.found.args.clone_from(&rest);
            }
        }
        let Some((at, by_option)) = interpreter.program(&rest) else {
            return;
        };
        let own = rest.get(at..).unwrap_or_default();
        let Some((name, args)) = own.split_first() else {
            return;
        };
        if interpreter.class {
            // What an archive or a class is told may stand before it: the line's arguments are all of them.
            let outer = self.found.args.clone();
            self.step(name, args);
            self.found.args = outer;
        } else if by_option && !name.contains('/') && !self.exists(name) {
            self.step(name.split('.').next().unwrap_or(name), args);
        } else if name.starts_with('/') || self.exists(name) {
            // A file, and no command that is looked for.
            let path = self.locate_file(name);
            let path = path.map_or_else(|| name.clone(), |path| path.text().into_owned());
            let own: Vec<String> = std::iter::once(path).chain(args.iter().cloned()).collect();
            self.follow(&own, depth + 1);
        }
    }

    /// Words of files that stand for them on the line.
    fn listed(&mut self, sign: &str, rest: &[String]) -> Vec<String> {
        let mut words = Vec::new();
        for word in rest {
            let path = word
                .strip_prefix(sign)
                .and_then(|name| self.locate_file(name));
            let document = path.and_then(|path| self.document(&path, Syntax::Columns));
            let Some(document) = document else {
                words.push(word.clone());
                continue;
            };
            for setting in &document.settings {
                words.push(setting.key.clone());
                words.extend(setting.args.iter().cloned());
            }
        }
        words
    }

    /// The command that a shell script comes to, and who runs the script.
    fn script(&mut self, script: &Script, named: &str, rest: &[String], depth: u8) {
        let Some(name) = interpreter_name(script) else {
            return;
        };
        let path = self.locate(name);
        self.found.names.push(
            path.as_ref()
                .map_or_else(|| name.to_owned(), |path| path.text().into_owned()),
        );
        let real = path.and_then(|path| self.facts.tree.resolve(&path));
        self.found.files.extend(real);
        let Some(main) = script.main.as_deref().filter(|_| is_shell(name)) else {
            return;
        };
        let Some(mut simple) = line::main(main) else {
            return;
        };
        let outer = std::mem::replace(&mut self.in_script, true);
        let known = self.known.clone();
        let home = self.locate(named).and_then(|path| path.parent());
        for (name, value) in &script.variables {
            let value = in_place(value, home.as_ref());
            let value = expand::expand(&value, &self.known, &self.budget);
            // What is set from outside stays, where the script only gives a default: both are written alike here.
            self.known.entry(name.clone()).or_insert(value);
        }
        self.known.insert("0".to_owned(), named.to_owned());
        for (word, _) in &mut simple.words {
            *word = in_place(word, home.as_ref());
        }
        let at = simple
            .words
            .iter()
            .position(|(word, _)| matches!(word.as_str(), "$@" | "$*" | "${@}" | "${1+$@}"));
        if let Some(at) = at {
            let args = rest.iter().map(|word| (word.clone(), true));
            simple.words.splice(at..=at, args);
        }
        self.simple(&simple, depth);
        self.known = known;
        self.in_script = outer;
    }

    fn exists(&self, name: &str) -> bool {
        self.locate_file(name)
            .is_some_and(|path| self.facts.tree.exists(&path))
    }

    /// A file by its name, from where the command is run.
    fn locate_file(&self, name: &str) -> Option<MachinePath> {
        if name.starts_with('/') {
            return Some(MachinePath::new(name));
        }
        let directory = self.directory.as_ref()?;
        (!name.is_empty()).then(|| directory.join(name))
    }

    /// A command by its name.
    fn locate(&self, name: &str) -> Option<MachinePath> {
        if name.contains('/') {
            return self.locate_file(name);
        }
        let own = self.known.get("PATH").map_or("", String::as_str);
        let own = own.split(':').filter(|dir| dir.starts_with('/'));
        let mut own = own.map(|dir| MachinePath::new(dir).join(name));
        own.find(|path| self.facts.tree.exists(path))
            .or_else(|| locate(name, self.facts))
    }
}

/// `$(dirname "$0")` is where the script stands.
fn in_place(text: &str, home: Option<&MachinePath>) -> String {
    const FORMS: &[&str] = &[
        "$(cd \"$(dirname \"$0\")\" && pwd)",
        "$(cd $(dirname $0) && pwd)",
        "$(cd \"$(dirname \"$0\")\"; pwd)",
        "$(cd $(dirname $0); pwd)",
        "$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)",
        "$(dirname \"$0\")",
        "$(dirname $0)",
        "$(dirname \"$(readlink -f \"$0\")\")",
        "`dirname \"$0\"`",
        "`dirname $0`",
        "${0%/*}",
    ];
    let Some(home) = home.filter(|_| text.contains('0')) else {
        return text.to_owned();
    };
    FORMS.iter().fold(text.to_owned(), |text, form| {
        text.replace(form, &home.text())
    })
}
