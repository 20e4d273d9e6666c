//! Archives that RPM packages come from: sections of `.repo` files (dnf.conf(5), "REPO OPTIONS"; zypper(8)), and what yum and dnf
//! note of each package.

use super::doc;
use crate::detect::native::package::apt::Keys;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;
use crate::fact::archive::{Archive, OfArchive, SignedBy};
use crate::path::MachinePath;
use std::collections::BTreeMap;

/// Archives of one file; more are damage or malice.
const MOST: usize = 4_000;

pub struct Repositories;

impl Detector for Repositories {
    fn id(&self) -> &'static str {
        "packages/rpm-archives"
    }

    fn doc(&self) -> Doc {
        doc(
            "Archives that RPM packages come from",
            "sections of .repo files that are not switched off",
        )
    }

    fn interest(&self) -> Interest {
        let places = ["/etc/yum.repos.d/*.repo", "/etc/zypp/repos.d/*.repo"];
        Interest {
            globs: places.map(str::to_owned).to_vec(),
            limit: 4 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let found = archives(file);
        if found.len() > MOST {
            let reason = format!("names more than {MOST} archives; the rest was not read");
            sink.unexamined(file.path, self.id(), reason);
        }
        for archive in found.into_iter().take(MOST) {
            for by in &archive.signed_by {
                if let SignedBy::File(path) = by {
                    sink.want(crate::walk::literal(path), Keys::ID, String::new());
                }
            }
            sink.fact(Fact::Archive(OfArchive::Source(archive)));
        }
    }
}

/// A section, as far as it is read.
#[derive(Default)]
struct Section<'a> {
    id: &'a str,
    line: u32,
    values: BTreeMap<&'a str, String>,
}

fn archives(file: &FileView<'_>) -> Vec<Archive> {
    let mut found = Vec::new();
    let mut section = Section::default();
    let mut key = None;
    for (number, line) in file.lines() {
        let text = line.trim();
        if text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if let Some(id) = text
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            let before = std::mem::replace(
                &mut section,
                Section {
                    id,
                    line: number,
                    ..Section::default()
                },
            );
            found.extend(archive(&before, file));
            key = None;
            if found.len() > MOST {
                return found;
            }
        } else if line.starts_with([' ', '\t']) && key.is_some() {
            // A value goes on over lines that are set in.
            let more = key.and_then(|key| section.values.get_mut(key));
            if let Some(value) = more.filter(|value| value.len() < 4096) {
                value.push(' ');
                value.push_str(text);
            }
        } else if let Some((name, value)) = text.split_once('=') {
            let name = name.trim();
            section.values.insert(name, value.trim().to_owned());
            key = Some(name);
        }
    }
    found.extend(archive(&section, file));
    found
}

fn archive(section: &Section<'_>, file: &FileView<'_>) -> Option<Archive> {
    let value = |name: &str| section.values.get(name).map_or("", String::as_str);
    let is_off = |text: &str| ["0", "no", "false", "off"].contains(&&*text.to_ascii_lowercase());
    if section.id.is_empty() || section.id == "main" || is_off(value("enabled")) {
        return None;
    }
    let first = |name: &str| {
        let words = value(name).split([' ', ',']);
        words
            .map(str::trim)
            .find(|word| !word.is_empty())
            .map(str::to_owned)
    };
    // What names an archive itself lasts longer than a list of those who copy it.
    let places = ["baseurl", "mirrorlist", "metalink"];
    let (kind, uri) = places.iter().find_map(|kind| Some((*kind, first(kind)?)))?;
    let (uri, login) = without_login(&uri);
    let keys = value("gpgkey").split([' ', ',']);
    let keys = keys.filter_map(|key| key.trim().strip_prefix("file://"));
    let keys = keys.filter(|path| path.starts_with('/'));
    Some(Archive {
        id: section.id.to_owned(),
        suite: if kind == "baseurl" { "" } else { kind }.to_owned(),
        components: Vec::new(),
        signed_by: keys
            .map(|path| SignedBy::File(MachinePath::new(path)))
            .collect(),
        trusted: is_off(value("gpgcheck")),
        login: login || !value("username").is_empty() || !value("sslclientkey").is_empty(),
        lists: Vec::new(),
        release: String::new(),
        evidence: file.evidence(section.line, &format!("[{}] {kind}={uri}", section.id)),
        uri,
    })
}

/// `https://user:word@host/x` without what stands before the host.
fn without_login(uri: &str) -> (String, bool) {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return (uri.to_owned(), false);
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    match host.rsplit_once('@') {
        Some((_, host)) => (format!("{scheme}://{host}{path}"), true),
        None => (uri.to_owned(), false),
    }
}

/// yum's notes: a directory a package, a file a note.
pub struct Came;

impl Detector for Came {
    fn id(&self) -> &'static str {
        "packages/rpm-came"
    }

    fn doc(&self) -> Doc {
        doc(
            "Which archive an RPM package came from",
            "the archives in yum's notes of packages",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: vec!["/var/lib/yum/yumdb/*/*/from_repo".into()],
            limit: 4096,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let Some(name) = super::reason::noted(file.path) else {
            return;
        };
        let from = file.text().trim();
        if !from.is_empty() && from != "installed" {
            let came = vec![(name, from.to_owned())];
            sink.fact(Fact::Archive(OfArchive::Came(came)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;
    use crate::walk::Entry;

    fn shown(text: &str) -> Sink {
        let path = MachinePath::new("/etc/yum.repos.d/x.repo");
        let entry = Entry::file(&path, 0o644);
        let purpose = Purpose::default();
        let mut sink = Sink::default();
        let view = FileView::new(&path, &entry, text.as_bytes(), &purpose);
        Repositories.inspect(&view, &mut sink);
        sink
    }

    fn read(text: &str) -> Vec<Archive> {
        let facts = shown(text).facts.into_iter();
        facts
            .filter_map(|fact| match fact {
                Fact::Archive(OfArchive::Source(archive)) => Some(archive),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn sections_that_are_on_are_archives() {
        let text = "[main]\nbaseurl=http://x\n\n# one\n[extra-9]\nname=Extra\nmetalink=https://m.example.org/metalink?repo=extra-$releasever\n\
            enabled=1\ngpgkey=file:///etc/pki/rpm-gpg/KEY-1\n  https://x.example.org/KEY-2\n[off]\nbaseurl=http://y\nenabled = 0\n\
            [two]\nbaseurl = https://me:word@z.example.org/$basearch\n http://other\nenabled=1\n";
        let found = read(text);
        let [extra, two] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(
            (extra.id.as_str(), extra.suite.as_str()),
            ("extra-9", "metalink")
        );
        assert_eq!(
            extra.signed_by,
            [SignedBy::File("/etc/pki/rpm-gpg/KEY-1".into())]
        );
        assert_eq!(extra.evidence.line, Some(5));
        assert_eq!(two.uri, "https://z.example.org/$basearch");
        assert!(two.login && !extra.login);
        assert!(!two.evidence.excerpt.contains("word"));
        assert_eq!(shown(text).wants.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "([\\[\\]a-z= \n\t@:/]{0,40}\n){0,8}") {
            read(&text);
        }
    }
}
