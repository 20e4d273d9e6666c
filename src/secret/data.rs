//! `detectors/secrets.toml`: the words, forms and places of secrets. What is here is how they are read; none of them is.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The file as it stands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
    pub names: Names,
    pub values: Values,
    pub natures: Natures,
    #[serde(rename = "file")]
    pub files: Vec<Kind>,
    pub telling: Telling,
    #[serde(rename = "token")]
    pub tokens: Vec<Token>,
    #[serde(rename = "place")]
    pub places: Vec<Place>,
    #[serde(default, rename = "command")]
    pub commands: Vec<Command>,
    /// Functions that take a password, and which argument it is, from 1.
    pub calls: BTreeMap<String, usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    pub words: BTreeSet<String>,
    pub ends: Vec<String>,
    pub about: BTreeSet<String>,
    pub never: BTreeSet<String>,
    pub weak: BTreeSet<String>,
    pub numbers: BTreeSet<String>,
    pub markers: Vec<String>,
    pub sets: Vec<String>,
    pub setters: Vec<String>,
    pub opens: Vec<String>,
    pub keeps: Vec<String>,
    pub messages: BTreeSet<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Values {
    pub switches: BTreeSet<String>,
    pub elsewhere: Vec<String>,
    pub prose: BTreeSet<String>,
    pub labels: Vec<String>,
    pub examples: Vec<String>,
    pub examples_alone: Vec<String>,
}

/// What a file's name says about its lines.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Natures {
    pub code: Vec<String>,
    pub shell: Vec<String>,
    pub prose: Vec<String>,
    pub prose_names: Vec<String>,
    pub prose_directories: Vec<String>,
    pub translation: Vec<String>,
    pub translation_directories: Vec<String>,
    pub translation_names: Vec<String>,
    /// ISO 639-1.
    pub languages: Vec<String>,
    pub packed: Vec<String>,
    pub vendored: Vec<String>,
}

/// A kind of file that is a secret as a whole: by its path, or by its first bytes in hexadecimal.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kind {
    #[serde(rename = "kind")]
    pub name: String,
    #[serde(default)]
    pub paths: Vec<String>,
    #[serde(default)]
    pub magic: Vec<String>,
}

/// Settings whose value names a file that is a secret.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Telling {
    pub keys: BTreeSet<String>,
}

/// A form that an issuer publishes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub kind: String,
    pub start: Vec<String>,
    /// Characters in front of `start` that belong to it, where the issuer's mark is in the middle.
    #[serde(default)]
    pub before: usize,
    pub rest: String,
    #[serde(default)]
    pub check: Option<Check>,
}

/// How a form proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Check {
    /// The last six characters are the CRC-32 of those before them, after the prefix, in base 62.
    Crc32Base62,
}

/// Where on a line a secret stands by its position.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Lower case; one of them is on the line, or the pattern need not be tried.
    pub markers: Vec<String>,
    /// For command lines only.
    #[serde(default)]
    pub command: bool,
    /// Lines that the pattern may go on over, behind that of its marker.
    #[serde(default)]
    pub lines: usize,
    /// With a group `secret`.
    pub pattern: String,
}

/// Commands of which a flag is followed by a secret, though nothing in its name says so.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    /// In lower case; a blank in one is any number of them.
    pub names: Vec<String>,
    pub flags: Vec<String>,
    /// How the secret stands behind the flag.
    #[serde(default)]
    pub value: Follows,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Follows {
    /// As the next word.
    #[default]
    Apart,
    /// In the same word.
    Glued,
    Either,
    /// As the next word, behind a user and a colon.
    User,
}

impl Command {
    /// As a place on a command line.
    fn place(&self) -> Place {
        const WORD: &str = r#""(?:[^"\\]|\\.)+"|'[^']+'|[^\s'"-]\S*"#;
        let any = |words: &[String]| -> String {
            let words = words.iter().map(|word| regex::escape(word));
            words.collect::<Vec<_>>().join("|")
        };
        let between = match self.value {
            Follows::Apart => r"[ =]\s*",
            Follows::Glued => "",
            Follows::Either => r"[ =]?\s*",
            Follows::User => r#"[ =]\s*["']?[^\s:'"]+:"#,
        };
        let names = any(&self.names).replace(' ', r"\s+");
        let flags = any(&self.flags);
        Place {
            markers: self
                .names
                .iter()
                .map(|name| format!("{} ", name.trim_end()))
                .collect(),
            command: true,
            lines: 0,
            pattern: format!(
                r"\b(?:{names})\s(?:[^|;&\n]*\s)?(?:{flags}){between}(?P<secret>{WORD})"
            ),
        }
    }
}

/// What the file says. A file that does not parse is found by the test below, not by a user.
pub(super) static DATA: LazyLock<Data> = LazyLock::new(|| {
    let text = include_str!("../../detectors/secrets.toml");
    let mut data: Data = toml::from_str(text).unwrap_or_default();
    data.places.extend(data.commands.iter().map(Command::place));
    data
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_parses_and_is_in_lower_case() {
        let data: Data = toml::from_str(include_str!("../../detectors/secrets.toml")).unwrap();
        assert!(data.tokens.len() > 50 && data.places.len() > 20 && data.files.len() > 5);
        let markers = data.places.iter().flat_map(|place| &place.markers);
        let words = data.names.words.iter().chain(&data.names.about);
        for word in words.chain(&data.names.never).chain(markers) {
            assert_eq!(*word, word.to_lowercase());
        }
    }

    #[test]
    fn every_word_has_a_marker() {
        let names = &DATA.names;
        let words = names.words.iter().chain(&names.ends).chain(&names.weak);
        let without: Vec<&String> = words
            .filter(|word| {
                // A short word stands alone, or behind what parts words.
                let whole = [(*word).clone(), format!("_{word}"), format!(" {word}")];
                !names
                    .markers
                    .iter()
                    .any(|marker| whole.iter().any(|text| text.contains(marker.as_str())))
            })
            .collect();
        assert!(without.is_empty(), "{without:?}");
    }
}
