//! What archives have: the `Packages` files that apt keeps of them, and the signed descriptions beside them.
//!
//! A list has tens of thousands of packages and tens of megabytes. It goes by piece by piece, and only entries of packages
//! that are installed are kept.

use super::doc;
use super::packed::unpacked;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::archive::{Described, Listed, ListedPackage, OfArchive};
use crate::fact::{Fact, Facts};
use std::collections::HashSet;
use std::io::Read;

/// Bytes of one list, packed and unpacked.
const LARGEST: u64 = 1 << 30;

/// Entries kept of one list: a few versions of all that is installed.
const MOST: usize = 200_000;

/// A line is looked at up to here; no name or version is longer.
const LINE: usize = 1024;

pub struct Lists;

impl Lists {
    pub(super) const ID: &str = "packages/apt-lists";
}

impl Detector for Lists {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        doc(
            "What archives have of the installed packages",
            "entries of packages that are installed, in the lists that apt keeps of archives",
            "archives whose lists were removed",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: LARGEST,
            total: 4 * LARGEST,
            streamed: true,
            ..Interest::default()
        }
    }

    fn inspect(&self, _: &FileView<'_>, _: &mut Sink) {}

    fn stream(&self, file: &FileView<'_>, content: &mut dyn Read, known: &Facts, sink: &mut Sink) {
        let installed = known.packages.iter().map(|package| package.name.as_bytes());
        let mut scan = Scan::new(installed.collect());
        let mut unpacked = unpacked(&file.path.name(), content).take(LARGEST);
        let mut buffer = vec![0; 256 << 10];
        let reason = loop {
            match unpacked.read(&mut buffer) {
                Ok(0) if unpacked.limit() == 0 => {
                    break Some("unpacks to more than is read of one list".to_owned());
                }
                Ok(0) => break None,
                Ok(read) => scan.piece(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error.to_string()),
            }
        };
        let packages = scan.end();
        if packages.len() >= MOST {
            let reason = format!("has more than {MOST} entries of installed packages");
            sink.unexamined(file.path, self.id(), reason);
        }
        if let Some(reason) = reason {
            sink.unexamined(file.path, self.id(), reason);
        }
        sink.fact(Fact::Archive(OfArchive::Listed(Listed {
            path: file.path.clone(),
            packages,
        })));
    }
}

/// Goes through a list.
struct Scan<'a> {
    installed: HashSet<&'a [u8]>,
    /// The number of the line that comes next.
    line: u32,
    /// The beginning of a line that goes on in the next piece.
    held: Vec<u8>,
    entry: Entry,
    found: Vec<ListedPackage>,
}

#[derive(Default)]
struct Entry {
    line: u32,
    name: Vec<u8>,
    version: Vec<u8>,
}

impl<'a> Scan<'a> {
    fn new(installed: HashSet<&'a [u8]>) -> Self {
        Self {
            installed,
            line: 1,
            held: Vec::new(),
            entry: Entry::default(),
            found: Vec::new(),
        }
    }

    fn piece(&mut self, piece: &[u8]) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            let line = piece.get(from..end).unwrap_or_default();
            if self.held.is_empty() {
                self.whole(line);
            } else {
                self.hold(line);
                let held = std::mem::take(&mut self.held);
                self.whole(&held);
                self.held = held;
                self.held.clear();
            }
            self.line = self.line.saturating_add(1);
            from = end + 1;
        }
        self.hold(piece.get(from..).unwrap_or_default());
    }

    fn hold(&mut self, part: &[u8]) {
        let room = LINE.saturating_sub(self.held.len()).min(part.len());
        self.held.extend(part.get(..room).unwrap_or_default());
    }

    /// A line without its end.
    fn whole(&mut self, line: &[u8]) {
        match line.first() {
            None | Some(b'\r') => self.close(),
            Some(b'P') => {
                if let Some(name) = value(line, b"Package:") {
                    self.entry.line = self.line;
                    self.entry.name = name.to_vec();
                }
            }
            Some(b'V') => {
                if let Some(version) = value(line, b"Version:") {
                    self.entry.version = version.to_vec();
                }
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        let entry = &mut self.entry;
        let is_one = !entry.version.is_empty() && self.installed.contains(&*entry.name);
        if is_one && self.found.len() < MOST {
            self.found.push(ListedPackage {
                name: String::from_utf8_lossy(&entry.name).into_owned(),
                version: String::from_utf8_lossy(&entry.version).into_owned(),
                line: entry.line,
            });
        }
        entry.name.clear();
        entry.version.clear();
    }

    fn end(mut self) -> Vec<ListedPackage> {
        let held = std::mem::take(&mut self.held);
        self.whole(&held);
        self.close();
        self.found
    }
}

fn value<'l>(line: &'l [u8], field: &[u8]) -> Option<&'l [u8]> {
    let value = line.get(..LINE.min(line.len()))?.strip_prefix(field)?;
    Some(value.trim_ascii())
}

/// `InRelease` and `Release`.
pub struct Descriptions;

impl Detector for Descriptions {
    fn id(&self) -> &'static str {
        "packages/apt-releases"
    }

    fn doc(&self) -> Doc {
        doc(
            "What archives say of themselves",
            "origin, label, suite and code name in the signed descriptions of archives",
            "whether the signature is good",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: vec!["/var/lib/apt/lists/*Release".into()],
            limit: 16 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let mut found = Described {
            path: file.path.clone(),
            ..Described::default()
        };
        for (number, line) in file.lines().take(200) {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim().chars().take(LINE).collect();
            match key {
                "Origin" => (found.origin, found.line) = (value, number),
                "Label" => found.label = value,
                "Suite" => found.suite = value,
                "Codename" => found.codename = value,
                _ => {}
            }
        }
        sink.fact(Fact::Archive(OfArchive::Described(found)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &[u8], size: usize) -> Vec<(String, String, u32)> {
        let mut scan = Scan::new(HashSet::from([&b"a"[..], b"b"]));
        text.chunks(size.max(1)).for_each(|piece| scan.piece(piece));
        let found = scan.end().into_iter();
        found.map(|p| (p.name, p.version, p.line)).collect()
    }

    #[test]
    fn only_what_is_installed_is_kept() {
        let text = b"Package: a\nPriority: x\nVersion: 1\n\nPackage: c\nVersion: 2\n\nPackage:b\r\nVersion: 3\r\n\r\nVersion: 9\n";
        let a = ("a".to_owned(), "1".to_owned(), 1);
        let b = ("b".to_owned(), "3".to_owned(), 8);
        for size in [1, 2, 7, 1000] {
            assert_eq!(scanned(text, size), [a.clone(), b.clone()], "{size}");
        }
        let long = [
            &b"Description: "[..],
            &vec![b'x'; 1 << 20],
            b"\nVersion: 1\nPackage: a",
        ]
        .concat();
        assert_eq!(scanned(&long, 4096), [("a".to_owned(), "1".to_owned(), 3)]);
    }

    proptest::proptest! {
        #[test]
        fn pieces_do_not_matter(text in "(Package: [ab]\n|Version: [12]\n|\n|\r\n|P|x\u{e4}){0,40}", size in 1usize..40) {
            proptest::prop_assert_eq!(scanned(text.as_bytes(), size), scanned(text.as_bytes(), 1 << 20));
        }
    }
}
