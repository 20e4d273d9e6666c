//! The lines of a RUN instruction: commands joined by `&&`, their longer words and the reasons on lines of their own.

use crate::distribution::family::{Output, Step, Word};
use crate::quote::build_shell;
use serde::Serialize;

/// A line of a RUN instruction.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// Lines of their own before it.
    comments: Vec<String>,
    indent: &'static str,
    lead: &'static str,
    text: String,
    end: &'static str,
    /// Of a first line: the linter's rules that do not hold for the instruction, by commas.
    unlinted: String,
}

/// Collects commands joined by `&&`, each with words on lines of their own; and the linter's rules that do not hold for them.
#[derive(Default)]
pub(super) struct Run(Vec<Line>, Vec<&'static str>);

impl Run {
    pub(super) fn command(&mut self, comments: Vec<String>, text: String) {
        let first = self.0.is_empty();
        let (indent, lead) = if first {
            ("", "RUN ")
        } else {
            ("    ", " && ")
        };
        self.0.push(Line {
            comments,
            indent,
            lead,
            text,
            end: " \\",
            unlinted: String::new(),
        });
    }

    pub(super) fn word(&mut self, comments: Vec<String>, text: String) {
        self.0.push(Line {
            comments,
            indent: "      ",
            lead: "      ",
            text,
            end: " \\",
            unlinted: String::new(),
        });
    }

    /// A step that the plan has in words, each of them quoted here.
    pub(super) fn step(&mut self, step: &Step) {
        let variables = step.variables.iter();
        let variables = variables.map(|(name, value)| format!("{name}={}", build_shell(value)));
        let words = step.words.iter().map(|word| match word {
            Word::Text(text) => build_shell(text),
            Word::Inside(directory) => format!("{}/*", build_shell(directory)),
        });
        let output = step.output.iter().map(|output| match output {
            Output::New(file) => format!("> {}", build_shell(file)),
            Output::Append(file) => format!(">> {}", build_shell(file)),
        });
        let text: Vec<String> = variables.chain(words).chain(output).collect();
        self.1.extend(step.unlinted);
        self.command(step.why.iter().cloned().collect(), text.join(" "));
        for (remark, word) in &step.remarked {
            self.word(vec![remark.clone()], build_shell(word));
        }
    }

    pub(super) fn lines(mut self) -> Vec<Line> {
        if let Some(last) = self.0.last_mut() {
            last.end = "";
        }
        // A linter reads it right above the instruction alone.
        let rules = self.1.join(",");
        if let Some(first) = self.0.first_mut().filter(|_| !rules.is_empty()) {
            first.unlinted = rules;
        }
        self.0
    }
}
