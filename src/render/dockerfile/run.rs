//! The lines of a RUN instruction: commands joined by `&&`, their longer words and the reasons on lines of their own.

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
}

/// Collects commands joined by `&&`, each with words on lines of their own.
#[derive(Default)]
pub(super) struct Run(Vec<Line>);

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
        });
    }

    pub(super) fn word(&mut self, comments: Vec<String>, text: String) {
        self.0.push(Line {
            comments,
            indent: "      ",
            lead: "      ",
            text,
            end: " \\",
        });
    }

    pub(super) fn lines(mut self) -> Vec<Line> {
        if let Some(last) = self.0.last_mut() {
            last.end = "";
        }
        self.0
    }
}
