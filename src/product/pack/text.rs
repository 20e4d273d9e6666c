//! A pack's text matchers as a detector: lines of files against regular expressions, the last resort after settings.

use super::Pack;
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
        let has_text = pack
            .file
            .concern
            .iter()
            .any(|concern| concern.when.text.is_some());
        has_text.then(|| Self {
            id: format!("{}/text", pack.file.id.replace('/', "-")),
            pack: pack.clone(),
        })
    }
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
        let texts = self
            .pack
            .file
            .concern
            .iter()
            .filter_map(|concern| concern.when.text.as_ref());
        Interest {
            globs: texts.flat_map(|text| text.files.iter().cloned()).collect(),
            limit: 1 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        for (index, concern) in self.pack.file.concern.iter().enumerate() {
            let Some(text) = &concern.when.text else {
                continue;
            };
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
