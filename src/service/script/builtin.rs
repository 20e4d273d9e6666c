//! A simple command: what the shell does itself, and what it starts.

use super::environment::is_unknown;
use super::walk::Flow;
use super::{Asked, MOST, Plainness, Script, text_of};
use crate::fact::Dialect;
use crate::path::MachinePath;
use crate::service::told;
use crate::walk::glob;
use crate::words;
use crate::words::sh::Simple;
use crate::words::sh::word::{fields, text};
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    utilities: Vec<String>,
    libraries: Vec<String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../detectors/utilities.toml")).unwrap_or_default()
});

/// Files read in by files that are read in.
const SOURCES: usize = 64;

impl Script<'_> {
    pub(super) fn simple(&mut self, simple: &Simple) -> Flow {
        let mut settings = Vec::new();
        let mut argv: Vec<String> = Vec::new();
        for word in &simple.words {
            match assignment(word).filter(|_| argv.is_empty()) {
                Some((name, adds, raw)) => settings.push(self.assigned(name, adds, raw)),
                None => argv.extend(fields(word, self)),
            }
        }
        if argv.is_empty() {
            for (name, value, is_literal) in settings {
                self.set(&name, value, is_literal);
            }
            return Flow::On(Some(true));
        }
        let is_test = matches!(
            simple.words.first().map(String::as_str),
            Some("[" | "[[" | "test")
        );
        if is_test && simple.words.iter().any(|word| self.is_doubtful(word)) {
            return Flow::On(None);
        }
        let outer = self.around.settings.len();
        let settings = settings.into_iter();
        self.around
            .settings
            .extend(settings.map(|(name, value, _)| (name, value)));
        let output: Vec<String> = simple.output.iter().map(|file| text(file, self)).collect();
        let flow = self.command(argv, &output);
        self.around.settings.truncate(outer);
        flow
    }

    fn assigned(&mut self, name: &str, adds: bool, raw: &str) -> (String, String, bool) {
        let mut value = text(raw, self);
        if adds {
            let before = self.value_of(name).unwrap_or_default();
            value = format!("{before}{value}");
        }
        (name.to_owned(), value, raw.starts_with('\'') && !adds)
    }

    fn set(&mut self, name: &str, value: String, is_literal: bool) {
        if is_literal && is_unknown(&value) {
            if self.maybe == 0 || !self.variables.contains_key(name) {
                let evidence = self.evidence(&format!("{name}={value}"));
                self.give(name, &value, evidence);
            }
            return;
        }
        self.put(name, value);
    }

    fn command(&mut self, argv: Vec<String>, output: &[String]) -> Flow {
        let Some((name, rest)) = argv.split_first() else {
            return Flow::On(None);
        };
        if let Some(flow) = self.function(name, rest) {
            return flow;
        }
        if let Some(flow) = self.builtin(name, rest, output) {
            return flow;
        }
        if self.asks_for(name, rest) {
            return Flow::On(Some(true));
        }
        if self.starter(base(name), &argv, output) {
            return Flow::On(Some(true));
        }
        self.run(argv, output);
        Flow::On(None)
    }

    fn builtin(&mut self, name: &str, rest: &[String], output: &[String]) -> Option<Flow> {
        let fine = Flow::On(Some(true));
        Some(match name {
            ":" | "true" | "break" | "continue" | "wait" | "trap" | "sleep" | "hash" | "shopt" => {
                fine
            }
            "false" => Flow::On(Some(false)),
            "ulimit" => {
                self.ulimit(rest);
                fine
            }
            "." | "source" => {
                rest.first().into_iter().for_each(|path| self.source(path));
                fine
            }
            "export" | "readonly" | "local" | "declare" | "typeset" => {
                self.declare(name, rest);
                fine
            }
            "set" => {
                self.exports_all |= rest.iter().any(|word| word == "-a" || word == "allexport");
                self.exports_all &= !rest.iter().any(|word| word == "+a");
                fine
            }
            "unset" => {
                for name in rest {
                    self.unset(name);
                }
                fine
            }
            "read" | "getopts" | "mapfile" => {
                for name in rest {
                    self.unknown(name);
                }
                Flow::On(None)
            }
            "shift" => {
                if self.arguments.len() > 1 {
                    self.arguments.remove(1);
                }
                fine
            }
            "cd" => {
                self.cd(rest);
                fine
            }
            "umask" => {
                let mask = rest
                    .first()
                    .and_then(|mask| u32::from_str_radix(mask, 8).ok());
                self.umask = mask.or(self.umask);
                fine
            }
            "[" | "[[" | "test" => {
                let inside = match rest.split_last() {
                    Some((last, inside)) if last == "]" || last == "]]" => inside,
                    _ => rest,
                };
                Flow::On(self.asked_of(inside))
            }
            "return" => Flow::Return(rest.first().map_or(Some(true), |code| {
                code.parse().ok().map(|code: i32| code == 0)
            })),
            "exit" => Flow::Exit,
            "exec" => self.exec(rest, output),
            "need" | "want" => {
                let room = MOST.saturating_sub(self.needs.len());
                self.needs.extend(rest.iter().take(room).cloned());
                fine
            }
            "eval" => {
                self.nested(&rest.join(" "), &[]);
                Flow::On(None)
            }
            "command" | "builtin" if !rest.first().is_some_and(|word| word.starts_with('-')) => {
                self.command(rest.to_vec(), output)
            }
            _ => return None,
        })
    }

    fn cd(&mut self, rest: &[String]) {
        let to = rest.iter().find(|word| !word.starts_with('-'));
        if let Some(to) = to.filter(|to| !is_unknown(to)) {
            let here = self.directory.clone().unwrap_or_else(MachinePath::root);
            self.directory = Some(here.join(to));
        }
    }

    /// What takes the shell's place; without a command only its files are opened anew.
    fn exec(&mut self, rest: &[String], output: &[String]) -> Flow {
        let rest = rest.iter().skip_while(|word| word.starts_with('-'));
        let argv: Vec<String> = rest.cloned().collect();
        if argv.is_empty() {
            return Flow::On(Some(true));
        }
        let outer = self.around.plainness;
        self.around.plainness = outer.or(Some(Plainness::Behind));
        self.command(argv, output);
        self.around.plainness = outer;
        Flow::Exit
    }

    /// A question about variables that nobody here sets has no answer, where something was read in that is not known.
    fn asked_of(&self, words: &[String]) -> Option<bool> {
        let has_empty = words.iter().any(String::is_empty) || words.len() < 2;
        if self.is_open && has_empty {
            let is_default = matches!(words.first().map(String::as_str), Some("-z"));
            return is_default.then(|| self.test(words)).flatten();
        }
        self.test(words)
    }

    fn declare(&mut self, how: &str, rest: &[String]) {
        let exports = how == "export"
            || rest
                .iter()
                .any(|word| word.starts_with('-') && word.contains('x'));
        for word in rest.iter().filter(|word| !word.starts_with('-')) {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.as_str(), None),
            };
            if let Some(value) = value {
                self.put(name.trim_end_matches('+'), value.to_owned());
            }
            if exports && words::expand::is_name(name) {
                self.exported.insert(name.to_owned());
            }
        }
    }

    /// `ulimit -n 65536`, `ulimit -SHn 1024`.
    pub(super) fn ulimit(&mut self, words: &[String]) {
        let known: Vec<String> = words
            .iter()
            .filter(|word| !is_unknown(word))
            .cloned()
            .collect();
        let evidence = self.evidence(&format!("ulimit {}", words.join(" ")));
        for limit in told(&known, &evidence) {
            self.limits.retain(|known| known.name != limit.name);
            self.limits.push(limit);
        }
    }

    /// Reads a file in: settings, or functions.
    pub(super) fn source(&mut self, path: &str) {
        if is_unknown(path) || !path.starts_with('/') || self.sources.len() >= SOURCES {
            self.is_open = true;
            return;
        }
        let path = MachinePath::new(path);
        if !self.facts.tree.exists(&path) {
            return;
        }
        let mut libraries = TABLE.libraries.iter();
        if libraries.any(|pattern| glob::matches_path(pattern, &path.text())) {
            self.is_open = true;
            return;
        }
        if !self.sources.contains(&path) {
            self.sources.push(path.clone());
        }
        match self.facts.managed.get(&(path.clone(), Dialect::Shell)) {
            Some(file) => {
                let text = text_of(file);
                let line = self.line;
                self.text(&path, &text);
                self.line = line;
            }
            None => self.is_open = true,
        }
    }

    /// A line that a shell is handed, with `$0` and on.
    pub(super) fn nested(&mut self, line: &str, arguments: &[String]) {
        let nodes = words::sh::parse(line);
        let is_line = std::mem::replace(&mut self.around.is_line, true);
        let given = (!arguments.is_empty())
            .then(|| std::mem::replace(&mut self.arguments, arguments.to_vec()));
        let directory = self.directory.clone();
        let settings = self.around.settings.len();
        let at = self.line;
        self.list(&nodes);
        self.line = at;
        self.around.settings.truncate(settings);
        self.directory = directory;
        if let Some(outer) = given {
            self.arguments = outer;
        }
        self.around.is_line = is_line;
    }

    /// `start NAME`, `service NAME start`, `/etc/init.d/NAME start`: another service is started.
    fn asks_for(&mut self, name: &str, rest: &[String]) -> bool {
        let words: Vec<&str> = rest.iter().map(String::as_str).collect();
        let script = ["/etc/init.d/", "/etc/rc.d/init.d/", "/etc/rc.d/"].iter();
        let script = script
            .filter_map(|place| name.strip_prefix(place))
            .find(|name| !name.contains('/'));
        let (asked, more) = match (base(name), words.as_slice()) {
            (_, ["start" | "restart", more @ ..]) if script.is_some() => {
                (script.unwrap_or_default(), more)
            }
            ("start" | "restart", ["--no-wait" | "-n", asked, more @ ..])
            | ("initctl", ["start" | "restart", "--no-wait" | "-n", asked, more @ ..])
            | ("initctl" | "systemctl", ["start" | "restart", asked, more @ ..])
            | ("service" | "invoke-rc.d" | "rc-service", [asked, "start" | "restart", more @ ..]) => {
                (*asked, more)
            }
            ("start", [asked, more @ ..]) if !asked.starts_with('-') => (*asked, more),
            _ => return false,
        };
        if self.asked.len() < MOST && !is_unknown(asked) {
            let variables = more.iter().filter_map(|word| word.split_once('='));
            let asked = Asked {
                name: asked.to_owned(),
                variables: variables
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                evidence: self.evidence(&format!("{name} {}", rest.join(" "))),
            };
            self.asked.push(asked);
        }
        true
    }
}

/// `NAME=value` and `NAME+=value` as written.
fn assignment(word: &str) -> Option<(&str, bool, &str)> {
    let (name, value) = word.split_once('=')?;
    let adds = name.ends_with('+');
    let name = name.trim_end_matches('+');
    words::expand::is_name(name).then_some((name, adds, value))
}

/// What such scripts call for other reasons than to start something that stays.
pub(super) fn is_utility(name: &str) -> bool {
    TABLE.utilities.iter().any(|known| known == name)
}

pub(super) fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
