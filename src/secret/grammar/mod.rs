//! What a name is given: the value behind `NAME=`, `"name": `, `name => `, `<name>`, `--name `, `name: NAME` with `value:` behind it,
//! a default of `${NAME:-…}`, a call's next argument. One grammar of many languages: a reader that had to know the language of each
//! file first would miss what stands in a file of a name it does not know.

mod column;
mod declared;
mod glued;
mod literal;
mod named;

pub(super) use column::columns;

use super::data::DATA;
use literal::TrimEnd;
use std::ops::Range;

/// How a text is written; decides what an unquoted value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A line that is shown: too much rather than too little.
    Shown,
    /// Settings: a value goes to the end of its line.
    Settings,
    /// A programming language: what is not quoted is an expression.
    Code,
    /// A shell's script.
    Shell,
}

/// How a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Quoted(u8),
    Bare,
    Element,
    /// In quotes, and given to a name in capitals: a constant, which holds a value and no label.
    Constant,
    /// Of a connection string, among others.
    Member,
    /// In place of a variable that is not set, a call's next argument, a call around it: weaker than a value.
    Indirect,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub value: Range<usize>,
    pub how: How,
}

/// Longest value and longest way to it, in bytes.
const FAR: usize = 64 << 10;
const NEAR: usize = 512;

/// The value given to the name that stands at `name`.
pub(super) fn given(text: &[u8], name: &Range<usize>, style: Style) -> Option<Given> {
    let mut reader = Reader {
        text,
        style,
        name: name.start,
        is_quoted: false,
    };
    if reader.back(1) == Some(b'<') {
        return reader.element(name.end);
    }
    if reader.back(1) == Some(b'{') && matches!(reader.back(2), Some(b'$' | b'%' | b'#')) {
        return reader.fallback(name.end);
    }
    let quote = reader.quote_before();
    let closed = quote.and_then(|quote| reader.closed(name.end, quote));
    if let Some(named) = reader.named(closed.unwrap_or(name.end), closed.is_some()) {
        return Some(named);
    }
    // `-v "$PWD":/x` is what a variable holds.
    let is_variable = reader.back(1) == Some(b'$') && reader.style != Style::Code;
    if is_variable && closed.is_some_and(|end| reader.at(end) == Some(b':')) {
        return None;
    }
    reader.is_quoted = closed.is_some();
    match closed {
        Some(end) => reader.behind_quoted(end),
        None => reader.behind(name.end),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    style: Style,
    /// Where the name starts.
    name: usize,
    /// The name is a literal of its own.
    is_quoted: bool,
}

impl Reader<'_> {
    fn at(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    /// The byte so far before the name.
    fn back(&self, by: usize) -> Option<u8> {
        self.name.checked_sub(by).and_then(|at| self.at(at))
    }

    fn rest(&self, at: usize) -> &[u8] {
        let end = self.text.len().min(at.saturating_add(FAR));
        self.text.get(at..end).unwrap_or_default()
    }

    fn starts(&self, at: usize, with: &[u8]) -> bool {
        self.rest(at).starts_with(with)
    }

    /// On over blanks of the line.
    fn blanks(&self, at: usize) -> usize {
        at + self
            .rest(at)
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count()
    }

    /// On over white space, lines' ends too.
    fn space(&self, at: usize) -> usize {
        at + self
            .rest(at)
            .iter()
            .take(NEAR)
            .take_while(|byte| byte.is_ascii_whitespace())
            .count()
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = self.rest(at);
        at + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())
    }

    fn line_start(&self) -> usize {
        // A program in one line is looked back into no further than it takes to see what a name stands in.
        let far = if self.style == Style::Shown {
            8 * NEAR
        } else {
            NEAR
        };
        let from = self.name.saturating_sub(far);
        let before = self.text.get(from..self.name).unwrap_or_default();
        memchr::memrchr2(b'\n', b'\r', before).map_or(from, |at| from + at + 1)
    }

    /// The quote that stands right before the name, and whether a backslash is before it.
    fn quote_before(&self) -> Option<(u8, bool)> {
        let mut by = 1;
        // `"$password"`, `":password"`.
        while matches!(
            self.back(by),
            Some(b'$' | b'@' | b':' | b'-' | b'_' | b'/' | b'.')
        ) && by < 4
        {
            by += 1;
        }
        let quote = self
            .back(by)
            .filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
        Some((quote, self.back(by + 1) == Some(b'\\')))
    }

    /// Behind the same quote.
    fn closed(&self, at: usize, (quote, escaped): (u8, bool)) -> Option<usize> {
        match (escaped, self.at(at), self.at(at + 1)) {
            (false, Some(found), _) if found == quote => Some(at + 1),
            (true, Some(b'\\'), Some(found)) if found == quote => Some(at + 2),
            _ => None,
        }
    }

    /// Behind a name in quotes: `"name": …`, `['name'] = …`, `define('NAME', …)`, `getenv("NAME") ?: …`.
    fn behind_quoted(&self, end: usize) -> Option<Given> {
        let bracket = if self.at(end) == Some(b']') {
            end + 1
        } else {
            end
        };
        let braced =
            bracket + usize::from(self.style == Style::Code && self.at(bracket) == Some(b'}'));
        let at = self.blanks(braced);
        match self.at(at) {
            // `variable "name" {` and its default.
            Some(b'{') => self.member(at),
            // A call's next argument (`define('NAME', 'value')`), or a flag's in a list; names in a list are but names.
            Some(b',') if self.is_argument() => {
                let at = self.space(at + 1);
                let given = self.quoted(at)?;
                // An object's next name is nobody's value.
                let is_name = self.at(self.blanks(given.value.end + 1)) == Some(b':');
                (!is_name).then_some(Given {
                    how: How::Indirect,
                    ..given
                })
            }
            Some(b')' | b'|' | b'?' | b'o') if self.separator(at).is_none() => self.or_else(at),
            Some(b'\n' | b'\r') if self.back(1) == Some(b'-') => self.next_item(at),
            _ => {
                let at = self.separator(at)?;
                self.value(self.space(at), true)
            }
        }
    }

    /// The name is a call's first argument, or a flag.
    fn is_argument(&self) -> bool {
        let is_quote = |by: usize| matches!(self.back(by), Some(b'"' | b'\'' | b'`'));
        let mut by = 2;
        while self.back(by) == Some(b' ') && by < 8 {
            by += 1;
        }
        // A call's bracket, not a tuple's.
        let is_call = self.back(by) == Some(b'(')
            && self
                .back(by + 1)
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        self.back(1) == Some(b'-') || (is_quote(1) && is_call)
    }

    /// Behind a name without quotes.
    fn behind(&self, end: usize) -> Option<Given> {
        let is_flag = self.back(1) == Some(b'-');
        // `char password[] = "…"`
        let end = if self.style == Style::Code && self.starts(end, b"[") {
            let close = self
                .rest(end)
                .iter()
                .take(16)
                .position(|byte| *byte == b']')?;
            end + close + 1
        } else {
            end
        };
        let end = self.bracketed(end);
        let at = self.blanks(end);
        if self.style == Style::Code
            && let Some(given) = self.declared(end)
        {
            return Some(given);
        }
        if self.style == Style::Code
            && self.at(at) == Some(b':')
            && let Some(given) = self.typed(at)
        {
            return Some(given);
        }
        if let Some(after) = self.separator(at) {
            let is_apart = (at > end || self.blanks(after) > after) && !is_flag;
            if let Some(given) = self.glued(self.blanks(after)) {
                return Some(given);
            }
            return match self.style {
                // `arn:aws:secretsmanager:…:secret:name`
                Style::Settings
                    if !is_apart && self.at(at) == Some(b':') && self.around().is_some() =>
                {
                    None
                }
                // In a literal only a connection string gives values: the rest are messages.
                Style::Code
                    if self.around().is_some() && (is_apart || self.at(at) != Some(b'=')) =>
                {
                    None
                }
                Style::Shell if is_apart && self.at(at) == Some(b'=') => None,
                // `password: a b`: where it ends nobody can say.
                Style::Shown if is_apart => {
                    let start = self.blanks(after);
                    self.quoted(start).or_else(|| self.to_line_end(start))
                }
                _ => self.value(after, false),
            };
        }
        if self.style == Style::Code && matches!(self.at(at), Some(b'|' | b'?')) {
            return self.or_else(at);
        }
        if is_flag && let Some(given) = self.next_item(at) {
            return Some(given);
        }
        if at == end {
            return None;
        }
        // `"$PWD:/x"` is what a variable holds.
        match self.style {
            Style::Code => None,
            _ if is_flag => self.word(at).filter(|_| self.at(at) != Some(b'-')),
            // `requirepass s3cret`: of a line that is shown the rest goes.
            Style::Shown if self.is_first() && self.at(at) != Some(b'-') => self.to_line_end(at),
            Style::Settings => self.word(at).filter(|given| self.is_alone(at, given)),
            _ => None,
        }
    }

    /// Behind what gives a value to a name.
    fn separator(&self, at: usize) -> Option<usize> {
        const LONG: [&[u8]; 7] = [b"=>", b":=", b"?=", b"+=", b"||=", b"??=", b"<-"];
        if let Some(found) = LONG.iter().find(|long| self.starts(at, long)) {
            return Some(at + found.len());
        }
        match (self.at(at)?, self.at(at + 1)) {
            (b'=', Some(b'=')) => {
                (self.style == Style::Settings || self.style == Style::Shown).then_some(at + 2)
            }
            (b'=', Some(b'~')) | (b':', Some(b':')) => None,
            (b':', Some(b'/')) if self.at(at + 2) == Some(b'/') => None,
            (b'=' | b':', _) => Some(at + 1),
            _ => None,
        }
    }

    /// The name is the first word of its statement, or the second behind a word that sets.
    fn is_first(&self) -> bool {
        let statement = self.statement().to_ascii_lowercase();
        let words = statement
            .trim_end_matches(['$', '{', ':', '/', '"', '\''])
            .trim();
        words.is_empty() || DATA.names.sets.iter().any(|known| known == words)
    }

    /// Words of the statement before the name.
    fn words_before(&self) -> usize {
        self.statement().split_whitespace().count()
    }

    /// What stands before the name since the last statement ended or the line began.
    fn statement(&self) -> String {
        let line = self
            .text
            .get(self.line_start()..self.name)
            .unwrap_or_default();
        let start =
            memchr::memrchr2(b'{', b';', line.trim_ascii_end_matches(b"${")).map_or(0, |at| at + 1);
        String::from_utf8_lossy(line.get(start..).unwrap_or_default())
            .trim()
            .to_owned()
    }
}
