//! A service's configuration as its product reads it: main files by command line or convention, includes in their place,
//! what stands under a condition only where the condition holds.

use super::condition::Conditions;
use super::main_file::{syntax_of, within};
use super::options::{places, recognised};
use super::settings::{Assigned, Configured, Placed};
use super::source::{Config, Last};
use super::{Pack, instance};
use crate::detect::native::Members;
use crate::detect::native::syntax;
use crate::detect::{Want, dispatch};
use crate::fact::profile::Active;
use crate::fact::{Evidence, Facts, Include, Syntax};
use crate::path::MachinePath;
use crate::product::program_of;
use crate::service::Service;
use crate::walk::glob;
use crate::words::budget::Budget;
use crate::words::expand::{drop_unknown, substitute};
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
            conditions: Conditions::new(argv.into_iter().flatten(), active(self.service)),
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

/// The profiles of an application that are on when it is started.
fn active(service: &Service) -> Active {
    let commands = service.commands.start.iter().take(1);
    let argv = commands.flat_map(|command| &command.argv);
    let variables = service.environment.variables.iter();
    Active::new(argv, variables.map(|(name, value)| (name, value)))
}

fn variables(pack: &Pack, service: &Service) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> =
        service.environment.variables.iter().cloned().collect();
    // What the command line says is as if the variable did.
    if let Some(profile) = active(service).only() {
        for name in Active::variables() {
            found
                .entry(name.to_owned())
                .or_insert_with(|| profile.to_owned());
        }
    }
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
