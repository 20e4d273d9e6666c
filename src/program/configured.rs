//! Plug-ins that are opened only where configuration names them: `detectors/kernel/plug-ins.toml`.

use crate::fact::{Document, Facts, Syntax};
use crate::path::MachinePath;
use crate::walk::glob;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    plug_in: Vec<Rule>,
}

/// Plug-ins of one kind, as the file has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    files: Vec<String>,
    named_in: Vec<String>,
    includes: Vec<String>,
    pub until: Vec<String>,
    #[serde(default)]
    variables: Vec<String>,
    /// For readers of the file.
    #[expect(dead_code, reason = "a rule without its source is refused")]
    source: String,
}

static TABLE: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let text = include_str!("../../detectors/kernel/plug-ins.toml");
    // A test reads the file; without it every plug-in counts as opened.
    toml::from_str::<Table>(text).map_or_else(|_| Vec::new(), |table| table.plug_in)
});

/// What has the loader load something else than files say (ld.so(8)).
const LOADER: [&str; 3] = ["LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH"];

/// Whether a variable of the environment decides what a program loads, beside what its files say.
pub fn decides(variable: &str) -> bool {
    let mut named = TABLE.iter().flat_map(|rule| &rule.variables);
    LOADER.contains(&variable) || named.any(|name| name == variable)
}

/// The rule for a file, if it is a plug-in of some kind.
fn rule(path: &MachinePath) -> Option<&'static Rule> {
    let text = path.text();
    let mut rules = TABLE.iter();
    rules.find(|rule| {
        let mut files = rule.files.iter();
        files.any(|pattern| glob::matches_path(pattern, &text))
    })
}

/// The configuration that says which of these files are opened, as patterns.
pub fn configuration<'p>(paths: impl IntoIterator<Item = &'p MachinePath>) -> Vec<&'static str> {
    let rules = paths.into_iter().filter_map(rule);
    let mut found: Vec<&str> = rules
        .flat_map(|rule| rule.named_in.iter().map(String::as_str))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The rule by which a plug-in is not opened, since the machine's configuration was read and does not name it.
pub fn unnamed(facts: &Facts, path: &MachinePath) -> Option<&'static Rule> {
    let rule = rule(path)?;
    let documents = facts.documents.iter().filter(|((path, syntax), _)| {
        let text = path.text();
        let mut patterns = rule.named_in.iter();
        *syntax == Syntax::Columns && patterns.any(|pattern| glob::matches_path(pattern, &text))
    });
    let documents: Vec<&Document> = documents.map(|(_, document)| document).collect();
    let name = path.name();
    let is_whole = documents.iter().all(|document| rule.is_whole(document));
    let is_named = documents.iter().any(|document| names(document, &name));
    (!documents.is_empty() && is_whole && !is_named).then_some(rule)
}

fn lines(document: &Document) -> impl Iterator<Item = impl Iterator<Item = &str>> {
    document.settings.iter().map(|setting| {
        let args = setting.args.iter().map(String::as_str);
        std::iter::once(setting.key.as_str()).chain(args)
    })
}

impl Rule {
    /// Whether a document has all its lines in the files that are read.
    fn is_whole(&self, document: &Document) -> bool {
        lines(document).all(|line| {
            let words: Vec<&str> = line.collect();
            let includes = words
                .iter()
                .any(|word| self.includes.iter().any(|include| include == word));
            !(includes && words.iter().any(|word| word.contains('/')))
        })
    }
}

/// Whether some word of a document is a file's name, with or without its end.
fn names(document: &Document, name: &str) -> bool {
    let stem = name.strip_suffix(".so").unwrap_or(name);
    let is_sign = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    lines(document).any(|mut line| {
        line.any(|word| {
            let mut parts = word.split(is_sign);
            parts.any(|part| part == name || part == stem)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::native::syntax::{Reading, read};

    fn facts(path: &str, text: &str) -> Facts {
        let path = MachinePath::new(path);
        let reading = Reading {
            syntax: Syntax::Columns,
            base: MachinePath::root(),
            context: String::new(),
        };
        let read = read(&reading, &path, text, crate::fact::Masking::Masked);
        let document = read.unwrap().document;
        let mut facts = Facts::default();
        facts.documents.insert((path, Syntax::Columns), document);
        facts
    }

    #[test]
    fn the_file_is_read() {
        assert!(!TABLE.is_empty());
        for rule in TABLE.iter() {
            assert!(!rule.files.is_empty() && !rule.named_in.is_empty());
        }
    }

    #[test]
    fn what_configuration_names_is_opened() {
        let module = MachinePath::new("/usr/lib/x86_64-linux-gnu/security/pam_limits.so");
        let other = MachinePath::new("/usr/lib/x86_64-linux-gnu/security/pam_userdb.so");
        let text = "# pam_userdb.so\n@include common-auth\nsession required pam_limits.so\n";
        let read = facts("/etc/pam.d/login", text);
        assert!(unnamed(&read, &module).is_none());
        assert!(unnamed(&read, &other).is_some());
        // Nothing was read; what was read has more elsewhere; it is no plug-in of a kind that is known.
        assert!(unnamed(&Facts::default(), &other).is_none());
        let open = facts(
            "/etc/pam.d/login",
            &format!("{text}auth include /srv/auth\n"),
        );
        assert!(unnamed(&open, &other).is_none());
        let library = MachinePath::new("/usr/lib/x86_64-linux-gnu/libpam.so.0");
        assert!(unnamed(&read, &library).is_none());
    }

    #[test]
    fn a_word_may_be_part_of_a_path_or_an_assignment() {
        let engine = MachinePath::new("/usr/lib/x86_64-linux-gnu/engines-3/afalg.so");
        let path = "/etc/ssl/openssl.cnf";
        for named in [
            "engine_id=afalg",
            "dynamic_path = /opt/x/afalg.so",
            "[ afalg ]",
        ] {
            assert!(unnamed(&facts(path, named), &engine).is_none(), "{named}");
        }
        assert!(unnamed(&facts(path, "dir = ./demoCA\n"), &engine).is_some());
        assert!(unnamed(&facts(path, ".include /etc/more.cnf\n"), &engine).is_none());
    }
}
