//! Tokens of a script: words with their quotes, operators, ends of lines.

use crate::words::is_blank;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// As written, quotes and all.
    Word(String),
    Operator(&'static str),
    /// Of output or not; the file is the next word.
    Redirect(bool),
}

/// The longest first.
const OPERATORS: &[&str] = &[
    ";;&", "&&", "||", "|&", ";;", ";&", ";", "|", "&", "(", ")", "\n",
];

/// Tokens of one script.
const MOST: usize = 200_000;

/// Each with the line that it begins on.
pub(super) fn tokens(text: &str) -> Vec<(Token, u32)> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
        found: Vec::new(),
        here: Vec::new(),
    };
    while !lexer.rest.is_empty() && lexer.found.len() < MOST {
        lexer.step();
    }
    lexer.found
}

struct Lexer<'a> {
    rest: &'a str,
    line: u32,
    found: Vec<(Token, u32)>,
    /// Ends of here-documents that begin with the next line.
    here: Vec<String>,
}

impl<'a> Lexer<'a> {
    fn pass(&mut self, bytes: usize) -> &'a str {
        let (head, tail) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        let lines = head.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self
            .line
            .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = tail;
        head
    }

    fn push(&mut self, token: Token) {
        self.found.push((token, self.line));
    }

    fn step(&mut self) {
        let rest = self.rest;
        let first = rest.chars().next().unwrap_or_default();
        if rest.starts_with("\\\n") {
            self.pass(2);
        } else if is_blank(first) && first != '\n' {
            self.pass(first.len_utf8());
        } else if first == '#' {
            self.pass(rest.find('\n').unwrap_or(rest.len()));
        } else if !self.redirects() {
            self.operator_or_word();
        }
    }

    fn operator_or_word(&mut self) {
        let known = OPERATORS
            .iter()
            .find(|known| self.rest.starts_with(**known));
        if let Some(operator) = known {
            self.push(Token::Operator(operator));
            self.pass(operator.len());
            if *operator == "\n" {
                self.documents();
            }
            return;
        }
        let end = word_end(self.rest);
        // What is no word at all is passed over, so that reading goes on.
        let first = self.rest.chars().next().map_or(1, char::len_utf8);
        let line = self.line;
        let word = self.pass(end.max(first)).to_owned();
        self.found.push((Token::Word(word), line));
    }

    /// `> file`, `2>> file`, `&> file`, `< file`, `<<END`; of `2>&1` and `>&-` nothing stays.
    fn redirects(&mut self) -> bool {
        let digits = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let plain = digits.len() == self.rest.len();
        let body = digits
            .strip_prefix('&')
            .filter(|body| plain && body.starts_with('>'));
        let sign = body.unwrap_or(digits);
        let Some(after) = sign.strip_prefix(['>', '<']) else {
            return false;
        };
        let is_output = sign.starts_with('>');
        if let Some(document) = after.strip_prefix('<').filter(|_| !is_output) {
            let word = document.trim_start_matches(['<', '-', ' ']);
            let is_word = document.starts_with('<');
            self.pass(self.rest.len() - word.len());
            let end = word_end(word);
            let name = self.pass(end);
            if !is_word {
                self.here.push(name.replace(['\'', '"', '\\'], ""));
            }
            return true;
        }
        if let Some(copy) = after.strip_prefix('&') {
            let end = copy.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
            if end.len() < copy.len() {
                self.pass(self.rest.len() - end.len());
                return true;
            }
            self.pass(self.rest.len() - copy.len());
            self.push(Token::Redirect(is_output));
            return true;
        }
        let after = after.trim_start_matches(['>', '|']);
        self.pass(self.rest.len() - after.len());
        self.push(Token::Redirect(is_output));
        true
    }

    /// Passes over the documents that this line announced.
    fn documents(&mut self) {
        for end in std::mem::take(&mut self.here) {
            while !self.rest.is_empty() {
                let to = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
                let line = self.pass(to);
                if line.trim() == end {
                    break;
                }
            }
        }
    }
}

/// Where the word at the start of a text ends: quotes, `$(…)`, `${…}` and backticks hold it together.
pub(super) fn word_end(text: &str) -> usize {
    scan(text, None)
}

/// Where what is open closes: a parenthesis, a brace, a backtick.
pub(super) fn closing(text: &str, open: char) -> usize {
    scan(text, Some(open))
}

/// Things in things.
const DEPTH: usize = 64;

fn scan(text: &str, within: Option<char>) -> usize {
    let mut chars = text.char_indices();
    // What is open, innermost last.
    let mut open: Vec<char> = within.into_iter().collect();
    let mut before = ' ';
    while let Some((at, c)) = chars.next() {
        let last = open.last().copied();
        let ends = is_blank(c) || ";&|<>()".contains(c);
        if open.is_empty() && ends && !(c == '(' && before == '$') {
            return at;
        }
        match (c, last) {
            ('\\', Some('\'')) | ('\'', Some('"')) => {}
            ('\\', _) => {
                chars.next();
            }
            ('\'', Some('\''))
            | ('"', Some('"'))
            | ('`', Some('`'))
            | (')', Some('('))
            | ('}', Some('{')) => {
                open.pop();
                if open.is_empty() && within.is_some() {
                    return at;
                }
            }
            (_, Some('\'')) => {}
            ('"' | '\'' | '`', _) => open.push(c),
            ('(', _) if before == '$' || last == Some('(') => open.push('('),
            ('{', _) if before == '$' => open.push('{'),
            _ => {}
        }
        before = c;
        if open.len() > DEPTH {
            break;
        }
    }
    text.len()
}
