//! What a command starts, kept with all that is known of how it is run.

use super::builtin::{base, is_utility};
use super::environment::is_unknown;
use super::{Around, MOST, Plainness, Script, Started};
use crate::path::MachinePath;

impl Script<'_> {
    /// A command like any other.
    pub(super) fn run(&mut self, mut argv: Vec<String>, output: &[String]) {
        let Some(first) = argv.first().cloned() else {
            return;
        };
        let name = base(&first);
        let is_utility = is_utility(name);
        let is_said = self.around.plainness.is_some() || self.around.is_put_behind;
        let is_named = first.contains('/') || self.around.is_line || is_said;
        if is_utility
            || !is_named
            || is_unknown(&first)
            || self.asking > 0 && self.around.plainness.is_none()
        {
            return;
        }
        if is_shell(name)
            && let Some(at) = argv
                .iter()
                .position(|word| word == "-c" || is_flags_with_c(word))
            && let Some(line) = argv.get(at + 1).cloned()
        {
            let found = self.starts.len();
            self.nested(&line, argv.get(at + 2..).unwrap_or_default());
            if self.starts.len() > found {
                return;
            }
        }
        if let Some(word) = argv.first_mut() {
            *word = self.located(&first);
        }
        self.add(&argv, output);
    }

    fn add(&mut self, argv: &[String], output: &[String]) {
        if self.starts.len() >= MOST {
            return;
        }
        let Around {
            user,
            group,
            pid_file,
            plainness,
            is_put_behind,
            ..
        } = self.around.clone();
        let behind = if is_put_behind {
            Plainness::Behind
        } else {
            Plainness::Run
        };
        let here = self.directory.clone().unwrap_or_else(MachinePath::root);
        let is_file =
            |file: &&String| !is_unknown(file) && !file.is_empty() && !file.starts_with("/dev/");
        let output = output.iter().filter(is_file).map(|file| here.join(file));
        let masking = self.facts.masking;
        let argv: Vec<String> = argv
            .iter()
            .map(|word| masking.redact_line(word).text.into_owned())
            .collect();
        let evidence = self.evidence(&argv.join(" "));
        let known =
            |word: Option<String>| word.filter(|word| !is_unknown(word) && !word.is_empty());
        self.starts.push(Started {
            argv,
            user: known(user),
            group: known(group),
            pid_file: known(pid_file).filter(|path| path.starts_with('/')),
            directory: self.directory.clone(),
            environment: self.environment(),
            output: output.collect(),
            umask: self.umask,
            limits: self.limits.clone(),
            is_put_behind,
            is_sure: self.maybe == 0,
            plainness: plainness.unwrap_or(behind),
            evidence,
        });
    }
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh")
}

/// `-lc`.
fn is_flags_with_c(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
}
