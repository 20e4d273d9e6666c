//! Where the words of a process come from beside its command line, and where its product stands.

use super::main_file::syntax_of;
use super::settings::{Configured, Flag};
use super::source::{Config, Source};
use super::{Pack, instance};
use crate::detect::dispatch;
use crate::detect::native::syntax;
use crate::fact::{Evidence, Syntax};
use crate::path::MachinePath;
use crate::program::{Program, Step};
use crate::service::Service;
use crate::walk::glob;
use crate::words::budget::Budget;
use crate::words::expand::substitute;
use std::collections::BTreeMap;

/// Options of one process, all that add to them together.
const MOST_FLAGS: usize = 4_096;

impl Configured<'_> {
    /// Archives of the pack's patterns among what is run.
    pub(super) fn archives(&self, config: &Config) -> Vec<MachinePath> {
        let is_one = |name: &&String| {
            let mut patterns = config.archives.iter();
            name.starts_with('/') && patterns.any(|pattern| glob::matches_path(pattern, name))
        };
        let named = self.program.steps.iter();
        let named = named.filter_map(|step| step.names.first());
        let found = named.filter(is_one).map(MachinePath::new);
        found.filter(|path| self.facts.tree.exists(path)).collect()
    }

    /// Members of them that settings stand in, with their syntax.
    pub(super) fn members(&self, config: &Config) -> Vec<(String, Syntax)> {
        let names = config.members.iter();
        let names = names.map(|name| instance::fill(name, &self.variables));
        let names = names.filter(|name| !name.contains(['{', '\n', '|']));
        let syntax = |name: &String| syntax_of(config, name).unwrap_or(config.syntax);
        names.map(|name| (name.clone(), syntax(&name))).collect()
    }

    /// The options of the command line, and those that variables and files add to it.
    pub(super) fn options(&mut self, budget: &Budget) -> Vec<Flag> {
        let mut found: Vec<Flag> = Vec::new();
        let add = |words: &[String], evidence: &Evidence, found: &mut Vec<Flag>| {
            for (name, args) in syntax::read_flags(words) {
                // `-javaagent:/x.jar=told`, `-Xloggc:/x`: a path behind the option's own name.
                let parted = name.split_once(":/").filter(|_| name.starts_with('-'));
                found.extend(parted.map(|(option, path)| Flag {
                    name: option.to_owned(),
                    args: vec![format!("/{path}")],
                    evidence: evidence.clone(),
                }));
                found.push(Flag {
                    name,
                    args,
                    evidence: evidence.clone(),
                });
            }
        };
        let command = self.command_evidence();
        add(&self.args, &command, &mut found);
        // What runs it, and what it runs, have settings of the process as a whole.
        for step in self
            .program
            .steps
            .iter()
            .filter(|step| step.args != self.args)
        {
            let words = step.args.iter().filter(|word| word.starts_with("-D"));
            let runtime = step.args.iter().filter(|word| word.starts_with("-X"));
            let words: Vec<String> = words.chain(runtime).cloned().collect();
            add(&words, &command, &mut found);
        }
        for name in &self.pack.file.options {
            let source = Source {
                environment: vec![name.clone()],
                ..Source::default()
            };
            for value in self.values(&source) {
                let text = substitute(&value.text, &self.names, budget);
                let words = crate::words::shell(&text);
                add(&words, &value.evidence, &mut found);
            }
        }
        let config = self.pack.file.config.iter();
        for pattern in config.flat_map(|config| &config.option_files) {
            let pattern = instance::fill(pattern, &self.variables);
            for path in dispatch::by_pattern(&self.facts.tree, &pattern) {
                self.files.push(path.clone());
                let document = self.facts.documents.get(&(path.clone(), Syntax::Flags));
                for setting in document.iter().flat_map(|document| &document.settings) {
                    found.push(Flag {
                        name: setting.key.clone(),
                        args: setting.args.clone(),
                        evidence: Evidence::line(&path, setting.line, &setting.key),
                    });
                }
            }
        }
        found.truncate(MOST_FLAGS);
        found
    }
}

/// Of those that are run, the one that the pack knows.
pub(super) fn recognised<'p>(pack: &Pack, program: &'p Program) -> Option<&'p Step> {
    let patterns = &pack.file.recognise.as_ref()?.executables;
    let mut steps = program.steps.iter();
    steps.find(|step| patterns.iter().any(|pattern| step.is(pattern)))
}

/// `{directory}`, where it is run, and `{root}`, where the product stands: above its program's `bin`.
pub(super) fn places(service: &Service, recognised: Option<&Step>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let directory = service.working_directory.clone();
    let directory = directory.unwrap_or_else(MachinePath::root);
    let text = directory.text().trim_end_matches('/').to_owned();
    found.insert("directory".to_owned(), text);
    let program = recognised.and_then(|step| step.names.first());
    let program = program.filter(|name| name.starts_with('/'));
    let beside = program.and_then(|name| MachinePath::new(name).parent());
    if let Some(beside) = beside {
        // `bin/linux-x86-64/start.sh` stands below the same.
        let mut above = std::iter::successors(Some(beside.clone()), MachinePath::parent);
        let bin = above.find(|path| matches!(&*path.name(), "bin" | "sbin"));
        let root = bin.and_then(|bin| bin.parent()).unwrap_or(beside);
        let text = root.text().trim_end_matches('/').to_owned();
        found.insert("root".to_owned(), text);
    }
    found
}
