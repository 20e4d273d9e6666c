//! `/etc/ld.so.cache`: where the loader looks a library up before it looks into directories (ld.so(8); glibc's
//! sysdeps/generic/dl-cache.h, the format of version 1.1 that every glibc since 2.2 reads).

use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Cached, Fact};
use crate::path::MachinePath;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Magic, counts, flags, extension, reserved words.
const HEADER: usize = 48;
/// Flags, name, path, system version, processor: two offsets between three numbers.
const ENTRY: usize = 24;
/// More than any machine has libraries.
const MOST: usize = 100_000;

pub struct LoaderCache;

impl LoaderCache {
    pub const ID: &str = "exec/loader-cache";
}

impl Detector for LoaderCache {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "The loader's cache",
            recognises: "names of libraries and where the machine's loader finds them",
            why: "a program gets the library that its loader finds first, and the cache comes before directories",
            cannot_see: "libraries put there since ldconfig ran last",
            references: &["ld.so(8)", "ldconfig(8)"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/etc/ld.so.cache".to_owned()],
            limit: 32 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        // Older caches hold a section of an older format first.
        let at = file
            .bytes
            .windows(MAGIC.len())
            .position(|window| window == MAGIC);
        let entries = at.and_then(|at| read(file.bytes.get(at..)?));
        match entries {
            Some(entries) => sink.fact(Fact::Cached(entries)),
            None => sink.unexamined(file.path, Self::ID, "not a cache of a glibc loader"),
        }
    }
}

fn read(cache: &[u8]) -> Option<Vec<Cached>> {
    let count = usize::try_from(word(cache, MAGIC.len())?).ok()?;
    let table = cache.get(HEADER..)?;
    if count > MOST || count.checked_mul(ENTRY)? > table.len() {
        return None;
    }
    let entries = table.chunks_exact(ENTRY).take(count);
    let found = entries.filter_map(|entry| {
        let name = text(cache, word(entry, 4)?)?;
        let path = text(cache, word(entry, 8)?)?;
        let processor = entry.get(16..24)?.iter().any(|byte| *byte != 0);
        Some(Cached {
            name: String::from_utf8_lossy(name).into_owned(),
            path: MachinePath::new(path),
            processor,
        })
    });
    Some(found.collect())
}

/// Written by the machine's own ldconfig, so in its byte order; big-endian machines are not run by those it is read for.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*word))
}

/// From an offset to the next zero byte; a path of the system's length at most.
fn text(cache: &[u8], at: u32) -> Option<&[u8]> {
    let from = cache.get(usize::try_from(at).ok()?..)?;
    let end = from.iter().take(4096).position(|byte| *byte == 0)?;
    from.get(..end).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(&str, &str, u64)], count: u32) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(count.to_le_bytes());
        bytes.resize(HEADER, 0);
        let mut strings = Vec::new();
        let start = HEADER + ENTRY * entries.len();
        for (name, path, processor) in entries {
            let mut put = |text: &str| {
                let at = u32::try_from(start + strings.len()).unwrap();
                strings.extend(text.bytes());
                strings.push(0);
                at.to_le_bytes()
            };
            let (name, path) = (put(name), put(path));
            bytes.extend(0x303u32.to_le_bytes());
            bytes.extend(name);
            bytes.extend(path);
            bytes.extend(0u32.to_le_bytes());
            bytes.extend(processor.to_le_bytes());
        }
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn names_and_places() {
        let bytes = cache(
            &[
                ("liba.so.1", "/opt/a/liba.so.1", 0),
                ("liba.so.1", "/opt/v3/liba.so.1", 1 << 62),
            ],
            2,
        );
        let found = read(&bytes).unwrap();
        assert_eq!(
            (
                found[0].name.as_str(),
                found[0].path.to_string().as_str(),
                found[0].processor
            ),
            ("liba.so.1", "/opt/a/liba.so.1", false)
        );
        assert!(found[1].processor);
    }

    #[test]
    fn forged_counts_and_offsets() {
        let bytes = cache(&[("liba.so.1", "/opt/a/liba.so.1", 0)], u32::MAX);
        assert!(read(&bytes).is_none());
        let mut bytes = cache(&[("liba.so.1", "/opt/a/liba.so.1", 0)], 1);
        bytes[HEADER + 4..HEADER + 8].fill(0xff);
        assert!(read(&bytes).unwrap().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let mut bytes = MAGIC.to_vec();
            bytes.extend(tail);
            let _ = read(&bytes);
        }
    }
}
