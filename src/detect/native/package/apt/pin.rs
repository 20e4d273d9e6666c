//! Pins (apt_preferences(5)), and the hosts that apt logs in to (apt_auth.conf(5)); never with what login.

use super::doc;
use super::stanza::stanzas;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;
use crate::fact::archive::{OfArchive, Pin};

pub struct Pins;

/// Pins of one file.
const MOST: usize = 2_000;

impl Detector for Pins {
    fn id(&self) -> &'static str {
        "packages/apt-pins"
    }

    fn doc(&self) -> Doc {
        doc(
            "Archives that are preferred",
            "the stanzas of apt's preferences",
            "priorities that a configuration of apt itself sets",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/etc/apt/preferences".into()],
            globs: vec!["/etc/apt/preferences.d/*".into()],
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let name = file.path.name();
        // Of the directory apt reads files without an ending, and those that end in `.pref`.
        if name.contains('.') && !name.ends_with(".pref") {
            return;
        }
        for stanza in stanzas(file.lines()).into_iter().take(MOST) {
            let (Some(packages), Some(pin)) = (stanza.get("package"), stanza.get("pin")) else {
                continue;
            };
            let priority = stanza.get("pin-priority");
            let priority = priority.and_then(|value| value.words().next()?.parse().ok());
            let Some(priority) = priority else { continue };
            let names: Vec<String> = packages.words().map(str::to_owned).collect();
            let text = pin.words().collect::<Vec<_>>().join(" ");
            let excerpt = format!("Package: {} Pin: {text}", names.join(" "));
            let pin = Pin {
                evidence: file.evidence(packages.line, &excerpt),
                packages: names,
                pin: text,
                priority,
            };
            sink.fact(Fact::Archive(OfArchive::Pin(pin)));
        }
    }
}

pub struct Logins;

impl Detector for Logins {
    fn id(&self) -> &'static str {
        "packages/apt-logins"
    }

    fn doc(&self) -> Doc {
        doc(
            "Archives that ask for a login",
            "the hosts of apt's auth.conf",
            "logins that a proxy adds",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/etc/apt/auth.conf".into()],
            globs: vec!["/etc/apt/auth.conf.d/*.conf".into()],
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        for (number, line) in file.lines().take(MOST) {
            let mut words = line.split_whitespace();
            while let Some(word) = words.next() {
                if word != "machine" {
                    continue;
                }
                let Some(host) = words.next() else { break };
                // `https://host/path` is as good as `host`.
                let host = host.split_once("://").map_or(host, |(_, rest)| rest);
                let host = host.rsplit('@').next().unwrap_or(host);
                let host = host.split(['/', ':']).next().unwrap_or(host);
                let evidence = file.evidence(number, &format!("machine {host}"));
                sink.fact(Fact::Archive(OfArchive::Login(host.to_owned(), evidence)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;
    use crate::path::MachinePath;
    use crate::walk::Entry;

    fn read(detector: &dyn Detector, name: &str, text: &str) -> Vec<OfArchive> {
        let path = MachinePath::new(name);
        let entry = Entry::file(&path, 0o644);
        let purpose = Purpose::default();
        let mut sink = Sink::default();
        let view = FileView::new(&path, &entry, text.as_bytes(), &purpose);
        detector.inspect(&view, &mut sink);
        let facts = sink.facts.into_iter().filter_map(|fact| match fact {
            Fact::Archive(one) => Some(one),
            _ => None,
        });
        facts.collect()
    }

    #[test]
    fn pins_have_names_and_a_priority() {
        let text = "Explanation: x\nPackage: a* b\nPin: release o=Odd,n=x\nPin-Priority: -1\n\nPackage: c\nPin: version 1\n\n\
            Package: *\r\nPin: origin \"\"\r\nPin-Priority: 1001\r\n";
        let found = read(&Pins, "/etc/apt/preferences", text);
        let [OfArchive::Pin(first), OfArchive::Pin(last)] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!((first.packages.len(), first.priority), (2, -1));
        assert_eq!(first.pin, "release o=Odd,n=x");
        assert_eq!(first.evidence.line, Some(2));
        assert_eq!((last.pin.as_str(), last.priority), ("origin \"\"", 1001));
        assert!(read(&Pins, "/etc/apt/preferences.d/a.save", text).is_empty());
        assert_eq!(read(&Pins, "/etc/apt/preferences.d/a.pref", text).len(), 2);
    }

    #[test]
    fn logins_are_hosts_and_nothing_else() {
        let text = "machine https://u@a.example.net/x login u password hunter2\nmachine b.example.net\n  login u\n  password hunter2\n";
        let found = read(&Logins, "/etc/apt/auth.conf", text);
        let said = format!("{found:?}");
        assert!(said.contains("a.example.net") && said.contains("b.example.net"));
        assert!(!said.contains("hunter2"), "{said}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,300}") {
            let _ = read(&Pins, "/etc/apt/preferences", &text);
            let _ = read(&Logins, "/etc/apt/auth.conf", &text);
        }
    }
}
