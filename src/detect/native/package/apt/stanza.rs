//! Stanzas as apt's own files have them: fields in any case, comments between lines, values that go on in the next.

use std::collections::BTreeMap;

/// A field's value, line by line without the space they begin with, and where it begins.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub line: u32,
    pub lines: Vec<String>,
}

impl Value {
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().flat_map(|line| line.split_whitespace())
    }
}

/// By names in lower case.
pub(super) type Stanza = BTreeMap<String, Value>;

/// Stanzas of one file; more are damage.
const MOST: usize = 20_000;

pub(super) fn stanzas<'a>(lines: impl Iterator<Item = (u32, &'a str)>) -> Vec<Stanza> {
    let mut found = Vec::new();
    let mut stanza = Stanza::new();
    let mut key = String::new();
    for (line, text) in lines {
        if text.starts_with('#') {
            continue;
        }
        if text.trim().is_empty() {
            if !stanza.is_empty() && found.len() < MOST {
                found.push(std::mem::take(&mut stanza));
            }
            key.clear();
        } else if text.starts_with([' ', '\t']) {
            if let Some(value) = stanza.get_mut(&key) {
                value.lines.push(text.trim().to_owned());
            }
        } else if let Some((name, value)) = text.split_once(':') {
            key = name.trim().to_ascii_lowercase();
            let value = Value {
                line,
                lines: vec![value.trim().to_owned()],
            };
            stanza.insert(key.clone(), value);
        } else {
            key.clear();
        }
    }
    if !stanza.is_empty() && found.len() < MOST {
        found.push(stanza);
    }
    found
}
