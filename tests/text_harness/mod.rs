//! What the fuzz targets of texts and programs share with the tests: reading an input as the file, or the files, that a
//! target is about, by the detectors and grammars that a scan has for them. Whoever panics or takes long fails.
//!
//! The first byte of most inputs chooses what kind of file it is. What a scan would do with the facts is done too: the
//! services are worked out of them.

mod machine;
mod quoted;
mod word;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::OnceLock;
use transvase::detect::native::syntax::{self, Reading};
use transvase::detect::{Detector, FileView, Purpose, Sink, native};
use transvase::disk::FileKind;
use transvase::fact::{Fact, Facts, Masking, Syntax};
use transvase::path::MachinePath;
use transvase::product::pack::Packs;
use transvase::secret::{self, Search};
use transvase::walk::Entry;

/// Which detectors read what, and under which names.
const FILES: &[(&str, &[&str], &[&str])] = &[
    (
        "units",
        &["services/systemd"],
        &[
            "/etc/systemd/system/a.service",
            "/etc/systemd/system/a@.service",
            "/etc/systemd/system/a@b.service",
            "/etc/systemd/system/a.timer",
            "/etc/systemd/system/a.socket",
            "/etc/systemd/system/a.mount",
            "/etc/systemd/system/a.path",
            "/etc/systemd/system/a.service.d/x.conf",
        ],
    ),
    (
        "cron",
        &["jobs/cron"],
        &[
            "/etc/crontab",
            "/etc/anacrontab",
            "/etc/cron.d/a",
            "/var/spool/cron/crontabs/a",
            "/etc/cron.daily/a",
        ],
    ),
    ("init", &["services/sysv"], &["/etc/init.d/a"]),
    (
        "elf",
        &["exec/"],
        &["/usr/bin/a", "/usr/lib/liba.so.1", "/etc/ld.so.cache"],
    ),
    (
        "packages",
        &["packages/dpkg", "packages/apt-states"],
        &[
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/status.d/a",
            "/var/lib/dpkg/info/a.list",
            "/var/lib/dpkg/info/a.md5sums",
            "/var/lib/apt/extended_states",
        ],
    ),
    (
        "rpm",
        &["packages/rpm"],
        &[
            "/var/lib/rpm/rpmdb.sqlite",
            "/var/lib/rpm/Packages",
            "/var/lib/rpm/Packages.db",
            "/var/lib/dnf/history.sqlite",
            "/usr/lib/sysimage/libdnf5/packages.toml",
            "/var/lib/zypp/AutoInstalled",
            "/var/lib/yum/yumdb/a/0-a-1-1-noarch/reason",
            "/var/lib/yum/yumdb/a/0-a-1-1-noarch/from_repo",
            "/etc/yum.repos.d/a.repo",
        ],
    ),
    (
        "apk",
        &["packages/apk"],
        &["/lib/apk/db/installed", "/etc/apk/world"],
    ),
    (
        "pacman",
        &["packages/pacman"],
        &[
            "/var/lib/pacman/local/a-1-1/desc",
            "/var/lib/pacman/local/a-1-1/files",
            "/var/lib/pacman/local/a-1-1/mtree",
        ],
    ),
    (
        "opkg",
        &["packages/opkg"],
        &["/usr/lib/opkg/status", "/usr/lib/opkg/info/a.list"],
    ),
    (
        "archives",
        &["packages/apt-"],
        &[
            "/etc/apt/sources.list",
            "/etc/apt/sources.list.d/a.sources",
            "/etc/apt/preferences.d/a.pref",
            "/etc/apt/auth.conf.d/a.conf",
            "/usr/share/keyrings/a.gpg",
            "/var/lib/apt/lists/a_InRelease",
            "/var/lib/apt/lists/a_Packages",
            "/var/lib/apt/lists/a_Packages.gz",
            "/var/lib/apt/lists/a_Packages.xz",
            "/var/lib/apt/lists/a_Packages.lz4",
            "/var/log/apt/history.log",
        ],
    ),
    (
        "system",
        &["machine/"],
        &[
            "/etc/passwd",
            "/etc/group",
            "/etc/os-release",
            "/etc/hosts",
            "/etc/hostname",
            "/etc/fstab",
            "/etc/timezone",
            "/etc/default/locale",
        ],
    ),
    (
        "content",
        &["secret/content"],
        &[
            "/srv/a/.env",
            "/etc/a.conf",
            "/srv/a/config.php",
            "/srv/a/a.py",
            "/root/.pgpass",
            "/etc/a.yaml",
            "/srv/a/a.json",
            "/srv/a/a.pem",
            "/usr/share/doc/a",
            "/srv/a/a.xml",
        ],
    ),
];

const SYNTAXES: [Syntax; 17] = [
    Syntax::Blocks,
    Syntax::CBlocks,
    Syntax::Braces,
    Syntax::Apache,
    Syntax::Haproxy,
    Syntax::Ini,
    Syntax::KeyEquals,
    Syntax::KeySpace,
    Syntax::Flags,
    Syntax::Environment,
    Syntax::Columns,
    Syntax::Json,
    Syntax::Yaml,
    Syntax::Toml,
    Syntax::Xml,
    Syntax::Properties,
    Syntax::Script,
];

/// Reads an input as what the target of this name reads; none other is known.
pub fn read(target: &str, data: &[u8]) -> bool {
    let Some((choice, bytes)) = data.split_first() else {
        return true;
    };
    let choice = usize::from(*choice);
    match target {
        "syntax" => settings(choice, bytes),
        "secret" => secrets(choice, bytes),
        "words" => word::read(&text(bytes)),
        "glob" => word::globs(&text(data)),
        "quoting" => quoted::read(&text(data)),
        "pack" => pack(&text(bytes)),
        "machine" => machine::read(data),
        name => match FILES.iter().find(|(known, ..)| *known == name) {
            Some((_, ids, paths)) => files(ids, paths, choice, bytes),
            None => return false,
        },
    }
    true
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file as the walk finds it.
fn entry(path: &MachinePath, size: usize) -> Entry {
    Entry {
        path: path.clone(),
        kind: FileKind::File,
        mode: 0o755,
        uid: 0,
        gid: 0,
        size: size as u64,
        mtime: 0,
        target: None,
        volume: 0,
        node: transvase::disk::NodeId {
            subvolume: 0,
            inode: 0,
        },
    }
}

fn detectors() -> &'static [Box<dyn Detector>] {
    static ALL: OnceLock<Vec<Box<dyn Detector>>> = OnceLock::new();
    ALL.get_or_init(native::all)
}

fn files(ids: &[&str], paths: &[&str], choice: usize, bytes: &[u8]) {
    let path = MachinePath::new(paths[choice % paths.len()]);
    let entry = entry(&path, bytes.len());
    let purpose = Purpose::default();
    let (bytes, log) = logged(bytes);
    let beside = [("-wal", log.to_vec())];
    let mut shown = 0;
    for detector in detectors() {
        let id = detector.id();
        if !ids.iter().any(|known| id.starts_with(known)) {
            continue;
        }
        shown += 1;
        let view = FileView::new(&path, &entry, bytes, &purpose).with_beside(&beside);
        let mut sink = Sink::default();
        if detector.interest().streamed {
            let view = FileView::new(&path, &entry, &[], &purpose);
            detector.stream(&view, &mut &*bytes, &installed(), &mut sink);
            black_box(sink);
            continue;
        }
        detector.inspect(&view, &mut sink);
        black_box(sink);
        let view = FileView::new(&path, &entry, bytes, &purpose).disclosed();
        let mut sink = Sink::default();
        detector.inspect(&view, &mut sink);
        black_box(sink);
    }
    assert!(shown > 0, "no detector is called {ids:?}");
}

/// A file, and the log of writes of SQLite that stands behind it in an input.
fn logged(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut starts = bytes.windows(3);
    let start = starts.position(|start| start == [0x37, 0x7f, 0x06]);
    bytes.split_at(start.unwrap_or(bytes.len()))
}

/// A machine that has a package `a`, whose name lists are searched for.
fn installed() -> Facts {
    let path = MachinePath::new("/var/lib/dpkg/status");
    let text = b"Package: a\nStatus: install ok installed\nVersion: 1\n";
    let (entry, purpose) = (entry(&path, text.len()), Purpose::default());
    let view = FileView::new(&path, &entry, text, &purpose);
    let mut sink = Sink::default();
    let mut detectors = detectors().iter();
    let status = detectors.find(|detector| detector.id() == "packages/dpkg");
    status.unwrap().inspect(&view, &mut sink);
    let packages = sink.facts.into_iter().filter_map(|fact| match fact {
        Fact::Package(package) => Some(package),
        _ => None,
    });
    Facts {
        packages: packages.collect(),
        ..Facts::default()
    }
}

fn settings(choice: usize, bytes: &[u8]) {
    let syntax = SYNTAXES[choice % SYNTAXES.len()];
    let path = MachinePath::new("/etc/a/a.conf");
    let reading = Reading::main(syntax, &path);
    let text = text(bytes);
    for masking in [Masking::Masked, Masking::Disclosed] {
        let _ = black_box(syntax::read(&reading, &path, &text, masking));
    }
}

/// The search is one, however the file comes; free text and values of any name have their secrets taken out.
fn secrets(choice: usize, bytes: &[u8]) {
    let paths = FILES.iter().find(|(name, ..)| *name == "content");
    let paths = paths.map(|(.., paths)| *paths).unwrap_or_default();
    let path = paths[choice % paths.len()];
    let mut search = Search::new(path, bytes);
    let mut hits = Vec::new();
    search.piece(bytes, true, |hit| hits.push(hit));
    let mut search = Search::new(path, bytes);
    let middle = (bytes.len() / 2) & !1;
    let mut again = Vec::new();
    search.piece(&bytes[..middle], false, |hit| again.push(hit));
    search.piece(&bytes[middle..], true, |hit| again.push(hit));
    assert_eq!(hits, again, "a file in pieces has other secrets");
    let text = text(bytes);
    for line in text.lines().take(64) {
        black_box(secret::redact_line(line));
        let (key, value) = line.split_once('=').unwrap_or(("", line));
        black_box(secret::redact(Some(key), value));
        black_box(secret::named_files(key, value));
    }
    black_box(secret::kind_of_file(path, bytes));
}

/// A pack is refused with reasons, or asked about a machine that has nothing.
fn pack(text: &str) {
    let mut packs = Packs::default();
    if packs.add("a/b", text).is_ok() {
        machine::ask(&packs, &BTreeMap::new());
    }
}
