//! What a header says of a package: who it is, what it needs, and its files.

use super::header::{Header, tag};
use crate::fact::{Conffile, Evidence, Package};
use crate::path::MachinePath;

/// Flags of a file.
const CONFIG: u64 = 1;
const MISSING_OK: u64 = 8;
const GHOST: u64 = 64;

/// A file that was installed as the package has it.
const NORMAL: u64 = 0;

/// Longer than any path that a kernel opens.
const LONGEST: usize = 4096;

/// What all packages of a database may say together: directories are named once and files by their place, so a small
/// database could name very many long paths.
pub(super) struct Budget {
    files: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            files: 4_000_000,
            bytes: 256 << 20,
        }
    }

    fn affords(&mut self, bytes: usize) -> bool {
        let left = self.files.checked_sub(1).zip(self.bytes.checked_sub(bytes));
        let is_left = left.is_some();
        (self.files, self.bytes) = left.unwrap_or_default();
        is_left
    }

    pub(super) fn is_spent(&self) -> bool {
        self.files == 0 || self.bytes == 0
    }
}

/// A package with its files.
pub(super) struct Read {
    pub package: Package,
    /// What was put on the disk by it. What it only names (`%ghost`) comes from no package.
    pub paths: Vec<MachinePath>,
    pub digests: Vec<(MachinePath, String)>,
}

/// What a header is.
pub(super) enum Kind {
    Package(Box<Read>),
    /// The key of a signer, which rpm keeps among the packages.
    Key,
}

impl Kind {
    /// `None` of a damaged header.
    pub(super) fn of(
        header: &Header<'_>,
        database: &MachinePath,
        budget: &mut Budget,
    ) -> Option<Self> {
        let name = header.text(tag::NAME).filter(|name| is_word(name))?;
        let release = header.text(tag::RELEASE).filter(|text| is_word(text))?;
        let version = header.text(tag::VERSION).filter(|text| is_word(text))?;
        if name == "gpg-pubkey" {
            return Some(Self::Key);
        }
        let epoch = header
            .numbers(tag::EPOCH)?
            .first()
            .copied()
            .unwrap_or_default();
        let version = match epoch {
            0 => format!("{version}-{release}"),
            epoch => format!("{epoch}:{version}-{release}"),
        };
        let files = files(header, budget)?;
        let excerpt = format!("{name} {version}");
        let package = Package {
            source: header
                .text(tag::SOURCE)
                .and_then(|file| source(&file))
                .unwrap_or_else(|| name.clone()),
            arch: header.text(tag::ARCH).unwrap_or_default(),
            section: String::new(),
            manual: true,
            held: false,
            essential: false,
            depends: depends(header)?,
            provides: provides(header, &name)?,
            conffiles: files.conffiles,
            ghosts: files.ghosts,
            vendor: header.text(tag::VENDOR).unwrap_or_default(),
            module: header
                .text(tag::MODULE)
                .map(|label| stream(&label))
                .unwrap_or_default(),
            installed: installed(header),
            evidence: Evidence::file(database).with_excerpt(&excerpt),
            name,
            version,
        };
        Some(Self::Package(Box::new(Read {
            package,
            paths: files.paths,
            digests: files.digests,
        })))
    }
}

/// What a name or a version is made of; rpm allows more signs than others do (`~`, `^`, `+`), but none of these.
fn is_word(text: &str) -> bool {
    let is_foreign =
        |c: char| c.is_whitespace() || c.is_control() || c == '=' || c == '/' || c == '\u{fffd}';
    !text.is_empty() && text.len() <= 256 && !text.contains(is_foreign)
}

fn installed(header: &Header<'_>) -> Option<i64> {
    let times = header.numbers(tag::INSTALLED)?;
    times.first().and_then(|time| i64::try_from(*time).ok())
}

/// `httpd-2.4.57-5.el9.src.rpm` → `httpd`.
fn source(file: &str) -> Option<String> {
    let mut parts = file.rsplitn(3, '-');
    let name = parts.nth(2)?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// `php:8.1:9030020240101:abcdef:x86_64` → `php:8.1`.
fn stream(label: &str) -> String {
    let parts: Vec<&str> = label.splitn(3, ':').take(2).collect();
    parts.join(":")
}

/// A path of the directories that many distributions have merged, as if they were: packages name files of others under
/// either name.
pub(super) fn merged(path: &str) -> &str {
    let moved = ["/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/lib64/"];
    if moved.iter().any(|place| path.starts_with(place)) {
        path.strip_prefix("/usr").unwrap_or(path)
    } else {
        path
    }
}

fn depends(header: &Header<'_>) -> Option<Vec<Vec<String>>> {
    let names = header.texts(tag::REQUIRES)?;
    let mut found: Vec<Vec<String>> = Vec::new();
    for name in names {
        let name = String::from_utf8_lossy(name);
        let group = if name.starts_with('(') {
            rich(&name)
        } else {
            vec![merged(&name).to_owned()]
        };
        // What rpm itself is able to do, and what a package says of its own configuration.
        let is_own = |name: &String| name.starts_with("rpmlib(") || name.starts_with("config(");
        if !group.is_empty() && !group.iter().any(is_own) {
            found.push(group);
        }
    }
    found.sort();
    found.dedup();
    Some(found)
}

/// `(a or b >= 1)` → `[a, b]`; of one that depends on what else is installed nothing is followed.
pub(super) fn rich(text: &str) -> Vec<String> {
    let inner = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    let words: Vec<&str> = inner.unwrap_or_default().split_whitespace().collect();
    let is_conditional = |word: &&str| ["if", "unless", "else", "and"].contains(word);
    if words.iter().any(is_conditional) || inner.is_some_and(|inner| inner.starts_with('(')) {
        return Vec::new();
    }
    let is_operator = |word: &&&str| ["or", "with", "without"].contains(*word);
    let mut found: Vec<String> = Vec::new();
    for part in words.split(|word| is_operator(&word)) {
        found.extend(part.first().map(|name| merged(name).to_owned()));
    }
    found
}

fn provides(header: &Header<'_>, name: &str) -> Option<Vec<String>> {
    let names = header.texts(tag::PROVIDES)?.into_iter();
    let mut found: Vec<String> = names
        .map(|name| merged(&String::from_utf8_lossy(name)).to_owned())
        .filter(|provided| provided != name && !provided.starts_with("config("))
        .collect();
    found.sort();
    found.dedup();
    Some(found)
}

#[derive(Default)]
struct Files {
    paths: Vec<MachinePath>,
    digests: Vec<(MachinePath, String)>,
    conffiles: Vec<Conffile>,
    ghosts: Vec<MachinePath>,
}

fn files(header: &Header<'_>, budget: &mut Budget) -> Option<Files> {
    let (flags, states) = (header.numbers(tag::FLAGS)?, header.numbers(tag::STATES)?);
    let digests = header.texts(tag::DIGESTS)?;
    let mut found = Files::default();
    let mut at = 0;
    each_path(header, &mut |directory, name| {
        let flags = flags.get(at).copied().unwrap_or_default();
        let state = states.get(at).copied().unwrap_or_default();
        let digest = digests.get(at).copied().unwrap_or_default();
        at += 1;
        // Left out on purpose, for a language, as documentation, or because another package's file stands in its place.
        let length = directory.len() + name.len();
        if state != NORMAL || length > LONGEST || !budget.affords(length) {
            return;
        }
        let path = MachinePath::new([directory, name].concat());
        if flags & GHOST != 0 {
            found.ghosts.push(path);
            return;
        }
        if let Some(digest) = hexadecimal(digest) {
            if flags & CONFIG != 0 && flags & MISSING_OK == 0 {
                found.conffiles.push(Conffile {
                    path: path.clone(),
                    digest: digest.clone(),
                });
            }
            found.digests.push((path.clone(), digest));
        }
        found.paths.push(path);
    })?;
    Some(found)
}

/// Paths as rpm writes them since 1999, or as it did before: whole. `None` where they do not fit together.
fn each_path(header: &Header<'_>, visit: &mut dyn FnMut(&[u8], &[u8])) -> Option<()> {
    if !header.has(tag::BASE_NAMES) {
        for path in header.texts(tag::OLD_PATHS)? {
            visit(path, &[]);
        }
        return Some(());
    }
    let names = header.texts(tag::BASE_NAMES)?;
    let directories = header.texts(tag::DIRECTORIES)?;
    let places = header.numbers(tag::DIRECTORY_OF)?;
    if places.len() != names.len() {
        return None;
    }
    for (name, place) in names.into_iter().zip(places) {
        let directory = directories.get(usize::try_from(place).ok()?)?;
        visit(directory, name);
    }
    Some(())
}

/// A digest in small letters; links, directories and what is a ghost have none. Its length tells the algorithm, whatever the
/// header says of it.
fn hexadecimal(digest: &[u8]) -> Option<String> {
    let is_one = matches!(digest.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && digest.iter().all(u8::is_ascii_hexdigit);
    let text = || String::from_utf8_lossy(digest).to_ascii_lowercase();
    is_one.then(text)
}
