//! Conditions of a pack as written, and the rules that fire by them.

use crate::rule::Severity;
use serde::Deserialize;

/// A rule and when it fires.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concern {
    /// Id in the catalogue.
    pub rule: String,
    /// Milder or harder than the catalogue's.
    #[serde(default)]
    pub severity: Option<Severity>,
    pub detail: String,
    #[serde(default)]
    pub remedy: Option<String>,
    pub when: When,
    #[serde(default)]
    pub lent: bool,
}

/// Every part that is given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Always, for the product that was recognised.
    #[serde(default)]
    pub recognised: bool,
    /// A setting of the product's configuration.
    #[serde(default)]
    pub setting: Option<SettingMatch>,
    /// A word of the command line, of the variables in `options`, or of the files in `option_files`.
    #[serde(default)]
    pub option: Option<OptionMatch>,
    /// An installed package, by pattern.
    #[serde(default)]
    pub packages: Vec<String>,
    /// A file or directory that exists, by path pattern.
    #[serde(default)]
    pub paths: Vec<String>,
    /// No file or directory matches any of these.
    #[serde(default)]
    pub absent: Vec<String>,
    /// An enabled unit, by pattern.
    #[serde(default)]
    pub units: Vec<String>,
    /// A text in files, by regular expression, line by line.
    #[serde(default)]
    pub text: Option<TextMatch>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingMatch {
    pub key: String,
    /// Regular expression over the arguments joined by spaces.
    #[serde(default)]
    pub matches: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionMatch {
    /// Patterns of the word before its `=`.
    pub names: Vec<String>,
    /// Patterns that keep it from firing.
    #[serde(default)]
    pub unless: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextMatch {
    pub files: Vec<String>,
    pub matches: String,
}

/// A file whose first word, one of these, says no.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unless {
    pub path: String,
    pub words: Vec<String>,
}
