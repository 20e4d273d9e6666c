//! Modules that code names and the machine's packages have, and extensions that interpreters load:
//! `detectors/languages.toml`.

use crate::fact::{Facts, Imports};
use crate::path::MachinePath;
use crate::walk::{Tree, glob};
use regex::Regex;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::LazyLock;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    language: Vec<Rule>,
    extension: Vec<Extension>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    interpreters: Vec<String>,
    endings: Vec<String>,
    imports: Vec<String>,
    separator: String,
    places: Vec<String>,
    forms: Vec<String>,
    own: Vec<String>,
    /// For readers of the file.
    #[expect(dead_code, reason = "a rule without its source is refused")]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extension {
    interpreters: Vec<String>,
    listed: String,
    opens: String,
    /// For readers of the file.
    #[expect(dead_code, reason = "a rule without its source is refused")]
    source: String,
}

/// A language whose code names modules.
#[derive(Debug)]
pub struct Language {
    rule: Rule,
    patterns: Vec<Regex>,
}

static TABLE: LazyLock<(Vec<Language>, Vec<Extension>)> = LazyLock::new(|| {
    // A test reads the file; without it no module is known.
    let Ok(table) = toml::from_str::<Table>(include_str!("../../detectors/languages.toml")) else {
        return (Vec::new(), Vec::new());
    };
    let language = |rule: Rule| {
        let patterns = rule.imports.iter().filter_map(|text| Regex::new(text).ok());
        let patterns = patterns.collect();
        Language { rule, patterns }
    };
    let languages = table.language.into_iter().map(language);
    (languages.collect(), table.extension)
});

/// Names of one file; more are no code.
const MOST: usize = 500;

/// A longer line is data.
const LINE: usize = 4096;

/// Whether a file's name says that it is code of some language.
pub fn is_code(name: &str) -> bool {
    let mut all = TABLE.0.iter();
    all.any(|language| language.has_ending(name))
}

/// The language of a file, by its first line or its name.
pub fn language(name: &str, first_line: &str) -> Option<&'static Language> {
    let mut words = first_line
        .strip_prefix("#!")
        .unwrap_or_default()
        .split_whitespace();
    let bases = words
        .by_ref()
        .map(|word| word.rsplit('/').next().unwrap_or(word));
    let called = bases
        .filter(|word| !word.starts_with('-'))
        .find(|word| *word != "env");
    if let Some(called) = called {
        let mut all = TABLE.0.iter();
        return all.find(|language| is_one_of(&language.rule.interpreters, called));
    }
    let mut all = TABLE.0.iter();
    all.find(|language| language.has_ending(name))
}

fn is_one_of(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| glob::matches(pattern, name))
}

impl Language {
    pub fn name(&self) -> &str {
        &self.rule.name
    }

    fn has_ending(&self, name: &str) -> bool {
        self.rule
            .endings
            .iter()
            .any(|ending| name.ends_with(ending))
    }

    /// Names of modules that a text brings in.
    pub fn imports<'t>(&self, lines: impl Iterator<Item = &'t str>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for line in lines.filter(|line| line.len() <= LINE) {
            for pattern in &self.patterns {
                let names = pattern.captures_iter(line).filter_map(|found| found.get(1));
                for name in names.flat_map(|names| names.as_str().split(',')) {
                    let name = name.split_whitespace().next().unwrap_or_default();
                    if !name.is_empty() && found.len() < MOST {
                        found.insert(name.to_owned());
                    }
                }
            }
        }
        found
    }
}

/// Files of the machine's packages that code brings in by name.
pub fn files<'f>(facts: &Facts, code: impl Iterator<Item = &'f Imports>) -> BTreeSet<MachinePath> {
    let mut found = BTreeSet::new();
    let code: Vec<&Imports> = code.collect();
    for language in &TABLE.0 {
        let own: Vec<&&Imports> = code
            .iter()
            .filter(|code| code.language == language.rule.name)
            .collect();
        if own.is_empty() {
            continue;
        }
        let places = language
            .rule
            .places
            .iter()
            .flat_map(|place| facts.tree.find(place));
        let places: BTreeSet<MachinePath> = places
            .map(|found| facts.tree.canonical(&found.named))
            .collect();
        let mut names = BTreeSet::new();
        for code in own {
            let is_own = |name: &str| language.rule.own.iter().any(|own| own == name);
            let mut above = code
                .path
                .components()
                .map(|name| String::from_utf8_lossy(name));
            if above.any(|name| is_own(&name)) {
                continue;
            }
            let beside: Vec<MachinePath> = code.path.parent().into_iter().collect();
            let names_of = code.modules.iter();
            names.extend(
                names_of.filter(|name| language.module(&facts.tree, &beside, name).is_none()),
            );
        }
        found.extend(
            names
                .into_iter()
                .filter_map(|name| language.longest(&facts.tree, &places, name)),
        );
    }
    found
}

impl Language {
    /// The file of a module, or else of the one that it is a part of.
    fn longest(
        &self,
        tree: &Tree,
        places: &BTreeSet<MachinePath>,
        name: &str,
    ) -> Option<MachinePath> {
        let mut name = name;
        loop {
            if let Some(path) = self.module(tree, places, name) {
                return Some(path);
            }
            (name, _) = name.rsplit_once(self.rule.separator.as_str())?;
        }
    }

    fn module<'p>(
        &self,
        tree: &Tree,
        places: impl IntoIterator<Item = &'p MachinePath>,
        name: &str,
    ) -> Option<MachinePath> {
        let name = name.replace(&self.rule.separator, "/");
        if name.contains("..") || name.starts_with('/') {
            return None;
        }
        let mut places = places.into_iter();
        places.find_map(|place| {
            self.rule.forms.iter().find_map(|form| {
                let file = place.join(form.replace("{}", &name));
                if !form.contains('*') {
                    return tree.exists(&file).then_some(file);
                }
                let wanted = file.name().into_owned();
                let siblings = tree.children(&file.parent()?).into_iter();
                let mut fitting =
                    siblings.filter(|entry| glob::matches(&wanted, &entry.path.name()));
                fitting.next().map(|entry| entry.path.clone())
            })
        })
    }
}

/// Extensions that these programs load, since configuration names them.
pub fn extensions(facts: &Facts, programs: &[MachinePath]) -> BTreeSet<MachinePath> {
    let mut found = BTreeSet::new();
    for program in programs {
        let name = program.name();
        for extension in TABLE
            .1
            .iter()
            .filter(|extension| is_one_of(&extension.interpreters, &name))
        {
            let version = name.trim_start_matches(|c: char| !c.is_ascii_digit());
            if version.contains(['/', '*', '[', '?']) {
                continue;
            }
            let listed = extension.listed.replace("{version}", version);
            let mut names: BTreeSet<String> = facts
                .tree
                .find(&listed)
                .iter()
                .map(|list| extension_of(&list.named.name()))
                .filter(|name| !name.contains(['/', '*', '[', '?']))
                .collect();
            // An interpreter that loads nothing is one whose packages never were set up: all that is there counts.
            if names.is_empty() {
                names.insert("*".to_owned());
            }
            for name in names {
                let opens = extension.opens.replace("{name}", &name);
                found.extend(facts.tree.find(&opens).into_iter().map(|found| found.named));
            }
        }
    }
    found
}

/// `20-mysqli.ini` is `mysqli`.
fn extension_of(file: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem.split_once('-')
        .map_or(stem, |(_, name)| name)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::Entry;

    #[test]
    fn the_file_is_read() {
        assert!(TABLE.0.len() > 3 && TABLE.1.len() > 1);
        for language in &TABLE.0 {
            assert_eq!(
                language.patterns.len(),
                language.rule.imports.len(),
                "{}",
                language.name()
            );
            assert!(
                language
                    .rule
                    .forms
                    .iter()
                    .all(|form| form.matches('*').count() < 2)
            );
        }
    }

    fn imports(name: &str, text: &str) -> Vec<String> {
        let language = language(name, text.lines().next().unwrap_or_default()).unwrap();
        language.imports(text.lines()).into_iter().collect()
    }

    #[test]
    fn names_are_found_in_each_language() {
        let text = "#!/usr/bin/env python3\nimport os, requests as r, yaml.x\nfrom a.b import (c)\nfrom . import d\n  import e\n# import f\nx = 'import g'\n";
        assert_eq!(imports("x", text), ["a.b", "e", "os", "requests", "yaml.x"]);
        let text = "#!/usr/bin/perl -w\nuse strict; use DBI qw(:all);\nrequire LWP::UserAgent;\nuse 5.010;\n";
        assert_eq!(imports("x", text), ["DBI", "LWP::UserAgent", "strict"]);
        assert_eq!(
            imports("a.rb", "require 'json'\nrequire(\"a/b\")\n"),
            ["a/b", "json"]
        );
        assert_eq!(
            imports(
                "a.js",
                "const a = require('x/y'), b = require(\"./own\");\nimport z from '@s/z'\n"
            ),
            ["@s/z", "x/y"]
        );
        assert!(language("x", "#!/bin/sh").is_none() && language("x.txt", "").is_none());
    }

    #[test]
    fn modules_are_looked_for_where_packages_have_them() {
        let files = [
            "/usr/lib/python3/dist-packages/requests/__init__.py",
            "/usr/lib/python3.11/json/__init__.py",
            "/usr/lib/python3.11/lib-dynload/_x.cpython-311-x86_64-linux-gnu.so",
            "/srv/a/own.py",
            "/usr/lib/python3/dist-packages/own.py",
            "/etc/php/8.2/cli/conf.d/20-mysqli.ini",
            "/usr/lib/php/20220829/mysqli.so",
            "/usr/lib/php/20220829/other.so",
        ];
        let entries = files
            .iter()
            .map(|path| Entry::file(&MachinePath::new(*path), 0o644));
        let mut directories = BTreeSet::new();
        for file in files {
            let path = MachinePath::new(file);
            directories.extend(std::iter::successors(path.parent(), MachinePath::parent));
        }
        let directories = directories.iter().map(|path| Entry {
            kind: crate::disk::FileKind::Directory,
            ..Entry::file(path, 0o755)
        });
        let facts = Facts {
            tree: Tree::new(entries.chain(directories).collect()),
            ..Facts::default()
        };
        let code = Imports {
            path: MachinePath::new("/srv/a/x.py"),
            language: "python".into(),
            modules: ["requests.auth", "json", "_x", "own", "none", "..bad"]
                .map(String::from)
                .into(),
        };
        let found: Vec<String> = super::files(&facts, [&code].into_iter())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, [files[1], files[2], files[0]]);
        let of_venv = Imports {
            path: MachinePath::new("/srv/a/site-packages/x.py"),
            ..code
        };
        assert!(super::files(&facts, [&of_venv].into_iter()).is_empty());
        let loaded = extensions(&facts, &[MachinePath::new("/usr/bin/php8.2")]);
        assert_eq!(
            loaded.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [files[6]]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,200}") {
            for name in ["a.py", "a.pl", "a.rb", "a.js"] {
                if let Some(language) = language(name, "") {
                    language.imports(text.lines());
                }
            }
        }
    }
}
