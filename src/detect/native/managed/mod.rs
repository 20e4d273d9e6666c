//! Files of managers that start programs by a configuration of their own, asked for by who reads those managers.
//!
//! What belongs here: how such files are written, one file a dialect. What they mean is `service`'s to say.

mod literal;
mod monit;
mod process_list;
mod run_script;
mod shell;
mod supervisor;
mod upstart;
mod xinetd;

use super::reference::is_hidden;
use super::unit::quoted;
use crate::detect::{Detector, Doc, FileView, Interest, Purpose, Sink, Want};
use crate::fact::{Dialect, Fact, Managed, Masking, UnitEntry, VARIABLES};
use crate::secret::MASK;
use crate::words;
use std::borrow::Cow;
use std::collections::BTreeSet;

pub struct Managers;

impl Managers {
    pub const ID: &str = "services/managers";

    /// What has a detector read a file in this dialect.
    pub fn purpose(dialect: Dialect) -> Purpose {
        let name = serde_json::to_string(&dialect).unwrap_or_default();
        Purpose {
            detector: Self::ID.into(),
            context: name.trim_matches('"').to_owned(),
        }
    }

    /// A pattern of files in this dialect.
    pub fn want(pattern: &str, dialect: Dialect) -> Want {
        Want {
            pattern: pattern.to_owned(),
            purpose: Self::purpose(dialect),
        }
    }
}

/// Entries of one file.
const MOST: usize = 20_000;

/// Patterns that one file reads in.
const MOST_INCLUDES: usize = 256;

impl Detector for Managers {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Programs of service managers",
            recognises: "what managers beside the machine's own are told to start, in the dialect each was asked for by",
            why: "each of their programs is a service, and so a container of its own",
            cannot_see: "what a configuration computes when it is read",
            references: &["the manual of each manager; see src/service"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 4 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let dialect = serde_json::from_str(&format!("\"{}\"", file.purpose.context));
        let Ok(dialect) = dialect else {
            return;
        };
        let mut reader = Reader::new(file, dialect);
        let read = match dialect {
            Dialect::Supervisor => {
                supervisor::read(&mut reader, file);
                Ok(())
            }
            Dialect::ProcessList => process_list::read(&mut reader, file),
            Dialect::RunScript => {
                run_script::read(&mut reader, file);
                Ok(())
            }
            Dialect::Variable => {
                run_script::variable(&mut reader, file);
                Ok(())
            }
            Dialect::Shell => {
                shell::read(&mut reader, file);
                Ok(())
            }
            Dialect::Upstart => {
                upstart::read(&mut reader, file);
                Ok(())
            }
            Dialect::Xinetd => {
                xinetd::read(&mut reader, file);
                Ok(())
            }
            Dialect::Monit => {
                monit::read(&mut reader, file);
                Ok(())
            }
        };
        if let Err(reason) = read {
            sink.unexamined(file.path, Self::ID, reason);
            return;
        }
        if reader.is_cut {
            let reason = "says more than the limit; the rest was not read";
            sink.unexamined(file.path, Self::ID, reason);
        }
        let found = reader.found;
        let includes = found.includes.iter();
        sink.wants
            .extend(includes.map(|pattern| Self::want(pattern, dialect)));
        sink.fact(Fact::Managed(found));
    }
}

/// Collects entries; redacts as they come, so that no dialect can forget to.
struct Reader {
    masking: Masking,
    /// Variables that stand where a secret would, wherever they get their values.
    secrets: BTreeSet<String>,
    found: Managed,
    is_cut: bool,
}

impl Reader {
    fn new(file: &FileView<'_>, dialect: Dialect) -> Self {
        Self {
            masking: file.masking,
            secrets: BTreeSet::new(),
            found: Managed {
                path: file.path.clone(),
                dialect,
                entries: Vec::new(),
                includes: Vec::new(),
            },
            is_cut: false,
        }
    }

    /// A setting; a key that says so has a secret for its value.
    fn setting(&mut self, section: &str, key: &str, value: &str, line: u32) {
        let redacted = self.masking.redact(Some(key), value);
        let (value, secret) = (redacted.text.into_owned(), redacted.kind.is_some());
        self.push(section, key, value, line, secret);
    }

    /// A command line, or another free text.
    fn line(&mut self, section: &str, key: &str, text: &str, line: u32) {
        let (whole, has_whole) = match self.masking {
            Masking::Masked => quoted("Exec", text),
            Masking::Disclosed => (Cow::Borrowed(text), false),
        };
        let redacted = self.masking.redact_line(&whole);
        let secret = has_whole || redacted.kind.is_some();
        let value = redacted.text.into_owned();
        self.push(section, key, value, line, secret);
    }

    /// A variable of a program's environment.
    fn variable(&mut self, section: &str, name: &str, value: &str, line: u32) {
        let is_asked = self.masking == Masking::Masked && is_hidden(&self.secrets, name, value);
        let redacted = self.masking.redact(Some(name), value);
        let secret = is_asked || redacted.kind.is_some();
        let value = if is_asked { MASK } else { &*redacted.text };
        let word = words::quote(&format!("{name}={value}"));
        self.push(section, VARIABLES, word, line, secret);
    }

    fn push(&mut self, section: &str, key: &str, value: String, line: u32, secret: bool) {
        if self.found.entries.len() >= MOST {
            self.is_cut = true;
            return;
        }
        self.found.entries.push(UnitEntry {
            section: section.to_owned(),
            key: key.to_owned(),
            value,
            line,
            secret,
            references: BTreeSet::new(),
        });
    }

    fn include(&mut self, pattern: String) {
        if self.found.includes.len() >= MOST_INCLUDES {
            self.is_cut = true;
        } else {
            self.found.includes.push(pattern);
        }
    }
}
