//! What a run script becomes: the last command of it, without the programs that only prepare for it and then are it.

use crate::fact::{Evidence, Facts, Managed, VARIABLES};
use crate::path::MachinePath;
use crate::secret::MASK;
use crate::service::Environment;
use crate::service::managed::user_of;
use crate::words;
use crate::words::budget::Budget;
use crate::words::expand::expand;
use std::collections::BTreeMap;

/// What variables of one script may become.
const OF_ONE: usize = 64 << 10;

/// Programs in front of the program.
const MOST: usize = 32;

/// What stands at the end of a script, taken apart.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// The program; empty where none can be told.
    pub argv: Vec<String>,
    pub user: Option<String>,
    pub group: Option<String>,
    pub environment: Environment,
    pub directory: MachinePath,
    /// Directories whose files are variables.
    pub directories: Vec<MachinePath>,
    pub limits: Vec<(String, String)>,
    pub evidence: Option<Evidence>,
}

/// How many words of their own programs take that only prepare, options aside: none more of them is known.
const PLAIN: &[(&str, usize)] = &[
    ("exec", 0),
    ("nohup", 0),
    ("setsid", 0),
    ("pgrphack", 0),
    ("fghack", 0),
    ("s6-setsid", 0),
    ("foreground", 0),
    ("redirfd", 3),
    ("fdmove", 2),
    ("fdclose", 1),
    ("umask", 1),
    ("unexport", 1),
    ("envuidgid", 1),
    ("s6-envuidgid", 1),
    ("with-contenv", 0),
    ("nice", 0),
    ("ionice", 0),
    ("s6-notifyoncheck", 0),
    ("s6-log", usize::MAX),
];

impl Chain {
    pub(super) fn of(facts: &Facts, script: &Managed, directory: &MachinePath) -> Self {
        let mut chain = Self {
            directory: directory.clone(),
            ..Self::default()
        };
        let is_execline = script
            .entries
            .iter()
            .any(|entry| entry.section == "execlineb");
        let budget = Budget::new(OF_ONE);
        let mut line = String::new();
        for entry in &script.entries {
            let evidence = script.evidence(entry);
            let known: BTreeMap<String, String> =
                chain.environment.variables.iter().cloned().collect();
            if entry.key == VARIABLES {
                for word in words::split(&entry.value) {
                    if let Some((name, value)) = word.split_once('=') {
                        let value = expand(value, &known, &budget);
                        chain.environment.put(name, value, evidence.clone());
                    }
                }
            } else if is_execline {
                // One command over many lines.
                line.push_str(&entry.value);
                line.push(' ');
                chain.evidence.get_or_insert(evidence);
            } else if let Some(rest) = entry.value.strip_prefix("cd ") {
                let rest = words::shell(&expand(rest, &known, &budget));
                let to = rest.first().filter(|to| !to.contains('$'));
                chain.directory = to.map_or(chain.directory.clone(), |to| chain.directory.join(to));
            } else if entry.value.starts_with("exec ") && !is_redirection(&entry.value) {
                line = expand(&entry.value, &known, &budget);
                chain.evidence = Some(evidence);
            }
        }
        let line = facts.masking.redact_line(&line).text.into_owned();
        if line.contains(['`', '|', ';']) || line.contains("$(") {
            return chain;
        }
        let words = words::shell(&line).into_iter();
        let words = words.filter(|word| !is_redirection_word(word));
        chain.peel(facts, words.collect());
        chain.variables_of_directories(facts);
        chain
    }

    /// Takes off what prepares, word by word.
    fn peel(&mut self, facts: &Facts, mut words: Vec<String>) {
        for _ in 0..MOST {
            let Some(first) = words.first() else {
                return;
            };
            let name = first.rsplit('/').next().unwrap_or(first).to_owned();
            let rest = words.split_off(1);
            let after = match name.as_str() {
                "chpst" => self.chpst(facts, rest),
                // A block of execline: what it runs is over before the program begins.
                "{" => behind_block(rest),
                "setuidgid" | "s6-setuidgid" | "su-exec" | "gosu" => self.as_user(facts, rest),
                "envdir" | "s6-envdir" => self.envdir(rest),
                "softlimit" | "s6-softlimit" => self.softlimit(rest),
                "cd" => match rest.split_first() {
                    Some((to, after)) => {
                        self.directory = self.directory.join(to);
                        after.to_vec()
                    }
                    None => rest,
                },
                "export" | "s6-env" | "env" => self.set(rest, &name),
                other => {
                    let known = PLAIN.iter().find(|(known, _)| *known == other);
                    let Some((_, count)) = known else {
                        words.extend(rest);
                        self.argv = words;
                        return;
                    };
                    skip(rest, *count)
                }
            };
            words = after;
        }
    }

    /// runit's own: user, variables, limits and directory at once.
    fn chpst(&mut self, facts: &Facts, words: Vec<String>) -> Vec<String> {
        let mut rest = words.into_iter().peekable();
        while let Some(word) = rest.next_if(|word| word.starts_with('-')) {
            let flag: String = word.chars().take(2).collect();
            let takes = matches!(
                flag.as_str(),
                "-u" | "-U"
                    | "-b"
                    | "-e"
                    | "-/"
                    | "-C"
                    | "-n"
                    | "-l"
                    | "-L"
                    | "-m"
                    | "-d"
                    | "-o"
                    | "-p"
                    | "-f"
                    | "-c"
                    | "-t"
            );
            let glued = word.get(2..).filter(|glued| !glued.is_empty());
            let value = match glued {
                Some(glued) if takes => glued.to_owned(),
                _ if takes => rest.next().unwrap_or_default(),
                _ => continue,
            };
            match flag.as_str() {
                "-u" => self.account(facts, &value),
                "-e" => self.directories.push(self.directory.join(&value)),
                "-C" => self.directory = self.directory.join(&value),
                "-o" => self.limits.push(("NOFILE".to_owned(), value)),
                "-p" => self.limits.push(("NPROC".to_owned(), value)),
                "-m" => self.limits.push(("AS".to_owned(), value)),
                _ => {}
            }
        }
        rest.collect()
    }

    fn as_user(&mut self, facts: &Facts, words: Vec<String>) -> Vec<String> {
        if let Some(account) = words.iter().find(|word| !word.starts_with('-')) {
            self.account(facts, account);
        }
        skip(words, 1)
    }

    /// `user`, `:uid`, `user:group`.
    fn account(&mut self, facts: &Facts, written: &str) {
        let written = written.trim_start_matches(':');
        let (user, group) = written.split_once(':').unwrap_or((written, ""));
        self.user = Some(user_of(facts, user));
        let group = group.split(':').next().filter(|group| !group.is_empty());
        let by_number = |group: &str| {
            let known = group.parse().ok().and_then(|gid| facts.group_of(gid));
            known.map_or_else(|| group.to_owned(), |known| known.name.clone())
        };
        self.group = group.map(by_number);
    }

    fn envdir(&mut self, words: Vec<String>) -> Vec<String> {
        if let Some(directory) = words.iter().find(|word| !word.starts_with('-')) {
            self.directories.push(self.directory.join(directory));
        }
        skip(words, 1)
    }

    fn softlimit(&mut self, words: Vec<String>) -> Vec<String> {
        let mut rest = words.into_iter().peekable();
        while let Some(flag) = rest.next_if(|word| word.starts_with('-')) {
            let Some(value) = rest.next() else {
                break;
            };
            let name = match flag.as_str() {
                "-o" => "NOFILE",
                "-p" => "NPROC",
                "-a" | "-m" => "AS",
                "-s" => "STACK",
                "-c" => "CORE",
                _ => continue,
            };
            self.limits.push((name.to_owned(), value));
        }
        rest.collect()
    }

    /// execline's `export NAME value`, and `env NAME=value`.
    fn set(&mut self, words: Vec<String>, by: &str) -> Vec<String> {
        let evidence = self.evidence.clone();
        let evidence = evidence.unwrap_or_else(|| Evidence::file(&self.directory));
        if by == "export" {
            if let [name, value, ..] = words.as_slice() {
                self.environment.put(name, value.clone(), evidence);
            }
            return skip(words, 2);
        }
        let mut rest = words.into_iter().peekable();
        while let Some(word) = rest.next_if(|word| word.starts_with('-') || word.contains('=')) {
            if let Some((name, value)) = word.split_once('=') {
                self.environment
                    .put(name, value.to_owned(), evidence.clone());
            }
        }
        rest.collect()
    }

    fn variables_of_directories(&mut self, facts: &Facts) {
        for directory in self.directories.clone() {
            let files = facts.managed.values().filter(|file| {
                file.dialect == crate::fact::Dialect::Variable
                    && file.path.parent().as_ref() == Some(&directory)
            });
            for file in files {
                for entry in &file.entries {
                    for word in words::split(&entry.value) {
                        if let Some((name, value)) = word.split_once('=') {
                            let shown = file.path.name();
                            let evidence =
                                Evidence::line(&file.path, 1, &format!("{shown}={MASK}"));
                            self.environment.put(name, value.to_owned(), evidence);
                        }
                    }
                }
            }
        }
    }
}

/// What follows a block whose first brace is taken.
fn behind_block(words: Vec<String>) -> Vec<String> {
    let mut depth = 1usize;
    let rest = words.into_iter().skip_while(|word| {
        let is_inside = depth > 0;
        match word.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_inside
    });
    rest.collect()
}

/// Without options and so many words.
fn skip(words: Vec<String>, count: usize) -> Vec<String> {
    let rest = words.into_iter().skip_while(|word| word.starts_with('-'));
    rest.skip(count).collect()
}

/// `exec 2>&1`, which becomes nothing.
fn is_redirection(line: &str) -> bool {
    let mut words = words::parts(line).skip(1);
    words.all(is_redirection_word)
}

fn is_redirection_word(word: impl AsRef<str>) -> bool {
    let word = word.as_ref();
    let bare = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
    bare.starts_with(['>', '<'])
}
