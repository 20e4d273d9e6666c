//! A service's configuration as its product reads it: main files by command line or convention, includes in their place,
//! and the values a pack asks for.

use super::file::{Config, Source};
use super::program::{self, Program};
use super::{Pack, instance};
use crate::detect::Want;
use crate::detect::native::syntax;
use crate::fact::{Evidence, Facts, Setting, Syntax};
use crate::path::MachinePath;
use crate::walk::glob;
use crate::workload::service::Service;
use std::collections::{BTreeMap, BTreeSet};

/// One setting, the file it stands in, and its arguments with variables put in.
#[derive(Debug, Clone)]
pub struct Placed<'a> {
    pub path: MachinePath,
    pub setting: &'a Setting,
    pub args: Vec<String>,
}

/// A value that a source gave, with where it stands.
#[derive(Debug, Clone)]
pub struct Value {
    pub text: String,
    /// The key, flag or variable.
    pub via: String,
    pub evidence: Evidence,
    /// Which instance of the enclosing block, in which file.
    pub block: (MachinePath, u32),
}

/// Everything a pack may ask about one service.
pub struct Configured<'a> {
    pub pack: &'a Pack,
    pub service: &'a Service,
    pub facts: &'a Facts,
    pub program: Program,
    /// `{instance}`, `{name}`, stars, and the service's environment.
    pub variables: BTreeMap<String, String>,
    pub main: Vec<MachinePath>,
    /// All files read, in the order of inclusion.
    pub files: Vec<MachinePath>,
    pub settings: Vec<Placed<'a>>,
    flags: Vec<(String, Vec<String>)>,
}

impl<'a> Configured<'a> {
    pub fn new(pack: &'a Pack, service: &'a Service, facts: &'a Facts) -> Self {
        let argv = service
            .exec
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
            flags,
        };
        if let Some(config) = &pack.file.config {
            made.read(config);
        }
        made
    }

    /// Patterns of the main files: what the command line names, else the pack's own.
    pub fn main_patterns(&self, config: &Config) -> Vec<String> {
        let base = self
            .service
            .working_directory
            .clone()
            .unwrap_or_else(MachinePath::root);
        let mut named: Vec<String> = Vec::new();
        for flag in &config.arguments {
            let values = if flag == "0" {
                self.plain_argument()
            } else {
                self.flag(flag)
            };
            named.extend(values.into_iter().map(|value| {
                base.join(value.trim_start_matches("file:"))
                    .text()
                    .into_owned()
            }));
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

    fn plain_argument(&self) -> Vec<String> {
        let first = self.program.args.iter().find(|arg| !arg.starts_with('-'));
        first.cloned().into_iter().collect()
    }

    /// Values of a flag, `-c file` and `-c key=value` alike: a flag written `-c key=` takes what follows the key.
    fn flag(&self, wanted: &str) -> Vec<String> {
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
        let names = self.substitutes(config);
        let mut seen = BTreeSet::new();
        for pattern in self.main_patterns(config) {
            for path in crate::detect::dispatch::by_pattern(&self.facts.tree, &pattern) {
                self.main.push(path.clone());
                self.include(&path, config.syntax, &names, &mut seen, 0);
            }
        }
        if config.syntax == Syntax::Apache {
            let loads = self
                .settings
                .iter()
                .filter(|placed| key_matches("**/LoadModule", &placed.setting.key));
            let loaded: Vec<String> = loads
                .filter_map(|placed| placed.args.first().cloned())
                .collect();
            self.settings
                .retain(|placed| syntax::apache::holds(&placed.setting.key, &loaded));
        }
        for file in &config.variables {
            let path = MachinePath::new(instance::fill(file, &self.variables));
            if self.facts.tree.exists(&path) {
                self.files.push(path);
            }
        }
    }

    /// Settings of a file with its includes in their place; each file once.
    fn include(
        &mut self,
        path: &MachinePath,
        syntax: Syntax,
        names: &BTreeMap<String, String>,
        seen: &mut BTreeSet<MachinePath>,
        depth: u8,
    ) {
        if depth > 24 || !seen.insert(path.clone()) {
            return;
        }
        self.files.push(path.clone());
        let facts = self.facts;
        let Some(document) = facts.documents.get(&(path.clone(), syntax)) else {
            return;
        };
        let mut includes = document.includes.iter().peekable();
        for setting in &document.settings {
            while let Some(include) = includes.next_if(|include| include.line < setting.line) {
                self.include_all(&include.pattern, syntax, names, seen, depth);
            }
            let args = setting
                .args
                .iter()
                .map(|arg| substitute(arg, names))
                .collect();
            self.settings.push(Placed {
                path: path.clone(),
                setting,
                args,
            });
        }
        for include in includes {
            self.include_all(&include.pattern, syntax, names, seen, depth);
        }
    }

    fn include_all(
        &mut self,
        pattern: &str,
        syntax: Syntax,
        names: &BTreeMap<String, String>,
        seen: &mut BTreeSet<MachinePath>,
        depth: u8,
    ) {
        for path in
            crate::detect::dispatch::by_pattern(&self.facts.tree, &substitute(pattern, names))
        {
            self.include(&path, syntax, names, seen, depth + 1);
        }
    }

    /// Variables of shell files that the configuration uses as `${NAME}`.
    fn substitutes(&self, config: &Config) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, String> =
            self.service.environment.iter().cloned().collect();
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
                let value = substitute(setting.args.first().map_or("", String::as_str), &found);
                // What is still unknown is empty to a shell: `$SUFFIX` of a single instance.
                found.insert(setting.key.clone(), drop_unknown(&value));
            }
        }
        found
    }

    /// What a source gives: arguments before settings before variables before the default.
    pub fn values(&self, source: &Source) -> Vec<Value> {
        let from_flags: Vec<Value> = source
            .arguments
            .iter()
            .flat_map(|flag| {
                let values = if flag == "0" {
                    self.plain_argument()
                } else {
                    self.flag(flag)
                };
                let evidence = self
                    .service
                    .exec
                    .first()
                    .map_or(&self.service.evidence, |command| &command.evidence);
                values
                    .into_iter()
                    .map(|text| self.value(text, flag, evidence.clone()))
            })
            .collect();
        if !from_flags.is_empty() {
            return from_flags;
        }
        let from_settings = self.set_values(source);
        if !from_settings.is_empty() {
            return from_settings;
        }
        for name in &source.environment {
            if let Some((_, value)) = self
                .service
                .environment
                .iter()
                .find(|(known, _)| known == name)
            {
                return vec![self.value(value.clone(), name, self.service.evidence.clone())];
            }
        }
        let default = source
            .default
            .iter()
            .map(|text| instance::fill(text, &self.variables));
        default
            .filter(|text| !text.contains('{'))
            .map(|text| self.value(text, "default", self.default_evidence()))
            .collect()
    }

    fn value(&self, text: String, via: &str, evidence: Evidence) -> Value {
        Value {
            text,
            via: via.to_owned(),
            evidence,
            block: (self.service.evidence.path.clone(), 0),
        }
    }

    /// A default is in force because the main configuration, or else the unit, does not say otherwise.
    fn default_evidence(&self) -> Evidence {
        self.main.first().map_or_else(
            || self.service.evidence.clone(),
            |path| Evidence::file(path).with_excerpt("the default, nothing else is set"),
        )
    }

    fn set_values(&self, source: &Source) -> Vec<Value> {
        let matching = self.settings.iter().filter(|placed| {
            source
                .keys
                .iter()
                .any(|pattern| key_matches(pattern, &placed.setting.key))
                && source
                    .having
                    .as_ref()
                    .is_none_or(|p| placed.args.iter().any(|arg| glob::matches(p, arg)))
                && source
                    .without
                    .as_ref()
                    .is_none_or(|p| !placed.args.iter().any(|arg| glob::matches(p, arg)))
        });
        let mut found: Vec<Vec<Value>> = Vec::new();
        for placed in matching {
            let key = placed.setting.key.rsplit('/').next().unwrap_or_default();
            let evidence = Evidence::line(
                &placed.path,
                placed.setting.line,
                &format!("{key} {}", placed.setting.args.join(" ")),
            );
            let args = if source.each {
                placed.args.as_slice()
            } else {
                placed
                    .args
                    .get(source.index..=source.index)
                    .unwrap_or_default()
            };
            let value = |text: &String| Value {
                text: text.clone(),
                via: key.to_owned(),
                evidence: evidence.clone(),
                block: (placed.path.clone(), placed.setting.block),
            };
            found.push(args.iter().map(value).collect());
        }
        if source.all {
            found.into_iter().flatten().collect()
        } else {
            found.pop().unwrap_or_default()
        }
    }
}

fn variables(pack: &Pack, service: &Service) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = service.environment.iter().cloned().collect();
    let stem = service
        .name
        .rsplit_once('.')
        .map_or(service.name.as_str(), |(stem, _)| stem);
    let (name, instance) = stem.split_once('@').unwrap_or((stem, ""));
    found.insert("name".into(), name.to_owned());
    found.insert("instance".into(), instance.to_owned());
    for instances in &pack.file.instances {
        found.extend(instance::of_name(&instances.unit, &service.name).unwrap_or_default());
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
        .map(|file| syntax::want(config.syntax, file))
        .collect();
    for file in &config.variables {
        wants.push(syntax::want(
            Syntax::Environment,
            &instance::fill(file, &configured.variables),
        ));
    }
    // Includes whose pattern holds a variable are asked for again with it put in.
    let names = configured.substitutes(config);
    for path in &configured.files {
        let document = facts.documents.get(&(path.clone(), config.syntax));
        for include in document.iter().flat_map(|document| &document.includes) {
            if include.pattern.contains('$') {
                wants.push(syntax::want(
                    config.syntax,
                    &substitute(&include.pattern, &names),
                ));
            }
        }
    }
    wants
}

/// Keys are compared with `-` and `_` alike, and without regard to case: products differ in both.
/// A flag is what it is: `-p` is not `-P`.
pub fn key_matches(pattern: &str, key: &str) -> bool {
    if pattern.starts_with('-') {
        return pattern == key;
    }
    let fold = |text: &str| text.replace('-', "_").to_ascii_lowercase();
    glob::matches_path(&fold(pattern), &fold(key))
}

/// `${NAME}` and `$NAME` replaced where the name is known.
fn substitute(text: &str, names: &BTreeMap<String, String>) -> String {
    if !text.contains('$') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('$') {
        out.push_str(head);
        let braced = tail
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'));
        let (name, after, written) = braced.map_or_else(
            || {
                let end = tail
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(tail.len());
                let (name, after) = tail.split_at_checked(end).unwrap_or((tail, ""));
                (name, after, format!("${name}"))
            },
            |(name, after)| (name, after, format!("${{{name}}}")),
        );
        match names.get(name) {
            Some(value) => out.push_str(value),
            None => out.push_str(&written),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn drop_unknown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('$') {
        out.push_str(head);
        let tail = tail
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}').map(|(_, after)| after))
            .unwrap_or_else(|| {
                tail.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
            });
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_variables() {
        assert!(
            key_matches("**/bind-address", "mysqld/bind_address")
                && key_matches("**/listen", "http/server/listen")
        );
        assert!(key_matches("Listen", "listen") && !key_matches("listen", "http/listen"));
        let names = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        assert_eq!(substitute("x${A}y$A/$B", &names), "x1y1/$B");
        assert_eq!(drop_unknown("/var/log/a$SUFFIX/b${X}"), "/var/log/a/b");
    }
}
