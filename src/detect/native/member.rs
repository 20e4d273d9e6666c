//! Members of a zip archive that somebody asked for by name: settings that stand inside an application's archive.

use super::syntax::{self, Reading};
use crate::detect::{Detector, Doc, FileView, Interest, Purpose, Sink, Want};
use crate::fact::{Fact, Syntax};
use crate::path::MachinePath;
use flate2::read::DeflateDecoder;
use std::io::Read;

/// Reads settings inside archives under the syntax they were asked for.
pub struct Members;

/// Names in one archive's directory that are looked at.
const MOST: usize = 200_000;

/// Largest member, unpacked.
const LARGEST: u64 = 1 << 20;

/// How far from the end the directory's own record may begin: its comment has two bytes for its length.
const TAIL: usize = (64 << 10) + 22;

impl Members {
    pub const ID: &str = "config/zip";

    /// A want for these members of an archive, each with its syntax.
    pub fn want(archive: &MachinePath, members: &[(String, Syntax)]) -> Want {
        let lines = members.iter().map(|(name, syntax)| {
            let syntax = serde_json::to_string(syntax).unwrap_or_default();
            format!("{syntax}|{name}")
        });
        let lines: Vec<String> = lines.collect();
        Want {
            pattern: crate::walk::literal(archive),
            purpose: Purpose {
                detector: Self::ID.into(),
                context: lines.join("\n"),
            },
        }
    }

    /// Where a member's settings are found.
    pub fn path(archive: &MachinePath, member: &str) -> MachinePath {
        MachinePath::new(format!("{}!/{member}", archive.text()))
    }
}

impl Detector for Members {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Settings inside archives",
            recognises: "members of zip archives (jar, war) that a pack names",
            why: "an application's ports and peers may be said in its own archive",
            cannot_see: "archives in archives, and members that are encrypted",
            references: &["https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 256 << 20,
            total: 1 << 30,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let asked = file.purpose.context.lines();
        let asked = asked.filter_map(|line| line.split_once('|'));
        let asked: Vec<(&str, &str)> = asked.collect();
        for member in members(file.bytes) {
            let named = asked
                .iter()
                .find(|(_, name)| name.as_bytes() == member.name);
            let Some((syntax, name)) = named else {
                continue;
            };
            let (Ok(syntax), Some(bytes)) = (
                serde_json::from_str::<Syntax>(syntax),
                member.content(file.bytes),
            ) else {
                sink.unexamined(file.path, Self::ID, format!("{name} in it cannot be read"));
                continue;
            };
            let path = Self::path(file.path, name);
            let text = String::from_utf8_lossy(&bytes);
            match syntax::read(&Reading::main(syntax, &path), &path, &text, file.masking) {
                Ok(syntax::Read { document, .. }) => sink.fact(Fact::Document(document)),
                Err(reason) => {
                    sink.unexamined(file.path, Self::ID, format!("{name} in it: {reason}"));
                }
            }
        }
    }
}

/// One member, as the archive's directory has it.
struct Member<'a> {
    name: &'a [u8],
    method: u16,
    packed: usize,
    /// Where its own header begins.
    at: usize,
}

impl Member<'_> {
    fn content(&self, archive: &[u8]) -> Option<Vec<u8>> {
        let header = archive.get(self.at..)?;
        if !header.starts_with(b"PK\x03\x04") {
            return None;
        }
        let from = 30usize
            .checked_add(usize::from(short(header, 26)?))?
            .checked_add(usize::from(short(header, 28)?))?;
        let packed = header.get(from..from.checked_add(self.packed)?)?;
        let mut bytes = Vec::new();
        let read = match self.method {
            0 => packed.take(LARGEST).read_to_end(&mut bytes),
            8 => DeflateDecoder::new(packed)
                .take(LARGEST)
                .read_to_end(&mut bytes),
            _ => return None,
        };
        read.ok()?;
        ((bytes.len() as u64) < LARGEST).then_some(bytes)
    }
}

/// The members of an archive; none of what is no archive. What stands before it, as in a script that runs itself, counts
/// in no offset.
fn members(archive: &[u8]) -> Vec<Member<'_>> {
    let mut found = Vec::new();
    let tail = archive.len().saturating_sub(TAIL);
    let last = archive.get(tail..).unwrap_or_default();
    let Some(end) = last.windows(4).rposition(|four| four == b"PK\x05\x06") else {
        return found;
    };
    let end = tail.saturating_add(end);
    let record = archive.get(end..).unwrap_or_default();
    let (Some(size), Some(offset)) = (long(record, 12), long(record, 16)) else {
        return found;
    };
    let Some(from) = end.checked_sub(size) else {
        return found;
    };
    let before = from.saturating_sub(offset);
    let mut rest = archive.get(from..end).unwrap_or_default();
    while rest.starts_with(b"PK\x01\x02") && found.len() < MOST {
        let Some((member, next)) = entry(rest, before) else {
            break;
        };
        found.push(member);
        rest = next;
    }
    found
}

fn entry(rest: &[u8], before: usize) -> Option<(Member<'_>, &[u8])> {
    let lengths = [short(rest, 28)?, short(rest, 30)?, short(rest, 32)?].map(usize::from);
    let [name, extra, comment] = lengths;
    let member = Member {
        name: rest.get(46..46 + name)?,
        method: short(rest, 10)?,
        packed: long(rest, 20)?,
        at: before.checked_add(long(rest, 42)?)?,
    };
    Some((member, rest.get(46 + name + extra + comment..)?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let two: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_le_bytes(two))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::Entry;
    use std::io::Write;

    /// An archive of one member behind a script.
    fn archive(name: &str, text: &str, packed: bool) -> Vec<u8> {
        let content = if packed {
            let mut encoder =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        } else {
            text.as_bytes().to_vec()
        };
        let method: u16 = if packed { 8 } else { 0 };
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let mut local = b"PK\x03\x04\x14\0\0\0".to_vec();
        local.extend(method.to_le_bytes());
        local.extend([0; 8]);
        local.extend([size, size].concat());
        local.extend([length, [0, 0]].concat());
        local.extend(name.bytes().chain(content));
        let mut central = b"PK\x01\x02\x14\0\x14\0\0\0".to_vec();
        central.extend(method.to_le_bytes());
        central.extend([0; 8]);
        central.extend([size, size].concat());
        central.extend([length, [0, 0], [0, 0]].concat());
        central.extend([0; 12]);
        central.extend(name.bytes());
        let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
        end.extend(u32::try_from(central.len()).unwrap().to_le_bytes());
        end.extend(u32::try_from(local.len()).unwrap().to_le_bytes());
        end.extend([0, 0]);
        [b"#!/bin/sh\n".to_vec(), local, central, end].concat()
    }

    fn found(bytes: &[u8]) -> Vec<String> {
        let path = MachinePath::new("/opt/a.jar");
        let asked = [("in/a.yml".to_owned(), Syntax::Yaml)];
        let purpose = Members::want(&path, &asked).purpose;
        let entry = Entry::file(&path, 0o644);
        let mut sink = Sink::default();
        Members.inspect(&FileView::new(&path, &entry, bytes, &purpose), &mut sink);
        let documents = sink.facts.into_iter().filter_map(|fact| match fact {
            Fact::Document(document) => Some(document),
            _ => None,
        });
        let settings = documents.flat_map(|document| {
            let path = document.path;
            let settings = document.settings.into_iter();
            settings.map(move |one| format!("{path} {}={}", one.key, one.args.join(",")))
        });
        settings.collect()
    }

    #[test]
    fn a_member_is_read_stored_or_packed() {
        for packed in [false, true] {
            let bytes = archive("in/a.yml", "server:\n  port: 81\n", packed);
            assert_eq!(found(&bytes), ["/opt/a.jar!/in/a.yml server/port=81"]);
        }
        assert!(found(&archive("in/b.yml", "a: 1\n", true)).is_empty());
        assert!(found(b"PK\x03\x04").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_archive_survives(at in 0usize..160, value in 0u8.., cut in 0usize..160) {
            let mut bytes = archive("in/a.yml", "server:\n  port: 81\n", true);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            bytes.truncate(bytes.len().saturating_sub(cut % 40));
            let _ = found(&bytes);
        }
    }
}
