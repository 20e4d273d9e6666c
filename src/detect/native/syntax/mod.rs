//! Configuration syntaxes: each file of this room reads one into the common list of settings.
//!
//! What belongs here: syntax. What a directive means is a pack's to say, so a new product with an old syntax is no code.

mod apache;
mod blocks;
mod braces;
mod columns;
mod environment;
mod flags;
mod haproxy;
mod ini;
mod keyed;
mod script;
mod tree;
mod xml;

use crate::detect::{Detector, Doc, FileView, Interest, Sink, Want};
use crate::fact::{Document, Fact, Include, Masking, Setting, Syntax, Unexamined};
use crate::path::MachinePath;
use crate::words::budget::{Budget, EXPANDED, WORDS};
use std::collections::BTreeSet;

pub use crate::words::flags::read as read_flags;

/// Settings read from one file; a configuration of more is a list of data.
const MOST: usize = 50_000;

/// Includes of one file.
const MOST_INCLUDES: usize = 4_096;

/// Blocks in blocks; deeper nesting is no configuration.
const DEPTH: usize = 64;

/// What keys, arguments and conditions of a file may become: each setting says all blocks it stands in.
const TIMES: usize = 16;
const FLOOR: usize = 64 << 10;

/// Why a file was not read to its end, or not all of it.
const MANY: &str = "has more settings than the limit; the rest was not read";
const DEEP: &str = "nests deeper than the limit; what stands deeper was not read";
const LONG: &str = "has a line of more words than the limit; the rest of the line was not read";

/// How a file is to be read: the syntax, the directory relative includes start from, and the block it is included into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub syntax: Syntax,
    pub base: MachinePath,
    pub context: String,
}

impl Reading {
    /// A main file: includes are relative to its own directory.
    pub fn main(syntax: Syntax, path: &MachinePath) -> Self {
        let base = path.parent().unwrap_or_else(MachinePath::root);
        Self {
            syntax,
            base,
            context: String::new(),
        }
    }

    /// The want that has a file (or pattern) read so.
    pub fn want(&self, pattern: &str) -> Want {
        let name = serde_json::to_string(&self.syntax).unwrap_or_default();
        let context = format!(
            "{}|{}|{}",
            name.trim_matches('"'),
            self.base.text(),
            self.context
        );
        let purpose = crate::detect::Purpose {
            detector: Configuration::ID.into(),
            context,
        };
        Want {
            pattern: pattern.to_owned(),
            purpose,
        }
    }

    fn parse(context: &str) -> Option<Self> {
        let mut parts = context.splitn(3, '|');
        let syntax = serde_json::from_str(&format!("\"{}\"", parts.next()?)).ok()?;
        let base = MachinePath::new(parts.next()?);
        Some(Self {
            syntax,
            base,
            context: parts.next().unwrap_or_default().to_owned(),
        })
    }
}

/// A want for a main file whose relative includes start at its own directory. The pattern may be one.
pub fn want(syntax: Syntax, pattern: &str) -> Want {
    let literal = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    let base = literal.rsplit_once('/').map_or("/", |(dir, _)| dir);
    Reading {
        syntax,
        base: MachinePath::new(base),
        context: String::new(),
    }
    .want(pattern)
}

/// Reads configuration under the syntax it was asked for.
pub struct Configuration;

impl Configuration {
    pub const ID: &str = "config/syntax";
}

impl Detector for Configuration {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Configuration files",
            recognises: "settings and includes in seventeen syntaxes, asked for by packs",
            why: "ports, data, logs and connections are said in configuration",
            cannot_see: "configuration made at run time, or by a program",
            references: &["each product's manual; see the packs"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 8 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let Some(reading) = Reading::parse(&file.purpose.context) else {
            return;
        };
        match read(&reading, file.path, file.text(), file.masking) {
            Ok(Read {
                document,
                cut,
                base,
            }) => {
                let cut = cut.into_iter();
                sink.unexamined.extend(cut.map(|reason| Unexamined {
                    path: file.path.clone(),
                    detector: Self::ID.to_owned(),
                    reason: reason.to_owned(),
                }));
                for include in &document.includes {
                    let inner = Reading {
                        base: base.clone(),
                        context: include.context.clone(),
                        syntax: reading.syntax,
                    };
                    sink.wants.push(inner.want(&include.pattern));
                }
                sink.fact(Fact::Document(document));
            }
            Err(reason) => sink.unexamined(file.path, Self::ID, reason),
        }
    }
}

/// One file, read.
pub struct Read {
    pub document: Document,
    /// What of it was too much.
    pub cut: BTreeSet<&'static str>,
    /// Where relative includes start, those of included files too: the file itself may say so.
    pub base: MachinePath,
}

/// Reads a text under a syntax, and says what was too much of it. Line-based syntaxes pass over what they do not
/// understand; trees are whole or an error.
pub fn read(
    reading: &Reading,
    path: &MachinePath,
    text: &str,
    masking: Masking,
) -> Result<Read, String> {
    let mut out = Reader {
        reading,
        base: reading.base.clone(),
        masking,
        settings: Vec::new(),
        includes: Vec::new(),
        conditions: Vec::new(),
        budget: Budget::new(text.len().saturating_mul(TIMES).saturating_add(FLOOR)),
        cut: BTreeSet::new(),
    };
    match reading.syntax {
        Syntax::Blocks => blocks::read(&mut out, text, false),
        Syntax::CBlocks => blocks::read(&mut out, text, true),
        Syntax::Braces => braces::read(&mut out, text, path),
        Syntax::Apache => apache::read(&mut out, text),
        Syntax::Haproxy => haproxy::read(&mut out, text),
        Syntax::Ini => ini::read(&mut out, text, path),
        Syntax::KeyEquals => keyed::read_equals(&mut out, text, path),
        Syntax::KeySpace => keyed::read_space(&mut out, text),
        Syntax::Flags => flags::read_file(&mut out, text),
        Syntax::Environment => environment::read(&mut out, text),
        Syntax::Columns => columns::read(&mut out, text),
        Syntax::Json => tree::read_json(&mut out, text)?,
        Syntax::Yaml => tree::read_yaml(&mut out, text)?,
        Syntax::Toml => tree::read_toml(&mut out, text)?,
        Syntax::Xml => xml::read(&mut out, text)?,
        Syntax::Properties => keyed::read_properties(&mut out, text),
        Syntax::Script => script::read(&mut out, text),
    }
    let Reader {
        settings,
        includes,
        base,
        mut cut,
        budget,
        ..
    } = out;
    if budget.is_spent() {
        cut.insert(EXPANDED);
    }
    let document = Document {
        path: path.clone(),
        syntax: reading.syntax,
        settings,
        includes,
    };
    Ok(Read {
        document,
        cut,
        base,
    })
}

/// Collects settings; redacts as they come, so that no syntax can forget to.
pub(crate) struct Reader<'a> {
    reading: &'a Reading,
    /// Where relative includes start.
    base: MachinePath,
    masking: Masking,
    settings: Vec<Setting>,
    includes: Vec<Include>,
    /// Conditions in force where the reader is.
    conditions: Vec<String>,
    /// What the file may become.
    budget: Budget,
    /// What there was too much of.
    cut: BTreeSet<&'static str>,
}

impl Reader<'_> {
    /// Nothing more is taken: whoever reads may stop.
    fn is_full(&self) -> bool {
        self.settings.len() >= MOST || self.budget.is_spent()
    }

    /// Whether a block may be entered.
    fn may_nest(&mut self, depth: usize) -> bool {
        if depth >= DEPTH {
            self.cut.insert(DEEP);
        }
        depth < DEPTH
    }

    /// `blocks` are the enclosing blocks' names inside this file; the context it was included in comes before them.
    fn setting(&mut self, blocks: &[String], key: &str, args: &[String], block: u32, line: u32) {
        if self.settings.len() >= MOST {
            self.cut.insert(MANY);
            return;
        }
        if args.len() > WORDS {
            self.cut.insert(LONG);
        }
        let args = args.get(..WORDS).unwrap_or(args);
        let said = self.conditions.iter().chain(args).chain(blocks);
        let cost: usize = said.map(|text| text.len() + 1).sum();
        if !self
            .budget
            .take(cost + key.len() + self.reading.context.len())
        {
            return;
        }
        let mut secret = false;
        let masking = self.masking;
        let args = args.iter().map(|arg| {
            let redacted = masking.redact(Some(key), arg);
            secret |= redacted.kind.is_some();
            redacted.text.into_owned()
        });
        let args = args.collect();
        let key = self.key(blocks, key);
        self.settings.push(Setting {
            key,
            args,
            block,
            line,
            secret,
            conditions: self.conditions.clone(),
        });
    }

    fn key(&self, blocks: &[String], key: &str) -> String {
        let context = Some(self.reading.context.as_str()).filter(|context| !context.is_empty());
        let parts: Vec<&str> = context
            .into_iter()
            .chain(blocks.iter().map(String::as_str))
            .chain([key])
            .filter(|p| !p.is_empty())
            .collect();
        parts.join("/")
    }

    fn include(&mut self, blocks: &[String], pattern: &str, line: u32) {
        let pattern = self.base.join(pattern).text().into_owned();
        let context = self.key(blocks, "");
        if !self.has_room_for(&pattern, &context) {
            return;
        }
        self.includes.push(Include {
            pattern,
            context,
            line,
            conditions: self.conditions.clone(),
        });
    }

    /// Room for one more include: it costs its directory too, however short it is written.
    fn has_room_for(&self, pattern: &str, context: &str) -> bool {
        let conditions: usize = self.conditions.iter().map(String::len).sum();
        if self.includes.len() >= MOST_INCLUDES {
            self.budget.refuse();
            return false;
        }
        self.budget.take(pattern.len() + context.len() + conditions)
    }

    /// Like [`Self::include`], relative to the including file rather than to the main one.
    fn include_beside(&mut self, path: &MachinePath, pattern: &str, line: u32) {
        let dir = path.parent().unwrap_or_else(MachinePath::root);
        let pattern = dir.join(pattern).text().into_owned();
        if !self.has_room_for(&pattern, &self.reading.context) {
            return;
        }
        self.includes.push(Include {
            pattern,
            context: self.reading.context.clone(),
            line,
            conditions: self.conditions.clone(),
        });
    }
}

/// Words of a line: white space parts them, quotes group, `#` at the start of a word begins a comment.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut inside = false;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match quote {
            Some(open) if c == open => quote = None,
            Some('"') if c == '\\' => word.extend(chars.next()),
            Some(_) => word.push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                inside = true;
            }
            None if c == '\\' => {
                word.extend(chars.next());
                inside = true;
            }
            None if c.is_whitespace() => {
                if inside {
                    words.push(std::mem::take(&mut word));
                    inside = false;
                }
            }
            None if c == '#' && !inside => break,
            None => {
                word.push(c);
                inside = true;
            }
        }
    }
    if inside {
        words.push(word);
    }
    words
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// `key=args@line` for each setting.
    pub(crate) fn shown(syntax: Syntax, text: &str) -> Vec<String> {
        let path = MachinePath::new("/etc/x/main.conf");
        let Read { document, .. } =
            read(&Reading::main(syntax, &path), &path, text, Masking::Masked).expect("reads");
        document
            .settings
            .iter()
            .map(|s| format!("{}={}@{}", s.key, s.args.join(","), s.line))
            .collect()
    }

    pub(crate) fn includes(syntax: Syntax, text: &str) -> Vec<(String, String)> {
        let path = MachinePath::new("/etc/x/main.conf");
        let Read { document, .. } =
            read(&Reading::main(syntax, &path), &path, text, Masking::Masked).expect("reads");
        document
            .includes
            .into_iter()
            .map(|include| (include.pattern, include.context))
            .collect()
    }

    #[test]
    fn a_want_round_trips() {
        let reading = Reading {
            syntax: Syntax::KeyEquals,
            base: "/etc/a|b".into(),
            context: String::new(),
        };
        let odd = Reading::parse(&reading.want("/x").purpose.context);
        assert_eq!(odd.map(|r| r.syntax), Some(Syntax::KeyEquals));
        let reading = Reading {
            syntax: Syntax::Blocks,
            base: "/etc/n".into(),
            context: "http/server".into(),
        };
        assert_eq!(
            Reading::parse(&reading.want("/x").purpose.context),
            Some(reading)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s)[ -~\n\t{}<>\"'=;#\\\\]{0,300}") {
            let path = MachinePath::new("/etc/x");
            for syntax in [
                Syntax::Blocks, Syntax::CBlocks, Syntax::Braces, Syntax::Apache, Syntax::Haproxy, Syntax::Ini, Syntax::KeyEquals, Syntax::KeySpace,
                Syntax::Flags, Syntax::Environment, Syntax::Columns, Syntax::Json, Syntax::Yaml, Syntax::Toml,
                Syntax::Xml, Syntax::Properties, Syntax::Script,
            ] {
                let _ = read(&Reading::main(syntax, &path), &path, &text, Masking::Masked);
            }
        }
    }
}
