//! A unit's credentials (systemd.exec(5), "Credentials"): files that it finds in `$CREDENTIALS_DIRECTORY`.

use super::command::Context;
use super::unit::{self, Unit};
use crate::disk::FileKind;
use crate::fact::{Evidence, Facts, masking};
use crate::path::MachinePath;
use crate::service::{Content, Credential, Remark, RemarkKind};
use crate::walk::{Entry, literal};

/// Where credentials without a path are looked for, in this order.
const STORES: &[&str] = &[
    "/etc/credstore",
    "/run/credstore",
    "/usr/local/lib/credstore",
    "/usr/lib/credstore",
];

/// Names below one directory that is a credential; a hostile disk may have a great many.
const MOST: usize = 1_000;

/// Credentials, each name once, and what keeps others from being carried.
pub(super) fn all(
    facts: &Facts,
    unit: &Unit,
    context: &Context<'_>,
) -> (Vec<Credential>, Vec<Remark>) {
    let mut found = Found::default();
    // What is loaded comes before what is imported, and what is set is for those that neither brought. Of one name that
    // is loaded twice the last counts.
    for (path, entry) in unit.list("Service", "LoadCredential").into_iter().rev() {
        let evidence = unit::evidence(path, entry);
        let value = context.expand(&entry.value);
        let (name, place) = value.split_once(':').unwrap_or((&value, &value));
        if !found.load(facts, name, place, &evidence) {
            found.missing.push((name.to_owned(), evidence));
        }
    }
    for (path, entry) in unit.list("Service", "ImportCredential") {
        found.import(
            facts,
            &context.expand(&entry.value),
            &unit::evidence(path, entry),
        );
    }
    for (path, entry) in unit.list("Service", "SetCredential").into_iter().rev() {
        if let Some((name, text)) = entry.value.split_once(':') {
            let content = Content::Text(unescape(text));
            found.add(&context.expand(name), content, &unit::evidence(path, entry));
        }
    }
    found.finish()
}

#[derive(Default)]
struct Found {
    credentials: Vec<Credential>,
    /// Names of what should be loaded and is not there.
    missing: Vec<(String, Evidence)>,
}

impl Found {
    fn add(&mut self, name: &str, content: Content, evidence: &Evidence) {
        let known = self.credentials.iter().any(|known| known.name == name);
        // A name is a file's (systemd's credential_name_valid()).
        let fits = !name.is_empty()
            && name.len() <= 255
            && !matches!(name, "." | "..")
            && !name.contains(|c: char| c == '/' || c == ':' || c.is_control());
        if fits && !known {
            self.credentials.push(Credential {
                name: name.to_owned(),
                content,
                evidence: evidence.clone(),
            });
        }
    }

    /// A file, or everything in a directory; whether there was one.
    fn load(&mut self, facts: &Facts, name: &str, place: &str, evidence: &Evidence) -> bool {
        let places: Vec<MachinePath> = if place.starts_with('/') {
            vec![MachinePath::new(place)]
        } else {
            STORES
                .iter()
                .map(|store| MachinePath::new(store).join(place))
                .collect()
        };
        let there = places.iter().find_map(|place| facts.tree.get(place));
        match there {
            Some(entry) if entry.kind == FileKind::Directory => {
                self.below(facts, name, entry, evidence, 8);
                true
            }
            Some(entry) if entry.is_file() => {
                self.add(name, Content::File(entry.path.clone()), evidence);
                true
            }
            // A socket that hands it out, or nothing.
            _ => false,
        }
    }

    /// A directory's files are credentials of their own: `NAME_file`.
    fn below(
        &mut self,
        facts: &Facts,
        name: &str,
        directory: &Entry,
        evidence: &Evidence,
        depth: u8,
    ) {
        for entry in facts.tree.children(&directory.path).iter().take(MOST) {
            let name = format!("{name}_{}", entry.path.name());
            if entry.is_file() && self.credentials.len() < MOST {
                self.add(&name, Content::File(entry.path.clone()), evidence);
            } else if entry.is_dir() && depth > 0 {
                self.below(facts, &name, entry, evidence, depth - 1);
            }
        }
    }

    fn import(&mut self, facts: &Facts, pattern: &str, evidence: &Evidence) {
        for store in STORES {
            let store = literal(&MachinePath::new(store));
            let files = facts.tree.glob(&format!("{store}/{pattern}"));
            for file in files.into_iter().take(MOST) {
                let content = facts.tree.get(&file.path).filter(|entry| entry.is_file());
                if let Some(entry) = content {
                    let name = file.path.name().into_owned();
                    self.add(&name, Content::File(entry.path.clone()), evidence);
                }
            }
        }
    }

    fn finish(mut self) -> (Vec<Credential>, Vec<Remark>) {
        let is_set = |name: &str| self.credentials.iter().any(|known| known.name == name);
        let missing = self.missing.iter().filter(|(name, _)| !is_set(name));
        let remarks = missing.map(|(name, evidence)| Remark {
            kind: RemarkKind::OfTheManager,
            text: format!(
                "LoadCredential=: {name} is not on the disk; hand it over as a secret of your own"
            ),
            evidence: evidence.clone(),
        });
        let remarks = remarks.collect();
        self.credentials.sort_by(|a, b| a.name.cmp(&b.name));
        (self.credentials, remarks)
    }
}

/// C's escapes undone, as `SetCredential=` has them; what is none stays as written.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = masking::bytes(text);
    rest.reverse();
    while let Some(byte) = rest.pop() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (radix, digits, skipped) = match rest.last() {
            Some(b'x') => (16, 2, 1),
            Some(b'0'..=b'7') => (8, 3, 0),
            Some(other) => {
                match simple(*other) {
                    Some(byte) => out.push(byte),
                    None => out.extend([b'\\', *other]),
                }
                rest.pop();
                continue;
            }
            None => (8, 0, 0),
        };
        let number: Vec<u8> = rest
            .iter()
            .rev()
            .skip(skipped)
            .take(digits)
            .copied()
            .collect();
        let number = std::str::from_utf8(&number).ok();
        let whole = number.filter(|number| number.len() == digits && digits > 0);
        match whole.and_then(|number| u8::from_str_radix(number, radix).ok()) {
            Some(byte) => {
                out.push(byte);
                rest.truncate(rest.len().saturating_sub(digits + skipped));
            }
            None => out.push(b'\\'),
        }
    }
    masking::text(&out).into_owned()
}

fn simple(byte: u8) -> Option<u8> {
    Some(match byte {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b's' => b' ',
        b't' => b'\t',
        b'v' => 11,
        b'\\' | b'"' | b'\'' => byte,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes() {
        assert_eq!(
            masking::bytes(&unescape(r"a\n\x41\101\\\q\xff é\")),
            [b"a\nAA\\\\q\xff ".as_slice(), "é\\".as_bytes()].concat()
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in r"[\\x0-9a-zé]{0,20}") {
            let _ = unescape(&text);
        }
    }
}
