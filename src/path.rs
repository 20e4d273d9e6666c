//! A path inside the machine: absolute, lexically clean, bytes rather than text, and safe to show.
//!
//! A machine's names are an attacker's: they may hold newlines, terminal escapes, or bytes that are not UTF-8. The bytes
//! are kept as they are, so that the file can be opened; [`std::fmt::Display`] and serde show a sanitised text.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

/// An absolute path in the machine's own tree, without `.`, `..`, doubled or trailing slashes. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachinePath(Arc<[u8]>);

impl Default for MachinePath {
    /// The root.
    fn default() -> Self {
        Self::root()
    }
}

impl MachinePath {
    /// The machine's root directory.
    pub fn root() -> Self {
        Self(Arc::from(&b"/"[..]))
    }

    /// Cleans `path` lexically; a relative one is taken from the root, and `..` never leaves it.
    pub fn new(path: impl AsRef<[u8]>) -> Self {
        if is_clean(path.as_ref()) {
            return Self(path.as_ref().into());
        }
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in path.as_ref().split(|b| *b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop();
                }
                name => parts.push(name),
            }
        }
        let mut clean = Vec::with_capacity(path.as_ref().len() + 1);
        for part in &parts {
            clean.push(b'/');
            clean.extend_from_slice(part);
        }
        if clean.is_empty() {
            clean.push(b'/');
        }
        Self(clean.into())
    }

    /// `other` seen from this directory; an absolute `other` stands for itself.
    #[must_use]
    pub fn join(&self, other: impl AsRef<[u8]>) -> Self {
        let other = other.as_ref();
        if other.first() == Some(&b'/') {
            return Self::new(other);
        }
        let mut joined = Vec::with_capacity(self.0.len() + 1 + other.len());
        joined.extend_from_slice(&self.0);
        joined.push(b'/');
        joined.extend_from_slice(other);
        let is_name = !matches!(other, b"" | b"." | b"..") && !other.contains(&b'/');
        if is_name && self.0.len() > 1 {
            return Self(joined.into());
        }
        Self::new(joined)
    }

    /// The directory that holds it; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let cut = self.0.iter().rposition(|b| *b == b'/')?;
        match cut {
            0 if self.0.len() == 1 => None,
            0 => Some(Self::root()),
            _ => self.0.get(..cut).map(|dir| Self(dir.into())),
        }
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or_default()
    }

    /// The last component as text, lossy.
    pub fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.file_name())
    }

    /// The bytes, for opening.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text as it is, where it is UTF-8. Not sanitised: for matching, not for showing.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The text, lossy. Not sanitised: for matching, not for showing.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The directory itself or something below it.
    pub fn is_within(&self, directory: &Self) -> bool {
        let dir = directory.as_bytes();
        dir == b"/"
            || (self.0.starts_with(dir) && matches!(self.0.get(dir.len()), None | Some(b'/')))
    }

    /// Names from the root down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|part| !part.is_empty())
    }
}

/// Whether a path is absolute and nothing has to be taken out of it, as most are.
fn is_clean(path: &[u8]) -> bool {
    let below = path.strip_prefix(b"/");
    let mut parts = below
        .into_iter()
        .flat_map(|below| below.split(|b| *b == b'/'));
    below.is_some() && parts.all(|part| !matches!(part, b"" | b"." | b".."))
}

/// Equality, order and hash are those of the bytes, so that a map may be asked by bytes alone.
impl Borrow<[u8]> for MachinePath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for MachinePath {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl fmt::Display for MachinePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sanitise(&self.text()))
    }
}

impl fmt::Debug for MachinePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for MachinePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From the text that was shown; good for reading a saved scan, not for opening files.
impl<'de> Deserialize<'de> for MachinePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl schemars::JsonSchema for MachinePath {
    fn schema_name() -> Cow<'static, str> {
        "MachinePath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "an absolute path inside the machine; control and bidirectional characters escaped"
        })
    }
}

/// Text of the machine made safe for a terminal, a log, or a report: control characters (C0, C1, DEL), bidirectional
/// overrides, and zero-width characters are written as `\u{…}`; the rest stays.
pub fn sanitise(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether a character steers a terminal, changes the direction of text, or is drawn by nothing.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}'
            // What fonts draw nothing for: soft hyphens, fillers, variation selectors, tags, notes' anchors.
            | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_and_never_leaves_the_root() {
        assert_eq!(
            MachinePath::new("//a/./b/../../../etc//x/").text(),
            "/etc/x"
        );
        assert_eq!(MachinePath::new("..").text(), "/");
        assert_eq!(MachinePath::new("/a").join("../../b").text(), "/b");
        assert_eq!(MachinePath::new("/a").join("/c").text(), "/c");
    }

    #[test]
    fn parents_and_names() {
        let path = MachinePath::new("/etc/nginx");
        assert_eq!(path.name(), "nginx");
        assert_eq!(path.parent().unwrap().text(), "/etc");
        assert_eq!(path.parent().unwrap().parent(), Some(MachinePath::root()));
        assert_eq!(MachinePath::root().parent(), None);
        assert!(path.is_within(&"/etc".into()) && path.is_within(&path));
        assert!(!MachinePath::new("/etcetera").is_within(&"/etc".into()));
    }

    #[test]
    fn shows_no_control_or_direction_characters() {
        let path = MachinePath::new("/a\n\u{1b}[31m\u{202e}b");
        assert_eq!(path.to_string(), "/a\\n\\u{1b}[31m\\u{202e}b");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_make_a_clean_path(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let path = MachinePath::new(&bytes);
            proptest::prop_assert_eq!(path.as_bytes()[0], b'/');
            proptest::prop_assert_eq!(MachinePath::new(path.as_bytes()), path.clone());
            proptest::prop_assert!(!path.to_string().chars().any(is_unsafe));
        }
    }
}
