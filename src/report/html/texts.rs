//! Texts of the data block, each once: a path, a remedy or a line of a file stands in a thousand places. The script shows
//! them as they are, so they are made visible here.

use crate::path::sanitise;
use std::collections::HashMap;

/// Texts by the number they were met at.
#[derive(Default)]
pub(super) struct Texts {
    list: Vec<String>,
    known: HashMap<String, usize>,
}

impl Texts {
    pub fn number(&mut self, text: &str) -> usize {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let number = self.list.len();
        self.list.push(visible(text));
        self.known.insert(text.to_owned(), number);
        number
    }

    pub fn numbers<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
        texts.into_iter().map(|text| self.number(text)).collect()
    }

    pub fn into_list(self) -> Vec<String> {
        self.list
    }
}

/// Text without what steers, turns or hides; ends of lines and tabs are layout, and stay.
fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for part in text.split_inclusive(['\n', '\t']) {
        let inner = part.trim_end_matches(['\n', '\t']);
        safe.push_str(&sanitise(inner));
        safe.push_str(part.get(inner.len()..).unwrap_or_default());
    }
    safe
}
