//! opkg's database: stanzas and file lists as dpkg has them, in places of its own and with fields of its own.

use super::dpkg::{conffiles, package_of, relations, stanzas};
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Evidence, Fact, Package};
use crate::path::MachinePath;

/// As the machine's package database is called.
const NAME: &str = "opkg";

const PLACES: [&str; 3] = ["/usr/lib/opkg", "/var/lib/opkg", "/opt/lib/opkg"];

fn doc(title: &'static str, recognises: &'static str) -> Doc {
    Doc {
        title,
        recognises,
        why: "packages are what the machine has of its distribution, and what they own is none of its own",
        cannot_see: "files of a firmware's image that no package lists",
        references: &["https://openwrt.org/docs/guide-user/additional-software/opkg"],
    }
}

/// `status`.
pub struct OpkgStatus;

impl Detector for OpkgStatus {
    fn id(&self) -> &'static str {
        "packages/opkg"
    }

    fn doc(&self) -> Doc {
        doc(
            "Installed opkg packages",
            "the stanzas of packages whose state is installed",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: PLACES.map(|place| format!("{place}/status")).to_vec(),
            limit: 64 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        if file.text().trim().is_empty() {
            sink.fact(Fact::EmptyDatabase(NAME, file.path.clone()));
            return;
        }
        if let Some(what) = super::dpkg::damage(file.text(), false) {
            sink.fact(Fact::DamagedDatabase(NAME, file.path.clone()));
            let reason = format!("opkg's database {what}; packages may be missing");
            sink.unexamined(file.path, self.id(), reason);
        }
        let stanzas = stanzas(file.text());
        let packages = stanzas.iter();
        let mut packages = packages
            .filter_map(|(line, stanza)| {
                let field = |key: &str| stanza.get(key).map(String::as_str).unwrap_or_default();
                package(file.path, *line, &field)
            })
            .peekable();
        if packages.peek().is_some() {
            sink.fact(Fact::PackageDatabase(NAME));
        }
        for package in packages {
            sink.fact(Fact::Package(package));
        }
    }
}

fn package<'a>(path: &MachinePath, line: u32, field: &dyn Fn(&str) -> &'a str) -> Option<Package> {
    // What was wanted, how it is marked, and how far it came.
    let mut status = field("Status").split(' ');
    let (wanted, flags, state) = (status.next()?, status.next()?, status.next()?);
    if !["installed", "unpacked", "half-configured"].contains(&state) || wanted == "deinstall" {
        return None;
    }
    let name = Some(field("Package")).filter(|name| !name.is_empty())?;
    let has = |flag: &str| flags.split(',').any(|own| own == flag);
    Some(Package {
        name: name.to_owned(),
        version: field("Version").to_owned(),
        arch: field("Architecture").to_owned(),
        source: name.to_owned(),
        section: field("Section").to_owned(),
        manual: field("Auto-Installed") != "yes",
        held: has("hold"),
        essential: field("Essential") == "yes",
        depends: [relations(field("Pre-Depends")), relations(field("Depends"))].concat(),
        provides: relations(field("Provides")).into_iter().flatten().collect(),
        conffiles: conffiles(field("Conffiles")),
        installed: field("Installed-Time").parse().ok(),
        ..Package::new(Evidence::line(
            path,
            line,
            &format!("Package: {name} {}", field("Version")),
        ))
    })
}

/// `info/NAME.list`.
pub struct OpkgLists;

impl Detector for OpkgLists {
    fn id(&self) -> &'static str {
        "packages/opkg-files"
    }

    fn doc(&self) -> Doc {
        doc("Files of opkg packages", "the file list of each package")
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: PLACES.map(|place| format!("{place}/info/*.list")).to_vec(),
            limit: 16 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        // A mode, or where a link leads, may stand behind a tab.
        let lines = file.bytes.split(|byte| *byte == b'\n');
        let paths = lines.filter_map(|line| line.split(|byte| *byte == b'\t').next());
        let paths = paths.filter(|path| path.len() > 1).map(MachinePath::new);
        sink.fact(Fact::Owns {
            package: package_of(file.path, ".list"),
            paths: paths.collect(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;
    use crate::walk::Entry;

    const STATUS: &str = "Package: uhttpd\nVersion: 2023-06-25\nDepends: libc, libubox20230523 (>= 1)\n\
        Status: install user installed\nArchitecture: mips_24kc\nConffiles:\n /etc/config/uhttpd \
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nInstalled-Time: 1700000000\n\n\
        Package: libc\nVersion: 1\nStatus: install hold,user installed\nAuto-Installed: yes\nArchitecture: mips_24kc\n\n\
        Package: gone\nVersion: 1\nStatus: deinstall user not-installed\nArchitecture: mips_24kc\n\n";

    fn look(detector: &dyn Detector, path: &str, text: &str) -> Sink {
        let path = MachinePath::new(path);
        let entry = Entry::file(&path, 0o644);
        let purpose = Purpose::default();
        let mut sink = Sink::default();
        detector.inspect(
            &FileView::new(&path, &entry, text.as_bytes(), &purpose),
            &mut sink,
        );
        sink
    }

    #[test]
    fn packages_are_read_as_opkg_marks_them() {
        let sink = look(&OpkgStatus, "/usr/lib/opkg/status", STATUS);
        assert!(sink.unexamined.is_empty(), "{:?}", sink.unexamined);
        let packages: Vec<&Package> = sink
            .facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Package(package) => Some(package),
                _ => None,
            })
            .collect();
        let [uhttpd, libc] = packages.as_slice() else {
            panic!("{packages:?}");
        };
        assert!(uhttpd.manual && !libc.manual && libc.held && !uhttpd.held);
        assert_eq!(uhttpd.installed, Some(1_700_000_000));
        assert_eq!(uhttpd.conffiles.len(), 1);
    }

    #[test]
    fn a_list_has_paths_before_tabs() {
        let list = "/usr/sbin/uhttpd\t0755\n/etc/config/uhttpd\n\n";
        let sink = look(&OpkgLists, "/usr/lib/opkg/info/uhttpd.list", list);
        let [Fact::Owns { package, paths }] = sink.facts.as_slice() else {
            panic!("{:?}", sink.facts);
        };
        assert_eq!((package.as_str(), paths.len()), ("uhttpd", 2));
        assert_eq!(paths[0].text(), "/usr/sbin/uhttpd");
    }

    #[test]
    fn damage_is_told() {
        let sink = look(&OpkgStatus, "/usr/lib/opkg/status", "Package: a\nVers");
        assert_eq!(sink.unexamined.len(), 1);
        assert!(matches!(sink.facts[0], Fact::DamagedDatabase(NAME, _)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,300}") {
            look(&OpkgStatus, "/usr/lib/opkg/status", &text);
            look(&OpkgLists, "/usr/lib/opkg/info/a.list", &text);
        }
    }
}
