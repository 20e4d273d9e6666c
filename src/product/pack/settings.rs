//! A service's configuration as a pack asks about it: the values its sources give, from command line to default.
//! `reading.rs` puts the configuration together.

use super::source::Source;
use super::{Pack, instance};
use crate::fact::{Evidence, Facts, Setting};
use crate::path::MachinePath;
use crate::program::Program;
use crate::service::Service;
use crate::walk::glob;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Values of one source; addresses and ports are joined each with each.
const MOST_VALUES: usize = 4_096;

/// One setting, the file it stands in, and its arguments with variables put in.
#[derive(Debug, Clone)]
pub struct Placed<'a> {
    pub path: MachinePath,
    /// As the product calls it.
    pub key: Cow<'a, str>,
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

/// A word of the command line that is an option, and where it stands.
#[derive(Debug, Clone)]
pub struct Flag {
    pub name: String,
    pub args: Vec<String>,
    pub evidence: Evidence,
}

/// A variable that a shell file of the configuration sets.
#[derive(Debug, Clone)]
pub struct Assigned {
    pub name: String,
    pub value: String,
    pub evidence: Evidence,
}

/// Everything a pack may ask about one service.
pub struct Configured<'a> {
    pub pack: &'a Pack,
    pub service: &'a Service,
    pub facts: &'a Facts,
    pub program: Program,
    /// Arguments of the program that was recognised.
    pub args: Vec<String>,
    /// `{instance}`, `{name}`, stars, and the service's environment.
    pub variables: BTreeMap<String, String>,
    pub main: Vec<MachinePath>,
    /// All files read, in the order of inclusion.
    pub files: Vec<MachinePath>,
    pub settings: Vec<Placed<'a>>,
    /// Variables that the configuration's own files define.
    pub names: BTreeMap<String, String>,
    /// What its shell files set, the last of each name.
    pub assigned: Vec<Assigned>,
    pub(super) flags: Vec<Flag>,
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
                    let evidence = self.command_evidence();
                    let plain = self.plain_argument().into_iter();
                    plain.map(|text| (text, evidence.clone())).collect()
                } else {
                    self.flag(flag)
                };
                values
                    .into_iter()
                    .map(|(text, evidence)| self.value(text, flag, evidence))
            })
            .collect();
        if !from_flags.is_empty() {
            return from_flags;
        }
        if let Some(value) = self.variable(&source.overrides) {
            return vec![value];
        }
        let from_settings = self.set_values(source);
        if !from_settings.is_empty() {
            return from_settings;
        }
        if let Some(value) = self.variable(&source.environment) {
            return vec![value];
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

    /// The first of these variables that is set: what a start script reads stands over what it was started with.
    fn variable(&self, names: &[String]) -> Option<Value> {
        names.iter().find_map(|name| {
            let assigned = self.assigned.iter().find(|assigned| assigned.name == *name);
            if let Some(assigned) = assigned {
                return Some(self.value(assigned.value.clone(), name, assigned.evidence.clone()));
            }
            let own = self.program.variables.iter().rev();
            let mut all = own.chain(&self.service.environment.variables);
            let (_, value) = all.find(|(known, _)| known == name)?;
            let set_by = self.service.environment.set_by.get(name);
            let evidence = set_by.unwrap_or(&self.service.evidence);
            Some(self.value(value.clone(), name, evidence.clone()))
        })
    }

    pub(super) fn command_evidence(&self) -> Evidence {
        let command = self.service.commands.start.first();
        command.map_or_else(
            || self.service.evidence.clone(),
            |command| command.evidence.clone(),
        )
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
                .any(|pattern| key_matches(pattern, &placed.key))
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
            let key = placed.key.rsplit('/').next().unwrap_or_default();
            let evidence = Evidence::line(
                &placed.path,
                placed.setting.line,
                &format!("{key} {}", placed.setting.args.join(" ")),
            );
            let named = [key.to_owned()];
            let args = if source.key {
                &named[..]
            } else if let Some(value) = &source.value {
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
