//! Headers in a hash table of Berkeley DB, as rpm before 4.16 keeps them: `db_page.h` of Oracle's sources, versions 8 and 9
//! of the hash, in either byte order.
//!
//! Every page is read in the order of the file, whichever bucket it is of. A page that two values go on over is damage: so no
//! file makes more of its bytes than there are.

use std::borrow::Cow;
use std::collections::HashSet;

/// Of the first page: what is there before the table's own fields.
const MAGIC: u32 = 0x0006_1561;

/// What a page begins with.
const HEAD: usize = 26;

/// Kinds of pages.
const UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const SORTED: u8 = 13;

/// Kinds of items.
const INLINE: u8 = 1;
const ELSEWHERE: u8 = 3;

struct Hash<'a> {
    bytes: &'a [u8],
    page_size: usize,
    is_big: bool,
    last: u32,
}

/// Shows the header of every package. What is damaged is left out, and told.
pub(super) fn blobs<'a>(
    bytes: &'a [u8],
    visit: &mut dyn FnMut(Cow<'a, [u8]>),
) -> Result<(), &'static str> {
    let hash = Hash::open(bytes)?;
    let mut seen = HashSet::new();
    let mut damage = None;
    for number in 1..=hash.last {
        let Some(page) = hash.page(number) else {
            damage = Some("is cut short");
            break;
        };
        if !matches!(page.get(25), Some(&(UNSORTED | SORTED))) {
            continue;
        }
        if hash.items(page, &mut seen, visit).is_none() {
            damage = Some("has a damaged page");
        }
    }
    damage.map_or(Ok(()), Err)
}

impl<'a> Hash<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut hash = Self {
            bytes,
            page_size: 0,
            is_big: false,
            last: 0,
        };
        if hash.number(bytes, 12) != Some(MAGIC) {
            hash.is_big = true;
            if hash.number(bytes, 12) != Some(MAGIC) {
                return Err("is no hash table of Berkeley DB");
            }
        }
        let encrypted = bytes.get(24).copied().unwrap_or_default();
        let flags = bytes.get(26).copied().unwrap_or_default();
        if encrypted != 0 || flags & 1 != 0 {
            return Err("is encrypted or has checksums in its pages, which rpm never asks for");
        }
        let size = hash
            .number(bytes, 20)
            .and_then(|size| usize::try_from(size).ok());
        hash.page_size = size
            .filter(|size| (512..=65536).contains(size) && size.is_power_of_two())
            .ok_or("has pages of no size")?;
        hash.last = hash.number(bytes, 32).ok_or("is cut short")?;
        Ok(hash)
    }

    fn number(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let own = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_big {
            u32::from_be_bytes(own)
        } else {
            u32::from_le_bytes(own)
        })
    }

    fn short(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let own = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(usize::from(if self.is_big {
            u16::from_be_bytes(own)
        } else {
            u16::from_le_bytes(own)
        }))
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        let at = usize::try_from(number).ok()?.checked_mul(self.page_size)?;
        self.bytes.get(at..at.checked_add(self.page_size)?)
    }

    /// Keys and values of a page take turns; each item ends where the one before it begins.
    fn items(
        &self,
        page: &'a [u8],
        seen: &mut HashSet<u32>,
        visit: &mut dyn FnMut(Cow<'a, [u8]>),
    ) -> Option<()> {
        let count = self.short(page, 20)?;
        let mut whole = (count % 2 == 0).then_some(());
        let item = |at: usize| {
            let start = self.short(page, HEAD + at * 2)?;
            let end = match at {
                0 => self.page_size,
                _ => self.short(page, HEAD + (at - 1) * 2)?,
            };
            page.get(start..end)
        };
        for key in (0..count.saturating_sub(1)).step_by(2) {
            let (Some([kind, own @ ..]), Some(value)) = (item(key), item(key + 1)) else {
                return None;
            };
            // Under the key 0 there is the number that the next package gets.
            if *kind == INLINE && own.iter().all(|byte| *byte == 0) {
                continue;
            }
            match self.value(value, seen) {
                Some(blob) => visit(blob),
                None => whole = None,
            }
        }
        whole
    }

    fn value(&self, item: &'a [u8], seen: &mut HashSet<u32>) -> Option<Cow<'a, [u8]>> {
        match item {
            [INLINE, own @ ..] => Some(Cow::Borrowed(own)),
            [ELSEWHERE, ..] => {
                let first = self.number(item, 4)?;
                let length = usize::try_from(self.number(item, 8)?).ok()?;
                self.chain(first, length, seen).map(Cow::Owned)
            }
            _ => None,
        }
    }

    /// A value on pages of its own, which has to have exactly the length that was said.
    fn chain(&self, first: u32, length: usize, seen: &mut HashSet<u32>) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        let mut next = first;
        while next != 0 {
            let page = self
                .page(next)
                .filter(|page| page.get(25) == Some(&OVERFLOW))?;
            if !seen.insert(next) {
                return None;
            }
            let own = self.short(page, 22)?;
            found.extend_from_slice(page.get(HEAD..HEAD.checked_add(own)?)?);
            next = self.number(page, 16)?;
        }
        (found.len() == length).then_some(found)
    }
}
