//! A service's configuration as its product reads it: main files by command line or convention, includes in their place,
//! what stands under a condition only where the condition holds.

use super::condition::Conditions;
use super::settings::{Configured, Placed};
use super::source::{Config, Last};
use super::substitute::{drop_unknown, substitute};
use super::{Pack, instance};
use crate::detect::native::syntax::{self, Reading};
use crate::detect::{Want, dispatch};
use crate::fact::{Facts, Include, Syntax};
use crate::path::MachinePath;
use crate::program;
use crate::service::Service;
use crate::walk::Entry;
use crate::words::budget::Budget;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Includes nested deeper are a circle.
const DEPTH: u8 = 24;

/// Where the reading is: what was read, what is known by now.
struct Progress {
    syntax: Syntax,
    names: BTreeMap<String, String>,
    seen: BTreeSet<MachinePath>,
    conditions: Conditions,
    budget: Budget,
}

/// What a service's configuration may become, all its files together.
const BYTES: usize = 16 << 20;

/// What it costs to compare a pattern with a name.
const A_NAME: usize = 8;

impl<'a> Configured<'a> {
    pub fn new(pack: &'a Pack, service: &'a Service, facts: &'a Facts) -> Self {
        let argv = service
            .commands
            .start
            .first()
            .map(|command| command.argv.clone())
            .unwrap_or_default();
        let program = program::of(&argv, facts);
        let variables = variables(pack, service);
        let flags = syntax::read_flags(&program.args);
        let mut made = Self {
            pack,
            service,
            facts,
            program,
            variables,
            main: Vec::new(),
            files: Vec::new(),
            settings: Vec::new(),
            names: BTreeMap::new(),
            flags,
            is_supposed: Cell::new(false),
            is_cut: Cell::new(false),
        };
        if let Some(config) = &pack.file.config {
            made.read(config);
        }
        made
    }

    /// Patterns of the main files: what the command line names, else the pack's own.
    pub fn main_patterns(&self, config: &Config) -> Vec<String> {
        let base = self.base();
        let mut named: Vec<String> = Vec::new();
        for flag in &config.arguments {
            let values = if flag == "0" {
                self.plain_argument()
            } else {
                self.flag(flag)
            };
            named.extend(values.into_iter().map(|value| {
                let path = base.join(value.trim_start_matches("file:"));
                self.file_of(config, &path)
            }));
        }
        if let (true, Some(home), Some(file)) = (named.is_empty(), &config.home, &config.inside) {
            let homes = self.values(home).into_iter();
            named.extend(homes.map(|home| within(&base.join(&home.text), file)));
        }
        if named.is_empty() {
            named = config
                .files
                .iter()
                .map(|file| instance::fill(file, &self.variables))
                .collect();
            // A variable that is not set names no file.
            named.retain(|file| !file.contains('{'));
        }
        named
    }

    /// The want for a main file; its includes start where the command line says, else beside it.
    fn want(&self, config: &Config, file: &str) -> Want {
        let mut flags = config.root.iter().flat_map(|root| &root.arguments);
        let root = flags.find_map(|flag| self.flag(flag).pop());
        match root {
            Some(root) => Reading {
                syntax: config.syntax,
                base: MachinePath::new(&root),
                context: String::new(),
            }
            .want(file),
            None => syntax::want(config.syntax, file),
        }
    }

    /// Where relative paths start: where the product says so, else at the working directory.
    pub(super) fn base(&self) -> MachinePath {
        let config = self.pack.file.config.as_ref();
        let root = config.and_then(|config| config.root.as_ref());
        let root = root.and_then(|root| self.values(root).pop());
        let root = root.map(|root| MachinePath::new(root.text.trim_matches('"')));
        let working = || self.service.working_directory.clone();
        root.or_else(working).unwrap_or_else(MachinePath::root)
    }

    pub(super) fn has_root(&self) -> bool {
        let config = self.pack.file.config.as_ref();
        let root = config.and_then(|config| config.root.as_ref());
        root.is_some_and(|root| !self.values(root).is_empty())
    }

    /// The file that a flag names, or what is read of the directory that it names.
    fn file_of(&self, config: &Config, path: &MachinePath) -> String {
        let is_dir = self.facts.tree.get(path).is_some_and(Entry::is_dir);
        match &config.inside {
            Some(inside) if is_dir => within(path, inside),
            _ => path.text().into_owned(),
        }
    }

    /// Its configuration is named and not there, or where it is could not be told: what is known are defaults.
    pub(super) fn is_unread(&self) -> bool {
        let Some(config) = &self.pack.file.config else {
            return false;
        };
        if !self.main.is_empty() {
            return false;
        }
        let patterns = self.main_patterns(config);
        let mut usual = config.files.iter();
        let is_usual =
            |pattern: &String| usual.any(|file| instance::fill(file, &self.variables) == *pattern);
        // A product that has no file where it usually is, or that needs none, runs with its defaults.
        let needs_none = patterns.is_empty() && config.files.is_empty();
        !(needs_none || patterns.iter().any(is_usual))
    }

    /// The configuration that was not found, for a sentence.
    pub(super) fn unread(&self) -> String {
        let config = self.pack.file.config.iter();
        let patterns: Vec<String> = config
            .flat_map(|config| self.main_patterns(config))
            .collect();
        match patterns.first() {
            Some(file) => format!("its configuration {file} was not found"),
            None => "where its configuration is could not be told".to_owned(),
        }
    }

    pub(super) fn plain_argument(&self) -> Vec<String> {
        let first = self.program.args.iter().find(|arg| !arg.starts_with('-'));
        first.cloned().into_iter().collect()
    }

    /// Values of a flag, `-c file` and `-c key=value` alike: a flag written `-c key=` takes what follows the key.
    pub(super) fn flag(&self, wanted: &str) -> Vec<String> {
        let (name, key) = wanted
            .split_once(' ')
            .map_or((wanted, None), |(name, key)| (name, Some(key)));
        let values = self
            .flags
            .iter()
            .filter(|(flag, _)| flag == name)
            .filter_map(|(_, args)| args.first());
        values
            .filter_map(|value| key.map_or(Some(value.as_str()), |key| value.strip_prefix(key)))
            .map(str::to_owned)
            .collect()
    }

    fn read(&mut self, config: &Config) {
        let argv = self
            .service
            .commands
            .start
            .first()
            .map(|command| &command.argv);
        let budget = Budget::new(BYTES);
        let mut progress = Progress {
            syntax: config.syntax,
            names: self.substitutes(config, &budget),
            seen: BTreeSet::new(),
            conditions: Conditions::new(argv.into_iter().flatten()),
            budget,
        };
        for pattern in self.main_patterns(config) {
            for path in dispatch::by_pattern(&self.facts.tree, &pattern) {
                self.main.push(path.clone());
                self.include(&path, &mut progress, 0);
            }
        }
        if let Some(last) = &config.last {
            for file in self.last_files(last) {
                let path = MachinePath::new(&file);
                if self.facts.tree.exists(&path) {
                    self.include(&path, &mut progress, 0);
                }
            }
        }
        self.names = progress.names;
        self.is_cut.set(progress.budget.is_spent());
        for file in &config.variables {
            let path = MachinePath::new(instance::fill(file, &self.variables));
            if self.facts.tree.exists(&path) {
                self.files.push(path);
            }
        }
    }

    /// The files that are read after all others.
    fn last_files(&self, last: &Last) -> Vec<String> {
        let base = self.base();
        let below = self.values(&last.below).into_iter();
        below
            .map(|directory| within(&base.join(&directory.text), &last.file))
            .collect()
    }

    /// Settings of a file with its includes in their place; each file once.
    fn include(&mut self, path: &MachinePath, progress: &mut Progress, depth: u8) {
        if depth > DEPTH || !progress.seen.insert(path.clone()) {
            return;
        }
        self.files.push(path.clone());
        let facts = self.facts;
        let Some(document) = facts.documents.get(&(path.clone(), progress.syntax)) else {
            return;
        };
        let mut includes = document.includes.iter().peekable();
        for setting in &document.settings {
            while let Some(include) = includes.next_if(|include| include.line < setting.line) {
                self.include_all(include, progress, depth);
            }
            if !progress.conditions.hold(&setting.conditions, &facts.tree) {
                continue;
            }
            let length = setting.args.iter().map(String::len).sum();
            if !progress.budget.take(length) {
                return;
            }
            let args: Vec<String> = setting
                .args
                .iter()
                .map(|arg| substitute(arg, &progress.names, &progress.budget))
                .collect();
            if let Some((name, value)) = progress.conditions.learn(&setting.key, &args) {
                progress.names.insert(name, value);
            }
            self.settings.push(Placed {
                path: path.clone(),
                setting,
                args,
            });
        }
        for include in includes {
            self.include_all(include, progress, depth);
        }
    }

    fn include_all(&mut self, include: &Include, progress: &mut Progress, depth: u8) {
        if !progress
            .conditions
            .hold(&include.conditions, &self.facts.tree)
        {
            return;
        }
        let pattern = substitute(&include.pattern, &progress.names, &progress.budget);
        let names = dispatch::compared(&self.facts.tree, &pattern);
        if !progress.budget.take(names.saturating_mul(A_NAME)) {
            return;
        }
        for path in dispatch::by_pattern(&self.facts.tree, &pattern) {
            self.include(&path, progress, depth + 1);
        }
    }

    /// Variables of shell files that the configuration uses as `${NAME}`.
    fn substitutes(&self, config: &Config, budget: &Budget) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, String> =
            self.service.environment.variables.iter().cloned().collect();
        for file in &config.variables {
            let key = (
                MachinePath::new(instance::fill(file, &self.variables)),
                Syntax::Environment,
            );
            let settings = self
                .facts
                .documents
                .get(&key)
                .map(|document| document.settings.as_slice())
                .unwrap_or_default();
            for setting in settings {
                let value = substitute(
                    setting.args.first().map_or("", String::as_str),
                    &found,
                    budget,
                );
                // What is still unknown is empty to a shell: `$SUFFIX` of a single instance.
                found.insert(setting.key.clone(), drop_unknown(&value));
            }
        }
        found
    }
}

/// A file (or pattern) of a directory.
fn within(directory: &MachinePath, file: &str) -> String {
    format!("{}/{file}", directory.text().trim_end_matches('/'))
}

fn variables(pack: &Pack, service: &Service) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> =
        service.environment.variables.iter().cloned().collect();
    let stem = service
        .name
        .rsplit_once('.')
        .map_or(service.name.as_str(), |(stem, _)| stem);
    let (name, instance) = stem.split_once('@').unwrap_or((stem, ""));
    found.insert("name".into(), name.to_owned());
    found.insert("instance".into(), instance.to_owned());
    let instances = pack.file.instances.iter().map(|instances| &instances.unit);
    let recognise = pack.file.recognise.iter();
    let named = recognise.flat_map(|recognise| &recognise.variables);
    for pattern in instances.chain(named) {
        found.extend(instance::of_name(pattern, &service.name).unwrap_or_default());
    }
    found
}

/// The files that have to be read before the pack can be evaluated.
pub(super) fn wants(pack: &Pack, service: &Service, facts: &Facts) -> Vec<Want> {
    let Some(config) = &pack.file.config else {
        return Vec::new();
    };
    let configured = Configured::new(pack, service, facts);
    let mut wants: Vec<Want> = configured
        .main_patterns(config)
        .iter()
        .map(|file| configured.want(config, file))
        .collect();
    if let Some(last) = &config.last {
        let files = configured.last_files(last);
        wants.extend(files.iter().map(|file| syntax::want(config.syntax, file)));
    }
    for file in &config.variables {
        wants.push(syntax::want(
            Syntax::Environment,
            &instance::fill(file, &configured.variables),
        ));
    }
    // Includes whose pattern holds a variable are asked for again with it put in.
    let budget = Budget::new(BYTES);
    let names = configured.substitutes(config, &budget);
    for path in &configured.files {
        let document = facts.documents.get(&(path.clone(), config.syntax));
        for include in document.iter().flat_map(|document| &document.includes) {
            if include.pattern.contains('$') {
                wants.push(syntax::want(
                    config.syntax,
                    &substitute(&include.pattern, &names, &budget),
                ));
            }
        }
    }
    wants
}
