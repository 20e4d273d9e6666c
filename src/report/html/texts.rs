//! Texts of the data block, each once: a path, a remedy or a line of a file stands in a thousand places.

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
        self.list.push(text.to_owned());
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
