//! Values of names that stand in a longer literal: members of a connection string, a whole assignment, and what is put behind a
//! literal that ends with the name.

use super::{Given, How, Reader, Style};

/// Longest connection string, and longest literal that is read for its end, in bytes: a program of one line has many.
const LONGEST: usize = 1024;
const LITERAL: usize = 4 * LONGEST;

impl Reader<'_> {
    /// In code, behind the sign of a name that stands in a literal.
    pub(super) fn in_literal(&self, at: usize, quote: u8) -> Option<Given> {
        let rest = self.text.get(at..self.text.len().min(at + LITERAL))?;
        let line = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let rest = rest.get(..line)?;
        // `password=%s`, `password=$1` are filled later; within a word the same is a part of it.
        let is_filled = rest.first().is_some_and(|byte| b"$+?:".contains(byte))
            || super::super::value::is_format(&String::from_utf8_lossy(rest.get(..line.min(32))?));
        if is_filled {
            return None;
        }
        let whole = closing(rest, quote);
        // `putenv('NAME=value')`
        let name = self.text.get(self.name..at)?.strip_suffix(b"=");
        let is_upper =
            |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
        if self.back(1) == Some(quote) && name.is_some_and(|name| name.iter().all(is_upper)) {
            return (whole > 0).then_some(Given {
                value: at..at + whole,
                how: How::Quoted(quote),
            });
        }
        let inside = rest.get(..whole)?;
        let (length, how) = if self.members(inside, quote) > 1 {
            // Parted by semicolons, a value may have blanks.
            let before = self.text.get(..self.name)?.trim_ascii_end();
            let is_closed = before.ends_with(b";");
            let ends = |byte: &u8| {
                *byte == b';'
                    || (!is_closed && (byte.is_ascii_whitespace() || b",&".contains(byte)))
            };
            (inside.iter().position(ends).unwrap_or(whole), How::Member)
        } else {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"';&,{}()[]<".contains(byte);
            (inside.iter().position(ends).unwrap_or(whole), How::Bare)
        };
        (length > 0).then_some(Given {
            value: at..at + length,
            how,
        })
    }

    /// `"--name=two words"`: the quote that opens before the flag closes behind its value.
    pub(super) fn whole_flag(&self, at: usize, quote: u8) -> Option<usize> {
        let dashes = (1..4).take_while(|by| self.back(*by) == Some(b'-')).count();
        let is_flag = dashes > 0 && self.back(dashes + 1) == Some(quote);
        let rest = self.text.get(at..self.line_end(at))?;
        (is_flag && self.text.get(..at)?.ends_with(b"=")).then(|| closing(rest, quote))
    }

    /// Names that are given something in the literal around this one, but for it: `host=… user=…`.
    fn members(&self, inside: &[u8], quote: u8) -> usize {
        let from = self.name.saturating_sub(LONGEST);
        let before = self.text.get(from..self.name).unwrap_or_default();
        let start = memchr::memrchr2(quote, b'\n', before).map_or(0, |at| at + 1);
        let before = before.get(start..).unwrap_or_default();
        let given = |part: &[u8]| {
            let signs = memchr::memchr_iter(b'=', part);
            signs
                .filter(|at| {
                    let before = at.checked_sub(1).and_then(|at| part.get(at));
                    before.is_some_and(u8::is_ascii_alphanumeric)
                        && part
                            .get(at + 1)
                            .is_some_and(|byte| !b" =<{$%".contains(byte))
                })
                .count()
        };
        // A query's members are no connection string's.
        if before.contains(&b'?') || before.contains(&b'<') {
            return 0;
        }
        given(before) + given(inside.get(..inside.len().min(LONGEST)).unwrap_or_default())
    }

    /// What stands behind a literal that ends right behind the name: `"Authorization: Bearer " + "value"`, `'X-Token: ''value'`.
    pub(super) fn glued(&self, at: usize) -> Option<Given> {
        let quote = self.around()?;
        if self.style != Style::Code {
            // A shell puts words together that touch.
            let next = self.at(at + 1)?;
            if self.at(at) != Some(quote) || next.is_ascii_whitespace() || b"|;&)".contains(&next) {
                return None;
            }
            let apart = Reader {
                is_quoted: true,
                ..*self
            };
            return apart.word(at + 1);
        }
        let scheme = self
            .rest(at)
            .iter()
            .take(24)
            .take_while(|byte| byte.is_ascii_alphabetic() || **byte == b' ')
            .count();
        let close = at + scheme;
        if self.at(close) != Some(quote) {
            return None;
        }
        let sign = self.blanks(close + 1);
        let signs: [&[u8]; 5] = [b"..", b"+", b".", b"&", b"<<"];
        let length = signs
            .iter()
            .find(|known| self.starts(sign, known))
            .map_or(0, |known| known.len());
        self.quoted(self.space(sign + length))
            .filter(|given| !given.value.is_empty())
    }
}

/// Where a literal closes, no escaped quote taken for its own.
fn closing(text: &[u8], quote: u8) -> usize {
    let mut skip = false;
    for (at, byte) in text.iter().enumerate() {
        if *byte == quote && !skip {
            return at;
        }
        skip = *byte == b'\\' && !skip;
    }
    text.len()
}
