//! Scripts: the interpreter, and the paths and commands a script names.
//!
//! No shell is evaluated. A word at the start of a simple command and every absolute path are kept, with their lines;
//! whether they lead anywhere is for the reader of the facts to see.

use super::reference::secret_names;
use crate::detect::FileView;
use crate::fact::{Script, ScriptReference};
use crate::words::script::words;
use std::collections::BTreeSet;

/// References kept of one script.
const MOST: usize = 2_000;

pub(super) fn read(file: &FileView<'_>) -> Script {
    let first = file.lines().next().map_or("", |(_, line)| line);
    let interpreter: Vec<String> = first
        .trim_start_matches("#!")
        .split_whitespace()
        .map(str::to_owned)
        .take(8)
        .collect();
    let shell = interpreter.iter().any(|word| {
        let name = word.rsplit('/').next().unwrap_or_default();
        matches!(name, "sh" | "bash" | "dash" | "ksh" | "zsh" | "ash")
    });
    let mut references: Vec<ScriptReference> = Vec::new();
    let mut secrets = BTreeSet::new();
    for (line, text) in file.lines().skip(1) {
        let text = text.trim();
        if text.starts_with('#') || text.len() > 4096 {
            continue;
        }
        if secrets.len() < MOST {
            secrets.extend(secret_names(None, text));
        }
        for word in words(text, shell) {
            if references.len() < MOST && !references.iter().any(|known| known.word == word) {
                references.push(ScriptReference { word, line });
            }
        }
    }
    Script {
        path: file.entry.path.clone(),
        interpreter,
        references,
        secrets,
    }
}
