//! A service's configuration as its product reads it: main files by command line or convention, includes in their place,
//! what stands under a condition only where the condition holds.

use super::condition::Conditions;
use super::options::{places, recognised};
use super::settings::{Assigned, Configured, Placed};
use super::source::{Config, Last};
use super::substitute::{drop_unknown, substitute};
use super::{Pack, instance};
use crate::detect::native::Members;
use crate::detect::native::syntax::{self, Reading};
use crate::detect::{Want, dispatch};
use crate::fact::{Evidence, Facts, Include, Syntax};
use crate::path::MachinePath;
use crate::product::program_of;
use crate::service::Service;
use crate::walk::{Entry, glob};
use crate::words::budget::Budget;
use std::borrow::Cow;
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
        let program = program_of(service, facts);
        let recognised = recognised(pack, &program);
        let args = recognised.map_or_else(|| program.args.clone(), |step| step.args.clone());
        let mut variables = variables(pack, service);
        variables.extend(program.variables.iter().cloned());
        variables.extend(places(service, recognised));
        let mut made = Self {
            pack,
            service,
            facts,
            program,
            args,
            variables,
            main: Vec::new(),
            files: Vec::new(),
            settings: Vec::new(),
            names: BTreeMap::new(),
            assigned: Vec::new(),
            flags: Vec::new(),
            is_supposed: Cell::new(false),
            is_cut: Cell::new(false),
        };
        let budget = Budget::new(BYTES);
        let shell = pack.file.config.iter().flat_map(|config| &config.variables);
        let shell: Vec<&String> = shell.collect();
        made.names = made.substitutes(&shell, &budget);
        made.flags = made.options(&budget);
        if let Some(config) = &pack.file.config {
            made.read(config, budget);
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
                let values = self.flag(flag).into_iter();
                values.map(|(value, _)| value).collect()
            };
            let texts = values.iter().flat_map(|value| value.split(','));
            named.extend(texts.flat_map(|text| self.files_at(config, &base, text)));
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
        let more = config.additional.iter();
        let more = more.flat_map(|source| self.values(source));
        for value in more {
            let texts = value.text.split(',');
            let files = texts.flat_map(|text| self.files_at(config, &base, text));
            named.extend(files.filter(|file| syntax_of(config, file).is_some()));
        }
        named
    }

    /// The want for a main file; its includes start where the command line says, else beside it.
    fn want(&self, config: &Config, file: &str) -> Want {
        let syntax = syntax_of(config, file).unwrap_or(config.syntax);
        let mut flags = config.root.iter().flat_map(|root| &root.arguments);
        let root = flags.find_map(|flag| self.flag(flag).pop());
        let root = root.map(|(root, _)| root);
        match root {
            Some(root) => Reading {
                syntax,
                base: MachinePath::new(&root),
                context: String::new(),
            }
            .want(file),
            None => syntax::want(syntax, file),
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

    /// The file that a word names, or those that have to be in the directory that it names.
    fn files_at(&self, config: &Config, base: &MachinePath, text: &str) -> Vec<String> {
        let text = text.trim().trim_start_matches("optional:");
        let text = text.trim_start_matches("file:");
        if text.is_empty() || text.contains(['$', '*']) {
            return Vec::new();
        }
        let path = base.join(text);
        let tree = &self.facts.tree;
        let is_directory = text.ends_with('/') || tree.get(&path).is_some_and(Entry::is_dir);
        if !is_directory || config.names.is_empty() && config.inside.is_none() {
            return vec![path.text().into_owned()];
        }
        let names = config.inside.iter().chain(&config.names);
        let names = names.map(|name| instance::fill(name, &self.variables));
        let files = names.filter(|name| !name.contains('{'));
        files
            .map(|name| path.join(&name).text().into_owned())
            .collect()
    }

    pub(super) fn plain_argument(&self) -> Vec<String> {
        let config = self.pack.file.config.iter();
        let verbs: Vec<&String> = config.flat_map(|config| &config.verbs).collect();
        let is_plain = |arg: &&String| !arg.starts_with('-') && !verbs.contains(arg);
        let first = self.args.iter().find(is_plain);
        first.cloned().into_iter().collect()
    }

    /// Values of a flag, `-c file` and `-c key=value` alike: a flag written `-c key=` takes what follows the key.
    pub(super) fn flag(&self, wanted: &str) -> Vec<(String, Evidence)> {
        let (name, key) = wanted
            .split_once(' ')
            .map_or((wanted, None), |(name, key)| (name, Some(key)));
        let is_pattern = glob::is_pattern(name);
        let named = self.flags.iter().filter(|flag| {
            flag.name == name || (is_pattern && glob::matches_path(name, &flag.name))
        });
        let values = named.filter_map(|flag| Some((flag.args.first()?, &flag.evidence)));
        values
            .filter_map(|(value, evidence)| {
                let value = key.map_or(Some(value.as_str()), |key| value.strip_prefix(key))?;
                Some((value.to_owned(), evidence.clone()))
            })
            .collect()
    }

    fn read(&mut self, config: &Config, budget: Budget) {
        let argv = self
            .service
            .commands
            .start
            .first()
            .map(|command| &command.argv);
        let mut progress = Progress {
            syntax: config.syntax,
            names: std::mem::take(&mut self.names),
            seen: BTreeSet::new(),
            conditions: Conditions::new(argv.into_iter().flatten()),
            budget,
        };
        for archive in self.archives(config) {
            for (member, syntax) in self.members(config) {
                let path = Members::path(&archive, &member);
                progress.syntax = syntax;
                if self.facts.documents.contains_key(&(path.clone(), syntax)) {
                    self.include(&path, &mut progress, 0);
                }
            }
        }
        for pattern in self.main_patterns(config) {
            progress.syntax = syntax_of(config, &pattern).unwrap_or(config.syntax);
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
            let pattern = instance::fill(file, &self.variables);
            self.files
                .extend(dispatch::by_pattern(&self.facts.tree, &pattern));
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
            let config = self.pack.file.config.as_ref();
            let is_dotted = config.is_some_and(|config| config.dotted);
            let key = if is_dotted && setting.key.contains('/') {
                Cow::Owned(setting.key.replace('/', "."))
            } else {
                Cow::Borrowed(setting.key.as_str())
            };
            self.settings.push(Placed {
                path: path.clone(),
                key,
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
    fn substitutes(&mut self, files: &[&String], budget: &Budget) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, String> =
            self.service.environment.variables.iter().cloned().collect();
        found.extend(self.program.variables.iter().cloned());
        let patterns = files
            .iter()
            .map(|file| instance::fill(file, &self.variables));
        let patterns: Vec<String> = patterns.collect();
        let facts = self.facts;
        let paths = patterns.iter().filter(|pattern| !pattern.contains('{'));
        for path in paths.flat_map(|pattern| dispatch::by_pattern(&facts.tree, pattern)) {
            let document = facts.documents.get(&(path.clone(), Syntax::Environment));
            for setting in document.iter().flat_map(|document| &document.settings) {
                let value = substitute(
                    setting.args.first().map_or("", String::as_str),
                    &found,
                    budget,
                );
                // What is still unknown is empty to a shell: `$SUFFIX` of a single instance.
                let value = drop_unknown(&value);
                let text = format!("{}={}", setting.key, setting.args.join(" "));
                self.assigned.retain(|known| known.name != setting.key);
                self.assigned.push(Assigned {
                    name: setting.key.clone(),
                    value: value.clone(),
                    evidence: Evidence::line(&path, setting.line, &text),
                });
                found.insert(setting.key.clone(), value);
            }
        }
        found
    }
}

/// A file (or pattern) of a directory.
fn within(directory: &MachinePath, file: &str) -> String {
    format!("{}/{file}", directory.text().trim_end_matches('/'))
}

/// How a file of the configuration is written; `None` where neither its end nor its pack says so.
pub(super) fn syntax_of(config: &Config, path: &str) -> Option<Syntax> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (_, ending) = name.rsplit_once('.')?;
    config.endings.get(ending).copied()
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
    let members = configured.members(config);
    let archives = configured.archives(config).into_iter();
    let archives = archives.filter(|_| !members.is_empty());
    wants.extend(archives.map(|archive| Members::want(&archive, &members)));
    let shell = config
        .variables
        .iter()
        .map(|file| (Syntax::Environment, file));
    let words = config.option_files.iter().map(|file| (Syntax::Flags, file));
    for (syntax, file) in shell.chain(words) {
        let pattern = instance::fill(file, &configured.variables);
        // A variable that is not set names no file.
        if !pattern.contains('{') {
            wants.push(syntax::want(syntax, &pattern));
        }
    }
    // Includes whose pattern holds a variable are asked for again with it put in.
    let budget = Budget::new(BYTES);
    let names = &configured.names;
    for path in &configured.files {
        let syntax = syntax_of(config, &path.text()).unwrap_or(config.syntax);
        let document = facts.documents.get(&(path.clone(), syntax));
        for include in document.iter().flat_map(|document| &document.includes) {
            if include.pattern.contains('$') {
                wants.push(syntax::want(
                    syntax,
                    &substitute(&include.pattern, names, &budget),
                ));
            }
        }
    }
    wants
}
