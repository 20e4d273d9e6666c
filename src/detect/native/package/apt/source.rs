//! Source lists (sources.list(5)): `deb [options] uri suite components`, and stanzas that say the same.

use super::key::{self, Keys};
use super::stanza::{Stanza, Value, stanzas};
use super::{LISTS, doc};
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;
use crate::fact::archive::{Archive, OfArchive, SignedBy};
use crate::path::MachinePath;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Archives of one file; more are damage or malice.
const MOST: usize = 4_000;

/// Keys that every archive may be signed with which names none.
const TRUSTED: [&str; 2] = ["/etc/apt/trusted.gpg", "/etc/apt/trusted.gpg.d/*"];

pub struct Sources;

impl Detector for Sources {
    fn id(&self) -> &'static str {
        "packages/apt-sources"
    }

    fn doc(&self) -> Doc {
        doc(
            "Archives that packages come from",
            "the source lists of apt, in lines and in stanzas",
            "archives that were taken out again after something was installed from them",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/etc/apt/sources.list".into()],
            globs: vec![
                "/etc/apt/sources.list.d/*.list".into(),
                "/etc/apt/sources.list.d/*.sources".into(),
            ],
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let found = if file.path.name().ends_with(".sources") {
            let stanzas = stanzas(file.lines());
            stanzas
                .iter()
                .flat_map(|stanza| of_stanza(stanza, file))
                .collect()
        } else {
            of_lines(file)
        };
        if found.len() > MOST {
            let reason = format!("names more than {MOST} archives; the rest was not read");
            sink.unexamined(file.path, self.id(), reason);
        }
        let mut keys = BTreeSet::new();
        let trusted = TRUSTED.map(|pattern| (pattern.to_owned(), Keys::TRUSTED));
        for archive in found.into_iter().take(MOST) {
            for by in &archive.signed_by {
                match by {
                    SignedBy::File(path) => {
                        keys.insert((crate::walk::literal(path), ""));
                    }
                    SignedBy::Number => keys.extend(trusted.clone()),
                    SignedBy::Block(_) => {}
                }
            }
            if archive.signed_by.is_empty() {
                keys.extend(trusted.clone());
            }
            sink.fact(Fact::Archive(OfArchive::Source(archive)));
        }
        for (key, purpose) in keys {
            sink.want(key, Keys::ID, purpose);
        }
    }
}

fn of_lines(file: &FileView<'_>) -> Vec<Archive> {
    let mut found = Vec::new();
    for (number, line) in file.lines() {
        if found.len() > MOST {
            break;
        }
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(rest) = line.strip_prefix("deb") else {
            continue;
        };
        // `deb-src` is no source of packages that are installed.
        if !rest.starts_with([' ', '\t']) {
            continue;
        }
        let rest = rest.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']').unwrap_or((rest, "")),
            None => ("", rest),
        };
        let mut words = words(rest).into_iter();
        let (Some(uri), Some(suite)) = (words.next(), words.next()) else {
            continue;
        };
        let components: Vec<String> = words.collect();
        let mut archive = archive(&uri, &suite, components);
        for (key, value) in options.split_whitespace().filter_map(|o| o.split_once('=')) {
            match key.trim_end_matches(['+', '-']) {
                "signed-by" => archive.signed_by.extend(value.split(',').map(signed_by)),
                "trusted" => archive.trusted = is_yes(value),
                _ => {}
            }
        }
        archive.evidence = file.evidence(number, &said(&archive));
        found.push(archive);
    }
    found
}

/// Words of a line; what `cdrom:` names stands in brackets and may hold spaces.
fn words(text: &str) -> Vec<String> {
    let (mut found, mut word, mut depth) = (Vec::new(), String::new(), 0u32);
    for c in text.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c.is_whitespace() && depth == 0 {
            if !word.is_empty() {
                found.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    found.extend((!word.is_empty()).then_some(word));
    found
}

fn of_stanza(stanza: &Stanza, file: &FileView<'_>) -> Vec<Archive> {
    let words = |name: &str| -> Vec<&str> {
        let value = stanza.get(name).into_iter();
        value.flat_map(Value::words).collect()
    };
    let is_off = |value: &str| ["no", "false", "off", "0", "without", "disable"].contains(&value);
    let enabled = !words("enabled").first().is_some_and(|word| is_off(word));
    if !enabled || !words("types").contains(&"deb") {
        return Vec::new();
    }
    let signed_by = stanza.get("signed-by").map(|value| {
        let text: Vec<&str> = value
            .lines
            .iter()
            .map(|line| if line == "." { "" } else { line.as_str() })
            .collect();
        let text = text.join("\n");
        if text.contains("-----BEGIN") {
            vec![SignedBy::Block(key::read(text.as_bytes()))]
        } else {
            let names = text.split([',', '\n', ' ']).map(str::trim);
            names
                .filter(|name| !name.is_empty())
                .map(signed_by)
                .collect()
        }
    });
    let line = stanza.get("uris").map_or(1, |value| value.line);
    let components: Vec<String> = words("components").into_iter().map(Into::into).collect();
    let trusted = words("trusted").first().is_some_and(|word| is_yes(word));
    let mut found = Vec::new();
    for uri in words("uris") {
        for suite in words("suites") {
            if found.len() > MOST {
                return found;
            }
            let mut archive = archive(uri, suite, components.clone());
            archive.signed_by = signed_by.clone().unwrap_or_default();
            archive.trusted = trusted;
            archive.evidence = file.evidence(line, &said(&archive));
            found.push(archive);
        }
    }
    found
}

fn is_yes(value: &str) -> bool {
    ["yes", "true", "on", "1", "with", "enable"].contains(&value)
}

fn signed_by(name: &str) -> SignedBy {
    if name.starts_with('/') {
        SignedBy::File(MachinePath::new(name))
    } else {
        SignedBy::Number
    }
}

fn said(archive: &Archive) -> String {
    let components = archive.components.join(" ");
    format!("deb {} {} {components}", archive.uri, archive.suite)
}

fn archive(uri: &str, suite: &str, components: Vec<String>) -> Archive {
    let (uri, login) = without_login(uri);
    let (scheme, rest) = uri.split_once(':').unwrap_or(("", &uri));
    let place = rest.trim_start_matches('/').trim_end_matches('/');
    // A `file:` has no host: its names begin with the path's first slash.
    let place = match scheme {
        "file" | "copy" => format!("/{place}"),
        _ => place.to_owned(),
    };
    let flat = suite.ends_with('/');
    let root = match (flat, suite.trim_end_matches('/')) {
        (true, "") => format!("{place}/"),
        // `./` stands in the name as it was written.
        (true, suite) => format!("{place}/{}/", suite.trim_start_matches('/')),
        (false, suite) => format!("{place}/dists/{suite}/"),
    };
    let release = format!("{LISTS}{}", file_name(&root));
    let lists = if flat {
        vec![(String::new(), release.clone())]
    } else {
        let lists = components.iter().map(|component| {
            let list = format!("{release}{}_", file_name(component));
            (component.clone(), list)
        });
        lists.collect()
    };
    Archive {
        id: String::new(),
        suite: suite.to_owned(),
        components: if flat { Vec::new() } else { components },
        signed_by: Vec::new(),
        trusted: false,
        login,
        lists,
        release,
        evidence: crate::fact::Evidence::file(&MachinePath::root()),
        uri,
    }
}

/// The address without its login, and whether there was one.
fn without_login(uri: &str) -> (String, bool) {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return (uri.to_owned(), false);
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((_, host)) => (format!("{scheme}://{host}{path}"), true),
        None => (uri.to_owned(), false),
    }
}

/// As apt names the file of an address: signs that have a meaning are numbers, and slashes become underscores.
fn file_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\|{}[]<>\"^~_=!@#$%^&*".contains(c) || c.is_ascii_control() || !c.is_ascii() {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(name, "%{byte:02x}");
            }
        } else {
            name.push(if c == '/' { '_' } else { c });
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;
    use crate::fact::archive::Key;
    use crate::walk::Entry;

    fn read(name: &str, text: &str) -> (Vec<Archive>, Vec<String>) {
        let path = MachinePath::new(name);
        let entry = Entry::file(&path, 0o644);
        let purpose = Purpose::default();
        let mut sink = Sink::default();
        Sources.inspect(
            &FileView::new(&path, &entry, text.as_bytes(), &purpose),
            &mut sink,
        );
        let archives = sink.facts.into_iter().filter_map(|fact| match fact {
            Fact::Archive(OfArchive::Source(archive)) => Some(archive),
            _ => None,
        });
        let wants = sink.wants.into_iter().map(|want| want.pattern);
        (archives.collect(), wants.collect())
    }

    #[test]
    fn lines_are_read_without_logins() {
        let text = "# deb http://off.example.net a b\r\n\
            deb [arch=amd64 signed-by=/a.gpg,/b.asc trusted=yes] https://u:hunter2@a.example.net:80/x_~y/ bookworm main a/b # c\r\n\
            deb cdrom:[Debian 12 _B_ - a]/ bookworm main\n\
            deb\thttp://a/debs ./\n deb http://a/debs /\ndeb http://a\ndeb-src http://a b c\ndebx http://a b c\n";
        let (found, keys) = read("/etc/apt/sources.list", text);
        let said: Vec<&str> = found
            .iter()
            .map(|one| one.evidence.excerpt.as_str())
            .collect();
        assert_eq!(
            said,
            [
                "deb https://a.example.net:80/x_~y/ bookworm main a/b",
                "deb cdrom:[Debian 12 _B_ - a]/ bookworm main",
                "deb http://a/debs ./",
                "deb http://a/debs /",
            ]
        );
        let first = &found[0];
        assert!(first.login && first.trusted && first.signed_by.len() == 2);
        assert_eq!(first.evidence.line, Some(2));
        let place = format!("{LISTS}a.example.net:80_x%5f%7ey_dists_bookworm_");
        assert_eq!(first.release, place);
        assert_eq!(first.lists[1], ("a/b".to_owned(), format!("{place}a_b_")));
        assert_eq!(found[2].lists[0].1, format!("{LISTS}a_debs_._"));
        assert_eq!(found[3].lists[0].1, format!("{LISTS}a_debs_"));
        assert!(keys.contains(&"/a.gpg".to_owned()) && keys.contains(&TRUSTED[0].to_owned()));
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn stanzas_are_read_with_their_keys() {
        let text = "# first\nTypes: deb deb-src\nURIs: http://a http://b/\nsuites: x x-updates\nComponents: main\n# within\n b\n\
            Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mAMEAADCAQk=\n -----END PGP PUBLIC KEY BLOCK-----\n\n\
            Enabled: no\nTypes: deb\nURIs: http://off\nSuites: x\n\nTypes: deb-src\nURIs: http://s\nSuites: x\n\n\
            Types: deb\nURIs: file:/srv/x\nSuites: ./\nSigned-By: /k.gpg ABCDEF!\n";
        let (found, keys) = read("/etc/apt/sources.list.d/a.sources", text);
        let said: Vec<(&str, &str)> = found
            .iter()
            .map(|one| (one.uri.as_str(), one.suite.as_str()))
            .collect();
        let all = [
            ("http://a", "x"),
            ("http://a", "x-updates"),
            ("http://b/", "x"),
            ("http://b/", "x-updates"),
            ("file:/srv/x", "./"),
        ];
        assert_eq!(said, all);
        let key = SignedBy::Block(Key::Public(vec![0x98, 3, 4, 0, 0, 0xc2, 1, 9]));
        assert_eq!(found[0].signed_by, [key]);
        assert_eq!(found[0].components, ["main", "b"]);
        let last = &found[4];
        let keyring = SignedBy::File(MachinePath::new("/k.gpg"));
        assert_eq!(last.signed_by, [keyring, SignedBy::Number]);
        assert_eq!(last.lists[0].1, format!("{LISTS}_srv_x_._"));
        assert!(keys.contains(&"/k.gpg".to_owned()));
    }

    #[test]
    fn what_is_too_much_is_said() {
        let many = "deb http://a b c\n".repeat(MOST + 2);
        assert_eq!(read("/etc/apt/sources.list", &many).0.len(), MOST);
        let words = "http://a ".repeat(1000);
        let stanza = format!("Types: deb\nURIs: {words}\nSuites: {}\n", "b ".repeat(1000));
        assert_eq!(
            read("/etc/apt/sources.list.d/a.sources", &stanza).0.len(),
            MOST
        );
        let long = format!("deb http://a/{} b c\n", "x".repeat(1 << 20));
        assert_eq!(read("/etc/apt/sources.list", &long).0.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,300}") {
            let _ = read("/etc/apt/sources.list", &text);
            let _ = read("/etc/apt/sources.list.d/a.sources", &text);
        }

        #[test]
        fn no_login_stays(user in "[a-z]{1,5}", secret in "[A-Z0-9/@:]{6,12}", rest in "[a-z/]{0,8}") {
            proptest::prop_assume!(!secret.contains('/'));
            for text in [
                format!("deb https://{user}:{secret}@host.example.net/{rest} a b\n"),
                format!("Types: deb\nURIs: https://{user}:{secret}@host.example.net/{rest}\nSuites: a\nComponents: b\n"),
            ] {
                let name = if text.starts_with("deb") { "a.list" } else { "a.sources" };
                let (found, _) = read(&format!("/etc/apt/sources.list.d/{name}"), &text);
                proptest::prop_assert_eq!(found.len(), 1);
                let said = format!("{found:?}");
                proptest::prop_assert!(found[0].login && !said.contains(&secret));
            }
        }
    }
}
