//! From a pack as written to a pack that can be trusted: everything wrong with it is said at once, with file and line.

use super::file::{PackFile, When};
use super::source::Source;
use crate::rule::catalogue;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// A pack whose patterns compile and whose references hold.
#[derive(Debug, Clone)]
pub struct Pack {
    pub file: PackFile,
    /// Regular expressions by their text.
    regexes: BTreeMap<String, Regex>,
    /// Packs from which it has borrowed by now.
    borrowed: BTreeSet<String>,
}

impl Pack {
    /// Takes over what the packs that it borrows from lend; what it has already it does not take again.
    pub(super) fn borrow_from(&mut self, lenders: &BTreeMap<String, Self>) {
        let wanted = self.file.borrows.iter();
        let wanted = wanted.filter(|id| !self.borrowed.contains(*id));
        let found: Vec<&Self> = wanted.filter_map(|id| lenders.get(id)).collect();
        for lender in found {
            let (from, to) = (&lender.file, &mut self.file);
            to.listen
                .extend(from.listen.iter().filter(|part| part.lent).cloned());
            to.connect
                .extend(from.connect.iter().filter(|part| part.lent).cloned());
            to.data
                .extend(from.data.iter().filter(|part| part.lent).cloned());
            to.log
                .extend(from.log.iter().filter(|part| part.lent).cloned());
            to.claim
                .extend(from.claim.iter().filter(|part| part.lent).cloned());
            // Text matchers are numbered, and stay where they were written.
            to.concern
                .extend(from.concern.iter().filter(|part| part.lent).cloned());
            let new = from
                .options
                .iter()
                .filter(|name| !to.options.contains(name));
            let new: Vec<String> = new.cloned().collect();
            to.options.extend(new);
            self.borrowed.insert(from.id.clone());
        }
    }

    /// An expression of this pack, compiled.
    pub fn regex(&self, expression: &str) -> Option<&Regex> {
        self.regexes.get(expression)
    }

    /// Whether `text` matches an expression of this pack.
    pub fn is_match(&self, expression: &str, text: &str) -> bool {
        self.regexes
            .get(expression)
            .is_some_and(|regex| regex.is_match(text))
    }
}

/// One thing wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}", if *line == 0 { String::new() } else { format!(":{line}") })]
pub struct PackError {
    pub file: String,
    /// From 1; 0 where it is about the file as a whole.
    pub line: usize,
    pub what: String,
}

pub fn compile(name: &str, text: &str) -> Result<Pack, Vec<PackError>> {
    let file: PackFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        vec![PackError {
            file: name.to_owned(),
            line,
            what: error.message().to_owned(),
        }]
    })?;
    let mut check = Check {
        name,
        text,
        errors: Vec::new(),
        regexes: BTreeMap::new(),
    };
    check.pack(&file);
    if check.errors.is_empty() {
        Ok(Pack {
            file,
            regexes: check.regexes,
            borrowed: BTreeSet::new(),
        })
    } else {
        Err(check.errors)
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

struct Check<'a> {
    name: &'a str,
    text: &'a str,
    errors: Vec<PackError>,
    regexes: BTreeMap<String, Regex>,
}

impl Check<'_> {
    /// `at` is a text of the pack near which the error stands.
    fn error(&mut self, at: &str, what: impl Into<String>) {
        let line = self
            .text
            .find(at)
            .map_or(1, |offset| line_at(self.text, offset));
        self.errors.push(PackError {
            file: self.name.to_owned(),
            line,
            what: what.into(),
        });
    }

    fn pack(&mut self, pack: &PackFile) {
        let parts: Vec<&str> = pack.id.split('/').collect();
        let kebab = |part: &&str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        if parts.len() != 2 || !parts.iter().all(kebab) {
            self.error(
                "id",
                format!("id {:?} is not family/name in kebab-case", pack.id),
            );
        }
        for (field, text) in [
            ("title", &pack.title),
            ("why", &pack.why),
            ("cannot_see", &pack.cannot_see),
        ] {
            if text.trim().is_empty() {
                self.error(field, format!("{field} is empty"));
            }
        }
        match &pack.recognise {
            Some(recognise) => {
                let empty = recognise.units.is_empty()
                    && recognise.executables.is_empty()
                    && recognise.arguments.is_empty();
                if empty && recognise.packages.is_empty() {
                    self.error(
                        "[recognise]",
                        "recognise is empty: it would match every service",
                    );
                }
                if pack.disposition.is_none() {
                    self.error("id", "a product needs a disposition");
                }
            }
            None if pack.concern.is_empty() => {
                self.error("id", "neither recognises a product nor has a concern");
            }
            None => {}
        }
        self.sources(pack);
        self.concerns(pack);
        let positive = pack.case.iter().any(|case| case.expect.recognised);
        let negative = pack.case.iter().any(|case| !case.expect.recognised);
        if !positive || !negative {
            self.error(
                "[[case]]",
                "needs at least one case that is recognised and one that is not",
            );
        }
    }

    fn sources(&mut self, pack: &PackFile) {
        let listens = pack
            .listen
            .iter()
            .flat_map(|l| std::iter::once(&l.from).chain(&l.address));
        let connects = pack
            .connect
            .iter()
            .flat_map(|c| std::iter::once(&c.from).chain(&c.address));
        let places = pack
            .data
            .iter()
            .filter(|place| place.links.is_none())
            .map(|p| &p.from)
            .chain(
                pack.make
                    .iter()
                    .chain(&pack.locale)
                    .chain(&pack.host)
                    .chain(&pack.path)
                    .map(|named| &named.from),
            )
            .chain(pack.log.iter().map(|l| &l.from));
        let all: Vec<&Source> = listens
            .chain(connects)
            .chain(places)
            .chain(pack.claim.iter().map(|claim| &claim.from))
            .chain(
                pack.config
                    .iter()
                    .flat_map(|config| config.home.iter().chain(&config.root)),
            )
            .chain(
                pack.config
                    .iter()
                    .flat_map(|config| config.last.iter().map(|last| &last.below)),
            )
            .collect();
        for source in all {
            let named = [
                &source.keys,
                &source.arguments,
                &source.environment,
                &source.overrides,
            ]
            .iter()
            .any(|list| !list.is_empty());
            if !named && source.default.is_none() {
                self.error(
                    "from",
                    "a source names no key, argument, variable or default",
                );
            }
            if let Some(key) = source.keys.first().filter(|_| pack.config.is_none()) {
                self.error(key, format!("key {key:?} without a [config] to find it in"));
            }
        }
        let config = pack.config.iter();
        if config
            .clone()
            .any(|config| config.home.is_some() && config.inside.is_none())
        {
            self.error(
                "home",
                "home names a directory; inside says which file of it is read",
            );
        }
        self.probe(pack);
        for directory in &pack.run.directories {
            let mode = directory.mode.as_deref().unwrap_or("0755");
            if u32::from_str_radix(mode, 8).is_err() {
                self.error(mode, format!("mode {mode:?} is not octal"));
            }
        }
    }

    /// What is sent can be read, and the expression for what comes back compiles.
    fn probe(&mut self, pack: &PackFile) {
        let Some(probe) = &pack.probe else {
            return;
        };
        for sent in probe.ask.iter().chain(&probe.datagram) {
            if crate::text::unescaped(sent).is_none() {
                let what = "expected \\r, \\n, \\t, \\0, \\\\ or \\xNN after a backslash";
                self.error(sent, format!("{sent:?}: {what}"));
            }
        }
        if probe.expect.is_some() && probe.ask.is_none() && !probe.greeting {
            self.error("expect", "expect without ask or greeting: nothing is said");
        }
        if let Some(expression) = &probe.expect {
            self.expression(expression);
        }
    }

    fn expression(&mut self, expression: &str) {
        match Regex::new(expression) {
            Ok(regex) => {
                self.regexes.insert(expression.to_owned(), regex);
            }
            Err(error) => self.error(expression, format!("regular expression: {error}")),
        }
    }

    fn concerns(&mut self, pack: &PackFile) {
        for other in &pack.otherwise {
            self.when("[[otherwise]]", &other.when, pack.recognise.is_some());
            let fires = |rule: &&String| pack.concern.iter().any(|own| own.rule == **rule);
            for rule in other.silences.iter().filter(|rule| !fires(rule)) {
                self.error(
                    rule,
                    format!("silences {rule:?}, which no concern of the pack is"),
                );
            }
        }
        for concern in &pack.concern {
            let known = catalogue::rule(&concern.rule).is_some();
            if !known && (concern.severity.is_none() || concern.remedy.is_none()) {
                let what = format!(
                    "rule {:?} is not in the catalogue and needs its own severity and remedy",
                    concern.rule
                );
                self.error(&concern.rule, what);
            }
            self.when(&concern.rule, &concern.when, pack.recognise.is_some());
        }
    }

    /// A condition asks something, asks only what can be known, and its expressions compile.
    fn when(&mut self, at: &str, when: &When, product: bool) {
        let asks = when.recognised
            || when.setting.is_some()
            || when.option.is_some()
            || when.text.is_some()
            || [&when.packages, &when.paths, &when.absent, &when.units]
                .iter()
                .any(|list| !list.is_empty());
        if !asks {
            self.error(at, "when is empty: it would always fire");
        }
        if !product && (when.recognised || when.setting.is_some() || when.option.is_some()) {
            self.error(
                at,
                "recognised, setting and option need a product; this pack recognises none",
            );
        }
        let expressions = when.setting.iter().filter_map(|s| s.matches.as_ref());
        for expression in expressions.chain(when.text.iter().map(|text| &text.matches)) {
            self.expression(expression);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_at_once_with_lines() {
        let text = "id = \"Web\"\ntitle = \"\"\nkind = \"x\"\nwhy = \"w\"\ncannot_see = \"c\"\n[[concern]]\nrule = \"no/such\"\ndetail = \"d\"\n[concern.when]\n";
        let errors = compile("x.toml", text).unwrap_err();
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(
            shown.iter().any(|e| e.starts_with("x.toml:1: id")),
            "{shown:?}"
        );
        assert!(shown.iter().any(|e| e.starts_with("x.toml:2: title")));
        assert!(shown.iter().any(|e| e.starts_with("x.toml:7: rule")));
        assert!(shown.iter().any(|e| e.contains("always fire")));
        assert!(shown.len() >= 5);
    }

    #[test]
    fn a_typing_mistake_names_its_line() {
        let errors = compile("x.toml", "id = \"a/b\"\ntitel = \"x\"\n").unwrap_err();
        assert_eq!((errors[0].line, errors.len()), (2, 1));
        assert!(errors[0].what.contains("titel"));
    }
}
