//! What a script starts: its commands in the order a shell would come to them, with what its variables are worth on this disk.
//! Nothing is run. Where only the run decides, both ways are gone, and what is found there is less sure.

mod builtin;
mod condition;
mod environment;
pub(super) mod made;
mod option;
mod run;
mod starter;
mod walk;

use super::managed::{Reading, Wanted};
use super::{Environment, Limit};
use crate::fact::{Dialect, Evidence, Facts, Managed};
use crate::path::MachinePath;
use crate::words::budget::Budget;
use crate::words::sh::{self, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Commands that one script comes to.
const STEPS: u32 = 20_000;

/// What variables of one script may become.
const OF_ONE: usize = 256 << 10;

/// Starts, files read in, and services asked for, of one script.
const MOST: usize = 64;

/// How plainly a command says that it starts something that stays; the plainest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plainness {
    /// By a program made for it.
    Starter,
    /// As another user, or put behind.
    Behind,
    /// Run like any other.
    Run,
}

/// Arguments that only who stays is given.
const STARTS: &[&str] = &[
    "start",
    "-start",
    "--start",
    "--daemon",
    "-daemon",
    "--daemonize",
    "--background",
];

/// A program that a script starts.
#[derive(Debug, Clone)]
pub(super) struct Started {
    pub argv: Vec<String>,
    pub user: Option<String>,
    pub group: Option<String>,
    pub pid_file: Option<String>,
    pub directory: Option<MachinePath>,
    pub environment: Environment,
    /// Files that its output goes to.
    pub output: Vec<MachinePath>,
    pub umask: Option<u32>,
    pub limits: Vec<Limit>,
    /// What starts it puts it behind: the program itself stays in front.
    pub is_put_behind: bool,
    /// No condition that only the run decides stands before it.
    pub is_sure: bool,
    pub plainness: Plainness,
    pub evidence: Evidence,
}

impl Started {
    /// It goes on when the script is through.
    pub fn stays(&self) -> bool {
        let program = self
            .argv
            .first()
            .map_or("", |program| builtin::base(program));
        let is_told = program.starts_with("start")
            || self.argv.iter().any(|word| STARTS.contains(&word.as_str()));
        self.is_put_behind || self.plainness < Plainness::Run || is_told
    }
}

/// A service that a script has another manager start: `start NAME N=1`, `service NAME start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub name: String,
    pub variables: Vec<(String, String)>,
    pub evidence: Evidence,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Worth {
    Text(String),
    Unknown,
}

#[derive(Debug, Clone)]
struct Variable {
    worth: Worth,
    /// What only the run decides may have given it another value.
    is_doubtful: bool,
    evidence: Evidence,
}

struct Function {
    body: Rc<Vec<Node>>,
    file: MachinePath,
}

/// As whom, and how, what comes is run.
#[derive(Debug, Clone, Default)]
struct Around {
    user: Option<String>,
    group: Option<String>,
    pid_file: Option<String>,
    plainness: Option<Plainness>,
    is_put_behind: bool,
    /// Words of a line that a shell was handed: commands without a path count too.
    is_line: bool,
    /// A login has an environment of its own.
    is_login: bool,
    /// Set for this command only.
    settings: Vec<(String, String)>,
}

/// A script on its way.
pub(super) struct Script<'a> {
    facts: &'a Facts,
    budget: Budget,
    steps: u32,
    depth: u32,
    /// Inside so many conditions that only the run decides.
    maybe: u32,
    /// Inside so many conditions: what runs there only asks.
    asking: u32,
    arguments: Vec<String>,
    variables: BTreeMap<String, Variable>,
    exported: BTreeSet<String>,
    exports_all: bool,
    functions: BTreeMap<String, Rc<Function>>,
    file: MachinePath,
    line: u32,
    directory: Option<MachinePath>,
    umask: Option<u32>,
    limits: Vec<Limit>,
    around: Around,
    /// Something was read in that is not known here: what is not set may be.
    is_open: bool,
    pub starts: Vec<Started>,
    pub asked: Vec<Asked>,
    /// Services that have to be there before it.
    pub needs: Vec<String>,
    /// Files that it reads in.
    pub sources: Vec<MachinePath>,
    /// The condition that ends it, on this disk, before anything is started.
    pub ended: Option<Evidence>,
}

impl<'a> Script<'a> {
    /// `arguments` begins with what the script is called.
    pub fn new(facts: &'a Facts, file: &MachinePath, arguments: Vec<String>) -> Self {
        Self {
            facts,
            budget: Budget::new(OF_ONE),
            steps: STEPS,
            depth: 0,
            maybe: 0,
            asking: 0,
            arguments,
            variables: BTreeMap::new(),
            exported: BTreeSet::new(),
            exports_all: false,
            functions: BTreeMap::new(),
            file: file.clone(),
            line: 1,
            directory: None,
            umask: None,
            limits: Vec::new(),
            around: Around::default(),
            is_open: false,
            starts: Vec::new(),
            asked: Vec::new(),
            needs: Vec::new(),
            sources: Vec::new(),
            ended: None,
        }
    }

    /// A variable that is there before the script begins.
    pub fn give(&mut self, name: &str, value: &str, evidence: Evidence) {
        let worth = Worth::Text(value.to_owned());
        let variable = Variable {
            worth,
            is_doubtful: false,
            evidence,
        };
        self.variables.insert(name.to_owned(), variable);
    }

    /// The same, for what is started too.
    pub fn give_exported(&mut self, name: &str, value: &str, evidence: Evidence) {
        self.give(name, value, evidence);
        self.exported.insert(name.to_owned());
    }

    /// Goes through a file that is read as a script.
    pub fn file(&mut self, file: &Managed) {
        self.text(&file.path, &text_of(file));
    }

    /// Goes through one line.
    pub fn line(&mut self, number: u32, line: &str) {
        let file = self.file.clone();
        self.text(&file, &lines_of(std::iter::once((number, line))));
    }

    pub fn text(&mut self, path: &MachinePath, text: &str) {
        let nodes = sh::parse(text);
        let outer = std::mem::replace(&mut self.file, path.clone());
        self.list(&nodes);
        self.file = outer;
    }

    /// Reads a file of settings in, if it is there.
    pub fn read_in(&mut self, path: &MachinePath) {
        if self.facts.tree.exists(path) {
            self.source(&path.text());
        }
    }

    /// Whether the script has a function of this name.
    pub fn has(&self, function: &str) -> bool {
        self.functions.contains_key(function)
    }

    /// Calls a function of the script.
    pub fn call(&mut self, function: &str) {
        self.function(function, &[]);
    }

    /// The value of a variable at the end, where it is known.
    pub fn value_of(&self, name: &str) -> Option<&str> {
        match &self.variables.get(name)?.worth {
            Worth::Text(text) => Some(text),
            Worth::Unknown => None,
        }
    }

    /// Takes a variable away.
    pub fn forget(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Limits as `ulimit` is told them, by a setting.
    pub fn limited(&mut self, words: &[String], evidence: Option<&Evidence>) {
        self.ulimit(words);
        for limit in &mut self.limits {
            if let Some(evidence) = evidence {
                limit.evidence = evidence.clone();
            }
        }
    }

    pub fn evidence_of(&self, name: &str) -> Option<&Evidence> {
        self.variables.get(name).map(|variable| &variable.evidence)
    }

    /// More was to be done than is done of one script.
    pub fn is_cut(&self) -> bool {
        self.steps == 0 || self.budget.is_spent()
    }

    /// What it starts: the plainest, the surest, the first.
    pub fn best(&self) -> Option<&Started> {
        self.starts
            .iter()
            .min_by_key(|started| (started.plainness, !started.is_sure))
    }

    fn evidence(&self, text: &str) -> Evidence {
        Evidence::line(&self.file, self.line, text)
    }
}

/// The lines of a file that was read as a script, each where it stands.
pub(super) fn text_of(file: &Managed) -> String {
    lines_of(
        file.entries
            .iter()
            .map(|entry| (entry.line, entry.value.as_str())),
    )
}

/// Lines with their numbers as one text.
pub(super) fn lines_of<'t>(lines: impl Iterator<Item = (u32, &'t str)>) -> String {
    let mut text = String::new();
    let mut at = 1u32;
    for (number, line) in lines {
        while at < number && number <= LAST {
            text.push('\n');
            at += 1;
        }
        text.push_str(line);
        text.push('\n');
        at += 1;
    }
    text
}

/// No script that is read has more lines.
const LAST: u32 = 1 << 20;

/// A file that a script reads in.
pub(super) fn wanted(path: &MachinePath) -> Wanted {
    Wanted {
        pattern: crate::walk::literal(path),
        reading: Reading::Managed(Dialect::Shell),
    }
}

#[cfg(test)]
mod tests;
