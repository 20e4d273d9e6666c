//! The text in which LVM writes its metadata: sections in braces, `key = value`, strings, numbers and lists of them
//! (lvm2's libdm/libdm-config.c).

use super::damaged;
use crate::disk::DiskError;

/// Sections inside each other; LVM writes four.
const DEPTH: usize = 16;
/// Keys and values in all.
const MOST: usize = 500_000;

/// What a key stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Section(Vec<(String, Value)>),
    List(Vec<Value>),
    Text(String),
    Number(u64),
    /// A number that is not one of ours: negative, or with a fraction.
    Other,
}

impl Value {
    /// The value of a key in this section.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        let mut entries = self.entries().iter();
        entries
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The keys of this section, in order.
    pub(super) fn entries(&self) -> &[(String, Value)] {
        match self {
            Self::Section(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn number(&self, key: &str) -> Result<u64, DiskError> {
        match self.get(key) {
            Some(Self::Number(number)) => Ok(*number),
            _ => Err(damaged(format!("its metadata lacks the number {key:?}"))),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<&str, DiskError> {
        match self.get(key) {
            Some(Self::Text(text)) => Ok(text),
            _ => Err(damaged(format!("its metadata lacks the text {key:?}"))),
        }
    }

    /// The items of a list, or none.
    pub(super) fn list(&self, key: &str) -> &[Value] {
        match self.get(key) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }
}

/// Reads a whole text as one section.
pub(super) fn parse(text: &[u8]) -> Result<Value, DiskError> {
    let mut parser = Parser {
        rest: text,
        seen: 0,
    };
    let entries = parser.section(0)?;
    parser.blank();
    // The text ends with a NUL.
    match parser.rest.first() {
        None | Some(0) => Ok(Value::Section(entries)),
        Some(_) => Err(parser.unexpected("the end")),
    }
}

struct Parser<'a> {
    rest: &'a [u8],
    seen: usize,
}

impl Parser<'_> {
    fn section(&mut self, depth: usize) -> Result<Vec<(String, Value)>, DiskError> {
        let mut entries = Vec::new();
        loop {
            self.blank();
            let Some(key) = self.word() else {
                return Ok(entries);
            };
            self.count()?;
            self.blank();
            let value = if self.eat(b'{') {
                if depth == DEPTH {
                    return Err(damaged(format!(
                        "its metadata is nested more than {DEPTH} deep"
                    )));
                }
                let entries = self.section(depth + 1)?;
                self.expect(b'}')?;
                Value::Section(entries)
            } else {
                self.expect(b'=')?;
                self.value()?
            };
            entries.push((key, value));
        }
    }

    fn value(&mut self) -> Result<Value, DiskError> {
        self.blank();
        if !self.eat(b'[') {
            return self.scalar();
        }
        let mut items = Vec::new();
        loop {
            self.blank();
            if self.eat(b']') {
                return Ok(Value::List(items));
            }
            items.push(self.scalar()?);
            self.blank();
            if !self.eat(b',') {
                self.expect(b']')?;
                return Ok(Value::List(items));
            }
        }
    }

    fn scalar(&mut self) -> Result<Value, DiskError> {
        self.count()?;
        self.blank();
        if self.eat(b'"') {
            return self.string();
        }
        match self.word() {
            Some(word) => Ok(word.parse().map_or(Value::Other, Value::Number)),
            None => Err(self.unexpected("a value")),
        }
    }

    fn string(&mut self) -> Result<Value, DiskError> {
        let mut text = Vec::new();
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Ok(Value::Text(String::from_utf8_lossy(&text).into_owned()));
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                    text.push(*byte);
                    self.rest = rest;
                }
                [] => return Err(self.unexpected("the end of a string")),
            }
        }
    }

    /// A key or a number: letters, digits, and what names of volumes may hold besides.
    fn word(&mut self) -> Option<String> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.+-/".contains(byte);
        let end = self.rest.iter().position(|byte| !is_word(byte));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        (!word.is_empty()).then(|| String::from_utf8_lossy(word).into_owned())
    }

    /// Passes over white space and comments.
    fn blank(&mut self) {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if !self.eat(b'#') {
                return;
            }
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            self.rest = self
                .rest
                .get(end.unwrap_or(self.rest.len())..)
                .unwrap_or_default();
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), DiskError> {
        self.blank();
        if self.eat(byte) {
            return Ok(());
        }
        Err(self.unexpected(&format!("{:?}", char::from(byte))))
    }

    fn count(&mut self) -> Result<(), DiskError> {
        self.seen += 1;
        if self.seen > MOST {
            return Err(damaged(format!(
                "its metadata has more than {MOST} entries"
            )));
        }
        Ok(())
    }

    fn unexpected(&self, expected: &str) -> DiskError {
        let left = self.rest.len();
        damaged(format!(
            "its metadata lacks {expected}, {left} bytes before its end"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_lvm_writes() {
        let text = b"# made\nvg-1 {\n id = \"a\\\"b\"\n seqno = 3 # changed\n flags = []\n\
            pv { stripes = [\n\"pv0\", 0,\n\"pv1\", 12 ] ratio = 0.5 } }\nversion = 1\n\0";
        let value = parse(text).unwrap();
        let group = value.get("vg-1").unwrap();
        assert_eq!(group.text("id").unwrap(), "a\"b");
        assert_eq!(group.number("seqno").unwrap(), 3);
        assert!(group.list("flags").is_empty());
        let pv = group.get("pv").unwrap();
        assert_eq!(pv.list("stripes").len(), 4);
        assert_eq!(pv.list("stripes")[3], Value::Number(12));
        assert_eq!(pv.get("ratio"), Some(&Value::Other));
        assert_eq!(value.number("version").unwrap(), 1);
        assert!(value.number("id").is_err());
    }

    #[test]
    fn refuses_what_is_cut_off_or_nested_for_ever() {
        for text in [
            "a {",
            "a = ",
            "a = \"b",
            "a = [1, ",
            "a = [1 2]",
            "a",
            "}",
            "a = {}",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse("a {".repeat(100_000).as_bytes()).is_err());
        assert!(parse(format!("a = [{}]", "1,".repeat(600_000)).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn anything_ends(text in "[a\\[\\]{}=\",#\\\\ 0-9\\n]{0,60}", bytes: Vec<u8>) {
            let _ = parse(text.as_bytes());
            let _ = parse(&bytes);
        }
    }
}
