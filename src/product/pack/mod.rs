//! Packs: products and rules as data. A new product is a pack and its cases, nothing else.
//!
//! `file.rs` is a pack as written, `compile.rs` checks it and says everything that is wrong at once, `evaluate.rs` asks
//! a machine's facts the pack's questions, `rules.rs` fires its rules. If a pack needs something new, the schema gets a
//! verb; no product is ever named in Rust.

mod case;
mod compile;
mod condition;
mod evaluate;
pub mod file;
mod instance;
mod main_file;
mod options;
mod place;
mod reach;
mod reading;
mod rules;
mod run;
mod settings;
pub mod source;
mod text;
mod when;

use super::Product;
use crate::detect::{Detector, Want};
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::rule::Concern;
use crate::service::{GeneratedUnit, Service};
use std::collections::BTreeMap;

pub use case::{Case, Expect};
pub use compile::{Pack, PackError};

// Name below `detectors/` and text of each.
include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// All packs in force, by id.
#[derive(Debug, Clone, Default)]
pub struct Packs {
    packs: BTreeMap<String, Pack>,
}

impl Packs {
    /// The packs compiled into the program.
    pub fn builtin() -> Result<Self, Vec<PackError>> {
        let mut packs = Self::default();
        let errors = PACKS
            .iter()
            .flat_map(|(name, text)| packs.add(name, text).err().unwrap_or_default());
        let errors: Vec<PackError> = errors.collect();
        if errors.is_empty() {
            packs.lend();
            Ok(packs)
        } else {
            Err(errors)
        }
    }

    /// Gives each pack what those that it borrows from lend.
    fn lend(&mut self) {
        let lenders = self.packs.clone();
        for pack in self.packs.values_mut() {
            pack.borrow_from(&lenders);
        }
    }

    /// Adds a pack; one of the same id is replaced. Every error of the text is reported.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), Vec<PackError>> {
        let mut pack = compile::compile(name, text)?;
        pack.borrow_from(&self.packs);
        self.packs.insert(pack.file.id.clone(), pack);
        Ok(())
    }

    pub fn get(&self, id: &str) -> Option<&Pack> {
        self.packs.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Pack> {
        self.packs.values()
    }

    /// The pack that knows this service best.
    pub fn of(&self, service: &Service, facts: &Facts) -> Option<&Pack> {
        let candidate = evaluate::Candidate::new(service, facts);
        let matching = self.packs.values().filter(|pack| candidate.is(pack));
        // The first by id of the highest rank: `max_by_key` would take the last.
        matching
            .rev()
            .max_by_key(|pack| pack.file.recognise.as_ref().map_or(0, |r| r.rank))
    }

    /// What a pack says of this service, with the machine's own configuration put in.
    pub fn recognise(&self, service: &Service, facts: &Facts) -> Option<Product> {
        self.of(service, facts)
            .map(|pack| evaluate::product(pack, service, facts))
    }

    /// The configuration that packs want read for these services.
    pub fn wants(&self, facts: &Facts, services: &[Service]) -> Vec<Want> {
        let mut wants: Vec<Want> = self.packs.values().flat_map(instance::wants).collect();
        for service in services.iter().filter(|service| service.enabled) {
            if let Some(pack) = self.of(service, facts) {
                wants.extend(reading::wants(pack, service, facts));
            }
        }
        wants
    }

    /// Installed packages behind commands that are wrappers or parts of a family: a client behind a common front end.
    pub fn tools(&self, commands: &[String], facts: &Facts) -> std::vec::IntoIter<String> {
        let matches = |patterns: &[String], name: &str| {
            patterns.iter().any(|p| crate::walk::glob::matches(p, name))
        };
        let tools = self.packs.values().flat_map(|pack| &pack.file.tool);
        let called = tools.filter(|tool| {
            commands
                .iter()
                .any(|command| matches(&tool.commands, command))
        });
        let patterns: Vec<String> = called
            .flat_map(|tool| tool.packages.iter().cloned())
            .collect();
        let installed = facts
            .packages
            .iter()
            .filter(|package| matches(&patterns, &package.name));
        installed
            .map(|package| package.name.clone())
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Directories whose files the jobs of a package renew.
    pub fn renewed(&self, package: &str) -> impl Iterator<Item = MachinePath> {
        let all = self.packs.values().flat_map(|pack| &pack.file.upkeep);
        let of_package = all.filter(move |upkeep| {
            let mut patterns = upkeep.packages.iter();
            patterns.any(|pattern| crate::walk::glob::matches(pattern, package))
        });
        of_package.flat_map(|upkeep| upkeep.directories.iter().map(MachinePath::new))
    }

    /// Packs whose tools are among the commands.
    pub fn called(&self, commands: &[String]) -> Vec<String> {
        let is_called = |pack: &&Pack| {
            let patterns = pack.file.tool.iter().flat_map(|tool| &tool.commands);
            let mut hits = patterns.filter(|pattern| {
                commands
                    .iter()
                    .any(|command| crate::walk::glob::matches(pattern, command))
            });
            hits.next().is_some()
        };
        let called = self.packs.values().filter(is_called);
        called.map(|pack| pack.file.id.clone()).collect()
    }

    /// Units that generators make at boot.
    pub fn generated_units(&self, facts: &Facts) -> Vec<GeneratedUnit> {
        self.packs
            .values()
            .flat_map(|pack| instance::units(pack, facts))
            .collect()
    }

    /// Concerns of rule packs, which are the machine's as a whole.
    pub fn concerns(&self, facts: &Facts, services: &[Service]) -> Vec<Concern> {
        let rules = self
            .packs
            .values()
            .filter(|pack| pack.file.recognise.is_none());
        rules
            .flat_map(|pack| rules::machine(pack, facts, services))
            .collect()
    }

    /// Detectors for the packs' text matchers.
    pub fn detectors(&self) -> Vec<Box<dyn Detector>> {
        let with_text = self.packs.values().filter_map(text::TextMatcher::new);
        with_text
            .map(|matcher| Box::new(matcher) as Box<dyn Detector>)
            .collect()
    }
}
