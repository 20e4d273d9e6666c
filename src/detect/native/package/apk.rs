//! apk's database: one file of all packages with their files, and what was asked for. apk-installed(5), apk-world(5).

use crate::detect::{Detector, Doc, FileView, Interest, Sink, Want};
use crate::fact::{Evidence, Fact, Package};
use crate::path::MachinePath;
use crate::walk::literal;
use crate::words::armour;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// As the machine's package database is called.
const NAME: &str = "apk";

const PLACES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

fn doc(title: &'static str, recognises: &'static str) -> Doc {
    Doc {
        title,
        recognises,
        why: "packages are what an image installs, and what they own need not be copied",
        cannot_see: "packages removed by hand without apk",
        references: &["apk(8)", "apk-installed(5)", "apk-world(5)"],
    }
}

/// All packages, and their files.
pub struct Installed;

impl Installed {
    const ID: &str = "packages/apk";
}

impl Detector for Installed {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        doc(
            "Installed Alpine packages",
            "the records of packages, with their files and digests",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: PLACES.map(str::to_owned).to_vec(),
            limit: 256 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let place = &file.entry.path;
        // Where /lib is /usr/lib, the file is shown under both names.
        if file.path != place && PLACES.contains(&&*place.text()) {
            return;
        }
        let (records, damage) = records(file.bytes, place);
        let wanted: BTreeSet<&str> = file.purpose.context.lines().collect();
        if !wanted.is_empty() {
            for record in records {
                let package = record.package.identity();
                if wanted.contains(package.as_str()) {
                    let digests = record.digests;
                    sink.fact(Fact::Recorded { package, digests });
                }
            }
            return;
        }
        if let Some(what) = damage {
            sink.fact(Fact::DamagedDatabase(NAME, place.clone()));
            let reason = format!("apk's database {what}; packages may be missing");
            sink.unexamined(place, Self::ID, reason);
        }
        if !records.is_empty() {
            sink.fact(Fact::PackageDatabase(NAME));
        } else if file.bytes.is_empty() {
            sink.fact(Fact::EmptyDatabase(NAME, place.clone()));
        }
        emit(records, sink);
    }
}

fn emit(records: Vec<Record>, sink: &mut Sink) {
    let needed: BTreeSet<String> = records
        .iter()
        .flat_map(|record| record.package.depends.iter().flatten())
        .filter(|name| name.starts_with('/'))
        .cloned()
        .collect();
    let mut groups = Vec::new();
    for mut record in records {
        // A name for several packages, which an administrator made to remove them together.
        if record.package.name.starts_with('.') {
            let names = record.package.depends.concat();
            groups.push(format!("{} {}", record.package.name, names.join(" ")));
            continue;
        }
        let paths = record.paths.iter().filter_map(|path| path.as_str());
        let asked = paths.filter(|path| needed.contains(*path));
        record.package.provides.extend(asked.map(str::to_owned));
        let package = record.package.identity();
        let digests = record.digests.into_iter();
        let digests: Vec<_> = digests
            .filter(|(path, _)| super::is_compared(&path.text()))
            .collect();
        if !digests.is_empty() {
            sink.fact(Fact::Recorded {
                package: package.clone(),
                digests,
            });
        }
        sink.fact(Fact::Owns {
            package,
            paths: record.paths,
        });
        sink.fact(Fact::Package(record.package));
    }
    sink.want("/etc/apk/world", World::ID, groups.join("\n"));
}

struct Record {
    package: Package,
    paths: Vec<MachinePath>,
    digests: Vec<(MachinePath, String)>,
}

/// Every record, and how the file is not as apk writes it.
fn records(bytes: &[u8], place: &MachinePath) -> (Vec<Record>, Option<String>) {
    let mut found = Vec::new();
    let mut damage = None;
    let mut lines = Vec::new();
    let mut start = 1;
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        damage = Some("ends within a line: it was cut short".to_owned());
    }
    let end: &[u8] = b"";
    let all = bytes.split(|byte| *byte == b'\n').chain([end]);
    for (number, line) in (1_u32..).zip(all) {
        if !line.is_empty() {
            if lines.is_empty() {
                start = number;
            }
            lines.push(line);
            continue;
        }
        if lines.is_empty() {
            continue;
        }
        if let Some(record) = record(&std::mem::take(&mut lines), place, start) {
            found.push(record);
        } else {
            let what = || format!("has a package that cannot be read (line {start})");
            damage.get_or_insert_with(what);
        }
    }
    (found, damage)
}

fn record(lines: &[&[u8]], place: &MachinePath, start: u32) -> Option<Record> {
    let text = |key: u8| {
        let mut own = lines.iter().filter_map(|line| value(line, key));
        own.next()
            .map(|value| String::from_utf8_lossy(value).into_owned())
    };
    if !lines.iter().all(|line| line.get(1) == Some(&b':')) {
        return None;
    }
    let is_word = |text: &String| !text.is_empty() && !text.contains(['=', ' ', '/', '\u{fffd}']);
    let name = text(b'P').filter(is_word)?;
    let version = text(b'V').filter(is_word)?;
    let names = |key: u8| -> Vec<String> {
        let all = text(key).unwrap_or_default();
        let wanted = all
            .split(' ')
            .filter(|word| !word.is_empty() && !word.starts_with('!'));
        wanted.map(|word| bare(word).to_owned()).collect()
    };
    let (paths, digests) = files(lines);
    let evidence = Evidence::line(place, start, &format!("P:{name} V:{version}"));
    let package = Package {
        source: text(b'o').unwrap_or_else(|| name.clone()),
        arch: text(b'A').unwrap_or_default(),
        manual: true,
        depends: names(b'D').into_iter().map(|name| vec![name]).collect(),
        provides: names(b'p'),
        name,
        version,
        ..Package::new(evidence)
    };
    Some(Record {
        package,
        paths,
        digests,
    })
}

fn value(line: &[u8], key: u8) -> Option<&[u8]> {
    match line {
        [own, b':', rest @ ..] if *own == key => Some(rest),
        _ => None,
    }
}

/// A name without the version or the archive that is asked for: `so:libc.so=1`, `nginx~1.26`, `curl@edge`.
fn bare(word: &str) -> &str {
    let end = word.find(['=', '<', '>', '~', '@']).unwrap_or(word.len());
    word.get(..end).unwrap_or(word)
}

/// A directory's line comes before those of its files, and a file's digest behind its own.
fn files(lines: &[&[u8]]) -> (Vec<MachinePath>, Vec<(MachinePath, String)>) {
    let (mut paths, mut digests) = (Vec::new(), Vec::new());
    let mut directory = MachinePath::root();
    for line in lines {
        if let Some(own) = value(line, b'F') {
            directory = MachinePath::new([b"/", own].concat());
            paths.push(directory.clone());
        } else if let Some(own) = value(line, b'R') {
            paths.push(directory.join(own));
        } else if let Some(digest) = value(line, b'Z').and_then(digest) {
            digests.extend(paths.last().map(|path| (path.clone(), digest)));
        }
    }
    paths.retain(|path| *path != MachinePath::root());
    (paths, digests)
}

/// `Q1` and a SHA-1, `Q2` and a SHA-256, in base64; MD5 in hexadecimal in very old ones.
fn digest(text: &[u8]) -> Option<String> {
    let (packed, length) = match text {
        [b'Q', b'1', rest @ ..] => (rest, 20),
        [b'Q', b'2', rest @ ..] => (rest, 32),
        text if text.len() == 32 && text.iter().all(u8::is_ascii_hexdigit) => {
            return Some(String::from_utf8_lossy(text).to_ascii_lowercase());
        }
        _ => return None,
    };
    let bytes = armour::decoded(std::str::from_utf8(packed.get(..64).unwrap_or(packed)).ok()?)?;
    let mut found = String::new();
    for byte in bytes.get(..length).filter(|_| bytes.len() == length)? {
        // Writing to a String cannot fail.
        let _ = write!(found, "{byte:02x}");
    }
    Some(found)
}

/// Whether this package was read from a database of apk's.
pub(super) fn is_of(package: &Package) -> bool {
    PLACES.contains(&&*package.evidence.path.text())
}

/// Shows the database again, for all digests of these packages.
pub(super) fn wants<'a>(packages: impl Iterator<Item = &'a Package>) -> Option<Want> {
    let mut packages = packages.peekable();
    let mut want = Want::file(&packages.peek()?.evidence.path, Installed::ID);
    want.pattern = literal(&packages.peek()?.evidence.path);
    let mut names: Vec<String> = packages.map(Package::identity).collect();
    names.sort();
    want.purpose.context = names.join("\n");
    Some(want)
}

/// What an administrator asked for. Its purpose names groups, each with its packages on a line.
pub struct World;

impl World {
    const ID: &str = "packages/apk-world";
}

impl Detector for World {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        doc(
            "Alpine packages that were asked for",
            "the names in /etc/apk/world",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 16 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let words = file.text().split_whitespace();
        let asked: BTreeSet<&str> = words
            .filter(|word| !word.starts_with('!'))
            .map(bare)
            .collect();
        let groups = file.purpose.context.lines().map(|line| {
            let mut words = line.split(' ');
            (words.next().unwrap_or_default(), words)
        });
        let grouped = groups
            .filter(|(name, _)| asked.contains(name))
            .flat_map(|(_, words)| words);
        let names = asked.iter().copied().chain(grouped);
        sink.fact(Fact::Manual(names.map(str::to_owned).collect()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;
    use crate::walk::Entry;
    use proptest::prelude::*;

    const TEXT: &str = "P:nginx\nV:1.26.3-r0\nA:x86_64\no:nginx\nD:/bin/sh so:libc.musl-x86_64.so.1 !old so:libz.so.1>1\n\
        p:cmd:nginx=1.26.3-r0\nF:etc/nginx\nM:0:0:755\nR:nginx.conf\na:0:0:640\nZ:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\nF:usr/sbin\n\
        R:nginx\nZ:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\n\nP:busybox\nV:1.37.0-r1\nA:x86_64\nF:\nF:bin\nR:sh\n\n\
        P:.build-deps\nV:20240101.1\nA:noarch\nD:gcc make>4\n\n";

    fn shown(path: &str, text: &[u8], context: &str, detector: &dyn Detector) -> Sink {
        let path = MachinePath::new(path);
        let entry = Entry::file(&path, 0o644);
        let purpose = Purpose {
            context: context.to_owned(),
            ..Purpose::default()
        };
        let mut sink = Sink::default();
        detector.inspect(&FileView::new(&path, &entry, text, &purpose), &mut sink);
        sink
    }

    fn look(text: &[u8]) -> Sink {
        shown(PLACES[0], text, "", &Installed)
    }

    #[test]
    fn packages_own_files_and_a_group_is_only_a_name() {
        let sink = look(TEXT.as_bytes());
        let mut packages = Vec::new();
        let (mut owned, mut recorded) = (Vec::new(), Vec::new());
        for fact in &sink.facts {
            match fact {
                Fact::Package(package) => packages.push(package),
                Fact::Owns { paths, .. } => owned.extend(paths.iter().map(MachinePath::text)),
                Fact::Recorded { digests, .. } => recorded.extend(digests),
                _ => {}
            }
        }
        assert!(sink.unexamined.is_empty());
        let [nginx, busybox] = packages.as_slice() else {
            panic!("{packages:?}");
        };
        assert_eq!(nginx.identity(), "nginx=1.26.3-r0:x86_64");
        let needs: Vec<&str> = nginx.depends.iter().flatten().map(String::as_str).collect();
        assert_eq!(
            needs,
            ["/bin/sh", "so:libc.musl-x86_64.so.1", "so:libz.so.1"]
        );
        assert_eq!(nginx.provides, ["cmd:nginx"]);
        assert_eq!(busybox.provides, ["/bin/sh"]);
        assert_eq!(busybox.evidence.line, Some(16));
        assert_eq!(
            owned,
            [
                "/etc/nginx",
                "/etc/nginx/nginx.conf",
                "/usr/sbin",
                "/usr/sbin/nginx",
                "/bin",
                "/bin/sh"
            ]
        );
        // What is outside /etc is not kept. This is the SHA-1 of an empty file.
        let digest = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        assert_eq!(
            recorded,
            [&("/etc/nginx/nginx.conf".into(), digest.to_owned())]
        );
    }

    #[test]
    fn a_second_look_has_all_digests_of_a_package() {
        let sink = shown(
            PLACES[0],
            TEXT.as_bytes(),
            "nginx=1.26.3-r0:x86_64",
            &Installed,
        );
        let [Fact::Recorded { digests, .. }] = sink.facts.as_slice() else {
            panic!("{:?}", sink.facts);
        };
        assert_eq!(digests.len(), 2);
    }

    #[test]
    fn what_was_asked_for_is_in_world_by_itself_or_in_a_group() {
        let asked = |world: &str| {
            let first = look(TEXT.as_bytes());
            let context = &first.wants[0].purpose.context;
            let sink = shown("/etc/apk/world", world.as_bytes(), context, &World);
            match sink.facts.into_iter().next() {
                Some(Fact::Manual(names)) => names,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(asked("nginx~1.26\ncurl@edge !vim\n"), ["curl", "nginx"]);
        assert_eq!(asked(".build-deps\n"), [".build-deps", "gcc", "make"]);
    }

    #[test]
    fn damage_is_told() {
        for (text, said, left) in [
            ("P:a\nV:1\n\nP:b", "cut short", 1),
            ("P:a\nV:1\n\nP:b\n\n", "cannot be read (line 4)", 1),
            ("no record\n\n", "cannot be read (line 1)", 0),
        ] {
            let sink = look(text.as_bytes());
            assert!(
                sink.unexamined[0].reason.contains(said),
                "{text}: {:?}",
                sink.unexamined
            );
            assert!(
                sink.facts
                    .iter()
                    .any(|fact| matches!(fact, Fact::DamagedDatabase(..)))
            );
            let packages = sink
                .facts
                .iter()
                .filter(|fact| matches!(fact, Fact::Package(_)));
            assert_eq!(packages.count(), left, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "([PVFRZDp]:[ -~]{0,20}\n{1,2}){0,20}") {
            look(&bytes);
            look(text.as_bytes());
            shown("/etc/apk/world", &bytes, &text, &World);
        }
    }
}
