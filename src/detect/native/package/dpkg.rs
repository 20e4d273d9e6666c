//! dpkg's database: deb822 stanzas (deb-control(5)), file lists, and recorded digests.
//!
//! Stanzas are parsed one by one, so that a damaged one costs only itself.

use super::Record;
use crate::detect::{Detector, Doc, FileView, Interest, Purpose, Sink, Want};
use crate::fact::{Conffile, Evidence, Fact, Package};
use crate::path::MachinePath;
use crate::walk::literal;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where each package has files of its own.
const INFO: &str = "/var/lib/dpkg/info";

/// As the machine's package database is called.
const NAME: &str = "dpkg";

const WHY: &str = "packages are what an image installs, and what they own need not be copied";

pub(super) fn doc(title: &'static str, recognises: &'static str) -> Doc {
    Doc {
        title,
        recognises,
        why: WHY,
        cannot_see: "packages removed by hand without dpkg",
        references: &["dpkg(1)", "deb-control(5)"],
    }
}

/// `status`, and `status.d/` of images built without dpkg.
pub struct Status;

impl Detector for Status {
    fn id(&self) -> &'static str {
        "packages/dpkg"
    }

    fn doc(&self) -> Doc {
        doc(
            "Installed Debian packages",
            "the stanzas of packages whose state is installed",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/var/lib/dpkg/status".into()],
            globs: vec!["/var/lib/dpkg/status.d/*".into()],
            limit: 256 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let distroless = !file.path.text().ends_with("/status");
        if file.text().trim().is_empty() {
            sink.fact(Fact::EmptyDatabase(NAME, file.path.clone()));
            return;
        }
        if let Some(what) = damage(file.text(), distroless) {
            sink.fact(Fact::DamagedDatabase(NAME, file.path.clone()));
            sink.unexamined(
                file.path,
                self.id(),
                format!("dpkg's database {what}; packages may be missing"),
            );
        }
        let stanzas = stanzas(file.text());
        let packages = stanzas.iter();
        let mut packages = packages
            .filter_map(|(line, stanza)| package(file.path, *line, stanza, distroless))
            .peekable();
        if packages.peek().is_some() {
            sink.fact(Fact::PackageDatabase(NAME));
            for (pattern, detector) in super::apt::WANTED {
                sink.want(*pattern, *detector, "");
            }
        }
        for package in packages {
            sink.fact(Fact::Package(package));
        }
    }
}

pub(super) type Stanza<'a> = BTreeMap<&'a str, String>;

/// Stanzas with the line each starts on; folded lines joined by newlines.
pub(super) fn stanzas(text: &str) -> Vec<(u32, Stanza<'_>)> {
    let mut found = Vec::new();
    let mut stanza = Stanza::new();
    let mut start = 1;
    let mut key = "";
    for (number, line) in (1u32..).zip(text.lines()) {
        if line.trim().is_empty() {
            if !stanza.is_empty() {
                found.push((start, std::mem::take(&mut stanza)));
            }
            key = "";
        } else if line.starts_with([' ', '\t']) {
            if let Some(value) = stanza.get_mut(key) {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            if stanza.is_empty() {
                start = number;
            }
            key = name;
            stanza.insert(name, value.trim().to_owned());
        }
    }
    if !stanza.is_empty() {
        found.push((start, stanza));
    }
    found
}

/// How a database is not as dpkg writes it: text that ends with its last stanza, each of which has a name and a version.
pub(super) fn damage(text: &str, distroless: bool) -> Option<String> {
    if text.contains('\0') {
        return Some("holds bytes that are no text".to_owned());
    }
    if !text.ends_with('\n') {
        return Some("ends within a line: it was cut short".to_owned());
    }
    let is_field =
        |line: &str| line.trim().is_empty() || line.starts_with([' ', '\t']) || line.contains(':');
    if let Some((number, _)) = (1u32..).zip(text.lines()).find(|(_, line)| !is_field(line)) {
        return Some(format!("has a line that is no field (line {number})"));
    }
    let lacks = |stanza: &Stanza<'_>| {
        let fields = ["Package", "Version", "Status"].into_iter();
        let is_gone = stanza
            .get("Status")
            .is_some_and(|status| status.ends_with("not-installed"));
        let mut needed = fields.filter(|field| match *field {
            "Status" => !distroless,
            "Version" => !is_gone,
            _ => true,
        });
        needed.find(|field| !stanza.contains_key(field))
    };
    let mut stanzas = stanzas(text).into_iter();
    let lacking = stanzas.find_map(|(line, stanza)| Some((line, lacks(&stanza)?)));
    lacking.map(|(line, field)| format!("has a package without {field} (line {line})"))
}

fn package(
    path: &MachinePath,
    line: u32,
    stanza: &Stanza<'_>,
    distroless: bool,
) -> Option<Package> {
    let field = |key: &str| stanza.get(key).cloned().unwrap_or_default();
    let status = field("Status");
    let mut state = status.split_whitespace();
    let (want, ok, installed) = (state.next(), state.next(), state.next());
    let _ = ok;
    // Half-configured and awaiting-trigger packages have their files in place.
    let present = [
        "installed",
        "half-configured",
        "unpacked",
        "triggers-awaited",
        "triggers-pending",
    ];
    if !distroless && !installed.is_some_and(|state| present.contains(&state)) {
        return None;
    }
    let name = stanza.get("Package")?.clone();
    let version = field("Version");
    let source = field("Source");
    let priority = field("Priority");
    let evidence = Evidence::line(path, line, &format!("Package: {name} {version}"));
    Some(Package {
        source: source
            .split_whitespace()
            .next()
            .map_or_else(|| name.clone(), str::to_owned),
        arch: field("Architecture"),
        section: field("Section"),
        manual: true,
        held: want == Some("hold"),
        essential: field("Essential") == "yes" || priority == "required",
        depends: [
            relations(&field("Pre-Depends")),
            relations(&field("Depends")),
        ]
        .concat(),
        provides: relations(&field("Provides"))
            .into_iter()
            .flatten()
            .collect(),
        conffiles: conffiles(&field("Conffiles")),
        name,
        version,
        ..Package::new(evidence)
    })
}

/// `a (>= 1) | b:any, c` → `[[a, b], [c]]`.
pub(super) fn relations(text: &str) -> Vec<Vec<String>> {
    let name = |part: &str| {
        let part = part.trim();
        let end = part.find([' ', '(', ':', '[', '\n']).unwrap_or(part.len());
        part.get(..end).unwrap_or_default().to_owned()
    };
    let groups = text.split(',').map(|group| {
        group
            .split('|')
            .map(name)
            .filter(|n| !n.is_empty())
            .collect()
    });
    groups
        .filter(|group: &Vec<String>| !group.is_empty())
        .collect()
}

pub(super) fn conffiles(text: &str) -> Vec<Conffile> {
    let file = |line: &str| {
        // From the end, since a path may hold spaces. What follows the digest is a flag: an obsolete conffile belongs to
        // no current version of the package, and `newconffile` in the digest's place was never unpacked.
        let (path, digest) = line.rsplit_once(' ')?;
        let is_digest =
            [32, 64].contains(&digest.len()) && digest.bytes().all(|b| b.is_ascii_hexdigit());
        is_digest.then(|| Conffile {
            path: path.into(),
            digest: digest.to_owned(),
        })
    };
    text.lines().filter_map(file).collect()
}

/// `info/NAME.list` or `NAME:ARCH.list`: the paths a package owns.
pub struct FileLists;

pub(super) fn package_of(path: &MachinePath, suffix: &str) -> String {
    let name = path.name();
    name.strip_suffix(suffix).unwrap_or(&name).to_owned()
}

impl Detector for FileLists {
    fn id(&self) -> &'static str {
        "packages/dpkg-files"
    }

    fn doc(&self) -> Doc {
        doc("Files of Debian packages", "the file list of each package")
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: vec!["/var/lib/dpkg/info/*.list".into()],
            limit: 64 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let lines = file
            .bytes
            .split(|b| *b == b'\n')
            .filter(|line| line.len() > 1 && *line != b"/.");
        let paths = lines.map(MachinePath::new).collect();
        sink.fact(Fact::Owns {
            package: package_of(file.path, ".list"),
            paths,
        });
    }
}

/// `info/NAME.md5sums`: digests of everything but configuration files.
pub struct Digests;

impl Digests {
    const ID: &str = "packages/dpkg-digests";
    /// Purpose of a second look: every line, since some file of the package looks changed.
    const ALL: &str = "all";
}

impl Detector for Digests {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        doc(
            "Digests of Debian packages' files",
            "the MD5 that each package recorded for files under /etc, unit files, and whatever is younger than its installation",
        )
    }

    fn interest(&self) -> Interest {
        let globs = vec![
            "/var/lib/dpkg/info/*.md5sums".into(),
            "/var/lib/dpkg/status.d/*.md5sums".into(),
        ];
        Interest {
            globs,
            limit: 64 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let all = file.purpose.context == Self::ALL;
        let line = |line: &'_ str| {
            let (md5, path) = line.split_once("  ")?;
            let path = format!("/{path}");
            (md5.len() == 32 && (all || super::is_compared(&path)))
                .then(|| (MachinePath::new(path.as_str()), md5.to_owned()))
        };
        let digests: Vec<_> = file.text().lines().filter_map(line).collect();
        if !digests.is_empty() {
            sink.fact(Fact::Recorded {
                package: package_of(file.path, ".md5sums"),
                digests,
            });
        }
    }
}

/// By name, and with the architecture where several may be installed. A package unpacks its files with the times of
/// their making, and its list is written last.
pub(super) fn records(package: &Package) -> [Record; 2] {
    let names = [
        package.name.clone(),
        format!("{}:{}", package.name, package.arch),
    ];
    names.map(|name| {
        let digests = MachinePath::new(format!("{INFO}/{name}.md5sums").as_str());
        Record {
            file: MachinePath::new(format!("{INFO}/{name}.list").as_str()),
            digests: Want {
                pattern: literal(&digests),
                purpose: Purpose {
                    detector: Digests::ID.into(),
                    context: Digests::ALL.to_owned(),
                },
            },
        }
    })
}

/// Every package at one version.
pub(super) fn made_up(packages: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    let mut status = String::new();
    let mut files = BTreeMap::new();
    for (name, owned) in packages {
        // Writing to a String cannot fail.
        let _ = writeln!(
            status,
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n"
        );
        files.insert(format!("{INFO}/{name}.list"), owned.join("\n"));
    }
    files.insert("/var/lib/dpkg/status".into(), status);
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told() {
        let whole = "Package: a\nStatus: install ok installed\nVersion: 1\n";
        assert_eq!(damage(whole, false), None);
        assert_eq!(damage("Package: a\nVersion: 1\n", true), None);
        assert_eq!(
            damage("Package: a\nStatus: unknown ok not-installed\n", false),
            None
        );
        for (text, said) in [
            ("\0\0\0", "no text"),
            ("garbage\n", "no field (line 1)"),
            (
                "Package: a\nStatus: install ok installed\n",
                "without Version (line 1)",
            ),
            (&format!("{whole}\nPackage: b\nStat\n"), "no field (line 6)"),
            (
                &format!("{whole}\nVersion: 1\n"),
                "without Package (line 5)",
            ),
        ] {
            let told = damage(text, false).unwrap_or_default();
            assert!(told.contains(said), "{text}: {told}");
        }
    }

    const STATUS: &str = "Package: nginx\nStatus: hold ok installed\nPriority: optional\nSection: httpd\nArchitecture: all\n\
        Source: nginx-src (1.0)\nVersion: 1.22.1-9\nDepends: libc6 (>= 2.34), a:any | b\nConffiles:\n /etc/a b.conf 0123456789abcdef0123456789abcdef\n \
        /etc/old 0123456789abcdef0123456789abcdef obsolete\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nnonsense\n\n\
        Package: dash\nEssential: yes\nStatus: install ok installed\nVersion: 0.5\n";

    #[test]
    fn reads_what_is_installed() {
        let found: Vec<Package> = stanzas(STATUS)
            .iter()
            .filter_map(|(line, stanza)| {
                package(&"/var/lib/dpkg/status".into(), *line, stanza, false)
            })
            .collect();
        assert_eq!(found.len(), 2);
        let nginx = &found[0];
        assert_eq!(
            (nginx.source.as_str(), nginx.held, nginx.essential),
            ("nginx-src", true, false)
        );
        assert_eq!(
            nginx.depends,
            [vec!["libc6".to_owned()], vec!["a".into(), "b".into()]]
        );
        let paths: Vec<_> = nginx.conffiles.iter().map(|c| c.path.text()).collect();
        assert_eq!(paths, ["/etc/a b.conf"]);
        assert!(found[1].essential);
        assert_eq!(found[1].evidence.line, Some(19));
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,400}") {
            for (line, stanza) in stanzas(&text) {
                let _ = package(&"/s".into(), line, &stanza, true);
            }
        }
    }
}
