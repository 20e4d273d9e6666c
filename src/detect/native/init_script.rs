//! System V init scripts: the LSB header, literal variables, and the daemon's command line as the script starts it.
//!
//! Nothing is evaluated: a variable counts only where its value is literal or made of earlier literals. What a script
//! decides at run time stays unknown, and the rule that reports a legacy start says so.

use super::reference::secret_names;
use super::syntax;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Fact, InitScript, Syntax};
use crate::path::MachinePath;
use crate::words;
use crate::words::budget::{Budget, EXPANDED};
use crate::words::expand::{expand, is_name, logical_lines, variables};
use crate::words::start;
use std::collections::{BTreeMap, BTreeSet};

pub struct InitScripts;

/// Lines kept of one script; most have one or two.
const MOST_STARTS: usize = 32;

/// Names kept of one script.
const MOST_COMPUTED: usize = 500;

impl Detector for InitScripts {
    fn id(&self) -> &'static str {
        "services/sysv"
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "System V init scripts",
            recognises: "scripts in /etc/init.d: LSB header, literal variables, and the start-stop-daemon, daemon, su or runuser line",
            why: "the daemon's own command line is what a container runs",
            cannot_see: "what a script decides at run time",
            references: &[
                "LSB 5.0, 22.7 Comment Conventions for Init Scripts",
                "start-stop-daemon(8)",
            ],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: vec!["/etc/init.d/*".into()],
            limit: 1 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        if !file.bytes.starts_with(b"#!") {
            return;
        }
        let header = header(file.text());
        let list = |key: &str| {
            header
                .get(key)
                .map(|value| value.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default()
        };
        let budget = Budget::of(file.text().len());
        let variables = variables(file.text(), &budget);
        let lines = logical_lines(file.text());
        let sources = sources(&lines, &variables, &budget);
        sink.wants.extend(
            sources
                .iter()
                .map(|path| syntax::want(Syntax::Environment, &path.text())),
        );
        let starts = lines.iter().filter(|line| start::may_start(line));
        let masking = file.masking;
        let shown = variables.iter().map(|(name, value)| {
            let value = masking.redact(Some(name), value).text.into_owned();
            (name.clone(), value)
        });
        let secrets: BTreeSet<String> = lines
            .iter()
            .flat_map(|line| secret_names(None, line))
            .take(MOST_COMPUTED)
            .collect();
        sink.fact(Fact::InitScript(InitScript {
            path: file.path.clone(),
            provides: list("Provides"),
            required_start: list("Required-Start"),
            default_start: list("Default-Start"),
            description: header.get("Short-Description").cloned().unwrap_or_default(),
            computed: computed(&lines, &variables),
            variables: shown.collect(),
            secrets,
            sources,
            starts: starts
                .take(MOST_STARTS)
                .map(|line| masking.redact_line(line).text.into_owned())
                .collect(),
            evidence: file.evidence(
                1,
                header.get("Short-Description").map_or("", String::as_str),
            ),
        }));
        if budget.is_spent() {
            sink.unexamined(file.path, self.id(), EXPANDED);
        }
    }
}

/// The comment block between `### BEGIN INIT INFO` and `### END INIT INFO`.
fn header(text: &str) -> BTreeMap<String, String> {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("### BEGIN INIT INFO"))
        .skip(1);
    let block = lines.take_while(|line| !line.starts_with("### END INIT INFO"));
    let pair = |line: &str| {
        let (key, value) = line.trim_start_matches('#').split_once(':')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    block.filter_map(pair).collect()
}

/// Files of settings that a script reads in; libraries of functions are none.
fn sources(
    lines: &[String],
    known: &BTreeMap<String, String>,
    budget: &Budget,
) -> Vec<MachinePath> {
    let mut found = Vec::new();
    for line in lines {
        let words = words::shell(line);
        let after = words.iter().zip(words.iter().skip(1));
        for (_, file) in after.filter(|(word, _)| matches!(word.as_str(), "." | "source")) {
            let file = expand(file.trim_end_matches(';'), known, budget);
            let is_settings = file.starts_with("/etc/") && !file.contains(['$', '`', '*']);
            let path = MachinePath::new(&file);
            if is_settings && !found.contains(&path) && found.len() < MOST_STARTS {
                found.push(path);
            }
        }
    }
    found
}

/// Names that are assigned somewhere and have no literal value.
fn computed(lines: &[String], known: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = std::collections::BTreeSet::new();
    for line in lines {
        let words: Vec<&str> = line
            .split([' ', '\t', ';', '(', '{', '&', '|', '"'])
            .collect();
        let named = words.iter().zip(words.iter().skip(1));
        found.extend(
            named
                .filter(|(word, _)| matches!(**word, "for" | "read" | "getopts" | "local"))
                .map(|(_, name)| (*name).to_owned()),
        );
        let assigned = words.iter().filter_map(|word| word.split_once('='));
        found.extend(assigned.map(|(name, _)| name.trim_end_matches('+').to_owned()));
    }
    found
        .into_iter()
        .filter(|name| is_name(name) && !known.contains_key(name))
        .take(MOST_COMPUTED)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_in_and_what_only_the_run_knows() {
        let text = "#!/bin/sh\nNAME=acme\n[ -r /etc/default/$NAME ] && . /etc/default/$NAME; . /lib/lsb/init-functions\n\
            run() {\n CONF=$2\n for each in a b; do :; done\n}\n";
        let (lines, known) = (logical_lines(text), variables(text, &Budget::of(1 << 10)));
        assert_eq!(
            sources(&lines, &known, &Budget::of(1 << 10)),
            ["/etc/default/acme".into()]
        );
        assert_eq!(computed(&lines, &known), ["CONF", "each"]);
    }

    #[test]
    fn lsb_header() {
        let found = header(
            "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: acme\n# Default-Start: 2 3 4 5\n### END INIT INFO\n# Not: this\n",
        );
        assert_eq!(found.get("Provides").map(String::as_str), Some("acme"));
        assert!(!found.contains_key("Not"));
    }

    proptest::proptest! {
        #[test]
        fn any_script_survives(text in "(?s).{0,300}") {
            let known = variables(&text, &Budget::of(text.len()));
            let lines = logical_lines(&text);
            let _ = (sources(&lines, &known, &Budget::of(1 << 10)), computed(&lines, &known));
        }
    }
}
