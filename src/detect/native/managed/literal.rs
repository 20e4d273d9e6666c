//! Literals of JavaScript, and so JSON: objects, arrays, strings, numbers. Nothing is run: what is computed is so called,
//! but for the file's own directory, and names that a plain declaration gives a literal.

use crate::path::MachinePath;

/// A value, as far as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A string, a number, `true`.
    Text(String),
    List(Vec<Value>),
    /// Keys in the order they are written, each with its line.
    Map(Vec<(String, Value, u32)>),
    /// `null` and `undefined`.
    Nothing,
    Computed,
}

impl Value {
    pub fn get(&self, key: &str) -> Option<(&Value, u32)> {
        let Self::Map(entries) = self else {
            return None;
        };
        let found = entries.iter().rfind(|(known, ..)| known == key)?;
        Some((&found.1, found.2))
    }
}

/// Values in values.
const DEPTH: usize = 32;

/// Values of one file, and names that are looked up for them.
const MOST: usize = 100_000;
const MOST_NAMES: usize = 64;

/// What a file exports: its one value, or what it says behind `module.exports =` or `export default`.
pub(super) fn exported(text: &str, path: &MachinePath) -> Option<Value> {
    let starts = ["module.exports", "export default"];
    let at = starts.iter().find_map(|start| {
        let at = text.find(start)?.saturating_add(start.len());
        let rest = text.get(at..)?;
        let trimmed = rest.trim_start().trim_start_matches('=');
        Some(text.len().saturating_sub(trimmed.len()))
    });
    let here = path.parent().unwrap_or_else(MachinePath::root);
    let mut parser = Parser {
        text,
        at: at.unwrap_or(0),
        here: here.text().into_owned(),
        left: MOST,
        names: MOST_NAMES,
        seen: (0, 1),
    };
    parser.blank();
    let value = parser.value(0);
    (value != Value::Computed).then_some(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    here: String,
    left: usize,
    names: usize,
    /// A place and its line.
    seen: (usize, u32),
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn step(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn takes(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    fn line(&mut self) -> u32 {
        let (from, line) = if self.seen.0 <= self.at {
            self.seen
        } else {
            (0, 1)
        };
        let passed = self.text.as_bytes().get(from..self.at).unwrap_or_default();
        let ends = passed
            .split(|byte| *byte == b'\n')
            .count()
            .saturating_sub(1);
        let line = line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.seen = (self.at, line);
        line
    }

    /// White space and comments.
    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']);
            self.at += rest.len() - trimmed.len();
            let end = if trimmed.starts_with("//") {
                trimmed.find('\n')
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map(|at| at + 2)
            } else {
                return;
            };
            self.at += end.unwrap_or(trimmed.len());
        }
    }

    /// A value with what is added to it; whatever else stands behind it makes it a computed one.
    fn value(&mut self, depth: usize) -> Value {
        let mut value = self.primary(depth);
        loop {
            self.blank();
            match (self.peek(), &value) {
                (None | Some(',' | '}' | ']' | ')' | ';'), _) => return value,
                (Some('+'), Value::Text(text)) => {
                    let text = text.clone();
                    self.step();
                    self.blank();
                    let Value::Text(more) = self.primary(depth) else {
                        self.skip();
                        return Value::Computed;
                    };
                    value = Value::Text(text + &more);
                }
                // A statement may end with its line.
                _ if depth == 0 => return value,
                _ => {
                    self.skip();
                    return Value::Computed;
                }
            }
        }
    }

    fn primary(&mut self, depth: usize) -> Value {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || depth > DEPTH {
            self.at = self.text.len();
            return Value::Computed;
        }
        match self.peek() {
            Some('{') => self.map(depth),
            Some('[') => self.list(depth, ']'),
            Some(quote @ ('"' | '\'' | '`')) => self.string(quote),
            Some(c) if c.is_ascii_digit() || c == '-' => {
                let rest = self.rest();
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-.".contains(c));
                let number = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                self.at += number.len();
                Value::Text(number.replace('_', ""))
            }
            Some(_) => self.word(depth),
            None => Value::Computed,
        }
    }

    fn map(&mut self, depth: usize) -> Value {
        self.step();
        let mut entries = Vec::new();
        loop {
            self.blank();
            let line = self.line();
            let before = self.at;
            self.left = self.left.saturating_sub(1);
            match self.peek().filter(|_| self.left > 0) {
                Some('}') => {
                    self.step();
                    return Value::Map(entries);
                }
                Some(',') => {
                    self.step();
                    continue;
                }
                None => return Value::Map(entries),
                Some(_) => {}
            }
            let key = match self.peek() {
                Some(quote @ ('"' | '\'' | '`')) => self.string(quote),
                _ => Value::Text(self.name().to_owned()),
            };
            self.blank();
            let Value::Text(key) = key else {
                self.skip();
                self.pass(before);
                continue;
            };
            let value = if self.takes(":") {
                self.blank();
                self.value(depth + 1)
            } else if key.is_empty() || !matches!(self.peek(), Some(',' | '}')) {
                // What is spread in, a method, a computed key.
                self.skip();
                Value::Computed
            } else {
                self.named(&key, depth)
            };
            entries.push((key, value, line));
            self.pass(before);
        }
    }

    /// Past a character that means nothing where it stands, or it would be looked at for ever.
    fn pass(&mut self, before: usize) {
        if self.at == before {
            self.step();
        }
    }

    fn list(&mut self, depth: usize, end: char) -> Value {
        self.step();
        let mut items = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                Some(c) if c == end => {
                    self.step();
                    return Value::List(items);
                }
                Some(',') => {
                    self.step();
                }
                None => return Value::List(items),
                Some(_) => {
                    let before = self.at;
                    items.push(self.value(depth + 1));
                    self.pass(before);
                }
            }
        }
    }

    fn string(&mut self, quote: char) -> Value {
        self.step();
        let mut out = String::new();
        while let Some(c) = self.step() {
            match c {
                c if c == quote => return Value::Text(out),
                '\\' => self.escape(&mut out),
                '$' if quote == '`' && self.takes("{") => {
                    let rest = self.rest();
                    let Some((inside, _)) = rest.split_once('}') else {
                        return Value::Computed;
                    };
                    self.at += inside.len() + 1;
                    if inside.trim() != "__dirname" {
                        let (_, after) = self.rest().split_once('`').unwrap_or_default();
                        self.at = self.text.len() - after.len();
                        return Value::Computed;
                    }
                    out.push_str(&self.here);
                }
                c => out.push(c),
            }
        }
        Value::Computed
    }

    fn escape(&mut self, out: &mut String) {
        let digits = match self.step() {
            Some('n') => return out.push('\n'),
            Some('t') => return out.push('\t'),
            Some('r') => return out.push('\r'),
            Some('b') => return out.push('\u{8}'),
            Some('f') => return out.push('\u{c}'),
            Some('\n') | None => return,
            Some('x') => 2,
            Some('u') => 4,
            Some(other) => return out.push(other),
        };
        let number = self.rest().get(..digits);
        let value = number.and_then(|number| u32::from_str_radix(number, 16).ok());
        if let Some(value) = value {
            self.at += digits;
            // Halves of pairs are of no use alone.
            out.extend(char::from_u32(value));
        }
    }

    fn name(&mut self) -> &'a str {
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// A word that is no string: a constant, a name, a call.
    fn word(&mut self, depth: usize) -> Value {
        let name = self.name();
        match name {
            "true" | "false" => Value::Text(name.to_owned()),
            "null" | "undefined" => Value::Nothing,
            "__dirname" => Value::Text(self.here.clone()),
            "path.join" | "path.resolve" if self.peek() == Some('(') => {
                let Value::List(parts) = self.list(depth + 1, ')') else {
                    return Value::Computed;
                };
                let mut path = MachinePath::new(&self.here);
                for part in parts {
                    let Value::Text(part) = part else {
                        return Value::Computed;
                    };
                    path = path.join(&part);
                }
                Value::Text(path.text().into_owned())
            }
            _ => self.named(name, depth),
        }
    }

    /// What a plain declaration says a name is.
    fn named(&mut self, name: &str, depth: usize) -> Value {
        let is_plain = !name.is_empty() && !name.contains('.');
        if !is_plain || self.names == 0 || matches!(self.peek(), Some('(' | '[' | '.')) {
            return Value::Computed;
        }
        self.names -= 1;
        let declared = ["const", "let", "var"].iter().find_map(|word| {
            let written = format!("{word} {name}");
            let at = self.text.find(&written)?.saturating_add(written.len());
            let rest = self.text.get(at..)?.trim_start();
            let value = rest
                .strip_prefix('=')
                .filter(|rest| !rest.starts_with(['=', '>']))?;
            Some(self.text.len() - value.len())
        });
        let Some(at) = declared else {
            return Value::Computed;
        };
        let back = std::mem::replace(&mut self.at, at);
        self.blank();
        let value = self.value(depth + 1);
        self.at = back;
        value
    }

    /// Passes over an expression, up to what ends it here.
    fn skip(&mut self) {
        let mut depth = 0usize;
        while let Some(c) = self.peek() {
            match c {
                '"' | '\'' | '`' => {
                    self.string(c);
                    continue;
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' | ',' | ';' if depth == 0 => return,
                ')' | ']' | '}' => depth -= 1,
                '/' if self.rest().starts_with("//") || self.rest().starts_with("/*") => {
                    self.blank();
                    continue;
                }
                _ => {}
            }
            self.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Value> {
        exported(text, &"/srv/app/x.config.js".into())
    }

    fn text(value: &Value, key: &str) -> String {
        match value.get(key) {
            Some((Value::Text(text), _)) => text.clone(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn json_is_a_literal() {
        let value = of("[{\"a\": \"x\\u0041\\n\", \"n\": -1.5, \"l\": [true, null]}]").unwrap();
        let Value::List(items) = &value else {
            panic!("{value:?}")
        };
        assert_eq!(text(&items[0], "a"), "xA\n");
        assert_eq!(text(&items[0], "n"), "-1.5");
    }

    #[test]
    fn what_is_written_down_is_read_and_what_is_computed_is_not() {
        let value = of("// c\nconst path = require('path');\nconst shared = { A: 1 };\nmodule.exports = {\n  a: 'x' + \"y\", // d\n  b: `${__dirname}/z`, c: path.join(__dirname, '..', 'q'),\n  d: process.env.PORT || 3000,\n  e: f(1, {g: 2}), shared, h() { return 1; },\n  ...more, 'i': 5,\n};\n").unwrap();
        assert_eq!(text(&value, "a"), "xy");
        assert_eq!(text(&value, "b"), "/srv/app/z");
        assert_eq!(text(&value, "c"), "/srv/q");
        assert_eq!(value.get("d"), Some((&Value::Computed, 7)));
        assert_eq!(value.get("e").unwrap().0, &Value::Computed);
        assert_eq!(text(value.get("shared").unwrap().0, "A"), "1");
        assert_eq!(text(&value, "i"), "5");
    }

    #[test]
    fn names_that_name_themselves_end() {
        assert_eq!(of("const a = a; module.exports = a;"), None);
        assert_eq!(of("module.exports = make();"), None);
    }

    #[test]
    fn what_means_nothing_is_passed_over() {
        assert_eq!(
            of("module.exports = {;a: 1}").map(|value| text(&value, "a")),
            Some("1".into())
        );
        assert!(of("module.exports = {)").is_some());
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s)[ -~é\n{}\\[\\]\"'`$:,\\\\]{0,200}") {
            let _ = of(&text);
            let _ = of(&format!("module.exports = {text}"));
        }
    }
}
