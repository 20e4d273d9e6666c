//! Where a product's configuration is, and where a value in it comes from, as a pack writes it.

use crate::fact::Syntax;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Where configuration is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub syntax: Syntax,
    /// Main files; `{instance}`, `{name}`, `{1}` and variables of the service's environment (`{CATALINA_BASE}`) are filled in.
    #[serde(default)]
    pub files: Vec<String>,
    /// Flags whose value is the main file: `-c`, `--config`; `0` is the first plain argument.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Plain arguments that are words to the program, and no file.
    #[serde(default)]
    pub verbs: Vec<String>,
    /// Files that are read after the main ones; of a directory, those of `names` in it.
    #[serde(default)]
    pub additional: Option<Source>,
    #[serde(default)]
    pub names: Vec<String>,
    /// Archives among what is run, by pattern, and the members of them that are read before all files.
    #[serde(default)]
    pub archives: Vec<String>,
    #[serde(default)]
    pub members: Vec<String>,
    /// Files of more words for the command line, one a line.
    #[serde(default)]
    pub option_files: Vec<String>,
    /// Files by the end of their name that are not of the main syntax: `{ yml = "yaml" }`.
    #[serde(default)]
    pub endings: BTreeMap<String, Syntax>,
    /// Keys of trees are joined with dots, as the product calls them.
    #[serde(default)]
    pub dotted: bool,
    /// The directory that holds the main file, where no flag names a file: `-D` of PostgreSQL, with `inside`.
    #[serde(default)]
    pub home: Option<Source>,
    /// What is read of a directory that stands in the place of a file: `*.cfg`, `postgresql.conf`.
    #[serde(default)]
    pub inside: Option<String>,
    /// The directory that relative paths start from, those of flags and settings alike: `ServerRoot`, `-d`.
    #[serde(default)]
    pub root: Option<Source>,
    /// Read after everything else, and so in force: what the running product itself has written.
    #[serde(default)]
    pub last: Option<Last>,
    /// Files of shell assignments whose variables stand in the configuration as `${NAME}`.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Everything below these belongs to the product's configuration; path patterns.
    #[serde(default)]
    pub directories: Vec<String>,
}

/// A file in a directory that the configuration read so far names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    pub below: Source,
    pub file: String,
}

/// Where a value comes from: a setting, an argument, a variable, or a default. The first that is there counts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Patterns over setting keys (`**/listen`); `-` and `_` are alike.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Flags of the command line.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Variables of the service's environment, and of the shell files that its configuration names.
    #[serde(default)]
    pub environment: Vec<String>,
    /// Variables that count before settings.
    #[serde(default)]
    pub overrides: Vec<String>,
    #[serde(default)]
    pub default: Option<String>,
    /// Which argument of a setting; the first.
    #[serde(default)]
    pub index: usize,
    /// Only settings one of whose arguments matches.
    #[serde(default)]
    pub having: Option<String>,
    /// Only settings none of whose arguments matches.
    #[serde(default)]
    pub without: Option<String>,
    /// Not an argument by number, but the one that follows this word: `crt` in `bind :443 ssl crt /etc/x.pem`.
    #[serde(default)]
    pub after: Option<String>,
    /// What a setting that is there stands for, instead of its argument: `protocols = imap` is port 143.
    #[serde(default)]
    pub value: Option<String>,
    /// Not an argument, but the last word of the key: the first column of a table.
    #[serde(default)]
    pub key: bool,
    /// Every setting counts, not only the last.
    #[serde(default)]
    pub all: bool,
    /// Every argument of a setting counts, not only the one at `index`.
    #[serde(default)]
    pub each: bool,
}
