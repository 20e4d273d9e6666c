//! pacman's database: a directory a package, with what it is, what it owns and how its files were. `alpm-db-desc(5)`,
//! `alpm-db-files(5)`, `alpm-mtree(5)`.

use crate::detect::{Detector, Doc, FileView, Interest, Sink, Want};
use crate::fact::{Conffile, Evidence, Fact, Package};
use crate::path::MachinePath;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::io::Read as _;

/// As the machine's package database is called.
const NAME: &str = "pacman";

const PLACE: &str = "/var/lib/pacman/local";

/// A list of files, unpacked; the largest packages have a fifth of it.
const LARGEST: u64 = 64 << 20;

fn doc(title: &'static str, recognises: &'static str) -> Doc {
    Doc {
        title,
        recognises,
        why: "packages are what an image installs, and what they own need not be copied",
        cannot_see: "packages removed by hand without pacman",
        references: &["pacman(8)", "alpm-db(7)"],
    }
}

/// Values by the words that stand between `%`s above them; a list ends with an empty line.
fn fields(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut key = None;
    for line in text.lines() {
        let name = line
            .strip_prefix('%')
            .and_then(|line| line.strip_suffix('%'));
        if line.is_empty() {
            key = None;
        } else if let (None, Some(name)) = (key, name) {
            key = Some(name);
            found.entry(name).or_default();
        } else if let Some(key) = key {
            found.entry(key).or_default().push(line);
        }
    }
    found
}

/// The directory `name-version-release`, as the identity that its files are joined by.
fn package_of(path: &MachinePath) -> Option<String> {
    let directory = path.parent()?;
    let name = directory.name();
    let mut parts = name.rsplitn(3, '-');
    let (release, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{name}={version}-{release}"))
}

/// `desc`: what a package is.
pub struct Descriptions;

impl Detector for Descriptions {
    fn id(&self) -> &'static str {
        "packages/pacman"
    }

    fn doc(&self) -> Doc {
        doc("Installed Arch packages", "the description of each package")
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: vec![format!("{PLACE}/*/desc")],
            limit: 4 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let Some(package) = package(file) else {
            sink.fact(Fact::DamagedDatabase(NAME, file.path.clone()));
            let reason =
                "a package of pacman's database has no name or no version; packages may be missing";
            return sink.unexamined(file.path, self.id(), reason);
        };
        sink.fact(Fact::PackageDatabase(NAME));
        sink.fact(Fact::Package(package));
    }
}

/// A name without the version that is asked for.
fn bare(word: &str) -> String {
    let end = word.find(['=', '<', '>', ':']).unwrap_or(word.len());
    word.get(..end).unwrap_or(word).to_owned()
}

fn package(file: &FileView<'_>) -> Option<Package> {
    let fields = fields(file.text());
    let all = |key: &str| fields.get(key).map(Vec::as_slice).unwrap_or_default();
    let one = |key: &str| all(key).first().copied().unwrap_or_default();
    let (name, version) = (one("NAME"), one("VERSION"));
    if name.is_empty() || version.is_empty() || name.contains('=') {
        return None;
    }
    Some(Package {
        name: name.to_owned(),
        version: version.to_owned(),
        arch: one("ARCH").to_owned(),
        source: Some(one("BASE"))
            .filter(|base| !base.is_empty())
            .unwrap_or(name)
            .to_owned(),
        // Nothing is said of what was asked for.
        manual: one("REASON") != "1",
        depends: all("DEPENDS").iter().map(|word| vec![bare(word)]).collect(),
        provides: all("PROVIDES").iter().map(|word| bare(word)).collect(),
        installed: one("INSTALLDATE").parse().ok(),
        ..Package::new(Evidence::line(file.path, 1, &format!("{name} {version}")))
    })
}

/// `files`: what a package owns, and the digests of its configuration.
pub struct Files;

impl Detector for Files {
    fn id(&self) -> &'static str {
        "packages/pacman-files"
    }

    fn doc(&self) -> Doc {
        doc(
            "Files of Arch packages",
            "the paths of each package, and the MD5 of its configuration",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: vec![format!("{PLACE}/*/files")],
            limit: LARGEST,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let Some(package) = package_of(file.path) else {
            return;
        };
        let fields = fields(file.text());
        let all = |key: &str| fields.get(key).map(Vec::as_slice).unwrap_or_default();
        let place = |path: &str| MachinePath::new(format!("/{}", path.trim_end_matches('/')));
        let backups = all("BACKUP").iter().filter_map(|line| {
            let (path, md5) = line.split_once('\t')?;
            Some(Conffile {
                path: place(path),
                digest: md5.to_owned(),
            })
        });
        let digests: Vec<_> = backups.map(|file| (file.path, file.digest)).collect();
        sink.fact(Fact::Recorded {
            package: package.clone(),
            digests,
        });
        sink.fact(Fact::Owns {
            package,
            paths: all("FILES").iter().map(|path| place(path)).collect(),
        });
    }
}

/// `mtree`: digests of everything, packed.
pub struct Tree;

impl Tree {
    const ID: &str = "packages/pacman-digests";
}

impl Detector for Tree {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        doc(
            "Digests of Arch packages' files",
            "the digests of files whose package has some that are younger than its installation",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: LARGEST,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let Some(package) = package_of(file.path) else {
            return;
        };
        let mut text = Vec::new();
        let read = MultiGzDecoder::new(file.bytes)
            .take(LARGEST)
            .read_to_end(&mut text);
        if read.is_err() {
            sink.unexamined(file.path, Self::ID, "the digests of a package are damaged");
        }
        let text = String::from_utf8_lossy(&text);
        let digests = text.lines().filter_map(recorded).collect();
        sink.fact(Fact::Recorded { package, digests });
    }
}

/// `./usr/bin/a time=1.0 mode=755 sha256digest=…`.
fn recorded(line: &str) -> Option<(MachinePath, String)> {
    let mut words = line.split(' ');
    let path = words.next()?.strip_prefix('.')?;
    let digest = |name: &str| {
        let mut values = line.split(' ').filter_map(|word| word.strip_prefix(name));
        values.next()
    };
    let digest = digest("sha256digest=").or_else(|| digest("md5digest="))?;
    let is_one = [32, 64].contains(&digest.len()) && digest.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then(|| (MachinePath::new(plain(path)), digest.to_owned()))
}

/// A path in which signs are written as three digits to the base of eight behind a backslash.
fn plain(text: &str) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let code = behind.get(..3).filter(|_| *first == b'\\');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            found.push(byte);
            rest = behind.get(3..).unwrap_or_default();
        } else {
            found.push(*first);
            rest = behind;
        }
    }
    found
}

/// Whether this package was read from a database of pacman's.
pub(super) fn is_of(package: &Package) -> bool {
    package.evidence.path.is_within(&PLACE.into())
}

/// All digests of a package.
pub(super) fn want(package: &Package) -> Option<Want> {
    let directory = package.evidence.path.parent()?;
    Some(Want::file(&directory.join("mtree"), Tree::ID))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;
    use crate::walk::Entry;
    use std::io::Write as _;

    const DESC: &str = "%NAME%\nvim-runtime\n\n%VERSION%\n1:9.1.0-1\n\n%BASE%\nvim\n\n%ARCH%\nx86_64\n\n\
        %INSTALLDATE%\n1700000000\n\n%REASON%\n1\n\n%DEPENDS%\nglibc>=2.38\nlibacl.so=1-64\n\n%PROVIDES%\nxxd\nlibvim.so=1-64\n\n\
        %DESCRIPTION%\n%NAME%\n\n";
    const PLACE_OF: &str = "/var/lib/pacman/local/vim-runtime-1:9.1.0-1";

    fn look(detector: &dyn Detector, name: &str, bytes: &[u8]) -> Sink {
        let path = MachinePath::new(format!("{PLACE_OF}/{name}"));
        let entry = Entry::file(&path, 0o644);
        let purpose = Purpose::default();
        let mut sink = Sink::default();
        detector.inspect(&FileView::new(&path, &entry, bytes, &purpose), &mut sink);
        sink
    }

    #[test]
    fn a_description_is_read() {
        let sink = look(&Descriptions, "desc", DESC.as_bytes());
        let Some(Fact::Package(package)) = sink.facts.get(1) else {
            panic!("{:?}", sink.facts);
        };
        // A value may look like a key.
        assert_eq!(package.identity(), "vim-runtime=1:9.1.0-1:x86_64");
        assert_eq!((package.source.as_str(), package.manual), ("vim", false));
        assert_eq!(package.depends.concat(), ["glibc", "libacl.so"]);
        assert_eq!(package.provides, ["xxd", "libvim.so"]);
        assert_eq!(package.installed, Some(1_700_000_000));
        assert!(is_of(package));
        assert_eq!(want(package).unwrap().pattern, format!("{PLACE_OF}/mtree"));
    }

    #[test]
    fn a_package_without_a_name_is_told() {
        let sink = look(&Descriptions, "desc", b"%VERSION%\n1-1\n");
        assert!(matches!(
            sink.facts.as_slice(),
            [Fact::DamagedDatabase(NAME, _)]
        ));
        assert_eq!(sink.unexamined.len(), 1);
    }

    #[test]
    fn files_are_joined_to_the_package_of_their_directory() {
        let text =
            "%FILES%\netc/\netc/vimrc\n\n%BACKUP%\netc/vimrc\td41d8cd98f00b204e9800998ecf8427e\n\n";
        let sink = look(&Files, "files", text.as_bytes());
        let [
            Fact::Recorded { digests, .. },
            Fact::Owns { package, paths },
        ] = sink.facts.as_slice()
        else {
            panic!("{:?}", sink.facts);
        };
        assert_eq!(package, "vim-runtime=1:9.1.0-1");
        let paths: Vec<_> = paths.iter().map(MachinePath::text).collect();
        assert_eq!(paths, ["/etc", "/etc/vimrc"]);
        assert_eq!(digests[0].0.text(), "/etc/vimrc");
    }

    #[test]
    fn digests_are_unpacked_and_names_written_plainly() {
        let sha = "0123456789abcdef".repeat(4);
        let text = format!(
            "#mtree\n/set type=file\n./usr/a\\040b time=1.0 size=2 md5digest=00 sha256digest={sha}\n./usr type=dir\n"
        );
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let sink = look(&Tree, "mtree", &packed);
        let [Fact::Recorded { digests, .. }] = sink.facts.as_slice() else {
            panic!("{:?}", sink.facts);
        };
        assert_eq!(digests, &[("/usr/a b".into(), sha)]);
        let cut = look(&Tree, "mtree", packed.get(..packed.len() / 2).unwrap());
        assert_eq!(cut.unexamined.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,300}", bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            look(&Descriptions, "desc", text.as_bytes());
            look(&Files, "files", text.as_bytes());
            look(&Tree, "mtree", &bytes);
            let _ = recorded(&text);
        }
    }
}
