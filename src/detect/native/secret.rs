//! Reads a whole file that would be copied into an image, and names each place in it that holds a secret.

use super::peer;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Evidence, Fact, Peer, SecretRef};
use crate::path::MachinePath;
use crate::secret::{self, MASK, Search};
use std::collections::BTreeSet;

/// Places named in one file; the file is kept apart as a whole anyhow.
const MOST: usize = 50;
/// Longest line that is looked through for neighbours, in bytes.
const LONGEST_LINE: usize = 4096;
/// Settings whose names are compared with those that lead to a secret's file: a file with more is a list of data.
const MOST_SETTINGS: usize = 20_000;

/// Asked for by whoever plans to copy a file: interest is by want only.
pub struct Content;

impl Content {
    pub const ID: &str = "secret/content";
    /// Largest file looked into, in bytes. What is larger is looked through while it is copied.
    pub const LIMIT: u64 = 16 << 20;
}

impl Detector for Content {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Secrets in files that would be copied",
            recognises: "values of names that mean a secret, connection strings with passwords, private keys, tokens of published form, password hashes, key stores, and files that a setting says hold a secret",
            why: "a secret copied into an image is in every registry and cache the image reaches",
            cannot_see: "secrets without a telling name or form, and what is packed or encrypted",
            references: &[
                "https://docs.docker.com/build/building/secrets/",
                "RFC 7468",
                "RFC 5958",
            ],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: Self::LIMIT,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let path = file.path.text();
        if let Some(kind) = secret::kind_of_file(&path, file.bytes) {
            push(sink, kind, "", Evidence::file(file.path));
            return;
        }
        let mut search = Search::new(&path, file.bytes);
        let mut found = 0;
        search.piece(file.bytes, true, |hit| {
            found += 1;
            if found > MOST {
                return;
            }
            let shown = if hit.key.is_empty() {
                MASK.to_owned()
            } else {
                format!("{} = {MASK}", hit.key)
            };
            push(
                sink,
                hit.kind,
                &hit.key,
                Evidence::line(file.path, hit.line, &shown),
            );
        });
        if search.nature().is_own_text() && !file.bytes.contains(&0) {
            neighbours(file, sink);
            named_files(file, sink);
        }
    }
}

fn push(sink: &mut Sink, kind: &str, key: &str, evidence: Evidence) {
    sink.fact(Fact::Secret(SecretRef {
        kind: kind.to_owned(),
        key: key.to_owned(),
        evidence,
    }));
}

/// Whom the file talks to on its own machine.
fn neighbours(file: &FileView<'_>, sink: &mut Sink) {
    if !peer::may_name(file.bytes) {
        return;
    }
    for (number, line) in file.lines() {
        let trimmed = line.trim_start();
        let is_comment = trimmed.starts_with(['#', ';', '*']) || trimmed.starts_with("//");
        if line.len() > LONGEST_LINE || is_comment || !peer::may_name(line.as_bytes()) {
            continue;
        }
        for peer in peer::of_line(line) {
            // Only the peer: the line may hold a password in a form that redaction does not know.
            let evidence = Evidence::line(file.path, number, &peer.to);
            sink.fact(Fact::Peer(Peer { evidence, ..peer }));
        }
    }
}

/// Files that a setting of this one says hold a secret.
fn named_files(file: &FileView<'_>, sink: &mut Sink) {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for line in file.text().lines().take(MOST_SETTINGS) {
        let line = line.trim();
        if line.len() > LONGEST_LINE || line.starts_with(['#', ';']) || !line.contains('/') {
            continue;
        }
        let Some(end) = line.find([' ', '\t', '=', ':']) else {
            continue;
        };
        let (key, value) = line.split_at(end);
        let key = key.trim_matches(['"', '\'']);
        let value = value.trim_start_matches([' ', '\t', '=', ':']);
        named.extend(secret::named_files(key, value));
    }
    for path in named {
        push(
            sink,
            "password-file",
            "",
            Evidence::file(&MachinePath::new(&path)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(path: &str, text: &[u8]) -> Vec<Fact> {
        let path = path.into();
        let entry = crate::walk::Entry::file(&path, 0o644);
        let purpose = crate::detect::Purpose::default();
        let mut sink = Sink::default();
        Content.inspect(&FileView::new(&path, &entry, text, &purpose), &mut sink);
        sink.facts
    }

    #[test]
    fn never_the_value() {
        let text = b"A=1\nDB_PASSWORD=geheim1\nURL=postgres://u:geheim2@h/d\n-----BEGIN PRIVATE KEY-----\nMIIgeheim3geheim3\n-----END PRIVATE KEY-----\n";
        let found = facts("/srv/x.env", text);
        let shown = format!("{found:?}");
        assert!(!shown.contains("geheim"), "{shown}");
        assert_eq!(found.len(), 3, "{shown}");
        let code = b"<?php\nnew mysqli(null, 'u', 'geheim3', 'd', 0, '/run/mysqld/mysqld.sock');\n";
        let shown = format!("{:?}", facts("/srv/x.php", code));
        assert!(!shown.contains("geheim"), "{shown}");
        assert!(shown.contains("mysqli") && shown.contains("/run/mysqld/mysqld.sock"));
    }

    #[test]
    fn a_setting_leads_to_a_secret() {
        let shown = format!(
            "{:?}",
            facts(
                "/etc/postfix/main.cf",
                b"smtp_sasl_password_maps = hash:/etc/postfix/relay\n"
            )
        );
        assert!(shown.contains("/etc/postfix/relay.db"), "{shown}");
    }
}
