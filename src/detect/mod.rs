//! Detectors: each is shown files it is interested in, and emits facts with evidence.
//!
//! Invariant: no detector performs I/O. The engine opens, caps and closes; a detector is handed bytes. Much of a machine
//! is only found by following (an include, an `EnvironmentFile=`), so a detector may *ask* with [`Sink::want`]; the engine
//! reads what is new in the next round, each path once per purpose, and rounds end when nothing new is asked.

mod asked;
mod brought;
pub mod dispatch;
pub mod engine;
mod gather;
pub mod native;
pub mod registry;
mod shade;

use crate::fact::{Evidence, Fact, Facts, Masking, Unexamined, masking};
use crate::path::MachinePath;
use crate::walk::{Entry, literal};
use std::borrow::Cow;
use std::io::Read;
use std::sync::OnceLock;

pub use registry::Registry;

/// What a detector is, for `explain`, reports and tests. No field may be empty.
#[derive(Debug, Clone)]
pub struct Doc {
    pub title: &'static str,
    pub recognises: &'static str,
    pub why: &'static str,
    pub cannot_see: &'static str,
    pub references: &'static [&'static str],
}

/// Which files a detector is shown. Data, never a predicate: it can be listed, checked, and dispatched by table.
#[derive(Debug, Clone, Default)]
pub struct Interest {
    /// Exact paths; links inside the machine are followed.
    pub paths: Vec<String>,
    /// Base names anywhere.
    pub names: Vec<String>,
    /// Shell patterns on whole paths; `**` crosses directories.
    pub globs: Vec<String>,
    /// Largest file read, in bytes; a larger one is reported as unexamined.
    pub limit: u64,
    /// Bytes of all files together that it is shown because somebody asked, each counted with [`Interest::EACH`] more; 0 is
    /// any number. What is beyond is unexamined.
    pub total: u64,
    /// Whether a file's extended attributes are wanted too.
    pub attributes: bool,
    /// Endings: a file of the same name with one of them holds what was not written into the file yet ([`FileView::beside`]).
    pub beside: &'static [&'static str],
    /// Files may be too large to be held: they are read piece by piece ([`Detector::stream`]), and never shown whole.
    pub streamed: bool,
}

impl Interest {
    /// What opening a file costs, in bytes: a hundred thousand small ones are not for nothing.
    pub const EACH: u64 = 256 << 10;
}

/// Why a file is being shown: by interest (empty), or because somebody asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Purpose {
    /// The detector that is to look at it.
    pub detector: Cow<'static, str>,
    /// What the asker wants it to know: the block context of an include, a syntax, …
    pub context: String,
}

/// A request to be shown more files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Want {
    /// A path or a shell pattern, absolute in the machine.
    pub pattern: String,
    pub purpose: Purpose,
}

impl Want {
    /// One file, by its path, for a detector that needs to know no more.
    pub(crate) fn file(path: &MachinePath, detector: &'static str) -> Self {
        Self {
            pattern: literal(path),
            purpose: Purpose {
                detector: detector.into(),
                context: String::new(),
            },
        }
    }
}

/// A file as a detector sees it.
pub struct FileView<'a> {
    /// The path asked for (a link's own name); `entry` is what it leads to.
    pub path: &'a MachinePath,
    pub entry: &'a Entry,
    pub bytes: &'a [u8],
    pub purpose: &'a Purpose,
    /// Whether what is said of it is said without its secrets.
    pub masking: Masking,
    attributes: &'a [(Vec<u8>, Vec<u8>)],
    beside: &'a [(&'static str, Vec<u8>)],
    text: OnceLock<Cow<'a, str>>,
}

impl<'a> FileView<'a> {
    pub fn new(
        path: &'a MachinePath,
        entry: &'a Entry,
        bytes: &'a [u8],
        purpose: &'a Purpose,
    ) -> Self {
        Self {
            path,
            entry,
            bytes,
            purpose,
            masking: Masking::Masked,
            attributes: &[],
            beside: &[],
            text: OnceLock::new(),
        }
    }

    /// The same with the file's extended attributes, for those whose interest asks for them.
    #[must_use]
    pub fn with_attributes(mut self, attributes: &'a [(Vec<u8>, Vec<u8>)]) -> Self {
        self.attributes = attributes;
        self
    }

    /// The same with what stands beside it, for those whose interest asks for it.
    #[must_use]
    pub fn with_beside(mut self, beside: &'a [(&'static str, Vec<u8>)]) -> Self {
        self.beside = beside;
        self
    }

    /// What the file of the same name with this ending holds, where it is there.
    pub fn beside(&self, ending: &str) -> Option<&'a [u8]> {
        let found = self.beside.iter().find(|(known, _)| *known == ending);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    /// The same with its secrets, for who writes their files; its text keeps bytes that are none ([`masking::bytes`]).
    #[must_use]
    pub fn disclosed(mut self) -> Self {
        self.masking = Masking::Disclosed;
        self
    }

    /// The value of an extended attribute, by its full name.
    pub fn attribute(&self, name: &[u8]) -> Option<&'a [u8]> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_slice())
    }

    /// The content as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| match self.masking {
            Masking::Masked => String::from_utf8_lossy(self.bytes),
            Masking::Disclosed => masking::text(self.bytes),
        })
    }

    /// Lines with their 1-based numbers; a carriage return at the end is dropped.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        (1u32..).zip(self.text().lines())
    }

    pub fn evidence(&self, line: u32, text: &str) -> Evidence {
        Evidence::line(self.path, line, text)
    }
}

/// Where a detector puts what it found.
#[derive(Debug, Default)]
pub struct Sink {
    pub facts: Vec<Fact>,
    pub wants: Vec<Want>,
    pub unexamined: Vec<Unexamined>,
}

impl Sink {
    pub fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// Asks for more files: `detector` will be shown what `pattern` names, with `context` as its purpose.
    pub fn want(
        &mut self,
        pattern: impl Into<String>,
        detector: impl Into<Cow<'static, str>>,
        context: impl Into<String>,
    ) {
        let purpose = Purpose {
            detector: detector.into(),
            context: context.into(),
        };
        self.wants.push(Want {
            pattern: pattern.into(),
            purpose,
        });
    }

    /// Says that (part of) a file could not be understood.
    pub fn unexamined(&mut self, path: &MachinePath, detector: &str, reason: impl Into<String>) {
        let (detector, reason) = (detector.to_owned(), reason.into());
        self.unexamined.push(Unexamined {
            path: path.clone(),
            detector,
            reason,
        });
    }
}

/// Recognises one thing in files. Native detectors are for formats; packs are for products.
pub trait Detector: Send + Sync {
    /// `family/name`, kebab-case, stable for ever.
    fn id(&self) -> &str;
    fn doc(&self) -> Doc;
    fn interest(&self) -> Interest;
    /// Reads one file and reports facts. Must not look at any other file.
    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink);
    /// The same for a file whose content comes piece by piece; the view has no bytes. `known` is what was known before this
    /// round, so that nothing is kept that nobody asks about.
    fn stream(&self, file: &FileView<'_>, content: &mut dyn Read, known: &Facts, sink: &mut Sink) {
        let _ = (file, content, known, sink);
    }
}
