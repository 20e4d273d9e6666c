//! Which files a service's configuration begins with: what the command line names, else what the pack says.

use super::instance;
use super::settings::Configured;
use super::source::Config;
use crate::detect::Want;
use crate::detect::native::syntax::{self, Reading};
use crate::fact::Syntax;
use crate::path::MachinePath;
use crate::walk::Entry;

impl Configured<'_> {
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
    pub(super) fn want(&self, config: &Config, file: &str) -> Want {
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
}

/// A file (or pattern) of a directory.
pub(super) fn within(directory: &MachinePath, file: &str) -> String {
    format!("{}/{file}", directory.text().trim_end_matches('/'))
}

/// How a file of the configuration is written; `None` where neither its end nor its pack says so.
pub(super) fn syntax_of(config: &Config, path: &str) -> Option<Syntax> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(syntax) = config.endings.get(name) {
        return Some(*syntax);
    }
    let (_, ending) = name.rsplit_once('.')?;
    config.endings.get(ending).copied()
}
