//! One package's header: tags with values, as rpm's databases keep them, without the magic number that package files have.
//! `lib/header.c` of rpm's sources, and its "RPM Tags".

use std::collections::HashMap;

/// More than any package has; rpm's own limits.
const MOST_TAGS: usize = 64 << 10;
const MOST_BYTES: usize = 256 << 20;

/// Values of one tag; the largest packages have a tenth of it.
const MOST_VALUES: usize = 2 << 20;

/// Kinds of values.
const CHAR: u32 = 1;
const INT8: u32 = 2;
const INT16: u32 = 3;
const INT32: u32 = 4;
const INT64: u32 = 5;
const STRING: u32 = 6;
const STRINGS: u32 = 8;
const TRANSLATED: u32 = 9;

pub(super) mod tag {
    pub const NAME: u32 = 1000;
    pub const VERSION: u32 = 1001;
    pub const RELEASE: u32 = 1002;
    pub const EPOCH: u32 = 1003;
    pub const INSTALLED: u32 = 1008;
    pub const VENDOR: u32 = 1011;
    pub const ARCH: u32 = 1022;
    pub const OLD_PATHS: u32 = 1027;
    pub const STATES: u32 = 1029;
    pub const DIGESTS: u32 = 1035;
    pub const FLAGS: u32 = 1037;
    pub const SOURCE: u32 = 1044;
    pub const PROVIDES: u32 = 1047;
    pub const REQUIRES: u32 = 1049;
    pub const DIRECTORY_OF: u32 = 1116;
    pub const BASE_NAMES: u32 = 1117;
    pub const DIRECTORIES: u32 = 1118;
    pub const MODULE: u32 = 5096;
}

struct Entry {
    kind: u32,
    offset: usize,
    count: usize,
}

pub(super) struct Header<'a> {
    entries: HashMap<u32, Entry>,
    data: &'a [u8],
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let own = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u32::from_be_bytes(own))
}

impl<'a> Header<'a> {
    pub(super) fn parse(blob: &'a [u8]) -> Option<Self> {
        let count = usize::try_from(number(blob, 0)?).ok()?;
        let size = usize::try_from(number(blob, 4)?).ok()?;
        if count == 0 || count > MOST_TAGS || size > MOST_BYTES {
            return None;
        }
        let start = 8 + count * 16;
        let data = blob.get(start..start.checked_add(size)?)?;
        let mut entries = HashMap::new();
        for entry in blob.get(8..start)?.chunks_exact(16) {
            // A region's own entry may lead before the data: it is none of those that are asked for. What was added at
            // installation comes last, and stands in the place of what the package said.
            let known = Entry {
                kind: number(entry, 4)?,
                offset: usize::try_from(number(entry, 8)?).ok()?,
                count: usize::try_from(number(entry, 12)?).ok()?,
            };
            entries.insert(number(entry, 0)?, known);
        }
        Some(Self { entries, data })
    }

    pub(super) fn has(&self, tag: u32) -> bool {
        self.entries.contains_key(&tag)
    }

    /// A text, of several languages the first.
    pub(super) fn text(&self, tag: u32) -> Option<String> {
        let entry = self.entries.get(&tag)?;
        let is_text = [STRING, STRINGS, TRANSLATED].contains(&entry.kind) && entry.count > 0;
        let rest = self.data.get(entry.offset..).filter(|_| is_text)?;
        let own = rest.get(..rest.iter().position(|byte| *byte == 0)?)?;
        Some(String::from_utf8_lossy(own).into_owned())
    }

    /// All texts of a tag; none where it is not there, `None` where they are damaged.
    pub(super) fn texts(&self, tag: u32) -> Option<Vec<&'a [u8]>> {
        let Some(entry) = self.entries.get(&tag) else {
            return Some(Vec::new());
        };
        let rest = self.data.get(entry.offset..)?;
        let is_text = [STRING, STRINGS, TRANSLATED].contains(&entry.kind);
        // Each has its zero at least.
        if !is_text || entry.count > rest.len().min(MOST_VALUES) {
            return None;
        }
        let mut parts = rest.split(|byte| *byte == 0);
        let found: Vec<&[u8]> = parts.by_ref().take(entry.count).collect();
        // What is behind the last zero is no text of its own.
        (found.len() == entry.count && parts.next().is_some()).then_some(found)
    }

    /// All numbers of a tag; none where it is not there, `None` where they are damaged.
    pub(super) fn numbers(&self, tag: u32) -> Option<Vec<u64>> {
        let Some(entry) = self.entries.get(&tag) else {
            return Some(Vec::new());
        };
        if entry.count > MOST_VALUES {
            return None;
        }
        let width = match entry.kind {
            CHAR | INT8 => 1,
            INT16 => 2,
            INT32 => 4,
            INT64 => 8,
            _ => return None,
        };
        let end = entry.offset.checked_add(entry.count.checked_mul(width)?)?;
        let own = self.data.get(entry.offset..end)?.chunks_exact(width);
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |all, byte| (all << 8) | u64::from(*byte))
        };
        Some(own.map(number).collect())
    }
}
