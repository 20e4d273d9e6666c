//! Archives of an image: source lists as stanzas, each with a key of its own, preferences, and what both need before.

use super::super::key::armored;
use super::{ArchiveFile, PlannedArchive, PlannedPin, Preparation, Step};
use crate::path::MachinePath;
use std::fmt::Write as _;

/// Where everything of the machine's archives is, by this name and a number.
const NAME: &str = "machine";

/// Values of stanzas end at their line; what is none of a value's signs ends the archive or pin before it comes here, and
/// here once more.
fn value(text: &str) -> String {
    let fits = |c: &char| !c.is_control();
    text.chars().filter(fits).collect()
}

pub(super) fn files(archives: &[PlannedArchive], pins: &[PlannedPin]) -> Vec<ArchiveFile> {
    let mut found = Vec::new();
    let mut list = String::new();
    // Writing to a String cannot fail.
    for (number, archive) in (1..).zip(archives) {
        let place = archive.evidence.place();
        let _ = writeln!(list, "# from {}", value(&place));
        let _ = writeln!(list, "Types: deb\nURIs: {}", value(&archive.uri));
        let suite = if archive.suite.is_empty() {
            "./"
        } else {
            &archive.suite
        };
        let _ = writeln!(list, "Suites: {}", value(suite));
        if !archive.components.is_empty() {
            let _ = writeln!(list, "Components: {}", value(&archive.components.join(" ")));
        }
        if let Some(key) = &archive.key {
            let path = format!("/usr/share/keyrings/{NAME}-{number}.asc");
            let _ = writeln!(list, "Signed-By: {path}");
            found.push(ArchiveFile {
                path: MachinePath::new(&path),
                text: armored(&key.packets),
            });
        }
        list.push('\n');
    }
    if !list.is_empty() {
        found.push(ArchiveFile {
            path: MachinePath::new(format!("/etc/apt/sources.list.d/{NAME}.sources")),
            text: list,
        });
    }
    let mut preferences = String::new();
    for pin in pins {
        let names = value(&pin.packages.join(" "));
        let _ = writeln!(
            preferences,
            "# from {}\nPackage: {names}\nPin: {}\nPin-Priority: {}\n",
            value(&pin.evidence.place()),
            value(&pin.pin),
            pin.priority
        );
    }
    if !preferences.is_empty() {
        found.push(ArchiveFile {
            path: MachinePath::new(format!("/etc/apt/preferences.d/{NAME}.pref")),
            text: preferences,
        });
    }
    found
}

/// Certificates for archives behind TLS come from the release's own archive, before the others are known.
pub(super) fn prepare(wanted: &Preparation<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (number, line) in wanted.moved.iter().enumerate() {
        let step = Step::new(["printf", "%s\\n", line]);
        let list = "/etc/apt/sources.list";
        steps.push(if number == 0 {
            step.written(list)
                .why("The release's archive has moved; what it signed is out of date by now.")
        } else {
            step.appended(list)
        });
    }
    if !wanted.moved.is_empty() {
        let stanzas =
            ["debian", "ubuntu"].map(|name| format!("/etc/apt/sources.list.d/{name}.sources"));
        let words = ["rm", "-f"].map(str::to_owned).into_iter().chain(stanzas);
        steps.push(Step::new(words));
    }
    if !wanted.components.is_empty() {
        steps.push(components(wanted.components));
    }
    let mut uris = wanted.archives.iter().map(|archive| archive.uri.as_str());
    if uris.any(|uri| uri.starts_with("https:")) {
        let update = Step::new(["apt-get", "update"]);
        steps.push(update.why("Archives behind TLS need the certificates of authorities."));
        let words = [
            "apt-get",
            "install",
            "-y",
            "--no-install-recommends",
            "ca-certificates=*",
        ];
        steps.push(Step::new(words).variable("DEBIAN_FRONTEND", "noninteractive"));
        steps.push(Step::new(["rm", "-rf"]).inside("/var/lib/apt/lists"));
    }
    steps
}

/// The base's own lists name more of their archive. A second entry for it would have to name the same key as the first, and
/// bases differ in whether and how they name it.
fn components(names: &[String]) -> Step {
    let more = names.join(" ");
    let both = format!("/^Components:/s/$/ {more}/; /^deb /s/$/ {more}/");
    let words = [
        "find",
        "/etc/apt",
        "-maxdepth",
        "2",
        "(",
        "-name",
        "sources.list",
        "-o",
        "-name",
        "*.sources",
        ")",
        "-exec",
        "sed",
        "-i",
        &both,
        "{}",
        "+",
    ];
    Step::new(words).why("Parts of the release's archive that the machine has packages of.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(uri: &str) -> PlannedArchive {
        PlannedArchive {
            uri: uri.into(),
            suite: String::new(),
            components: Vec::new(),
            key: None,
            evidence: crate::fact::Evidence::file(&"/etc/x\nURIs: y".into()),
        }
    }

    #[test]
    fn a_release_that_has_moved_is_found_before_anything_is_installed() {
        let moved = ["deb a b c".to_owned(), "deb d e f".to_owned()];
        let archives = [planned("https://a.example.net")];
        let steps = prepare(&Preparation {
            archives: &archives,
            components: &["contrib".to_owned()],
            moved: &moved,
            past: &[],
        });
        let said: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
        let at = |word: &str| said.iter().position(|step| step.contains(word)).unwrap();
        assert!(at("deb a b c") < at("deb d e f") && at("deb d e f") < at("contrib"));
        assert!(at("contrib") < at("update") && at("update") < at("ca-certificates=*"));
        let none = Preparation {
            archives: &[planned("http://a.example.net")],
            components: &[],
            moved: &[],
            past: &[],
        };
        assert!(prepare(&none).is_empty());
    }

    #[test]
    fn no_value_begins_a_field() {
        let found = files(&[planned("http://a\nTrusted: yes")], &[]);
        let lines: Vec<&str> = found[0].text.lines().collect();
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert!(lines.iter().all(|line| !line.starts_with("Trusted")));
        assert_eq!(lines[3], "Suites: ./");
    }
}
