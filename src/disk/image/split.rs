//! Raw disks in parts, as split(1) and makers of forensic images write them: `disk.000`, `disk.001`, …, `disk.001`,
//! `disk.002`, …, or `disk.aa`, `disk.ab`, …
//!
//! What belongs here: the parts after the one that was named, joined in order. A part is a range of the disk and nothing
//! else, so only a first part that is no image of another format has any.

use super::{Image, OpenError, Place, RawFile};
use crate::disk::note::Note;
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use std::path::Path;
use std::sync::Arc;

const FORMAT: &str = "split raw";
/// Parts at most: each is an open file.
const MOST: usize = 1000;

/// The numbering of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Decimal digits, so many, from this number.
    Digits(usize, usize),
    /// Two letters.
    Letters,
}

impl Style {
    /// The style of a first part's ending.
    fn of(ending: &str) -> Option<Self> {
        match ending {
            "00" => Some(Self::Digits(2, 0)),
            "000" | "001" => Some(Self::Digits(3, usize::from(ending == "001"))),
            "0000" | "0001" => Some(Self::Digits(4, usize::from(ending == "0001"))),
            "aa" => Some(Self::Letters),
            _ => None,
        }
    }

    /// The ending of the part with this number from 0; `None` beyond the last possible.
    fn ending(self, number: usize) -> Option<String> {
        match self {
            Self::Digits(width, first) => {
                let text = format!("{:0width$}", number + first);
                (text.len() == width).then_some(text)
            }
            Self::Letters => {
                let letter = |number: usize| {
                    let number = u8::try_from(number).ok().filter(|number| *number < 26)?;
                    Some(char::from(b'a' + number))
                };
                Some(
                    [letter(number / 26)?, letter(number % 26)?]
                        .iter()
                        .collect(),
                )
            }
        }
    }

    /// Whether an ending is one of a part after the first.
    fn has(self, ending: &str) -> bool {
        let number = match self {
            Self::Digits(width, first) => {
                let plain =
                    ending.len() == width && ending.bytes().all(|byte| byte.is_ascii_digit());
                let number = ending.parse::<usize>().ok().filter(|_| plain);
                number.and_then(|number| number.checked_sub(first))
            }
            Self::Letters => match *ending.as_bytes() {
                [first @ b'a'..=b'z', last @ b'a'..=b'z'] => {
                    Some(usize::from(first - b'a') * 26 + usize::from(last - b'a'))
                }
                _ => None,
            },
        };
        number.is_some_and(|number| (1..MOST).contains(&number))
    }

    fn endings(self) -> impl Iterator<Item = String> {
        (1..MOST).map_while(move |number| self.ending(number))
    }
}

/// Joins the parts after a first one; `None` where the name is not that of a first part, or there are no others.
pub(super) fn open(first: &Arc<RawFile>, place: &Place) -> Result<Option<Image>, OpenError> {
    let Some((name, style)) = style(place.path()) else {
        return Ok(None);
    };
    let mut parts = vec![(0, Arc::clone(first))];
    let mut size = first.size();
    let mut notes = Vec::new();
    for named in names(&name, style, place)? {
        let (part, own) = place.part(named.as_bytes(), "next part")?;
        if parts
            .last()
            .is_some_and(|(_, last)| last.size() != first.size())
        {
            let note = format!(
                "the part before {named:?} has another length than the first; it may be truncated"
            );
            notes.push(Note::gap(note));
        }
        parts.push((size, Arc::new(part)));
        let last = parts.last().map_or(0, |(_, last)| last.size());
        let end = size
            .checked_add(last)
            .filter(|end| *end <= i64::MAX.unsigned_abs());
        let too_long = || DiskError::damaged(FORMAT, "its parts are beyond any disk");
        size = end.ok_or_else(|| OpenError::disk(own.path())(too_long()))?;
    }
    if parts.len() == 1 {
        return Ok(None);
    }
    notes.insert(
        0,
        Note::remark(format!("the disk is in {} parts", parts.len())),
    );
    let device = Arc::new(Joined { parts, size });
    Ok(Some(Image {
        format: "raw",
        device,
        notes,
    }))
}

/// The name before its ending, with the dot, and the numbering.
fn style(path: &Path) -> Option<(String, Style)> {
    let name = path.file_name()?.to_str()?;
    let (stem, ending) = name.rsplit_once('.')?;
    Some((format!("{stem}."), Style::of(ending)?))
}

/// The names of the parts after the first. A part that is not there while a later one is, is missing.
fn names(stem: &str, style: Style, place: &Place) -> Result<Vec<String>, OpenError> {
    let beside = place.names()?;
    let mut there: Vec<&str> = beside
        .iter()
        .filter_map(|name| name.strip_prefix(stem.as_bytes()))
        .filter_map(|ending| std::str::from_utf8(ending).ok())
        .filter(|ending| style.has(ending))
        .collect();
    // All endings of a style have one length.
    there.sort_unstable();
    there.dedup();
    let mut names = Vec::new();
    for (ending, expected) in there.into_iter().zip(style.endings()) {
        let name = format!("{stem}{ending}");
        if ending != expected {
            let what = format!(
                "the part \"{stem}{expected}\" is missing, and {name:?} is there; put it beside the others"
            );
            return Err(OpenError::disk(place.path())(DiskError::damaged(
                FORMAT, what,
            )));
        }
        names.push(name);
    }
    Ok(names)
}

/// Parts of a disk, one after the other.
struct Joined {
    /// Each with its beginning on the disk, without a gap.
    parts: Vec<(u64, Arc<RawFile>)>,
    size: u64,
}

impl BlockDevice for Joined {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        while !buf.is_empty() {
            // A part without a length begins where the next does; the last that begins here has the bytes.
            let next = self.parts.partition_point(|(start, _)| *start <= offset);
            let part = next.checked_sub(1).and_then(|at| self.parts.get(at));
            let (start, part) = part.ok_or_else(|| DiskError::damaged(FORMAT, "no parts"))?;
            let within = offset - start;
            let left = usize::try_from(part.size().saturating_sub(within)).unwrap_or(usize::MAX);
            if left == 0 {
                return Err(DiskError::damaged(FORMAT, "a gap between two parts"));
            }
            let (here, rest) = buf.split_at_mut(left.min(buf.len()));
            part.read_at(within, here)?;
            offset += u64::try_from(here.len()).unwrap_or_default();
            buf = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_their_makers_count() {
        let endings = |ending| {
            let style = Style::of(ending).unwrap();
            let all: Vec<_> = style.endings().collect();
            (all[0].clone(), all.last().cloned().unwrap())
        };
        let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
        assert_eq!(endings("000"), pair("001", "999"));
        assert_eq!(endings("001"), pair("002", "999"));
        assert_eq!(endings("00"), pair("01", "99"));
        assert_eq!(endings("0001"), pair("0002", "1000"));
        assert_eq!(endings("aa"), pair("ab", "zz"));
        assert_eq!(Style::Letters.ending(26).unwrap(), "ba");
        for ending in ["002", "0", "ab", "img", "AA", ""] {
            assert_eq!(Style::of(ending), None, "{ending}");
        }
    }
}
