//! How far a value goes: in quotes, as a word, to the end of its line, as a block of lines.

use super::{FAR, Given, How, Reader, Style};

impl Reader<'_> {
    /// A value behind its separator. Where nothing is on the line, one in deeper lines.
    pub(super) fn value(&self, at: usize, is_json: bool) -> Option<Given> {
        let mut at = self.blanks(at);
        if self.at(at) == Some(b'!') && self.style != Style::Code {
            // A YAML tag; one of its own says that the value is elsewhere, or made.
            let line = self.text.get(at..self.line_end(at))?;
            if !line.starts_with(b"!!") {
                return Some(Given {
                    value: at..self.line_end(at),
                    how: How::Bare,
                });
            }
            at = self.blanks(at + memchr::memchr(b' ', line)?);
        }
        if let Some(block) = self.block(at) {
            return Some(block);
        }
        // What a name is given as an object is in a member of it: `{"value": "…"}`, `{ get; set; } = "…"`.
        if self.at(at) == Some(b'{') && self.is_object(at) {
            return self.member(at);
        }
        let opened = at;
        let is_within = self.style == Style::Code && self.around().is_some();
        for _ in 0..if is_within { 0 } else { 2 } {
            if matches!(self.at(at), Some(b'[' | b'{' | b'('))
                && (is_json || self.style == Style::Code || self.at(at) == Some(b'['))
            {
                at = self.space(at + 1);
            }
        }
        let is_word = matches!(self.style, Style::Shell | Style::Shown);
        if let Some(quoted) = self.quoted(at).filter(|_| !is_word) {
            // `"name": [{"other": …`
            let is_name = at > opened && self.at(self.blanks(quoted.value.end + 1)) == Some(b':');
            return (!is_name).then_some(quoted);
        }
        match self.style {
            Style::Code => self.in_code(at),
            Style::Shell | Style::Shown => self.word(at),
            Style::Settings => self.to_line_end(at),
        }
    }

    /// An opening brace outside of a literal, with a member behind it.
    fn is_object(&self, at: usize) -> bool {
        let inside = self.space(at + 1);
        let is_name = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'"' | b'\'' | b'$');
        let rest = self.rest(inside);
        let line = rest.get(..rest.len().min(64)).unwrap_or_default();
        let close = line.iter().position(|byte| *byte == b'}');
        let member = line.iter().position(|byte| matches!(byte, b':' | b'='));
        self.around().is_none()
            && self.at(inside).is_some_and(is_name)
            && member.is_some_and(|member| close.is_none_or(|close| member < close))
    }

    /// A YAML block: the deeper lines behind `|` or `>`.
    pub(super) fn block(&self, at: usize) -> Option<Given> {
        let end = self.line_end(at);
        let head = self.text.get(at..end)?;
        let is_block = matches!(head.first(), Some(b'|' | b'>'))
            && head
                .iter()
                .skip(1)
                .all(|byte| byte.is_ascii_digit() || b"-+ \t".contains(byte));
        if !is_block {
            return None;
        }
        let first = self.line_start();
        let indent = |from: usize| {
            self.rest(from)
                .iter()
                .take_while(|byte| **byte == b' ')
                .count()
        };
        let own = indent(first);
        let start = end + 1;
        let mut stop = start;
        while stop < self.text.len() && stop - start < FAR {
            let line = self.line_end(stop);
            if line > stop && indent(stop) <= own {
                break;
            }
            stop = line + 1;
        }
        let text = self.text.get(start..stop.min(self.text.len()))?;
        let lead = text.len() - text.trim_ascii_start().len();
        let value = start + lead..start + lead + text.trim_ascii().len();
        (!value.is_empty()).then_some(Given {
            value,
            how: How::Element,
        })
    }

    /// A value in quotes: single, double, tripled, escaped once more, or written as an entity.
    pub(super) fn quoted(&self, at: usize) -> Option<Given> {
        let prefix = self
            .rest(at)
            .iter()
            .take(2)
            .take_while(|byte| b"rRbBuUfFL@N".contains(byte))
            .count();
        let prefix = if matches!(self.at(at + prefix), Some(b'"' | b'\'')) {
            prefix
        } else {
            0
        };
        let at = at + prefix;
        let whole = |start: usize, length: usize, quote: u8| {
            Some(Given {
                value: start..start + length,
                how: How::Quoted(quote),
            })
        };
        if self.starts(at, b"&quot;") {
            let length = memchr::memmem::find(self.rest(at + 6), b"&quot;")?;
            return whole(at + 6, length, b'"');
        }
        let (escaped, quote) = match (self.at(at)?, self.at(at + 1)) {
            (b'\\', Some(quote @ (b'"' | b'\''))) => (true, quote),
            (quote @ (b'"' | b'\'' | b'`'), _) => (false, quote),
            _ => return None,
        };
        let triple = [quote; 3];
        if self.starts(at, &triple) {
            let length = memchr::memmem::find(self.rest(at + 3), &triple)?;
            return whole(at + 3, length, quote);
        }
        let start = at + 1 + usize::from(escaped);
        let rest = self.rest(start);
        let mut skip = false;
        for (length, byte) in rest.iter().enumerate() {
            let closes = *byte == quote && (escaped == skip);
            if closes {
                let length = if escaped { length - 1 } else { length };
                return whole(start, length, quote);
            }
            skip = *byte == b'\\' && !skip;
        }
        // Never closed: to the end of the line.
        whole(start, self.line_end(start) - start, quote)
    }

    /// A word of a command line: quotes inside it, backslashes before blanks. Within a longer quoted text it ends with that.
    pub(super) fn word(&self, at: usize) -> Option<Given> {
        if let Some(quoted) = self.quoted(at).filter(|given| !self.goes_on(given)) {
            return Some(quoted);
        }
        let around = self.around();
        if let Some(length) = around.and_then(|quote| self.whole_flag(at, quote)) {
            return (length > 0).then_some(Given {
                value: at..at + length,
                how: How::Bare,
            });
        }
        let mut open = None;
        let mut skip = false;
        let mut length = 0;
        for byte in self.rest(at) {
            if !skip {
                let ends = match open {
                    Some(_) => false,
                    None => {
                        byte.is_ascii_whitespace()
                            || around == Some(*byte)
                            || (self.style == Style::Shell && b"|&;<>()".contains(byte))
                    }
                };
                if ends {
                    break;
                }
                match (open, byte) {
                    (Some(quote), byte) if quote == *byte => open = None,
                    (None, b'"' | b'\'') => open = Some(*byte),
                    _ => {}
                }
            }
            skip = *byte == b'\\' && !skip && open != Some(b'\'');
            length += 1;
        }
        let word = self.rest(at).get(..length)?;
        let length = next_member(word).unwrap_or(length);
        // `connect(password=s3cret)`
        let word = word.get(..length)?;
        let is_closing = |byte: &&u8| b")}],;>".contains(*byte);
        let opened = word.iter().filter(|byte| b"({[<".contains(*byte)).count();
        let closed = word.iter().rev().take_while(is_closing).count();
        let length = length - closed.saturating_sub(opened);
        (length > 0).then_some(Given {
            value: at..at + length,
            how: How::Bare,
        })
    }

    /// Whether a shell's word goes on behind a quoted part of it: `'it'\\''s'`.
    pub(super) fn goes_on(&self, quoted: &Given) -> bool {
        let How::Quoted(quote) = quoted.how else {
            return false;
        };
        let close = quoted.value.end + usize::from(self.at(quoted.value.end) == Some(quote));
        let next = self.at(close);
        self.at(quoted.value.end) == Some(quote)
            && self.around() != next
            && next.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"'\"\\$%!".contains(&byte))
    }

    /// The quote that is open where the name stands, counted from the start of its line.
    pub(super) fn around(&self) -> Option<u8> {
        if self.is_quoted {
            return None;
        }
        let line = self.text.get(self.line_start()..self.name)?;
        let mut open = None;
        let mut skip = false;
        for byte in line {
            if !skip {
                match (open, byte) {
                    (Some(quote), byte) if quote == *byte => open = None,
                    (None, b'"' | b'\'') => open = Some(*byte),
                    _ => {}
                }
            }
            skip = *byte == b'\\' && !skip;
        }
        open
    }

    /// A setting's value: to the end of the line, a comment and a closing mark taken off.
    pub(super) fn to_line_end(&self, at: usize) -> Option<Given> {
        let line = self.text.get(at..self.line_end(at))?;
        let around = self.around();
        if let Some(quote) = around {
            let end = line.iter().position(|byte| {
                *byte == quote
                    || (byte.is_ascii_whitespace() || *byte == b';') && self.style != Style::Shown
            });
            let word = line.get(..end.unwrap_or(line.len()))?;
            let length = next_member(word).unwrap_or(word.len());
            return (length > 0).then_some(Given {
                value: at..at + length,
                how: How::Bare,
            });
        }
        let before = self
            .text
            .get(self.line_start()..self.name)
            .unwrap_or_default();
        let opened =
            memchr::memchr_iter(b'{', before).count() > memchr::memchr_iter(b'}', before).count();
        let in_flow = opened.then(|| memchr::memchr2(b',', b'}', line)).flatten();
        let comment = [&b" #"[..], b"\t#", b" ;", b"\t;", b" //", b"\t//"];
        let comment = comment
            .iter()
            .filter_map(|mark| memchr::memmem::find(line, mark))
            .min();
        let end = in_flow
            .into_iter()
            .chain(comment)
            .min()
            .unwrap_or(line.len());
        let value = line.get(..end)?;
        let value = value.trim_ascii_end_matches(b" \t;,");
        let length = next_member(value).unwrap_or(value.len());
        (length > 0).then_some(Given {
            value: at..at + length,
            how: How::Bare,
        })
    }

    /// In code only a literal counts: a call's only argument, or what stands in a longer literal.
    pub(super) fn in_code(&self, at: usize) -> Option<Given> {
        if let Some(quote) = self.around() {
            return self.in_literal(at, quote);
        }
        let name = self
            .rest(at)
            .iter()
            .take(64)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_. ".contains(byte))
            .count();
        let open = at + name;
        if name == 0 || self.at(open) != Some(b'(') {
            return None;
        }
        let given = self.quoted(open + 1)?;
        Some(Given {
            how: How::Indirect,
            ..given
        })
    }
}

/// Where the next member of a query or connection string starts: `;port=1`, `&b=c`.
fn next_member(value: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = value
        .get(from..)
        .and_then(|rest| memchr::memchr3(b';', b'&', b',', rest))
    {
        let after = value.get(from + at + 1..)?;
        let name = after
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_. -".contains(byte))
            .count();
        if name > 0 && after.get(name) == Some(&b'=') {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

pub(super) trait TrimEnd {
    fn trim_ascii_end_matches(&self, of: &[u8]) -> &[u8];
}

impl TrimEnd for [u8] {
    fn trim_ascii_end_matches(&self, of: &[u8]) -> &[u8] {
        let end = self
            .iter()
            .rposition(|byte| !of.contains(byte))
            .map_or(0, |at| at + 1);
        self.get(..end).unwrap_or_default()
    }
}
