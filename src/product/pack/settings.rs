//! A service's configuration as a pack asks about it: the values its sources give, from command line to default.
//! `reading.rs` puts the configuration together.

use super::source::Source;
use super::{Pack, instance};
use crate::fact::{Evidence, Facts, Setting};
use crate::path::MachinePath;
use crate::program::Program;
use crate::service::Service;
use crate::walk::glob;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Values of one source; addresses and ports are joined each with each.
const MOST_VALUES: usize = 4_096;

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
    /// Variables that the configuration's own files define.
    pub names: BTreeMap<String, String>,
    pub(super) flags: Vec<(String, Vec<String>)>,
    /// A default was taken though the configuration was not read.
    pub(super) is_supposed: Cell<bool>,
    /// There was more of it than the limit.
    pub is_cut: Cell<bool>,
}

impl Configured<'_> {
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
                    .commands
                    .start
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
                .variables
                .iter()
                .find(|(known, _)| known == name)
            {
                return vec![self.value(value.clone(), name, self.service.evidence.clone())];
            }
        }
        if source.default.is_some() && self.is_unread() {
            self.is_supposed.set(true);
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
        let mut found: Vec<Value> = Vec::new();
        for placed in matching {
            let key = placed.setting.key.rsplit('/').next().unwrap_or_default();
            let evidence = Evidence::line(
                &placed.path,
                placed.setting.line,
                &format!("{key} {}", placed.setting.args.join(" ")),
            );
            let args = if let Some(value) = &source.value {
                std::slice::from_ref(value)
            } else if let Some(word) = &source.after {
                let at = placed.args.iter().position(|arg| arg == word);
                at.and_then(|at| placed.args.get(at + 1..at + 2))
                    .unwrap_or_default()
            } else if source.each {
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
            if !source.all {
                found.clear();
            }
            found.extend(args.iter().map(value));
            if found.len() > MOST_VALUES {
                self.is_cut.set(true);
                found.truncate(MOST_VALUES);
                break;
            }
        }
        found
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        assert!(
            key_matches("**/bind-address", "mysqld/bind_address")
                && key_matches("**/listen", "http/server/listen")
        );
        assert!(key_matches("Listen", "listen") && !key_matches("listen", "http/listen"));
    }
}
