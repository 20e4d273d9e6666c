//! Values that stand beside their name: an element's text, the `value` of a `name`, what is taken where a variable is not set.

use super::literal::TrimEnd;
use super::{Given, How, NEAR, Reader};

impl Reader<'_> {
    /// `<name>value</name>`, with attributes or not.
    pub(super) fn element(&self, end: usize) -> Option<Given> {
        let rest = self.text.get(end..self.text.len().min(end + NEAR))?;
        let close = memchr::memchr(b'>', rest)?;
        let inside = rest.get(..close)?;
        if inside.contains(&b'<') || inside.last() == Some(&b'/') {
            return None;
        }
        self.content(end + close + 1)
    }

    /// An element's text.
    pub(super) fn content(&self, start: usize) -> Option<Given> {
        let mut start = self.space(start);
        // `<property name="password"><value>…`
        if self.starts(start, b"<value>") || self.starts(start, b"<string>") {
            start += memchr::memchr(b'>', self.rest(start))? + 1;
        }
        let (start, stop): (usize, &[u8]) = if self.starts(start, b"<![CDATA[") {
            (start + 9, b"]]>")
        } else {
            (start, b"</")
        };
        let length = memchr::memmem::find(self.rest(start), stop)?;
        let text = self.text.get(start..start + length)?;
        let value = start..start + text.trim_ascii_end().len();
        // A key has lines; what else has some is a part of a document, and so is what has elements of its own.
        let is_text = text.trim_ascii().contains(&b'\n') && !text.contains(&b'-')
            || (stop == b"</" && text.contains(&b'<'));
        (!value.is_empty() && !is_text).then_some(Given {
            value,
            how: How::Element,
        })
    }

    /// `${NAME:-value}`, `${NAME:value}`.
    pub(super) fn fallback(&self, end: usize) -> Option<Given> {
        let mark = self
            .rest(end)
            .iter()
            .take_while(|byte| b":-=".contains(byte))
            .count();
        let start = end + mark;
        let length = memchr::memchr2(b'}', b'\n', self.rest(start))?;
        let value = start..start + length;
        (mark > 0 && !value.is_empty() && self.at(start) != Some(b'?')).then_some(Given {
            value,
            how: How::Indirect,
        })
    }

    /// `… || 'value'`, `… ?? 'value'`, `… ?: 'value'`, `… or "value"` behind what asks for a variable.
    pub(super) fn or_else(&self, at: usize) -> Option<Given> {
        const ORS: [&[u8]; 5] = [b"||", b"??", b"?:", b"or ", b"//"];
        let rest = self.rest(at);
        let at = at
            + rest
                .iter()
                .take(4)
                .take_while(|byte| b")] ".contains(byte))
                .count();
        let or = ORS.iter().find(|or| self.starts(at, or))?;
        let given = self.quoted(self.blanks(at + or.len()))?;
        Some(Given {
            how: How::Indirect,
            ..given
        })
    }

    /// The name is itself the value of `name` or `key`: its own value is that of the `value` beside it.
    pub(super) fn named(&self, end: usize, is_closed: bool) -> Option<Given> {
        const NAMES: [&[u8]; 8] = [
            b"name",
            b"key",
            b"id",
            b"variable",
            b"parameterkey",
            b"property",
            b"field",
            b"n",
        ];
        let from = self.name.saturating_sub(64);
        let before = self.text.get(from..self.name)?;
        let before = before.trim_ascii_end_matches(b"\"'`\\ \t");
        let (mark, before) = before.split_last()?;
        if !matches!(mark, b'=' | b':' | b'>') {
            return None;
        }
        let before = before.trim_ascii_end_matches(b"=\"'`\\ \t");
        let word = before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let word = before.get(before.len() - word..)?.to_ascii_lowercase();
        if !NAMES.contains(&word.as_slice())
            || (*mark == b'=' && before.get(..before.len() - word.len())?.ends_with(b"_"))
        {
            return None;
        }
        let is_tag = *mark == b'=' && is_closed;
        self.beside(end, is_tag)
            .or_else(|| is_tag.then(|| self.in_front())?)
            .or_else(|| (*mark == b'>').then(|| self.next_element(end))?)
    }

    /// The `value` of the same tag, in front of its name.
    fn in_front(&self) -> Option<Given> {
        let from = self.name.saturating_sub(NEAR);
        let before = self.text.get(from..self.name)?;
        let open = memchr::memrchr(b'<', before)?;
        let tag = before.get(open..)?;
        let at = memchr::memmem::find(tag, b" value=")?;
        self.quoted(from + open + at + 7)
    }

    /// The text of the element behind that of the name: `<key>name</key> <string>value</string>`.
    fn next_element(&self, end: usize) -> Option<Given> {
        if !self.starts(end, b"</") {
            return None;
        }
        let next = self.space(end + memchr::memchr(b'>', self.rest(end))? + 1);
        let tag = self.rest(next);
        if tag.first() != Some(&b'<') || tag.get(1) == Some(&b'/') {
            return None;
        }
        self.content(next + memchr::memchr(b'>', tag)? + 1)
    }

    /// A member that holds the value where the name is given an object or a block: `{"value": …}`, `{ default = … }`.
    pub(super) fn member(&self, open: usize) -> Option<Given> {
        const MEMBERS: [&[u8]; 6] = [
            b"value",
            b"default",
            b"defaultvalue",
            b"stringvalue",
            b"plaintext",
            b"plain",
        ];
        let window = self.text.get(open + 1..self.text.len().min(open + NEAR))?;
        let stop = memchr::memchr2(b'}', b'{', window).unwrap_or(window.len());
        let inside = window.get(..stop)?;
        let mut from = 0;
        while let Some(more) = inside.get(from..).filter(|more| !more.is_empty()) {
            let skip = more
                .iter()
                .take_while(|byte| !byte.is_ascii_alphabetic())
                .count();
            let length = more
                .iter()
                .skip(skip)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            let word = more.get(skip..skip + length)?.to_ascii_lowercase();
            let after = open + 1 + from + skip + length;
            let quote = usize::from(matches!(self.at(after), Some(b'"' | b'\'')));
            if MEMBERS.contains(&word.as_slice())
                && let Some(value) = self.separator(self.blanks(after + quote))
            {
                return self.quoted(self.blanks(value));
            }
            from += skip + length.max(1);
        }
        None
    }

    /// The value that stands beside a name: within its tag, or right behind it.
    fn beside(&self, end: usize, tag: bool) -> Option<Given> {
        const VALUES: [&[u8]; 6] = [
            b"value",
            b"val",
            b"default",
            b"content",
            b"parametervalue",
            b"v",
        ];
        // Onwards over what parts the two.
        let window = self.text.get(end..self.text.len().min(end + NEAR))?;
        let stop = if tag {
            memchr::memchr(b'>', window)
        } else {
            memchr::memchr2(b'}', b'{', window)
        };
        let stop = stop.unwrap_or(window.len());
        let inside = window.get(..stop)?;
        let mut at = 0;
        while let Some(more) = inside.get(at..) {
            let skip = more
                .iter()
                .take_while(|byte| !byte.is_ascii_alphabetic())
                .count();
            if !tag && memchr::memchr_iter(b'\n', more.get(..skip)?).count() > 1 {
                break;
            }
            let word = more.get(skip..)?;
            let length = word
                .iter()
                .take_while(|byte| byte.is_ascii_alphabetic())
                .count();
            if length == 0 {
                break;
            }
            let name = word.get(..length)?.to_ascii_lowercase();
            let after = end + at + skip + length;
            if VALUES.contains(&name.as_slice()) {
                let quote = usize::from(matches!(self.at(after), Some(b'"' | b'\'' | b'\\')));
                let after = self.blanks(after + quote);
                if let Some(value) = self.separator(after) {
                    return self.value(self.blanks(value), false);
                }
            }
            if !tag {
                // Only right behind the name.
                break;
            }
            at += skip + length;
        }
        if tag && self.at(end + stop) == Some(b'>') && inside.last() != Some(&b'/') {
            return self.content(end + stop + 1);
        }
        None
    }
}
