//! A pack's text matchers as a detector: lines of files against regular expressions, the last resort after settings.

use super::Pack;
use super::file::{PackFile, TextMatch};
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Fact, Hit};
use crate::secret::redact_line;
use std::collections::BTreeMap;

/// Hits kept of one file and matcher.
const MOST: usize = 20;

pub(super) struct TextMatcher {
    id: String,
    pack: Pack,
}

impl TextMatcher {
    /// `None` for a pack without a text matcher.
    pub(super) fn new(pack: &Pack) -> Option<Self> {
        let has_text = texts(&pack.file).next().is_some();
        has_text.then(|| Self {
            id: format!("{}/text", pack.file.id.replace('/', "-")),
            pack: pack.clone(),
        })
    }
}

/// Text matchers of a pack by number: those of its concerns, then those of its other dispositions.
fn texts(file: &PackFile) -> impl Iterator<Item = (usize, &TextMatch)> {
    let concerns = file.concern.iter().map(|concern| &concern.when);
    let others = file.otherwise.iter().map(|other| &other.when);
    let all = concerns.chain(others).enumerate();
    all.filter_map(|(index, when)| Some((index, when.text.as_ref()?)))
}

impl Detector for TextMatcher {
    fn id(&self) -> &str {
        &self.id
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Text matchers of a pack",
            recognises: "lines that a pack's regular expressions match",
            why: "some products say what they need in no syntax of its own",
            cannot_see: "what is spread over several lines",
            references: &["the pack itself"],
        }
    }

    fn interest(&self) -> Interest {
        let texts = texts(&self.pack.file).map(|(_, text)| text);
        Interest {
            globs: texts.flat_map(|text| text.files.iter().cloned()).collect(),
            limit: 1 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        for (index, text) in texts(&self.pack.file) {
            let path = file.path.text();
            if !text
                .files
                .iter()
                .any(|pattern| crate::walk::glob::matches_path(pattern, &path))
            {
                continue;
            }
            let lines = file
                .lines()
                .filter(|(_, line)| !line.trim_start().starts_with(['#', ';']));
            let hits = lines
                .filter(|(_, line)| line.len() < 4096 && self.pack.is_match(&text.matches, line));
            for (number, line) in hits.take(MOST) {
                sink.fact(Fact::Hit(Hit {
                    pack: self.pack.file.id.clone(),
                    matcher: index.to_string(),
                    captures: BTreeMap::new(),
                    evidence: file.evidence(number, &redact_line(line).text),
                }));
            }
        }
    }
}
