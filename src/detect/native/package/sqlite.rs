//! Rows of tables in a SQLite database, with what its log of writes holds that is not in the file yet. Nothing is ever
//! written. "Database File Format" and "WAL-mode File Format" of sqlite.org.
//!
//! A page that is met twice is damage: so no file makes more of its bytes than there are.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Trees that are deeper have a ring in them.
const DEEPEST: usize = 40;

/// A database.
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    /// Where pages stand in the log.
    logged: HashMap<u32, &'a [u8]>,
    page_size: usize,
    /// What of a page is used: the rest is an extension's.
    usable: usize,
    pages: u32,
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Bytes(&'a [u8]),
    /// A number that is none of ours.
    Other,
}

impl<'a> Value<'a> {
    pub(super) fn integer(self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// A table: where it begins, and the names of its columns.
pub(super) struct Table {
    root: u32,
    columns: Vec<String>,
}

impl Table {
    /// The place of a column in its rows.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        let mut columns = self.columns.iter();
        columns.position(|column| column.eq_ignore_ascii_case(name))
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// A number of up to nine bytes, and how many it has.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        if at == 8 {
            return Some(((number << 8) | u64::from(*byte), 9));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + 1));
        }
    }
    None
}

impl<'a> Database<'a> {
    /// `log` is the file beside it whose name ends in `-wal`.
    pub(super) fn open(bytes: &'a [u8], log: Option<&'a [u8]>) -> Result<Self, &'static str> {
        let log = log.and_then(Log::read);
        let logged = log
            .as_ref()
            .map(|log| log.pages.clone())
            .unwrap_or_default();
        let first = logged.get(&1).copied().unwrap_or(bytes);
        if !first.starts_with(MAGIC) {
            return Err("is no SQLite database");
        }
        let page_size = match be16(first, 16) {
            Some(1) => 65536,
            Some(size) if size >= 512 && size.is_power_of_two() => size,
            _ => return Err("has pages of no size"),
        };
        if log.as_ref().is_some_and(|log| log.page_size != page_size) {
            return Err("has a log with pages of another size");
        }
        let reserved = usize::from(first.get(20).copied().unwrap_or_default());
        let usable = page_size - reserved;
        // The format demands it, so that a cell fits.
        if usable < 480 {
            return Err("has pages without room");
        }
        // The count in the header is right unless a very old SQLite wrote last: then the two stamps differ.
        let own = u32::try_from(bytes.len() / page_size).unwrap_or(u32::MAX);
        let said = be32(first, 28).filter(|said| *said > 0 && be32(first, 24) == be32(first, 92));
        let pages = log.map(|log| log.size).or(said).unwrap_or(own);
        Ok(Self {
            bytes,
            logged,
            page_size,
            usable,
            pages,
        })
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        if number == 0 || number > self.pages {
            return None;
        }
        if let Some(page) = self.logged.get(&number) {
            return Some(page);
        }
        let at = usize::try_from(number - 1)
            .ok()?
            .checked_mul(self.page_size)?;
        self.bytes.get(at..at.checked_add(self.page_size)?)
    }

    /// The table of this name; the case of letters does not matter.
    pub(super) fn table(&self, name: &str) -> Option<Table> {
        let mut found = None;
        let schema = Table {
            root: 1,
            columns: Vec::new(),
        };
        // A damaged schema may have the table all the same.
        let _ = self.rows(&schema, &mut |_, row| {
            let text = |at: usize| row.get(at).copied().and_then(Value::bytes);
            let is_it = text(0) == Some(b"table".as_slice())
                && text(1).is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()));
            let root = row.get(3).copied().and_then(Value::integer);
            if let (true, Some(root)) = (is_it && found.is_none(), root) {
                let sql = String::from_utf8_lossy(text(4).unwrap_or_default()).into_owned();
                found = u32::try_from(root).ok().map(|root| Table {
                    root,
                    columns: columns(&sql),
                });
            }
        });
        found
    }

    /// Shows every row with its number. What is damaged is left out, and told.
    pub(super) fn rows(
        &self,
        table: &Table,
        visit: &mut dyn FnMut(i64, &[Value<'_>]),
    ) -> Result<(), &'static str> {
        let mut seen = HashSet::new();
        let mut todo = vec![(table.root, 0)];
        let mut damage = None;
        while let Some((number, depth)) = todo.pop() {
            if depth > DEEPEST || !seen.insert(number) {
                damage = Some("has a table that leads back into itself");
                continue;
            }
            if self
                .node(number, depth, &mut todo, &mut seen, visit)
                .is_none()
            {
                damage = Some("has a damaged page");
            }
        }
        damage.map_or(Ok(()), Err)
    }

    /// One page of a table: pages below it, or rows.
    fn node(
        &self,
        number: u32,
        depth: usize,
        todo: &mut Vec<(u32, usize)>,
        seen: &mut HashSet<u32>,
        visit: &mut dyn FnMut(i64, &[Value<'_>]),
    ) -> Option<()> {
        let page = self.page(number)?;
        let head = if number == 1 { 100 } else { 0 };
        let kind = *page.get(head)?;
        let cells = be16(page, head + 3)?;
        let (is_leaf, length) = match kind {
            13 => (true, 8),
            5 => (false, 12),
            _ => return None,
        };
        let mut whole = Some(());
        if !is_leaf {
            todo.push((be32(page, head + 8)?, depth + 1));
        }
        for cell in (0..cells).rev() {
            let at = be16(page, head + length + cell * 2)?;
            if !is_leaf {
                todo.push((be32(page, at)?, depth + 1));
            }
        }
        if is_leaf {
            for cell in 0..cells {
                let at = be16(page, head + length + cell * 2)?;
                let read = self.row(page, at, seen).and_then(|(id, payload)| {
                    visit(id, &values(&payload)?);
                    Some(())
                });
                whole = whole.and(read);
            }
        }
        whole
    }

    /// A row's number and its content, put together from the pages that it goes on over.
    fn row(
        &self,
        page: &'a [u8],
        at: usize,
        seen: &mut HashSet<u32>,
    ) -> Option<(i64, Cow<'a, [u8]>)> {
        let rest = page.get(at..self.usable)?;
        let (size, first) = varint(rest)?;
        let (id, second) = varint(rest.get(first..)?)?;
        let size = usize::try_from(size).ok()?;
        let rest = rest.get(first + second..)?;
        let most = self.usable - 35;
        let id = id.cast_signed();
        if size <= most {
            return Some((id, Cow::Borrowed(rest.get(..size)?)));
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (size - least) % (self.usable - 4);
        let local = if fitting <= most { fitting } else { least };
        let mut content = rest.get(..local)?.to_vec();
        let mut next = be32(rest, local)?;
        while content.len() < size {
            if !seen.insert(next) {
                return None;
            }
            let more = self.page(next)?;
            let length = (self.usable - 4).min(size - content.len());
            content.extend_from_slice(more.get(4..4 + length)?);
            next = be32(more, 0)?;
        }
        Some((id, Cow::Owned(content)))
    }
}

/// The values of a row.
fn values(payload: &[u8]) -> Option<Vec<Value<'_>>> {
    let (head, mut at) = varint(payload)?;
    let head = usize::try_from(head).ok()?;
    let mut body = payload.get(head..)?;
    let mut found = Vec::new();
    while at < head {
        let (kind, length) = varint(payload.get(at..head)?)?;
        at += length;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            kind => usize::try_from((kind - 12) / 2).ok()?,
        };
        let (own, rest) = body.split_at_checked(length)?;
        body = rest;
        found.push(match kind {
            0 => Value::Null,
            1..=6 => Value::Integer(integer(own)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            7 => Value::Other,
            _ => Value::Bytes(own),
        });
    }
    Some(found)
}

/// A number of up to eight bytes with its sign.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1_i64 } else { 0 };
    let all = bytes.iter();
    all.fold(start, |number, byte| (number << 8) | i64::from(*byte))
}

/// The names of the columns that a table was made with.
fn columns(sql: &str) -> Vec<String> {
    let Some((_, inner)) = sql.split_once('(') else {
        return Vec::new();
    };
    let mut depth = 0_i32;
    let parts = inner.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    let first = parts.filter_map(|part| part.split_whitespace().next());
    let bare = first.map(|name| {
        name.trim_matches(['"', '\'', '`', '[', ']', ')'])
            .to_owned()
    });
    bare.collect()
}

/// What a log holds, up to the last change that was finished.
struct Log<'a> {
    pages: HashMap<u32, &'a [u8]>,
    page_size: usize,
    /// How many pages the database has after that change.
    size: u32,
}

impl<'a> Log<'a> {
    /// `None` where no change in it was finished, or all that it holds is of a log that was begun anew.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let head = bytes.get(..32)?;
        let is_big = match be32(head, 0)? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let page_size = usize::try_from(be32(head, 8)?).ok()?;
        if !(512..=65536).contains(&page_size) || !page_size.is_power_of_two() {
            return None;
        }
        let mut sum = checksum(is_big, head.get(..24)?, (0, 0));
        if sum != (be32(head, 24)?, be32(head, 28)?) {
            return None;
        }
        let mut finished: Option<Self> = None;
        let mut waiting = Vec::new();
        for frame in bytes.get(32..)?.chunks_exact(24 + page_size) {
            let (own, page) = frame.split_at_checked(24)?;
            sum = checksum(is_big, own.get(..8)?, sum);
            sum = checksum(is_big, page, sum);
            let is_of_log = own.get(8..16)? == head.get(16..24)?;
            if !is_of_log || sum != (be32(own, 16)?, be32(own, 20)?) {
                break;
            }
            waiting.push((be32(own, 0)?, page));
            let size = be32(own, 4)?;
            if size > 0 {
                let log = finished.get_or_insert_with(|| Self {
                    pages: HashMap::new(),
                    page_size,
                    size,
                });
                log.size = size;
                log.pages.extend(waiting.drain(..));
            }
        }
        finished
    }
}

fn checksum(is_big: bool, bytes: &[u8], (mut a, mut b): (u32, u32)) -> (u32, u32) {
    let (pairs, _) = bytes.as_chunks::<8>();
    for [b0, b1, b2, b3, b4, b5, b6, b7] in pairs {
        let number = |bytes: [u8; 4]| {
            if is_big {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            }
        };
        a = a.wrapping_add(number([*b0, *b1, *b2, *b3])).wrapping_add(b);
        b = b.wrapping_add(number([*b4, *b5, *b6, *b7])).wrapping_add(a);
    }
    (a, b)
}
