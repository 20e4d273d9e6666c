//! Names that a language declares, and those that stand in brackets, in a list, or alone in front of their value.

use super::{Given, How, Reader, Style};

impl Reader<'_> {
    /// One word, or one in quotes: more is a sentence.
    pub(super) fn is_alone(&self, at: usize, given: &Given) -> bool {
        let is_quoted = given.how != How::Bare;
        let after = self.blanks(given.value.end + usize::from(is_quoted));
        let ends = matches!(
            self.at(after),
            None | Some(b'\n' | b'\r' | b'#' | b';' | b'}' | b'/')
        );
        let is_closed = self.at(after) == Some(b';')
            || self
                .rest(at)
                .get(..given.value.len())
                .is_some_and(|word| word.ends_with(b";"));
        ends && !self
            .rest(at)
            .get(..given.value.len())
            .is_some_and(|word| word.ends_with(b"."))
            && (self.is_first() || ((is_quoted || is_closed) && self.words_before() < 2))
    }

    /// `- --password` and `- value` in a list.
    pub(super) fn next_item(&self, at: usize) -> Option<Given> {
        if self.style != Style::Settings || !matches!(self.at(at), Some(b'\n' | b'\r')) {
            return None;
        }
        let next = self.space(at);
        let given = self
            .starts(next, b"- ")
            .then(|| self.value(next + 2, false))??;
        (self.at(given.value.start) != Some(b'-')).then_some(given)
    }

    /// Behind the bracket that a name stands in: `env[NAME] = …`, `$ENV{NAME} = …`.
    pub(super) fn bracketed(&self, end: usize) -> usize {
        let is_word = |by: usize| {
            self.back(by)
                .is_some_and(|byte| byte.is_ascii_alphanumeric())
        };
        let mut open = 1;
        while self
            .back(open)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte))
            && open < 64
        {
            open += 1;
        }
        let closes = matches!(
            (self.style, self.back(open), self.at(end)),
            (Style::Settings, Some(b'['), Some(b']')) | (Style::Code, Some(b'{'), Some(b'}'))
        );
        let after = self.blanks(end + 1);
        let gives = self.at(after) == Some(b'=') && self.at(after + 1) != Some(b'=');
        end + usize::from(closes && is_word(open + 1) && gives)
    }

    /// `#define NAME "…"`, `NAME { get; set; } = "…"`, `var NAME string = "…"`.
    pub(super) fn declared(&self, end: usize) -> Option<Given> {
        let line = self.text.get(end..self.line_end(end))?;
        if self.statement().trim_start() == "#define" {
            return self.quoted(self.blanks(end));
        }
        let blank = line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        let equals = memchr::memchr(b'=', line.get(..line.len().min(64))?)?;
        let between = line.get(..equals)?.trim_ascii();
        let is_type = between
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.*[]".contains(byte));
        let is_property = between.starts_with(b"{") && between.ends_with(b"}");
        let statement = self.statement();
        let is_variable = ["var", "const"].iter().any(|word| statement == *word);
        let is_apart = line.get(equals + 1) != Some(&b'=') && line.get(equals + 1) != Some(&b'>');
        (blank && is_apart && !between.is_empty() && (is_property || (is_type && is_variable)))
            .then(|| self.quoted(self.blanks(end + equals + 1)))?
    }

    /// `password: str = "…"`
    pub(super) fn typed(&self, colon: usize) -> Option<Given> {
        let line = self.text.get(colon + 1..self.line_end(colon))?;
        let equals = memchr::memchr(b'=', line)?;
        let is_type = |byte: &u8| byte.is_ascii_alphanumeric() || b" _&[]<>.|?:*".contains(byte);
        let annotation = line.get(..equals)?;
        let is_apart = line.get(equals + 1) != Some(&b'=') && line.get(equals + 1) != Some(&b'>');
        (is_apart && annotation.iter().all(is_type))
            .then(|| self.value(colon + 2 + equals, false))?
    }
}
